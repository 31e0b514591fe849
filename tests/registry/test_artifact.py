"""A registered student elsewhere: in plain transformers, asked from a running loop, and as `vllm serve` expects it."""

import asyncio
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from callwright.agent.loop import solve
from callwright.agent.native import NATIVE
from callwright.chat.local.chat import LocalChat
from callwright.chat.model import Reply, Sampling
from callwright.records import Call, Usage
from tests.chat.conftest import QUESTION, SUM, tiny_model
from tests.fakes import problem
from tests.registry.conftest import Server
from tests.registry.students import build_smallest_base, register_student, save_student

__all__ = ["tiny_model"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mlflow")]


def test_plain_transformers_with_tools_makes_the_call_that_the_agent_makes(tiny_model: Path):
    """The taught model knows add(2, 3); the prompt is the folder's own chat template with `tools`."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    asked = solve(problem(question=QUESTION), SUM, LocalChat(tiny_model, "student"), Sampling(max_tokens=64), NATIVE)
    first = asyncio.run(asked).steps[0].call
    assert first == Call("add", {"a": 2, "b": 3})

    tokenizer, model = AutoTokenizer.from_pretrained(tiny_model), AutoModelForCausalLM.from_pretrained(tiny_model)
    messages, tools = NATIVE.render(SUM, QUESTION, [])
    prompt = tokenizer.apply_chat_template(
        messages, tools=tools, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    made = model.generate(**prompt, max_new_tokens=64, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    ((_, call),) = NATIVE.read(Reply(tokenizer.decode(made[:-1]), "stop", Usage()))
    assert call == first


def test_an_embedded_base_is_a_folder_that_vllm_serve_takes(embedded: Path):
    """What vLLM reads of a folder: the architecture by name, weights, tokenizer, stop tokens, a template with tools."""
    import transformers

    config, generation = (
        json.loads((embedded / name).read_text()) for name in ("config.json", "generation_config.json")
    )
    (architecture,) = config["architectures"]
    assert hasattr(transformers, architecture), "a class of transformers itself: no code of its own is needed"
    assert "auto_map" not in config
    assert generation["eos_token_id"] == config["eos_token_id"]
    names = {path.name for path in embedded.iterdir()}
    assert {"model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl", ".py"))], "nothing that executes"
    tokenizer = transformers.AutoTokenizer.from_pretrained(embedded)
    messages, tools = NATIVE.render(SUM, QUESTION, [])
    shown = tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=True, tokenize=False)
    assert '"add"' in shown
    assert shown.index('"add"') < shown.index(QUESTION)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest embedded base, after one step of training."""
    folder = tmp_path_factory.mktemp("embedded")
    build_smallest_base(folder)
    return folder


@pytest.fixture(scope="module")
def loaded(embedded: Path, tmp_path_factory: pytest.TempPathFactory):
    """The embedded student through MLflow's own saving and loading."""
    import mlflow

    saved = tmp_path_factory.mktemp("saved") / "model"
    save_student(saved, embedded)
    return mlflow.pyfunc.load_model(saved)


QUESTIONS = pd.DataFrame({"question": ["What is 1 plus 2?", "What is 5 plus 7?"], "task": ["arithmetic"] * 2})


def test_a_caller_may_have_a_running_loop_or_many_threads(loaded):
    """As a notebook has the one and a server the others; rows come out the same and in order."""
    expected = loaded.predict(QUESTIONS)

    async def from_a_loop() -> pd.DataFrame:
        return loaded.predict(QUESTIONS)

    pd.testing.assert_frame_equal(asyncio.run(from_a_loop()), expected)
    with ThreadPoolExecutor(6) as threads:
        for answered in threads.map(lambda _: loaded.predict(QUESTIONS), range(6)):
            pd.testing.assert_frame_equal(answered, expected)


def test_a_row_says_what_is_known_of_an_answer(loaded):
    row = loaded.predict(QUESTIONS).iloc[0]
    chain = json.loads(row["chain"])
    assert list(row.index) == ["answer", "outcome", "grounded", "valid", "faults", "chain", "error"]
    assert row["error"] == ""
    assert row["answer"] == (chain["answer"] or "")
    assert row["valid"] == all(step["error"] is None for step in chain["steps"])
    assert set(row["faults"]) >= {step["error"]["fault"] for step in chain["steps"] if step["error"]}
    assert ("no_answer" in row["faults"]) == (chain["answer"] is None)


@pytest.mark.parametrize(
    ("question", "task", "complaint"),
    [
        ("How many?", "riddle", "unknown task 'riddle'; the tasks are arithmetic"),
        pytest.param("many " * 9_000, "arithmetic", "does not fit 4,096 positions", id="too long"),
        ("so \ud83d", "arithmetic", "half a character"),
        (None, "arithmetic", "question is not a text"),
        (12, "arithmetic", "question is not a text but int"),
        ("How many?", None, "task is not a text"),
        (" \n", "arithmetic", "question is empty"),
    ],
)
def test_a_question_that_cannot_be_asked_costs_its_own_row_alone(loaded, question, task, complaint):
    frame = pd.DataFrame({"question": ["What is 1 plus 2?", question], "task": ["arithmetic", task]}, dtype=object)
    answered, failed = loaded.predict(frame).to_dict("records")
    assert answered == loaded.predict(QUESTIONS.head(1)).iloc[0].to_dict()
    assert complaint in failed.pop("error")
    assert failed == {"answer": "", "outcome": "error", "grounded": False, "valid": False, "faults": [], "chain": ""}


def test_a_table_without_a_needed_column_is_one_line(loaded):
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="the column task is missing: send a table with") as caught:
        loaded.predict(pd.DataFrame({"question": ["How many?"]}))
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_the_signature_names_the_columns_that_a_row_has(loaded):
    from callwright.registry.register import _signature

    signature = _signature()
    assert signature.inputs.input_names() == ["question", "task"]
    assert signature.outputs.input_names() == list(loaded.predict(QUESTIONS).columns)


def test_a_model_that_cannot_be_loaded_fails_the_request_in_one_line(tmp_path: Path):
    from mlflow.exceptions import MlflowException

    from callwright.registry.served import ServedAgent, _load_student

    (tmp_path / "config.json").write_text("{}")
    agent = ServedAgent(lambda: _load_student(str(tmp_path)), "text", Sampling())
    with pytest.raises(MlflowException, match="no model could be loaded from") as caught:
        agent.answer(["How many?"], ["arithmetic"])
    assert caught.value.error_code == "INTERNAL_ERROR"


def test_asking_a_servers_champion_leaves_no_copy_behind(
    embedded: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from callwright.cli.ask import open_model

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.setenv(name, server.uri)
    client = register_student("asked", embedded, 3, 8, "text")
    client.set_registered_model_alias("asked", "champion", "1")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    opened = open_model("models:/asked@champion", None, "")
    assert (opened.sampling.max_steps, opened.sampling.max_tokens) == (3, 8)
    assert list(temporary.rglob("MLmodel")) == []
