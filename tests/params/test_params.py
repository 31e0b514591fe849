from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML

from callwright.errors import ParamsError
from callwright.params import Params, TeacherParams, first_error_line
from tests.fakes import teacher
from tests.working_tree import ROOT

SHIPPED = ROOT / "params.yaml"


@pytest.fixture
def load(tmp_path):
    """Load the shipped params with some values changed, each named by its dotted key; ... removes a key."""

    def load_changed(changes: dict[str, object]) -> Params:
        values = YAML(typ="safe").load(SHIPPED.read_text())
        for key, value in changes.items():
            *sections, name = key.split(".")
            section = values
            for part in sections:
                section = section[part]
            if value is ...:
                del section[name]
            else:
                section[name] = value
        path = tmp_path / "params.yaml"
        YAML(typ="safe").dump(values, path)
        return Params.load(path)

    return load_changed


def error_line(load, changes: dict[str, object], tmp_path: Path) -> str:
    with pytest.raises(ParamsError) as caught:
        load(changes)
    line = str(caught.value)
    assert "\n" not in line
    return line.removeprefix(f"{tmp_path}/")


def test_the_shipped_params_load():
    params = Params.load(SHIPPED)
    assert params.teacher.base_url == "oracle"
    assert sum(params.teacher.mistakes.model_dump().values()) < 1


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("rollout.temprature", "known: teacher, student"),
        ("rollout.teacher.temprature", "did you mean temperature?"),
        ("trian", "did you mean train?"),
        ("validate.min_correct_shares", "did you mean min_correct_share?"),
        ("train.lora.rank", "known: r, alpha, dropout, target_modules"),
        ("teacher.api_key", "did you mean api_key_env?"),
    ],
)
def test_an_unknown_key_gives_the_nearest_known_one(load, tmp_path, key, hint):
    line = error_line(load, {key: 1}, tmp_path)
    assert line.startswith(f"params.yaml: {key} is not a parameter ({hint}")


@pytest.mark.parametrize(
    ("section", "misspelt", "key"),
    [("pairs", "min_margn", "min_margin"), ("problems", "max_leftout", "max_left_out")],  # problems accepts more keys
)
def test_a_misspelt_key_is_reported_instead_of_the_missing_key(load, tmp_path, section, misspelt, key):
    line = error_line(load, {f"{section}.{key}": ..., f"{section}.{misspelt}": 0.3}, tmp_path)
    assert line == f"params.yaml: {section}.{misspelt} is not a parameter (did you mean {key}?)"


def test_a_key_that_is_missing_beside_keys_of_other_names_is_reported_as_missing(load, tmp_path):
    assert error_line(load, {"problems.path": ...}, tmp_path) == "params.yaml: problems.path is missing"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("seed", "seven", "seed: input should be a valid integer"),
        ("train.beta", "high", "train.beta: input should be a valid number"),
        ("train.gradient_checkpointing", "perhaps", "train.gradient_checkpointing: input should be a valid boolean"),
        ("problems.source", 3, "problems.source: input should be a valid string"),
        ("rollout", 3, "rollout: input should be a valid dictionary"),
        ("train.loss_type", "sigmoid", "train.loss_type: input should be a valid list"),
        ("views.train", "all", "views.train: should be batch, or a number of views above 0"),
        ("views.train", True, "views.train: should be batch, or a number of views above 0"),
        ("views.train", 0, "views.train: should be batch, or a number of views above 0"),
    ],
)
def test_the_error_for_a_wrong_type_has_the_key_and_the_value(load, tmp_path, key, value, message):
    line = error_line(load, {key: value}, tmp_path)
    assert line.startswith(f"params.yaml: {message}")
    assert line.endswith(f"not {value!r}")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pairs.min_margin", 0),
        ("pairs.min_margin", 1.1),
        ("validate.min_correct_share", -0.1),
        ("rollout.teacher.temperature", 2.1),
        ("promote.min_gain", float("nan")),
        ("train.lora.dropout", 1.0),
        ("seed", -1),
    ],
)
def test_the_error_for_a_value_out_of_bounds_has_the_key(load, tmp_path, key, value):
    assert error_line(load, {key: value}, tmp_path).startswith(f"params.yaml: {key}: input should be ")


