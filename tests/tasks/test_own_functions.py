"""The module and the problems on the page docs/own-functions.md work."""

import re
import subprocess
import sys
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from callwright.agent.loop import solve
from callwright.agent.parsing.parse import parse_call
from callwright.agent.protocol import TEXT
from callwright.chat.model import Sampling
from callwright.chat.openai.endpoint import EndpointChat
from callwright.evaluation.perturb.views import reword_descriptions
from callwright.params import Params
from callwright.problems.jsonl import read_jsonl_problems
from callwright.problems.load import load_problems
from callwright.records import SPLITS
from callwright.standins.embedded.lessons import draw_lessons
from callwright.standins.oracle.app import create_app
from callwright.standins.oracle.script import write_script
from callwright.tasks import load_tasks
from callwright.tasks.user_tasks import code_paths
from tests.fakes import NO_MISTAKES, teacher
from tests.working_tree import ROOT

PAGE = (ROOT / "docs/own-functions.md").read_text()


def code_block(language: str, index: int = 0) -> str:
    """A code block of a language on the page, by default the first."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[index]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder with the page's module and problems, and with params that name the module."""
    (tmp_path / "clock.py").write_text(code_block("python"))
    (tmp_path / "clock.jsonl").write_text(code_block("jsonl"))
    params = (ROOT / "params.yaml").read_text()
    assert "\nfunctions: []" in params
    with_functions = params.replace("\nfunctions: []", f"\n{code_block('yaml').strip()}")
    (tmp_path / "params.yaml").write_text(with_functions)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("clock", None)


async def test_the_oracle_solves_the_pages_problems_with_the_pages_functions(project: Path):
    tasks = load_tasks(["clock"])
    problems = read_jsonl_problems(project / "clock.jsonl", tasks, parse_call).problems
    assert len(problems) == 3
    model = EndpointChat(teacher(), create_app(problems, NO_MISTAKES, tasks=tasks))
    for problem in problems:
        task = tasks[problem.task]
        chain = await solve(problem, task, model, Sampling())
        assert [step.error for step in chain.steps] == [None] * len(problem.solution)
        assert chain.answer is not None
        assert task.grade(problem, chain.answer) == "right"
    await model.close()


def test_the_prompt_is_as_the_page_shows(project: Path):
    assert TEXT.function_section(load_tasks(["clock"])["clock"].toolbox) == code_block("text").strip()


def test_the_functions_command_shows_the_functions_of_a_module_in_params(project: Path):
    def command_output(task: str) -> str:
        command = [sys.executable, "-m", "callwright.cli", "functions", task]
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    assert command_output("clock") == code_block("text").strip()
    assert (
        command_output("arithmetic")
        .splitlines()[-2]
        .startswith("gcd(numbers: list of integer): The greatest common divisor")
    )


def test_the_file_of_a_module_ships_with_a_model(project: Path):
    assert code_paths(["clock"]) == [project / "clock.py"]


def test_the_parts_of_the_page_make_problems_lessons_wordings_and_mistakes(project: Path):
    module = code_block("python")
    for before, after in (
        ("FUNCTIONS = {", f"{code_block('python', 1)}\n\nFUNCTIONS = {{"),
        ("        grade=grade,\n", "        grade=grade,\n        parts=PARTS,\n"),
    ):
        assert module.count(before) == 1
        module = module.replace(before, after)
    (project / "clock_with_parts.py").write_text(module)
    tasks = load_tasks(["clock_with_parts"])
    counts = {"train": 30, "dev": 5, "test": 10, "held_out_test": 6}
    params = Params.load().problems.model_copy(update={"synthetic": {"clock": counts}})
    loaded = load_problems(params, 7, tasks, parse_call)
    assert loaded.dropped == []
    assert [len(loaded.splits[split]) for split in SPLITS] == [30, 5, 16]

    task, ride = tasks["clock"], loaded.splits["train"][0]
    questions = {problem.question for problems in loaded.splits.values() for problem in problems}
    assert not questions & {messages[1]["content"] for messages in islice(draw_lessons(task, 0.0, 7), 40)}
    reworded = reword_descriptions(ride, task, 7)
    assert reworded is not None
    assert reworded.descriptions == {"later": "When it is, so many minutes later."}
    called = [
        [step.call.name for step in write_script(ride, task, mistake, Random(1)).steps]
        for mistake in (None, "extra_step", "unknown_function")
    ]
    assert called == [["later", "answer"], ["later", "later", "answer"], ["plus_minutes", "later", "answer"]]
