"""`callwright ask` and `callwright show`, against the oracle over a port and stored chains."""

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from ruamel.yaml import YAML
from starlette.requests import Request
from starlette.responses import Response
from typer.testing import CliRunner

from callwright import paths
from callwright.agent.loop import take_steps
from callwright.agent.protocol import NATIVE
from callwright.chat.backend import AgentSettings
from callwright.chat.model import ChatModel, Reply, ToolCall
from callwright.chat.open_chat import find_backend
from callwright.cli.app import app
from callwright.cli.ask import open_asked
from callwright.cli.show import TranscriptPrinter
from callwright.errors import CallwrightError, ParamsError, ProviderError
from callwright.records import SPLITS, Call, CheckedChain, Step, StepError, StepFault, Usage, Verdict
from callwright.standins.oracle.app import create_app
from callwright.storage.jsonl import write
from callwright.text import escape_controls
from tests.chat.conftest import serve, tiny_model, unused_port
from tests.chat.openai.test_endpoint import app_answering, completion
from tests.fakes import NO_MISTAKES, TOOLBOX, chain, checked, problem
from tests.registry.students import register_student
from tests.working_tree import ROOT

__all__ = ["serve", "tiny_model"]

QUESTION = problem().question
SOLVED = "  1. add(a=2, b=3)\n     Result: 5\n  2. answer(value=5)\n     Result: 5\nanswer: 5\n"
HOSTILE = "red \x1b[31m\u202egnp\x07\x9b"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No params.yaml, no models, no registry."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("TEACHER_API_KEY", "any")
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    """The exit code and stdout of a command; raises its error."""
    done = CliRunner().invoke(app, arguments)
    if isinstance(done.exception, CallwrightError):
        raise done.exception
    return done.exit_code, done.stdout


@pytest.mark.parametrize("protocol", ["text", "native"])
def test_a_chain_is_printed_step_by_step_in_both_protocols(serve, protocol):
    url = serve(create_app([problem()], NO_MISTAKES))
    command = ["ask", QUESTION, "--task", "arithmetic", "--model", url, "--name", "oracle", "--protocol", protocol]
    assert run(*command) == (0, SOLVED)


def test_without_an_answer_the_exit_code_is_1(serve):
    url = serve(create_app([problem("add(a=2, b=3)", "answer(value='many')")], NO_MISTAKES))
    code, output = run("ask", QUESTION, "--task", "arithmetic", "--model", url, "--name", "oracle")
    assert code == 1
    assert output.endswith("answer: none (stuck)\n")
    assert "     Error: answer cannot take this value" in output


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (["--task", "arithmetc"], ParamsError, "there is no task arithmetc; the tasks are arithmetic"),
        (
            ["--model", "nowhere"],
            ParamsError,
            r"^nowhere is not a model; known are http://..., .*, oracle, models:/..., .* a folder that exists$",
        ),
        (["--model", "oracel"], ParamsError, r"^oracel is not a model \(did you mean oracle\?\); known are"),
        (
            ["--model", "http://127.0.0.1:9/v1"],
            ParamsError,
            "^the name that http://127.0.0.1:9/v1 has for the model is missing: ask --name NAME, or open_chat",
        ),
        (["--model", "http://ann:pw@h/v1"], ParamsError, "model: base_url: holds a password or key"),
        (["--model", "models:/mine@champion"], ProviderError, "is not registered: there is no .*mlflow.db"),
        (["--model", "http://ann:pw@h/v1", "--name", "m"], ParamsError, "model: base_url: holds a password or key"),
        (
            ["--model", "http://h/v1", "--name", "m", "--api-key-env", "sk-planted-1"],
            ParamsError,
            r"model: api_key_env: should be the name of an environment variable.*never the key itself$",
        ),
        ([], ProviderError, r"callwright-student@champion is not registered.*no models/student: name a model"),
    ],
)
def test_a_model_that_cannot_be_asked_gives_a_one_line_error_with_advice(options, error, message, empty_folder):
    task = [] if "--task" in options else ["--task", "arithmetic"]
    with pytest.raises(error, match=message) as caught:
        run("ask", QUESTION, *task, *options)
    assert "\n" not in str(caught.value)
    assert list(empty_folder.iterdir()) == []


def write_params(folder: Path, **teacher: object) -> None:
    """The shipped params.yaml, with a teacher of one's own."""
    values = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
    values["teacher"] |= teacher
    YAML(typ="safe").dump(values, folder / "params.yaml")


def test_what_params_yaml_says_about_an_endpoint_applies(serve, empty_folder, monkeypatch):
    received: list[tuple[str, dict[str, Any]]] = []

    async def answer(request: Request) -> Response:
        received.append((request.headers["authorization"], await request.json()))
        return completion("answer(value=5)")

    url = serve(app_answering(answer))
    monkeypatch.setenv("OWN_KEY", "mine")
    monkeypatch.setenv("OTHER_KEY", "other")
    request = {"max_tokens": None, "seed": None}
    write_params(
        empty_folder, base_url="http://h/v1", base_urls=[url], model="m", api_key_env="OWN_KEY", request=request
    )
    command = ["ask", QUESTION, "--task", "arithmetic", "--model"]
    run(*command, url)
    run(*command, url, "--name", "n", "--api-key-env", "OTHER_KEY")
    run(*command, f"{url}/", "--name", "n")  # not as params.yaml writes it
    keys, names = zip(*((key, body["model"]) for key, body in received), strict=True)
    assert (keys, names) == (("Bearer mine", "Bearer other", "Bearer any"), ("m", "n", "n"))
    assert [[name for name in request if name in body] for _, body in received] == [[], [], ["max_tokens", "seed"]]
    assert received[2][1]["max_tokens"] == 512  # more than rollout.max_tokens: a large model writes its reasoning
    monkeypatch.delenv("OWN_KEY")
    with pytest.raises(ProviderError, match=f"^the key of the teacher at {url} is missing: set OWN_KEY"):
        run(*command, url)