@pytest.mark.parametrize("key", ["seed", "train", "pairs.min_margin", "train.lora.alpha", "teacher.mistakes"])
def test_the_error_for_a_missing_key_has_the_key(load, tmp_path, key):
    assert error_line(load, {key: ...}, tmp_path) == f"params.yaml: {key} is missing"


def test_the_recipe_of_an_earlier_version_gives_a_line_that_says_what_to_do(load, tmp_path):
    assert error_line(load, {"student.embedded": {"hidden": 128}}, tmp_path) == (
        "params.yaml: student: remove the section embedded: the embedded student is no longer built during a run, it "
        "ships with the package (docs/own-student.md)"
    )


def test_shares_of_mistakes_cannot_add_up_to_more_than_1(load, tmp_path):
    line = error_line(load, {"teacher.mistakes.skipped_step": 0.9, "teacher.mistakes.wrong_operand": 0.2}, tmp_path)
    assert line == "params.yaml: teacher.mistakes: the shares add up to more than 1"


def test_shares_of_mistakes_can_add_up_to_1(load):
    shares = Params.load(SHIPPED).teacher.mistakes.model_dump()
    equal_shares = {f"teacher.mistakes.{name}": 1 / len(shares) for name in shares}
    assert sum(load(equal_shares).teacher.mistakes.model_dump().values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("base_url", "base_urls", "message"),
    [
        ("oracle", ["http://a/v1"], "the oracle takes no further endpoints: set base_urls to []"),
        ("http://a/v1", ["oracle"], "the oracle takes no further endpoints: set base_urls to []"),
        ("models/base", ["http://a/v1"], "models/base takes no further endpoints: set base_urls to []"),
        ("http://a/v1", ["http://a/v1"], "base_urls contains a duplicate, or base_url"),
        ("http://a/v1", ["http://b/v1", "http://b/v1"], "base_urls contains a duplicate"),
    ],
)
def test_endpoints_must_differ_and_must_not_include_the_oracle(load, tmp_path, base_url, base_urls, message):
    line = error_line(load, {"teacher.base_url": base_url, "teacher.base_urls": base_urls}, tmp_path)
    assert line.startswith(f"params.yaml: teacher: {message}")


def test_a_teacher_can_have_several_endpoints(load):
    params = load({"teacher.base_url": "http://a/v1", "teacher.base_urls": ["http://b/v1", "http://c/v1"]})
    assert params.teacher.base_urls == ["http://b/v1", "http://c/v1"]


def test_every_loss_needs_a_weight(load, tmp_path):
    line = error_line(load, {"train.loss_type": ["sigmoid"], "train.loss_weights": [1.0, 0.5]}, tmp_path)
    assert line == "params.yaml: train: 1 loss_type but 2 loss_weights"


def test_the_bounds_of_the_correct_share_must_not_cross(load, tmp_path):
    line = error_line(load, {"validate.min_correct_share": 0.9, "validate.max_correct_share": 0.5}, tmp_path)
    assert line == "params.yaml: validate: min_correct_share 0.9 is above max_correct_share 0.5"


