"""A source is one class and one line. Its name and its section of params.yaml are checked, and docs list it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from ruamel.yaml import YAML

from callwright.agent.parsing.parse import parse_call
from callwright.errors import ParamsError
from callwright.params import Params, ProblemsParams
from callwright.problems.load import LoadedProblems, load_problems
from callwright.problems.source import AnySource
from callwright.problems.sources import SOURCES, open_sources, source_types
from callwright.problems.synthetic import Synthetic
from callwright.tasks import TASKS
from tests.working_tree import ROOT

NAMES = list(source_types())
SECTIONS = ", ".join(dict.fromkeys(source.section for source in source_types().values()))
ABACUS = """
    from functools import partial

    from callwright.errors import RowError
    from callwright.params.section import Section
    from callwright.problems.source import Source
    from callwright.records import Call, Problem


    class AbacusParams(Section):
        largest: int


    class Abacus(Source[AbacusParams]):
        name = "abacus"
        description = "sums of an abacus"
        section = "abacus"
        params_type = AbacusParams

        def read(self, inputs, result):
            for number, line in enumerate(inputs.path.read_text().splitlines(), start=1):
                result.add(f"{inputs.path}:{number}", partial(self.read_line, line))

        def read_line(self, line):
            left, right, answer, split = line.split()
            if int(left) > self.params.largest:
                raise RowError("the abacus has too few beads")
            chain = (Call("add", {"0": int(left), "1": int(right)}), Call("answer", {"0": int(left) + int(right)}))
            return Problem(line, "arithmetic", f"{left} + {right}?", answer, chain, self.name, line, split)
