from pathlib import Path

import pytest

from callwright.errors import DataError
from callwright.pipeline.dvc_yaml import read_file, read_stages, with_code

TEXT = """\
# A comment.
stages:
  one:
    cmd: python stages/one.py
    params: [seed]   # odd   spacing
    deps:
      - data/in   # by hand
      - stages/one.py # the script
      - requirements.lock
      - src/callwright/old.py
      # between
      - ${problems.path}
    outs: [data/out]

  two:
    cmd: "python stages/two.py"
    deps:
        - data/out
plots: []
"""
EXPECTED = """\
# A comment.
stages:
  one:
    cmd: python stages/one.py
    params: [seed]   # odd   spacing
    deps:
      - data/in   # by hand
      - stages/one.py # the script
      - src/callwright/new.py
      # between
      - ${problems.path}
    outs: [data/out]

  two:
    cmd: "python stages/two.py"
    deps:
        - stages/two.py
        - data/out
plots: []
"""


def test_only_lines_of_code_change():
    code = {"one": ["stages/one.py", "src/callwright/new.py"], "two": ["stages/two.py"]}
    assert with_code(TEXT, code) == EXPECTED
    assert with_code(EXPECTED, code) == EXPECTED


def test_line_ends_stay_as_they_are(tmp_path: Path):
    code = {"one": ["stages/one.py", "src/callwright/new.py"], "two": ["stages/two.py"]}
    (tmp_path / "dvc.yaml").write_bytes(TEXT.replace("\n", "\r\n").encode())
    assert with_code(read_file(tmp_path / "dvc.yaml"), code) == EXPECTED.replace("\n", "\r\n")


def test_a_last_line_without_an_end_stays_a_line():
    text = "stages:\n  one:\n    cmd: x\n    deps:\n    - a.py"
    assert with_code(text, {"one": ["a.py", "b.py"]}) == f"{text}\n    - b.py"


def test_a_file_that_is_not_utf_8_is_an_error(tmp_path: Path):
    (tmp_path / "dvc.yaml").write_bytes("# é".encode("latin-1"))
    with pytest.raises(DataError, match=r"^dvc.yaml is not UTF-8 text \(byte 3\): save it as UTF-8$"):
        read_file(tmp_path / "dvc.yaml")


def test_a_users_module_that_is_no_longer_used_goes():
    text = TEXT.replace("- src/callwright/old.py", "- clock.py")
    assert read_stages(text)["one"].code == ["stages/one.py", "requirements.lock", "clock.py"]
    assert "clock.py" not in with_code(text, {"one": ["stages/one.py"], "two": []})


def test_a_stage_for_each_of_several_items_is_read_and_written():
    text = "stages:\n  one:\n    foreach: [1, 2]\n    do:\n      cmd: [a, b]\n      deps:\n        - x.py\n"
    assert read_stages(text)["one"].command == "a && b"
    assert with_code(text, {"one": ["y.py"]}) == text.replace("x.py", "y.py")


@pytest.mark.parametrize("deps", ["[data/in, data/out]", "", "[]"])
def test_deps_that_are_no_list_of_lines_are_an_error(deps: str):
    text = f"stages:\n  one:\n    cmd: x\n    deps: {deps}\n"
    with pytest.raises(DataError, match=r"^dvc.yaml: stages.one.deps has to be a list with one entry a line$"):
        read_stages(text)


@pytest.mark.parametrize(
    "second",
    [
        "two:\n    cmd: y\n    deps: *list",
        "two: *stage",
        "two:\n    <<: *stage",
        "two:\n    cmd: y\n    deps:\n    - *item",
    ],
)
def test_two_stages_cannot_share_lines(second: str):
    text = f"stages:\n  one: &stage\n    cmd: x\n    deps: &list\n    - &item a.py\n  {second}\n"
    with pytest.raises(
        DataError, match=r"^dvc.yaml, line 6: stages.two.deps uses line 5, .*: write the entries in the stage$"
    ):
        with_code(text, {"one": ["a.py"], "two": ["b.py"]})


@pytest.mark.parametrize("text", ["", "stages: [", "plots: []", "stages:\n  one: 3\n"])
def test_a_file_without_stages_is_an_error(text: str):
    with pytest.raises(DataError, match=r"^dvc.yaml has no stages that can be read"):
        read_stages(text)