def test_params_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Params.load(SHIPPED).seed = 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty or not a mapping of sections"),
        ("- seed", "is empty or not a mapping of sections"),
        ("seed: [", "is not YAML: "),
        ("seed: 1\nseed: 2", "is not YAML: "),
        ("seed: !!python/object:os.system {}", "is not YAML: "),
        ("seed: 2024-13-45", "is not YAML: month must be in 1..12"),
        ("seed: " + "[" * 10_000, "is not YAML: it is nested too deeply"),
    ],
)
def test_an_unreadable_text_gives_a_one_line_error(tmp_path, text, message):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ParamsError) as caught:
        Params.load(path)
    assert str(caught.value).startswith(f"{path} {message}")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_gives_a_one_line_error(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(b"seed: 7 # \xff")
    with pytest.raises(ParamsError, match=r"params\.yaml is not YAML: not UTF-8 text at byte 11$"):
        Params.load(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ParamsError, match=r"params\.yaml cannot be read: Is a directory$"):
        Params.load(path)


def test_a_missing_file_says_where_to_run(tmp_path):
    with pytest.raises(ParamsError, match="is missing: run this from the project's folder"):
        Params.load(tmp_path / "params.yaml")


def test_a_cost_limit_needs_prices(load, tmp_path):
    line = error_line(load, {"rollout.budget.cost": 5.0}, tmp_path)
    assert line.startswith("params.yaml: rollout: budget.cost needs prices: {prompt: ")
    prices = {"prompt": 2.0, "cached": 0.5, "completion": 8.0}
    assert load({"rollout.budget.cost": 5.0, "rollout.prices": prices}).rollout.budget.limits() == {"cost": 5.0}


def test_the_error_for_a_misspelt_price_has_its_key(load, tmp_path):
    line = error_line(load, {"rollout.prices": {"prompt": 2.0, "cashed": 0.5, "completion": 8.0}}, tmp_path)
    assert line == "params.yaml: rollout.prices.cashed is not a parameter (did you mean cached?)"


def test_an_endpoint_engine_needs_an_endpoint(load, tmp_path):
    line = error_line(load, {"evaluate.engine": "endpoint"}, tmp_path)
    assert line == "params.yaml: evaluate: engine: endpoint needs endpoints.base or endpoints.student"
    endpoint = {"base_url": "http://127.0.0.1:8000/v1", "model": "m", "api_key_env": "OWN_KEY"}
    evaluate = load({"evaluate.engine": "endpoint", "evaluate.endpoints.student": endpoint}).evaluate
    assert evaluate.endpoint("base") is None
    assert evaluate.endpoint("champion") is None
    assert evaluate.endpoint("student").model == "m"


def test_the_local_engine_ignores_endpoints(load):
    endpoint = {"base_url": "http://127.0.0.1:8000/v1", "model": "m", "api_key_env": "OWN_KEY"}
    assert load({"evaluate.endpoints.student": endpoint}).evaluate.endpoint("student") is None


def test_changes_must_not_contain_duplicates(load, tmp_path):
    line = error_line(load, {"evaluate.robustness.changes": ["names", "names"]}, tmp_path)
    assert line.startswith("params.yaml: evaluate.robustness: changes contains a duplicate")


def test_the_old_name_of_a_change_gives_the_new_one(load, tmp_path):
    line = error_line(load, {"evaluate.robustness.changes": ["names", "new_function"]}, tmp_path)
    assert line.startswith(
        "params.yaml: evaluate.robustness.changes: new_function is called new_name now: write new_name"
    )


def test_functions_must_not_list_a_module_twice(load, tmp_path):
    line = error_line(load, {"functions": ["birds", "bees", "birds"]}, tmp_path)
    assert line.startswith("params.yaml: functions: the module birds is listed twice; list each module once")


SECRET_ADDRESSES = [
    "http://ann:hunter22@host/v1",
    "https://hunter22@host/v1",
    "https://ann:hun/ter22@host/v1",
    "https://host/v1?api-key=hunter22",
    "https://host/v1?api-version=2024-10-21&subscription_key=hunter22",
    "https://host/v1?sig=hunter22",
    "https://host/sk-hunter22/v1",
    "https://sk-hunter22-4f9a7c1e5b2d4860/v1",
    "ann:hunter22@host/v1",
    "folder:ann:hunter22@host/v1",
    "folder://hunter22@host/v1",
    "hunter22@host:8000/v1",
    "hunter22@host/v1",
    "HTTP:/hunter22@host",
    "ftp://ann:hunter22@host/v1",
    "http:/hunter22@host",
    "sk-hunter22-4f9a7c1e5b2d4860",
]


@pytest.mark.parametrize("key", ["teacher.base_url", "teacher.base_urls", "evaluate.endpoints.student"])
@pytest.mark.parametrize("address", SECRET_ADDRESSES)
def test_an_address_with_a_password_or_key_is_rejected_and_not_printed(load, tmp_path, key, address):
    endpoint = {"base_url": address, "model": "m", "api_key_env": "OWN_KEY"}
    value = {"teacher.base_urls": [address], "evaluate.endpoints.student": endpoint}.get(key, address)
    line = error_line(load, {"teacher.base_url": "http://a/v1", key: value}, tmp_path)
    assert line.startswith(f"params.yaml: {key}")
    assert line.endswith("holds a password or key, which would be printed and copied into dvc.lock: see api_key_env")
    assert "hunter22" not in line
    assert "ter22" not in line


@pytest.mark.parametrize(
    "address",
    [
        *(
            "http://",
            "http://h:99999/v1",
            "http://[::1/v1",
            "http://h/v1#x",
            "http://h/a b",
        ),
        "",
        " oracle",
        "a\nb",
    ],
)
def test_an_unusable_address_is_rejected(load, tmp_path, address):
    line = error_line(load, {"teacher.base_url": address}, tmp_path)
    assert line.startswith("params.yaml: teacher.base_url: should be an address such as http://127.0.0.1:8000")


@pytest.mark.parametrize(
    "address",
    [
        "https://h/openai/deployments/gpt/?api-version=2024-10-21",
        "http://[::1]:8000/v1",
        "http://sk-node1:8000/v1",  # a machine, not a key
        "https://pk-proxy.example.com",
    ],
)
def test_an_address_with_a_harmless_query_ipv6_or_host_is_accepted(load, address):
    assert load({"teacher.base_url": address}).teacher.base_url == address


@pytest.mark.parametrize(
    "pasted",
    [
        "sk-proj-4f9a7c1e5b2d4860",
        "hf_abcdefGHIJKLmnopqrstuvwx",
        "AKIAIOSFODNN7EXAMPLE",
        "4f9a7c1e5b2d48604f9a7c1e5b2d4860",
        "Zm9vYmFyMTIzNDU2",
        "TEACHER_API_KEY=sk-1",
        "",
    ],
)
def test_a_key_in_place_of_its_variable_is_not_printed(load, tmp_path, pasted):
    line = error_line(load, {"teacher.api_key_env": pasted}, tmp_path)
    assert line == (
        "params.yaml: teacher.api_key_env: should be the name of an environment variable, such as TEACHER_API_KEY, "
        "and never the key itself"
    )


@pytest.mark.parametrize(
    "name", ["TEACHER_API_KEY", "OPENAI_API_KEY", "KEY2", "my_key", "key2", "my_key_2", "_private"]
)
def test_usual_names_of_variables_are_accepted(load, name):
    assert load({"teacher.api_key_env": name}).teacher.api_key_env == name


def test_a_key_in_another_field_is_not_printed(load, tmp_path):
    assert "sk-planted-1" not in error_line(load, {"teacher.sk-planted-1": 3}, tmp_path)
    assert "sk-planted-1" not in error_line(load, {"teacher.timeout_s": "sk-planted-1"}, tmp_path)


def test_secrets_of_the_environment_are_not_printed(load, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_OWN_KEY", "plain words and more")
    assert "plain words" not in error_line(load, {"teacher.timeout_s": "plain words and more"}, tmp_path)


def test_request_fields_can_be_omitted_added_and_changed(load):
    fields = {"max_tokens": None, "max_completion_tokens": 256, "seed": None, "chat_template_kwargs": {"think": False}}
    assert load({"teacher.request": fields}).teacher.request == fields
    assert load({"teacher.request": ...}).teacher.request == {}  # a file of an earlier version


@given(st.text("qz9/:@?#%!.&=", min_size=8).map(lambda text: f"q{text}"))
def test_no_password_in_an_address_is_accepted_or_printed(password):
    for address in (f"http://ann:{password}@host/v1", f"https://{password}@host/v1"):
        with pytest.raises(ValidationError) as caught:
            teacher(base_url=address)
        line = first_error_line(TeacherParams, caught.value, "params.yaml")
        assert password not in line
        assert password not in str(caught.value)


@given(st.text(max_size=40))
def test_any_address_is_accepted_or_rejected_in_one_line(address):
    try:
        teacher(base_url=address)
    except ValidationError as error:
        assert "\n" not in first_error_line(TeacherParams, error, "params.yaml")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"messages": []}, "messages is set by Callwright and cannot be changed"),
        ({"model": "m"}, "model is set by Callwright and cannot be changed"),
        ({"tools": None}, "tools is set by Callwright and cannot be changed"),
        ({"stream": True}, "stream is set by Callwright and cannot be changed"),
        ({"n": 2}, "n is set by Callwright and cannot be changed"),
        ({"seed": 5}, "seed can only be null: each attempt has its own seed"),
        (
            {"extra_body": {"top_k": 1}},
            "extra_body is not a request field: write the fields of the request's body here, without extra_body",
        ),
        ({"Authorization": "Bearer hunter22"}, "holds a key, which belongs in the variable of api_key_env"),
        ({"nested": [{"api_key": "hunter22"}]}, "holds a key, which belongs in the variable of api_key_env"),
        ({"user": "sk-hunter22"}, "holds a key, which belongs in the variable of api_key_env"),
        ({"top_k": float("inf")}, "holds a number that JSON cannot hold"),
    ],
)
def test_a_request_cannot_set_reserved_fields_or_hold_a_key(load, tmp_path, fields, message):
    line = error_line(load, {"teacher.request": fields}, tmp_path)
    assert line.startswith(f"params.yaml: teacher.request: {message}")
    assert "hunter22" not in line


