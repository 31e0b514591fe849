"""Figures in CSVs are read as they were written, and pooled and compared with their targets as a reader would."""

import json
import subprocess
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from tests.working_tree import ROOT

with pytest.MonkeyPatch.context() as patch:  # scripts import each other by their names
    patch.syspath_prepend(ROOT / "benchmarks")
    from measurements import Figure, Key, append_figures, committed, overlay_name, processor, read_figures
    from reading import RESTORED, figures_of, held_out_families, loss_p_value, measure
    from reading_targets import MOST_LOST, TASKS, pooled, summary, targets
    from threads import compare, verdicts

KEY = Key("1234567890", "", "some processor, 2 cores", "", "default", "10")
GOOD = [
    *[Figure("lost", "student", change, bound, 120, 0.2) for change, bound in MOST_LOST.items()],
    *[Figure("accuracy", "student", f"{task}/seen", 0.9, 100) for task in TASKS],
    *[Figure("accuracy", "student", f"{task}/held_out", 0.85, 100) for task in TASKS],
    *[Figure("families", "", f"{task}/held_out", 12, 100) for task in TASKS],
    Figure("accuracy", "base", "overall", 0.65, 600),
    Figure("gain", "student", "overall", 0.25, 600, 0.001),
    Figure("seconds", "", "all stages", 299.0),
]


def unreached(*seeds: list[Figure]) -> list[str]:
    return [target.what for target in targets(seeds) if not target.reached]


def changed(kind: str, name: str, **changes: object) -> list[Figure]:
    """GOOD with other values of one figure."""
    return [replace(figure, **changes) if (figure.kind, figure.name) == (kind, name) else figure for figure in GOOD]


def test_figures_are_read_as_they_were_written(tmp_path: Path):
    path = tmp_path / "figures.csv"
    assert read_figures(path) == {}
    append_figures(path, KEY, GOOD)
    append_figures(path, replace(KEY, seed="11"), GOOD[:1])
    assert read_figures(path) == {KEY: GOOD, replace(KEY, seed="11"): GOOD[:1]}


def test_a_file_with_other_columns_is_not_extended(tmp_path: Path):
    (tmp_path / "figures.csv").write_text("seed,accuracy\n7,0.5\n")
    with pytest.raises(SystemExit, match="has other columns"):
        read_figures(tmp_path / "figures.csv")


def test_targets_are_reached_at_their_bounds():
    assert unreached(GOOD, GOOD) == []


@pytest.mark.parametrize(
    ("kind", "name", "changes", "what"),
    [
        ("lost", "functions", {"value": 0.16}, "student loses, functions"),
        ("lost", "order", {"value": 0.06}, "student loses, order"),
        ("lost", "swapped", {"n": 119}, "problems, swapped, each seed"),
        ("accuracy", "arithmetic/seen", {"value": 0.89}, "student, arithmetic, seen"),
        ("accuracy", "translation/held_out", {"value": 0.8}, "student, held out, pooled"),
        ("families", "entailment/held_out", {"value": 11}, "held-out families, entailment"),
        ("accuracy", "overall", {"value": 0.66}, "base, all"),
        ("gain", "overall", {"p": 0.01}, "p of the gain, each seed"),
        ("seconds", "all stages", {"value": 301.0}, "seconds, all stages, slowest of 1 of 1"),
    ],
)
def test_a_figure_beyond_its_bound_does_not_reach_its_target(kind: str, name: str, changes: dict, what: str):
    assert unreached(changed(kind, name, **changes)) == [what]


def test_every_seed_has_to_be_in_time():
    # the stages of all seeds are judged, and the whole command where it was measured
    repro = Figure("seconds", "", "dvc repro", 299.5)
    assert unreached([*GOOD, repro], GOOD) == []
    assert unreached(GOOD, changed("seconds", "all stages", value=301.0)) == ["seconds, all stages, slowest of 2 of 2"]
    assert unreached([*GOOD, replace(repro, value=301.0)], GOOD) == ["seconds, dvc repro, slowest of 1 of 2"]
    assert unreached([*GOOD, repro], GOOD[:-1]) == ["seconds, all stages, slowest of 1 of 2"]


def test_what_was_not_measured_is_not_reached():
    lines = [target.line() for target in targets([[]])]
    assert all(line.endswith("not measured") for line in lines)


