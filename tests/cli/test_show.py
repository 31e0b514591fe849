"""`callwright show --problem` and `--pair`, on stored records."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from callwright import paths
from callwright.cli.app import app
from callwright.errors import CallwrightError
from callwright.preferences.forks import pairs_from_forks
from callwright.records import CheckedChain
from callwright.storage.jsonl import write
from callwright.tasks import TASKS
from tests.fakes import checked, problem
from tests.preferences.test_forks import native, params
from tests.working_tree import ROOT

SHIPPED = ROOT / "params.yaml"
PROBLEM = problem()
RECORDS = [
    checked("add(2, 3)", "answer(5)", correct=True, id="a"),
    checked("add(2, 3)", "add(5, 1)", "answer(6)", correct=False, id="b"),
    checked("add(2", correct=False, id="c"),
]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(SHIPPED.read_text())
    return tmp_path


def store(records: list[CheckedChain]) -> None:
    write(paths.problems("train"), [PROBLEM])
    write(paths.VALIDATED, records)
    write(paths.PAIRS_TRAIN, pairs_from_forks(records, {PROBLEM.id: PROBLEM}, TASKS, params())[0])


def show(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["show", *arguments], env={"COLUMNS": "100"})
    if isinstance(done.exception, CallwrightError):
        raise done.exception
    return done.stdout


def test_a_problem_is_shown_as_the_tree_of_its_chains_with_values():
    store(RECORDS)
    # The root: one of three is right; add(2, 3): one of two. The best child comes first.
    assert [line.rstrip() for line in show("--problem", "p").splitlines()] == [
        "p  (arithmetic, train)",
        PROBLEM.question,
        "answer: 5",
        "0.33  1/3  3 text chains",
        "├── 0.50  1/2  add(a=2, b=3) -> 5",
        "│   ├── 1.00  1/1  answer(value=5) -> 5",
        "│   └── 0.00  0/1  add(a=5, b=1) -> 6",
        "│       └── 0.00  0/1  answer(value=6) -> 6",
        "└── 0.00  0/1  add(2 -> Error: the closing bracket of add is missing; write one call on the last",
        "    line, like add(a=17, b=25)",
        "pair p#0  (syntax, margin 0.5)",
        "pair p#1  (needless_call, margin 1)",
    ]


@pytest.mark.parametrize(("view", "shown"), [("", "text, answered)"), ("rollout/7/2", "view rollout/7/2)")])
def test_a_chain_names_its_view_if_it_is_not_the_plain_one(view: str, shown: str):
    store([checked("add(2, 3)", "answer(5)", correct=True, id="a", view=view)])
    assert show("a").splitlines()[0].endswith(shown)


def test_chains_of_two_protocols_are_two_trees():
    store([*RECORDS, native(checked("add(2, 3)", correct=False, id="d"))])
    titles = [line for line in show("--problem", "p").splitlines() if line.endswith("chains")]
    assert titles == ["0.33  1/3  3 text chains", "0.00  0/1  1 native chains"]


@pytest.mark.parametrize("convert", [lambda checked_chain: checked_chain, native])
def test_a_pair_is_shown_with_its_prompt_and_both_sides(convert):
    store([convert(record) for record in RECORDS[:2]])
    output = show("--pair", "p#0")
    assert output.startswith("pair p#0  (needless_call, margin 1)\n--- prompt\nsystem: ")
    assert "assistant: add(a=2, b=3)\n" in output
    assert output.endswith("--- chosen\nassistant: answer(value=5)\n--- rejected\nassistant: add(a=5, b=1)\n")


def test_a_models_text_cannot_control_the_terminal():
    store([RECORDS[0], checked("red \x1b[31m\u202egnp", correct=False, id="hostile")])
    for output in (show("--problem", "p"), show("--pair", "p#0")):
        assert all(character.isprintable() or character == "\n" for character in output)
        assert "\\x1b[31m\\u202egnp" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name one thing to show"),
        (("a", "--pair", "p#0"), "name one thing to show"),
        (("--pair", "p#9"), "no pair p#9 in data/pairs/train.jsonl or data/pairs/dev.jsonl"),
        (("--problem", "q"), "no problem q in data/problems"),
    ],
)
def test_a_missing_record_gives_a_one_line_error(arguments, message):
    store(RECORDS)
    with pytest.raises(CallwrightError, match=message) as caught:
        show(*arguments)
    assert "\n" not in str(caught.value)


def test_a_problem_without_chains_gives_a_one_line_error():
    store([])
    with pytest.raises(CallwrightError, match="no chain of problem p in data/validated"):
        show("--problem", "p")