def test_the_oracle_cannot_serve_a_model_that_is_evaluated(load, tmp_path):
    endpoint = {"base_url": "oracle", "model": "m", "api_key_env": "OWN_KEY"}
    for model in ("base", "student"):
        line = error_line(load, {f"evaluate.endpoints.{model}": endpoint}, tmp_path)
        assert line == (
            f"params.yaml: evaluate.endpoints.{model}: the oracle reads the solutions, so it cannot serve a model that "
            "is evaluated"
        )


@pytest.mark.parametrize("name", ["base", "student", "champion"])
def test_a_teacher_cannot_have_the_name_of_a_model_of_the_pipeline(load, tmp_path, name):
    """Its chains would have the ids of that model's chains."""
    assert error_line(load, {"teacher.model": name}, tmp_path) == (
        f"params.yaml: teacher: model {name} is what chains call a model of the pipeline: give the teacher another name"
    )
    endpoint = {"base_url": "http://127.0.0.1:8000/v1", "model": name, "api_key_env": "OWN_KEY"}
    assert load({"evaluate.endpoints.base": endpoint}).evaluate.endpoints.base.model == name


def test_an_endpoint_has_defaults_for_what_it_does_not_set(load):
    needed = {"base_url": "http://127.0.0.1:8000/v1", "model": "m", "api_key_env": "OWN_KEY"}
    params = load({"teacher.timeout_s": 600, "teacher.max_retries": 0, "evaluate.endpoints.base": needed})
    base = params.evaluate.endpoints.base
    assert (base.base_urls, base.request, base.timeout_s, base.max_retries) == ([], {}, 120, 4)  # as params.yaml's
    shipped = Params.load(SHIPPED).teacher
    assert (base.timeout_s, base.max_retries) == (shipped.timeout_s, shipped.max_retries)
    slow = load({"evaluate.endpoints.base": {**needed, "timeout_s": 900, "max_retries": 1}}).evaluate.endpoints.base
    assert (slow.timeout_s, slow.max_retries) == (900, 1)


