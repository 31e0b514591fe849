"""Another run, or other data of the same run, is trained on anew."""

from pathlib import Path

import pytest

from tests.working_tree import ROOT

with pytest.MonkeyPatch.context() as patch:  # scripts import each other by their names
    patch.syspath_prepend(ROOT / "benchmarks")
    from measurements import Figure, Key, run_name
    from views_ablation import INPUTS, link_inputs, table


def make_run(folder: Path, content: str) -> Path:
    for name in (Path("params.yaml"), *INPUTS):
        path = folder / name / "weights" if name == INPUTS[0] else folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_the_name_of_a_run_changes_with_its_inputs(tmp_path: Path):
    run = make_run(tmp_path / "run", "a")
    names = {run_name(run, INPUTS)}
    for name in ("params.yaml", *INPUTS[1:]):
        (run / name).write_text("b")
        names.add(run_name(run, INPUTS))
    (run / INPUTS[0] / "weights").write_text("b")
    names.add(run_name(run, INPUTS))
    assert len(names) == len(INPUTS) + 2  # params.yaml, each of the inputs, and as it was
    assert all(name.startswith("run-") for name in names)


def test_a_run_that_is_gone_gives_one_line(tmp_path: Path):
    with pytest.raises(SystemExit, match="does not exist: name the folder of a finished run"):
        run_name(tmp_path / "gone", INPUTS)


def test_links_to_another_run_are_replaced(tmp_path: Path):
    folder, path = tmp_path / "work", INPUTS[-1]
    for content in ("a", "b", "b"):
        link_inputs(make_run(tmp_path / content, content), folder)
        assert (folder / path).read_text() == content
    (tmp_path / "b" / path).unlink()  # the link leads nowhere now
    link_inputs(tmp_path / "b", folder)
    link_inputs(tmp_path / "a", folder)
    assert (folder / path).read_text() == "a"


def test_the_table_has_the_mean_of_the_seeds():
    def key(seed: str) -> Key:
        return Key("1234567890", "run-12345678-all", "some processor", "1", "4", seed)

    def figures(value: float) -> list[Figure]:
        return [Figure("accuracy", "student", name, value, 10) for name in ("plain", "functions", "swapped")]

    lines = list(table([(key("10"), figures(0.5)), (key("11"), figures(0.7))]))
    assert lines[-1] == "| 4 | 10, 11 | 60.0% | 60.0% | 60.0% |"
