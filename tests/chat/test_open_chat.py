"""One way to open a chat model: by an address, a folder, the oracle, or a backend of a user's own."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grimp
import pytest
from typer.testing import CliRunner

from callwright import paths
from callwright.agent.loop import solve
from callwright.chat.backend import Backend, ChatOptions
from callwright.chat.model import Sampling
from callwright.chat.open_chat import BACKENDS, find_backend, open_chat
from callwright.cli.app import app
from callwright.errors import ParamsError, ProviderError
from callwright.evaluation.run import evaluate_models
from callwright.params import EndpointParams, EndpointsParams, Params, SamplingParams
from callwright.rollouts.journal import find_entry, open_journal
from callwright.rollouts.plan import teacher_plan
from callwright.rollouts.run import roll_out_teacher
from callwright.standins.oracle.app import create_app
from callwright.tasks import TASKS
from tests.chat.conftest import QUESTION, SUM, unused_port
from tests.chat.openai.test_endpoint import app_answering, completion
from tests.chat.toy_backend import ToyBackend
from tests.fakes import NO_MISTAKES, problem, teacher
from tests.working_tree import ROOT

ARITHMETIC = TASKS["arithmetic"]
GREEDY = SamplingParams(chains=1, temperature=0.0, top_p=1.0, problems=None)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Adds the toy backend by its one line; gives its log."""
    monkeypatch.setitem(BACKENDS, "toy:", "tests.chat.toy_backend:ToyBackend")
    ToyBackend.log.clear()
    yield ToyBackend.log