@pytest.mark.parametrize(
    "text",
    [
        *("models:/callwright-student@champion", "MODELS:/callwright-student@champion", "toy:3"),
        *("folder:models/base", "models/base", "/data/ann@corp/m", "./me@host", "folder:me@host", "folder:./me@host"),
    ],
)
def test_what_another_backend_goes_by_is_accepted(load, text):
    endpoint = {"base_url": text, "model": "m", "api_key_env": "OWN_KEY"}
    params = load({"teacher.base_url": text, "evaluate.endpoints.base": endpoint})
    assert (params.teacher.base_url, params.evaluate.endpoints.base.base_url) == (text, text)


@pytest.mark.parametrize("name", ["callwright-student", "main.models.student_2", "7b", "x" * 100])
def test_simple_names_of_registered_models_are_accepted(load, name):
    assert load({"promote.model_name": name}).promote.model_name == name


@pytest.mark.parametrize(
    "name", ["", " ", "it's", 'a"b', "a`b", "a b", "a/b", "a:b", "../x", "-x", "é", "a\nb", "<b>", "\u202ex", "x" * 101]
)
def test_names_that_mlflow_queries_cannot_hold_are_rejected(load, tmp_path, name):
    line = error_line(load, {"promote.model_name": name}, tmp_path)
    assert line.startswith("params.yaml: promote.model_name: has to be 1 to 100 of the characters a-z, A-Z, 0-9, ")
    assert line.isprintable()


def test_a_registered_model_cannot_have_the_name_of_a_promotion_lock(load, tmp_path):
    line = error_line(load, {"promote.model_name": "m-promotions"}, tmp_path)
    assert "cannot end with -promotions: that suffix is for the promotion lock" in line