def test_seeds_are_pooled_by_their_numbers_of_problems():
    # 90 of 100 and 40 of 50: 130 of 150; the larger p counts
    seeds = [Figure("accuracy", "student", "all", 0.9, 100, 0.001), Figure("accuracy", "student", "all", 0.8, 50, 0.2)]
    figure = pooled(seeds)
    assert (figure.value, figure.n, figure.p) == (pytest.approx(130 / 150), 150, 0.2)
    assert pooled([]) is None


def test_the_summary_is_of_the_last_commit_and_of_each_arm():
    runs = {
        replace(KEY, commit="0000000000"): GOOD,
        KEY: GOOD,
        replace(KEY, seed="11"): GOOD,
        replace(KEY, arm="views off"): changed("lost", "functions", value=0.5),
    }
    lines = summary(runs)
    assert [line for line in lines if not line.startswith("  ")] == [
        "default: seeds 10, 11; commit 1234567890; some processor, 2 cores, default threads",
        "views off: seeds 10; commit 1234567890; some processor, 2 cores, default threads",
    ]
    assert sum("NOT REACHED" in line for line in lines) == 1


def test_a_loss_is_tested_on_the_changed_problems_and_their_originals():
    right = {"a": True, "b": True, "c": True, "d": True, "e": False, "f": True}
    lost = {f"{name}~functions": False for name in "abcd"}
    others = {"e~functions": False, "f~names": False}
    assert loss_p_value("functions", right, lost | others) == 0.125  # 4 lost, 0 won: 2 / 2**4
    assert loss_p_value("overall", right, lost | others) == 0.0625  # 5 lost
    assert loss_p_value("order", right, lost | others) is None
    assert loss_p_value("functions", {"e": False}, {"e~functions": False}) == 1.0


def test_held_out_families_are_groups_that_training_does_not_have(tmp_path: Path):
    groups = {"train": ["a", "b"], "test": ["a", "c", "c", "d"]}
    for split, names in groups.items():
        rows = (json.dumps({"task": "arithmetic", "group": name}) for name in names)
        (tmp_path / f"{split}.jsonl").write_text("\n".join(rows))
    assert list(held_out_families(tmp_path)) == [Figure("families", "", "arithmetic/held_out", 2, 3)]


def test_the_commit_of_figures_says_which_code_is_not_committed(tmp_path: Path):
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True)

    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text("1")
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "a")
    commits = [committed(False, tmp_path)]
    for name, content in [("src/a.py", "2"), ("src/a.py", "3"), ("src/b.py", "4"), ("src/b.py", "5")]:
        (tmp_path / name).write_text(content)
        commits.append(committed(True, tmp_path))
    assert len(set(commits)) == 5
    assert all(commit.startswith(f"{commits[0]}+") for commit in commits[1:])
    assert committed(True, tmp_path) == commits[-1]
    with pytest.raises(SystemExit, match="has uncommitted changes"):
        committed(False, tmp_path)


def test_an_edited_overlay_is_another_one(tmp_path: Path):
    path, names = tmp_path / "beta.yaml", set()
    for content in ("train: {beta: 0.1}", "train: {beta: 0.2}", "train: {beta: 0.1}"):
        path.write_text(content)
        names.add(overlay_name(path))
    assert len(names) == 2
    assert all(name.startswith("beta-") for name in names)
    assert overlay_name(None) == ""
    with pytest.raises(SystemExit, match="does not exist"):
        overlay_name(tmp_path / "gone.yaml")


class _Run:
    def __init__(self, folder: Path) -> None:
        self.folder = folder