async def test_an_address_and_a_name_are_enough_without_params_yaml(serve, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEACHER_API_KEY", "any")
    url = serve(create_app([problem()], NO_MISTAKES))
    async with open_chat(url, model="oracle") as model:
        chain = await solve(problem(), ARITHMETIC, model, Sampling())
    assert (chain.answer, chain.model) == ("5", "oracle")
    with pytest.raises(RuntimeError, match="client has been closed"):
        await model.reply([{"role": "user", "content": "?"}], [], Sampling())


async def test_the_key_may_be_in_another_variable(serve, monkeypatch):
    monkeypatch.setenv("OWN_KEY", "mine-1")
    monkeypatch.delenv("TEACHER_API_KEY", raising=False)
    keys = []

    async def answer(request):
        keys.append(request.headers["authorization"])
        return completion()

    url = serve(app_answering(answer))
    async with open_chat(url, model="m", api_key_env="OWN_KEY") as model:
        await model.reply([{"role": "user", "content": "?"}], [], Sampling())
    assert keys == ["Bearer mine-1"]
    with pytest.raises(ProviderError, match=f"^the key of the model at {url} is missing: set TEACHER_API_KEY "):
        async with open_chat(url, model="m"):
            pass


async def test_the_oracle_answers_the_problems_that_it_is_opened_with():
    async with open_chat("oracle", options=ChatOptions(problems=[problem()])) as model:
        chain = await solve(problem(), ARITHMETIC, model, Sampling())
    assert (chain.answer, chain.model) == ("5", "oracle")
    guessing = teacher(mistakes={**NO_MISTAKES, "guessed_answer": 1.0}, model="guesser")
    async with open_chat(guessing, options=ChatOptions(problems=[problem()])) as model:
        chain = await solve(problem(), ARITHMETIC, model, Sampling())
    assert (len(chain.steps), chain.model) == (1, "guesser")
    with pytest.raises(ParamsError, match=r"^the oracle answers from solutions: open it with ChatOptions\(problems="):
        async with open_chat("oracle"):
            pass


async def test_a_folder_is_opened_by_its_path_or_as_text(tiny_model: Path, monkeypatch):
    from callwright.agent.native import NATIVE

    monkeypatch.chdir(tiny_model.parent)
    for spec in (tiny_model, tiny_model.name, f"folder:{tiny_model}"):
        async with open_chat(spec) as model:
            chain = await solve(problem(question=QUESTION), SUM, model, Sampling(max_tokens=64), NATIVE)
        assert (chain.answer, chain.model) == ("5", tiny_model.name)
    by_path, by_text = find_backend(tiny_model), find_backend(tiny_model.name, options=ChatOptions("x", max_batch=7))
    assert by_path.identities() == by_text.identities()
    assert (by_text.name, by_text.concurrency, by_path.concurrency) == ("x", 14, 128)
    assert find_backend(Path("/home/ann@corp/m"), model="named").name == "named"


@pytest.mark.parametrize("spec", ["folder:Qwen/A", Path("Qwen/A"), Path("x" * 5_000)])
async def test_a_folder_that_does_not_exist_is_not_asked_from_the_hub(spec, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    backend = find_backend(spec)
    line = r"^(Qwen/A|x{10,100}…?) is not a folder: name one that holds a model"
    with pytest.raises(ParamsError, match=line):
        backend.identities()
    with pytest.raises(ParamsError, match=line):
        async with backend.open():
            pass


def test_a_teacher_in_a_folder_that_does_not_exist_has_no_keys(tmp_path: Path, monkeypatch):
    """Otherwise two models with the same name would share journaled attempts."""
    rollout = Params.load().rollout
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParamsError, match=r"^teacher\.base_url: Qwen/A is not a folder: "):
        teacher_plan([problem()], TASKS, teacher(base_url="folder:Qwen/A", model="m"), GREEDY, rollout, 7)


@pytest.mark.parametrize(
    ("spec", "changes", "line"),
    [
        ("oracel", {}, "oracel is not a model (did you mean oracle?); known are http://..., https://..., oracle, "),
        ("localhost:8000", {}, "localhost:8000 is not a model; known are "),
        ("http://h/v1", {}, "the name that http://h/v1 has for the model is missing: ask --name NAME, or open_chat("),
        ("http://ann:hunter22@h/v1", {}, "model: base_url: holds a password or key"),
        ("http://h/v1", {"model": "m", "api_key_env": "sk-hunter22-1"}, "model: api_key_env: should be the name of an"),
        ("x" * 5_000, {}, "x" * 99),
        ("models:/", {}, "models:/ names no version: write models:/name/version or models:/name@alias"),
        ("models:/a/b/c", {}, "models:/a/b/c names no version: write models:/name/version or models:/name@alias"),
        ("", {}, "model: base_url: should be an address such as http://127.0.0.1:8000/v1"),
    ],
)
def test_a_spec_that_cannot_be_opened_gives_one_line(spec, changes, line):
    with pytest.raises(ParamsError) as caught:
        find_backend(spec, **changes)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert "hunter22" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("spec", "address"),
    [
        ("FOLDER:Models/Base", "folder:Models/Base"),
        ("MODELS:/X@Champion", "models:/X@Champion"),
        ("HTTP://H/v1", "http://H/v1"),
    ],
)
def test_the_start_of_an_address_may_be_in_capitals(spec, address):
    assert find_backend(spec, model="m").address == address


def test_a_folder_whose_name_has_an_at_sign_is_a_model(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "me@host").mkdir()
    specs = ("./me@host", "folder:me@host", "folder:./me@host", "FOLDER:me@host")
    assert len({str(find_backend(spec).identities()) for spec in specs}) == 1


@pytest.mark.parametrize("base_url", ["ftp://h/v1", "localhost:8000", "oracel"])
def test_an_unknown_base_url_is_named_with_its_section_before_anything_is_sampled(base_url):
    line = rf"^teacher\.base_url: {base_url} is not a model"
    with pytest.raises(ParamsError, match=line):
        teacher_plan([problem()], TASKS, teacher(base_url=base_url), GREEDY, Params.load().rollout, 7)


