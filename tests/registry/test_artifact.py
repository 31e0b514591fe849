"""A registered student in other programs: plain transformers, a caller with an event loop, `vllm serve`."""

import asyncio
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from callwright.agent.loop import solve
from callwright.agent.native import NATIVE
from callwright.chat.backend import AgentSettings
from callwright.chat.local.chat import LocalChat
from callwright.chat.model import Reply, Sampling
from callwright.records import Call, Usage
from callwright.standins.embedded.shipped_student import copy_shipped_student
from callwright.tasks import TASKS
from tests.chat.conftest import QUESTION, SUM, tiny_model
from tests.fakes import problem
from tests.registry.conftest import Server
from tests.registry.students import register_student, save_student

__all__ = ["tiny_model"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mlflow")]


def test_plain_transformers_with_tools_makes_the_call_that_the_agent_makes(tiny_model: Path):
    """The trained model calls add(2, 3); the prompt comes from the folder's chat template with `tools`."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    attempt = solve(problem(question=QUESTION), SUM, LocalChat(tiny_model, "student"), Sampling(max_tokens=64), NATIVE)
    first = asyncio.run(attempt).steps[0].call
    assert first == Call("add", {"a": 2, "b": 3})

    tokenizer, model = AutoTokenizer.from_pretrained(tiny_model), AutoModelForCausalLM.from_pretrained(tiny_model)
    messages, tools = NATIVE.render(SUM, QUESTION, [])
    prompt = tokenizer.apply_chat_template(
        messages, tools=tools, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    generated = model.generate(**prompt, max_new_tokens=64, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    ((_, call),) = NATIVE.read(Reply(tokenizer.decode(generated[:-1]), "stop", Usage()))
    assert call == first


def test_an_embedded_base_has_the_files_that_vllm_serve_needs(embedded: Path):
    """vLLM reads the architecture's name, weights, tokenizer, stop tokens and a template with tools."""
    import transformers

    config, generation = (
        json.loads((embedded / name).read_text()) for name in ("config.json", "generation_config.json")
    )
    (architecture,) = config["architectures"]
    assert hasattr(transformers, architecture), "a class of transformers, so no custom code is needed"
    assert "auto_map" not in config
    assert generation["eos_token_id"] == config["eos_token_id"]
    names = {path.name for path in embedded.iterdir()}
    assert {"model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl", ".py"))], "no file with code"
    tokenizer = transformers.AutoTokenizer.from_pretrained(embedded)
    messages, tools = NATIVE.render(SUM, QUESTION, [])
    prompt = tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=True, tokenize=False)
    assert '"add"' in prompt
    assert prompt.index('"add"') < prompt.index(QUESTION)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded student, as the stage `base` writes it."""
    folder = tmp_path_factory.mktemp("embedded") / "base"
    copy_shipped_student(folder)
    return folder


@pytest.fixture(scope="module")
def loaded(embedded: Path, tmp_path_factory: pytest.TempPathFactory):
    """The embedded student, saved and loaded by MLflow."""
    import mlflow

    saved = tmp_path_factory.mktemp("saved") / "model"
    save_student(saved, embedded)
    return mlflow.pyfunc.load_model(saved)


QUESTIONS = pd.DataFrame({"question": ["What is 1 plus 2?", "What is 5 plus 7?"], "task": ["arithmetic"] * 2})


def test_a_caller_may_have_a_running_event_loop_or_several_threads(loaded):
    """A notebook has a running loop, a server has threads; the rows are the same and in order."""
    expected = loaded.predict(QUESTIONS)

    async def from_a_loop() -> pd.DataFrame:
        return loaded.predict(QUESTIONS)

    pd.testing.assert_frame_equal(asyncio.run(from_a_loop()), expected)
    with ThreadPoolExecutor(6) as threads:
        for answered in threads.map(lambda _: loaded.predict(QUESTIONS), range(6)):
            pd.testing.assert_frame_equal(answered, expected)


def test_the_columns_of_a_row_agree_with_its_chain(loaded):
    row = loaded.predict(QUESTIONS).iloc[0]
    chain = json.loads(row["chain"])
    assert list(row.index) == ["answer", "outcome", "grounded", "valid", "faults", "chain", "error"]
    assert row["error"] == ""
    assert row["answer"] == (chain["answer"] or "")
    assert row["valid"] == all(step["error"] is None for step in chain["steps"])
    assert set(row["faults"]) >= {step["error"]["fault"] for step in chain["steps"] if step["error"]}
    assert ("no_answer" in row["faults"]) == (chain["answer"] is None)


@pytest.mark.parametrize(
    ("question", "task", "message"),
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
def test_an_invalid_question_affects_only_its_own_row(loaded, question, task, message):
    frame = pd.DataFrame({"question": ["What is 1 plus 2?", question], "task": ["arithmetic", task]}, dtype=object)
    answered, failed = loaded.predict(frame).to_dict("records")
    assert answered == loaded.predict(QUESTIONS.head(1)).iloc[0].to_dict()
    assert message in failed.pop("error")
    assert failed == {"answer": "", "outcome": "error", "grounded": False, "valid": False, "faults": [], "chain": ""}


def test_a_missing_column_gives_a_one_line_error(loaded):
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="the column task is missing: send a table with") as caught:
        loaded.predict(pd.DataFrame({"question": ["How many?"]}))
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_the_signature_has_the_columns_of_a_row(loaded):
    from callwright.registry.register import _signature

    signature = _signature()
    assert signature.inputs.input_names() == ["question", "task"]
    assert signature.outputs.input_names() == list(loaded.predict(QUESTIONS).columns)


def test_a_model_that_cannot_be_loaded_gives_a_one_line_error(tmp_path: Path):
    from mlflow.exceptions import MlflowException

    from callwright.registry.served import ServedAgent, _load_student

    (tmp_path / "config.json").write_text("{}")
    agent = ServedAgent(lambda: _load_student(str(tmp_path)), TASKS, "text", Sampling())
    with pytest.raises(MlflowException, match="cannot load a model from") as caught:
        agent.answer(["How many?"], ["arithmetic"])
    assert caught.value.error_code == "INTERNAL_ERROR"


def test_asking_a_champion_on_a_server_leaves_no_copy(
    embedded: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from callwright.cli.ask import open_asked

    async def settings() -> AgentSettings:
        async with open_asked("models:/asked@champion") as (_, agent_settings):
            return agent_settings

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.setenv(name, server.uri)
    client = register_student("asked", embedded, 3, 8, "text")
    client.set_registered_model_alias("asked", "champion", "1")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    sampling = asyncio.run(settings()).sampling
    assert (sampling.max_steps, sampling.max_tokens) == (3, 8)
    assert list(temporary.rglob("MLmodel")) == []