"""


def load_params(**changes: object) -> ProblemsParams:
    """The section `problems` of the shipped params.yaml with some keys changed; ... removes a key."""
    values = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
    values["problems"] |= changes
    values["problems"] = {key: value for key, value in values["problems"].items() if value is not ...}
    return Params.model_validate(values).problems


def error_line(params: ProblemsParams, sources: tuple[str, ...] = tuple(SOURCES)) -> str:
    with pytest.raises(ParamsError) as caught:
        load_problems(params, 7, TASKS, parse_call, sources)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    """SOURCES with one more line, for the class in a module of its own."""
    (tmp_path / "own_abacus.py").write_text(dedent(ABACUS))
    monkeypatch.syspath_prepend(tmp_path)
    yield (*SOURCES, "own_abacus:Abacus")
    sys.modules.pop("own_abacus", None)


def load_abacus(folder: Path, sources: tuple[str, ...], **section: object) -> LoadedProblems:
    path = folder / "abacus.txt"
    path.write_text("2 3 5 train\n4 4 8 dev\n1 1 2 test\n2 2 5 train\n9 1 10 train\n")
    return load_problems(load_params(source="abacus", path=str(path), abacus=section), 7, TASKS, parse_call, sources)


def test_a_new_source_is_one_class_and_one_line(tmp_path: Path, sources: tuple[str, ...]):
    loaded = load_abacus(tmp_path, sources, largest=5)
    assert {split: [problem.question for problem in problems] for split, problems in loaded.splits.items()} == {
        "train": ["2 + 3?"],
        "dev": ["4 + 4?"],
        "test": ["1 + 1?"],
    }
    assert [str(row) for row in loaded.dropped] == [  # its solutions are executed, although its class does not do it
        f"{tmp_path}/abacus.txt:4: its solution does not reach its answer (it answers 4, the answer is 5)",
        f"{tmp_path}/abacus.txt:5: the abacus has too few beads",
    ]


def test_the_section_of_a_new_source_is_checked_and_its_name_is_known(tmp_path: Path, sources: tuple[str, ...]):
    with pytest.raises(ParamsError) as caught:
        load_abacus(tmp_path, sources, largets=5)
    assert str(caught.value) == "params.yaml: problems.abacus.largets is not a parameter (did you mean largest?)"
    assert error_line(load_params(source="abacus"), sources) == "params.yaml: problems.abacus is missing"
    assert error_line(load_params(source="abakus"), sources).endswith("'jsonl' or 'abacus', not 'abakus'")
    without_its_class = error_line(load_params(abacus={"largest": 5}))
    assert without_its_class.startswith("params.yaml: problems.abacus is not a parameter (")


def test_an_unknown_source_gives_one_line_with_the_known_ones():
    assert error_line(load_params(source="gsm")) == (
        f"params.yaml: problems.source: input should be {', '.join(map(repr, NAMES[:-1]))} or {NAMES[-1]!r}, not 'gsm'"
    )


COUNTS = {"train": 1, "dev": 1, "test": 1, "held_out_test": 1}


@pytest.mark.parametrize("source", ["synthetic", "gsm8k", "jsonl"])  # the sections of other sources are checked too
@pytest.mark.parametrize(
    ("section", "value", "error"),
    [
        ("publik", {"train": 1}, "problems.publik is not a parameter (did you mean public?)"),
        (
            "extra",
            3,
            f"problems.extra is not a parameter (known: source, path, mix, max_left_out, shared_words, {SECTIONS})",
        ),
        (
            "public",
            {"trian": 1, "dev": 1, "test": 1},
            "problems.public.trian is not a parameter (did you mean train?)",
        ),
        (
            "public",
            {"train": 0, "dev": 1, "test": 1},
            "problems.public.train: input should be greater than or equal to 1, not 0",
        ),
        ("jsonl", {"dev_share": 0.1}, "problems.jsonl.test_share is missing"),
        ("public", 3, "problems.public: input should be a valid dictionary or instance of PublicParams, not 3"),
        (
            "synthetic",
            {"arithmatic": COUNTS},
            "problems.synthetic.arithmatic is not a parameter (did you mean arithmetic?)",
        ),
        (
            "synthetic",
            {"arithmetic": {**COUNTS, "tests": 1}},
            "problems.synthetic.arithmetic.tests is not a parameter (did you mean test?)",
        ),
    ],
)
def test_an_unknown_key_or_a_wrong_value_of_any_source_gives_one_line(
    source: str, section: str, value: object, error: str
):
    assert error_line(load_params(source=source, **{section: value})) == f"params.yaml: {error}"


def test_only_the_section_of_the_chosen_source_is_required():
    others = {"synthetic": ..., "public": ...}
    assert open_sources(load_params(source="jsonl", **others), TASKS)["jsonl"].params.test_share == 0.2
    assert error_line(load_params(source="folio", **others)) == "params.yaml: problems.public is missing"


def test_a_task_that_is_not_listed_gives_no_synthetic_problems():
    loaded = load_problems(load_params(synthetic={"translation": COUNTS}), 7, TASKS, parse_call)
    assert {problem.task for problems in loaded.splits.values() for problem in problems} == {"translation"}
    assert sum(map(len, loaded.splits.values())) == sum(COUNTS.values())


def test_the_shipped_sections_are_valid_for_every_source():
    assert NAMES[0] == "synthetic"
    for name, source in source_types().items():
        assert isinstance(open_sources(load_params(source=name), TASKS)[name], source)


def test_sources_that_share_a_section_share_its_model():
    for section in {source.section for source in source_types().values()}:
        models = {source.params_type for source in source_types().values() if source.section == section}
        assert len(models) == 1


def test_the_fields_of_sections_have_no_descriptions_as_params_yaml_has_them():
    models = [source.section_type(TASKS) for source in source_types().values()]
    models += [field.annotation for field in Synthetic.section_type(TASKS).model_fields.values()]
    assert [field for model in models for field in model.model_fields.values() if field.description] == []


def in_a_mix(source: type[AnySource]) -> str:
    return "not read" if source is Synthetic else f"`{source.entry()}`"


def test_the_docs_and_params_yaml_list_every_source():
    rows = [
        f"| `{name}` | {source.description} | {source.describe_path()} | {in_a_mix(source)} "
        f"| `problems.{source.section}` |"
        for name, source in source_types().items()
    ]
    head = "| `problems.source` | problems | `problems.path` | in a mix, in `problems.path` | section |"
    table = f"{head}\n|---|---|---|---|---|\n" + "\n".join(rows)
    assert f"\n\n{table}\n\n" in (ROOT / "docs/own-problems.md").read_text(), f"the table should be:\n{table}"
    assert f"source: synthetic # {' | '.join(NAMES)}\n" in (ROOT / "params.yaml").read_text()