def test_every_backend_exists_and_importing_the_table_imports_none(monkeypatch):
    values = {"http://": "http://h/v1", "https://": "https://h/v1", "models:/": "models:/m@champion"}
    for key in BACKENDS:
        assert isinstance(find_backend(values.get(key, key), model="m"), Backend)
    code = (
        "import sys, callwright.chat.open_chat; print(*(name for name in sys.modules if name.startswith('callwright')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = {str(backend).partition(":")[0] for backend in BACKENDS.values()}
    assert modules.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("module", ["registry.served", "pipeline.promote", "pipeline.validate"])
def test_what_asks_no_server_does_not_reach_the_code_of_servers(module):
    """Otherwise a change of that code would run these stages again."""
    reached = grimp.build_graph("callwright", exclude_type_checking_imports=True).find_upstream_modules(
        f"callwright.{module}"
    )
    assert ("callwright.chat.local.chat" in reached) == (module != "pipeline.validate")
    unwanted = ("callwright.chat.openai", "callwright.chat.open_chat", "callwright.rollouts")
    assert [name for name in reached if name.startswith(unwanted)] == []


async def test_a_toy_backend_is_opened_and_closed_by_the_library(toy: list[str]):
    async with open_chat("toy:1") as model:
        chain = await solve(problem(), ARITHMETIC, model, Sampling())
    assert (chain.answer, chain.model) == ("5", "toy:1")
    assert toy == ["opened toy:1 as toy:1", "closed toy:1"]
    with pytest.raises(ZeroDivisionError):
        async with open_chat("toy:2", model="named"):
            raise ZeroDivisionError
    assert toy[2:] == ["opened toy:2 as named", "closed toy:2"]


def test_a_toy_backend_is_the_teacher_of_a_rollout(toy: list[str], tmp_path: Path):
    rollout = Params.load().rollout
    params = teacher(base_url="toy:1", model="toy-teacher")
    plan = teacher_plan([problem()], TASKS, params, GREEDY, rollout, 7)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        result = roll_out_teacher([problem()], TASKS, params, plan, rollout, journal)
        entry = find_entry(plan[0], journal)
        assert entry is not None
        chain = entry.chain
        assert roll_out_teacher([problem()], TASKS, params, plan, rollout, journal) == result  # nothing is asked again
        other = teacher_plan([problem()], TASKS, teacher(base_url="toy:2", model="toy-teacher"), GREEDY, rollout, 7)
        assert find_entry(other[0], journal) is None  # another address may be another model
    assert (result.failures, chain.answer, chain.id) == ([], "5", "p/toy-teacher/0")
    assert toy == ["opened toy:1 as toy-teacher", "closed toy:1"]


def test_a_toy_backend_serves_models_that_are_evaluated(toy: list[str], tmp_path: Path, monkeypatch):
    params = Params.load()
    monkeypatch.chdir(tmp_path)
    for folder in (paths.BASE, paths.STUDENT):
        folder.mkdir(parents=True)
    served = [EndpointParams(base_url=f"toy:{n}", model=f"served-{n}", api_key_env="NO_KEY") for n in (1, 2)]
    endpoints = EndpointsParams(base=served[0], student=served[1])
    evaluate = params.evaluate.model_copy(update={"engine": "endpoint", "endpoints": endpoints})
    problems = [problem(), replace(problem(), id="q", question="What is 2 and 3?")]
    evaluated = evaluate_models(
        problems, [], TASKS, evaluate, params.rollout, teacher(base_url="toy:3", model="t"), params.seed
    )
    assert {name: len(result.chains) for name, result in evaluated.items()} == {"base": 2, "student": 2, "teacher": 2}
    assert all(chain.verdict.correct for result in evaluated.values() for chain in result.chains.values())
    assert toy[::2] == ["opened toy:1 as base", "opened toy:2 as student", "opened toy:3 as t"]
    assert toy[1::2] == ["closed toy:1", "closed toy:2", "closed toy:3"]


def test_a_toy_backend_is_asked_on_the_command_line(toy: list[str], tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["ask", problem().question, "--task", "arithmetic", "--model", "toy:1"])
    assert done.stdout == "  1. add(a=2, b=3)\n     Result: 5\n  2. answer(value=5)\n     Result: 5\nanswer: 5\n"
    assert toy == ["opened toy:1 as toy:1", "closed toy:1"]


async def test_a_server_that_is_down_is_not_waited_for_if_the_caller_says_so(monkeypatch):
    monkeypatch.setenv("TEACHER_API_KEY", "any")
    url = f"http://127.0.0.1:{unused_port()}/v1"
    line = f"^the model at {url} cannot be reached: check the address and that the server runs$"
    async with open_chat(url, model="m", options=ChatOptions(wait_for_server=False)) as model:
        with pytest.raises(ProviderError, match=line):
            await model.reply([{"role": "user", "content": "?"}], [], Sampling())
