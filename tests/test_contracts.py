"""The paths that other people's scripts import keep working, wherever the code is."""

import inspect
import subprocess
import sys
from importlib import import_module

import pytest

from callwright.errors import CallError
from callwright.functions.toolbox import Observation
from callwright.records import Call, Chain, Pair, Problem, Step, Verdict
from tests.fakes import problem
from tests.working_tree import ROOT

STAGES = ("problems", "base", "rollout", "validate", "pairs", "train", "evaluate", "promote")
PATHS = {
    "callwright.agent.parse": ("parse_call",),
    "callwright.agent.loop": ("solve",),
    "callwright.tasks": ("TASKS",),
    "callwright.preferences.tree": ("tree_of",),
    "callwright.preferences.forks": ("pairs_from_forks",),
    "callwright.training.prefix_sharing": ("share_prefixes",),
    "callwright.chat.endpoint": ("EndpointChat",),
    "callwright.chat.local": ("LocalChat",),
    "callwright.chat.oracle": ("create_app",),
    "callwright.cli": ("main",),
}
LAZY = {
    "callwright.agent.parse": "callwright.agent.parsing.parse",
    "callwright.chat.endpoint": "callwright.chat.openai.endpoint",
    "callwright.chat.local": "callwright.chat.local.chat",
    "callwright.chat.oracle": "callwright.standins.oracle.app",
}


@pytest.mark.parametrize("module", PATHS)
def test_every_stable_path_offers_its_names(module):
    for name in PATHS[module]:
        assert callable(getattr(import_module(module), name)) or name == "TASKS"


@pytest.mark.parametrize("module", LAZY)
def test_a_lazy_path_gives_the_same_object_as_the_module_that_defines_it(module):
    (name,) = PATHS[module]
    assert getattr(import_module(module), name) is getattr(import_module(LAZY[module]), name)
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'missing'"):
        _ = import_module(module).missing


def test_a_lazy_path_imports_its_module_at_the_first_use():
    code = (
        "import sys, callwright.chat.endpoint as door; before = 'callwright.chat.openai.endpoint' in sys.modules; "
        "door.EndpointChat; print(before, 'callwright.chat.openai.endpoint' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_the_stable_calls_have_their_signatures():
    from callwright.agent.loop import solve
    from callwright.agent.parse import parse_call
    from callwright.tasks import TASKS

    assert parse_call("add(2, 3)") == Call("add", {"0": 2, "1": 3})
    assert isinstance(parse_call("no call"), CallError)
    assert list(inspect.signature(solve).parameters)[:4] == ["problem", "task", "model", "sampling"]
    assert inspect.iscoroutinefunction(solve)
    task = TASKS["arithmetic"]
    opened = task.toolbox.open().execute(Call("add", {"a": 2, "b": 3}))
    assert isinstance(opened, Observation) and opened.text == "5"
    assert task.grade(problem(), "5") == "right"


def test_records_have_the_fields_of_the_files():
    fields = {
        Problem: "id task question answer solution source group split",
        Chain: "id problem_id model protocol steps outcome answer usage view",
        Step: "thought call error observation",
        Call: "name arguments",
        Verdict: "chain_id correct faults first_fault",
        Pair: "id problem_id prompt chosen rejected tools margin kind "
        "task question protocol history chosen_steps rejected_steps",
    }
    for record, names in fields.items():
        assert list(record.__dataclass_fields__) == names.split()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_a_module_and_a_short_script_that_calls_it(stage):
    assert callable(import_module(f"callwright.pipeline.{stage}").main)
    script = (ROOT / f"stages/{stage}.py").read_text()
    assert f"from callwright.pipeline.{stage} import main" in script
    assert len(script.splitlines()) <= 6


def test_a_stage_runs_as_a_script_and_as_a_module(tmp_path):
    errors = []
    for arguments in ([str(ROOT / "stages/problems.py")], ["-m", "callwright.pipeline.problems"]):
        done = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        errors.append(done.stderr)
    assert errors[0] == errors[1]
    assert errors[0].startswith("problems: params.yaml")
    assert errors[0].count("\n") == 1