def test_the_oracle_is_asked_about_the_problems_of_the_project(empty_folder):
    write_params(empty_folder, mistakes=NO_MISTAKES)
    command = ["ask", QUESTION, "--task", "arithmetic", "--model", "oracle"]
    with pytest.raises(CallwrightError, match=r"^data/problems/train\.jsonl is missing: run the stage"):
        run(*command)
    for split in SPLITS:
        write(paths.problems(split), [problem()] if split == "dev" else [])
    assert run(*command) == (0, SOLVED)


def test_an_endpoint_that_is_down_gives_a_one_line_error():
    url = f"http://127.0.0.1:{unused_port()}/v1"
    with pytest.raises(ProviderError, match="cannot be reached"):
        run("ask", QUESTION, "--task", "arithmetic", "--model", url, "--name", "m")


def test_a_stored_native_chain_is_shown_with_its_verdict():
    calls = [ToolCall("add", '{"a": 2, "b": 3}'), ToolCall("add", '{"a": 2'), ToolCall("answer", '{"value": 6}')]
    tools = TOOLBOX.open()
    steps = [
        step for call in calls for step in take_steps(Reply("So.", "stop", Usage(), (call,)), NATIVE, TOOLBOX, tools)
    ]
    stored = chain(*steps, id="p/teacher/0", protocol="native")
    verdict = Verdict(stored.id, False, (StepFault("ungrounded_answer", 2, "6 was returned by no call"),), 2)
    write(paths.VALIDATED, [CheckedChain(stored, verdict)])
    _, output = run("show", "p/teacher/0")
    assert output.split("\n")[:4] == [
        "p/teacher/0  (oracle, native, answered)",
        "  1. So.",
        "     add(a=2, b=3)",
        "     Result: 5",
    ]
    assert '     {"name": "add", "arguments": {"a": 2}\n' in output
    assert output.endswith("answer: 6\nnot correct\n  step 3: ungrounded_answer: 6 was returned by no call\n")


def test_an_unknown_chain_gives_a_one_line_error():
    write(paths.evaluation("student"), [checked("answer(5)", correct=True, id="p/student/0")])
    write(paths.VARIANTS, [problem()])  # problems, which are not searched
    with pytest.raises(CallwrightError, match="no chain p/nobody/0 in"):
        run("show", "p/nobody/0")


@pytest.mark.slow
async def test_the_champion_is_asked_with_the_protocol_and_limits_of_its_registration(
    tiny_model, empty_folder, monkeypatch
):
    client = register_student("callwright-student", tiny_model, 8, 64, "native")
    with pytest.raises(ProviderError, match="callwright-student@champion cannot be loaded"):
        await opened(None)
    client.set_registered_model_alias("callwright-student", "champion", "1")
    model, settings = await opened(None)
    assert (model.name, settings.protocol) == ("models:/callwright-student@champion", "native")
    assert (settings.sampling.max_steps, settings.sampling.max_tokens) == (8, 64)
    version = find_backend("models:/callwright-student/1")
    assert version.identities() == find_backend(tiny_model).identities()  # the same weights, so the same answers

    for folder in empty_folder.glob("ml*/"):
        shutil.rmtree(folder)
    with pytest.raises(ProviderError, match=r"champion cannot be (loaded|downloaded)"):
        await opened("models:/callwright-student@champion")


async def opened(model: str | None) -> tuple[ChatModel, AgentSettings]:
    async with open_asked(model) as opened_model:
        return opened_model


def printed(terminal: bool) -> str:
    output = io.StringIO()
    printer = TranscriptPrinter(
        Console(file=output, force_terminal=terminal, width=20, highlight=False, soft_wrap=True)
    )
    printer.print_step(Step(f"[red]{HOSTILE}[/red]", Call("say", {"text": HOSTILE}), None, HOSTILE))
    printer.print_step(Step(HOSTILE, None, StepError("syntax", HOSTILE), None))
    return output.getvalue()


def test_a_models_text_cannot_control_the_terminal():
    plain = printed(terminal=False)
    assert all(character.isprintable() or character == "\n" for character in plain)
    assert "[red]red \\x1b[31m\\u202egnp\\x07\\x9b[/red]" in plain  # not interpreted as rich markup
    coloured = printed(terminal=True)
    assert "\x1b[" in coloured
    assert "\x1b[31m\\x1b" not in coloured.split("gnp")[0]
    assert "\u202e" not in coloured


def test_without_a_terminal_there_are_no_colours():
    assert "\x1b" not in printed(terminal=False)


@pytest.mark.parametrize("text", ["plain", "ünï → 字", "two\nlines", ""])
def test_printable_text_is_not_changed(text):
    assert escape_controls(text) == text