def make_run(folder: Path, chains: str, correct: float) -> _Run:
    for name, content in {
        "data/problems/train.jsonl": "{}",
        "models/base/model.safetensors": "weights",
        "data/chains/teacher.jsonl": chains,
        "reports/metrics.json": json.dumps({"accuracy": {"student": {"overall": {"value": correct, "n": 200}}}}),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return _Run(folder)


def test_thread_counts_are_compared_byte_for_byte_and_by_accuracy(tmp_path: Path):
    runs = {1: make_run(tmp_path / "1", "a\n", 0.9), 2: make_run(tmp_path / "2", "a\n", 0.92)}
    assert [line for line in verdicts(list(compare(runs))) if line.endswith(": reached")] == [
        "data/problems: the same bytes: reached",
        "models/base: the same bytes: reached",
        "data/chains/teacher.jsonl: the same bytes: reached",
        "student, overall: +2.0 points (n 200), at most 2: reached",
    ]
    runs[2] = make_run(tmp_path / "2", "b\n", 0.925)
    assert [line for line in verdicts(list(compare(runs))) if line.endswith("NOT REACHED")] == [
        "data/chains/teacher.jsonl: other bytes: NOT REACHED",
        "student, overall: +2.5 points (n 200), at most 2: NOT REACHED",
    ]


def test_a_run_that_the_csv_has_is_not_run_again(tmp_path: Path):
    commit = committed(uncommitted_allowed=True)
    (tmp_path / "work").write_text("a file, in which no copy of the clone can be made")
    options = Namespace(
        seeds=[10],
        arms=["default"],
        overlay=None,
        threads=1,
        csv=tmp_path / "r.csv",
        work=tmp_path / "work",
        uncommitted=True,
    )
    append_figures(options.csv, Key(commit, "", processor(), "1", "default", "10"), GOOD)
    measure(options)
    assert list(read_figures(options.csv).values()) == [GOOD]
    options.seeds = [10, 11]
    with pytest.raises(NotADirectoryError):
        measure(options)


def test_the_figures_of_a_run_are_those_of_its_reports_with_a_p_value_for_each_loss(tmp_path: Path):
    def share(value: float, n: int) -> dict[str, float]:
        return {"value": value, "low": 0.0, "high": 1.0, "n": n}

    change = {"original": share(1.0, 4), "changed": share(0.0, 4), "gap": {"value": 1.0, "low": 0.5, "high": 1.0}}
    metrics = {
        "accuracy": {"base": {"overall": share(0.25, 4)}, "student": {"overall": share(1.0, 4)}},
        "gain": {"overall": {"value": 0.75, "low": 0.0, "high": 1.0, "p_mcnemar": 0.25, "p_wilcoxon": 0.08}},
        "robustness": {"student": {"swapped": change}},
        "unseen": {"student": {"arithmetic": share(0.5, 10)}},
    }

    def chains(correct: bool, ending: str) -> str:
        rows = ({"chain": {"problem_id": f"{n}{ending}"}, "verdict": {"correct": correct}} for n in range(4))
        return "\n".join(map(json.dumps, rows))

    for name, content in {
        "reports/metrics.json": json.dumps(metrics),
        "reports/seconds/base.json": '{"base": 1.5}',
        "reports/seconds/train.json": '{"train": 60}',
        "data/evaluation/student.jsonl": chains(True, ""),
        "data/evaluation/variants/student.jsonl": chains(False, "~swapped"),
        "data/problems/train.jsonl": "",
        "data/problems/test.jsonl": '{"task": "arithmetic", "group": "a"}',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert list(figures_of(_Run(tmp_path))) == [
        Figure("accuracy", "base", "overall", 0.25, 4),
        Figure("accuracy", "student", "overall", 1.0, 4),
        Figure("gain", "student", "overall", 0.75, 4, 0.25),
        Figure("changed", "student", "swapped", 0.0, 4),
        Figure("lost", "student", "swapped", 1.0, 4, 0.125),  # 4 of 4 lost: 2 / 2**4
        Figure("unseen", "student", "arithmetic", 0.5, 10),
        Figure("families", "", "arithmetic/held_out", 1, 1),
        Figure("seconds", "", "base", 1.5),
        Figure("seconds", "", "train", 60),
        Figure("seconds", "", "all stages", 61.5),
    ]
    seconds, restored = Figure("seconds", "", "base", 1.5), Figure("restored", "", "train", 60)
    assert list(figures_of(_Run(tmp_path), {"train", "base"}))[-2:] == [seconds, restored]  # and no sum
    assert list(figures_of(_Run(tmp_path), {"base"}))[-1] == Figure("seconds", "", "all stages", 61.5)


def test_the_stages_that_dvc_restored_are_read_from_what_it_prints():
    printed = "Stage 'base' is cached - skipping run, checking out outputs\nRunning stage 'train':\n"
    assert RESTORED.findall(printed) == ["base"]
