"""The blocks of docs/library.md run without the pipeline, one after the other, against a server over HTTP."""

import contextlib
import io
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

import callwright
from callwright.records import Call, Chain, CheckedChain, Pair, Problem
from callwright.standins.oracle.app import create_app
from tests.fakes import NO_MISTAKES
from tests.working_tree import ROOT

PAGE = (ROOT / "docs/library.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
QUESTION = "Anna has 3 cats and buys 4 more. How many cats does she have?"
SOLUTION = (Call("add", {"a": 3, "b": 4}), Call("answer", {"value": 7}))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server on a port of its own: the oracle, which is wrong in half of the attempts."""
    known = Problem("cats", "arithmetic", QUESTION, "7", SOLUTION, "mine", "cats", "train")
    app = create_app([known], {**NO_MISTAKES, "guessed_answer": 0.3, "extra_step": 0.2})
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    (port,) = {socket.getsockname()[1] for listening in server.servers for socket in listening.sockets}
    yield f"http://127.0.0.1:{port}/v1"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def names(address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the page's blocks define, after all of them ran in an empty folder."""
    assert QUESTION in PAGE
    namespace: dict[str, object] = {"__name__": "page"}
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        contextlib.redirect_stdout(io.StringIO()) as printed,
    ):
        monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
        monkeypatch.setenv("TEACHER_API_KEY", "any")
        for block in BLOCKS:
            source = block.replace("http://127.0.0.1:8000/v1", address)
            exec(compile(source, "docs/library.md", "exec"), namespace)
    return {**namespace, "printed": printed.getvalue()}


def test_a_problem_is_solved_at_an_endpoint(names: dict[str, object]):
    chain = names["chain"]
    assert isinstance(chain, Chain)
    assert (chain.model, chain.outcome) == ("my-model", "answered")
    assert str(names["printed"]).startswith("Call(name=")


def test_a_chain_is_checked_without_a_model(names: dict[str, object]):
    checked_chains = names["checked_chains"]
    assert isinstance(checked_chains, list)
    assert {checked.chain.answer == "7" and len(checked.chain.steps) == 2 for checked in checked_chains} == {
        True,
        False,
    }
    for checked in checked_chains:
        assert isinstance(checked, CheckedChain)
        called_before_answering = len(checked.chain.steps) > 1
        assert checked.verdict.correct == (checked.chain.answer == "7" and called_before_answering)


def test_pairs_are_made_of_chains_in_memory(names: dict[str, object]):
    pairs = names["pairs"]
    assert isinstance(pairs, list)
    assert pairs
    for pair in pairs:
        assert isinstance(pair, Pair)
        assert pair.problem_id == "cats"
        assert pair.chosen != pair.rejected


def test_a_task_of_ones_own_needs_one_import_line(names: dict[str, object]):
    task = names["largest_number"]
    assert isinstance(task, callwright.Task)
    result = task.toolbox.open().execute(Call("largest", {"numbers": [3, 5, 4]}))
    assert getattr(result, "text", result) == "5"


def test_the_front_door_offers_every_name_that_it_lists():
    for name in callwright.__all__:
        assert getattr(callwright, name) is not None
    with pytest.raises(AttributeError, match="module 'callwright' has no attribute 'missing'"):
        _ = callwright.missing


def test_importing_the_package_loads_none_of_its_modules():
    code = "import sys, callwright; print(*sorted(name for name in sys.modules if name.startswith('callwright')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["callwright", "callwright.lazy"]


@pytest.mark.slow
def test_a_type_checker_knows_the_types_of_the_front_door(tmp_path):
    (tmp_path / "user.py").write_text(
        "from callwright import Chain, Problem, WholeNumber, function\n"
        "reveal_type(Problem)\n"
        "def steps(chain: Chain) -> int:\n"
        "    return chain.steps\n"  # a tuple, not a number
    )
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--follow-imports=silent",
        "--cache-dir",
        str(tmp_path / "cache"),
        "user.py",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 'got "tuple[Step, ...]", expected "int"' in done.stdout, done.stdout + done.stderr
    assert (ROOT / "src/callwright/py.typed").is_file()
