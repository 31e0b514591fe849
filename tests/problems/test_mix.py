"""Several sources in one run: shares of the train problems, unique names, no test question of any source in train."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from callwright.agent.parsing.parse import parse_call
from callwright.errors import DataError, ParamsError, RowError
from callwright.params import Params, ProblemsParams
from callwright.problems.load import LoadedProblems, format_report, load_problems, raise_if_unusable, report_of
from callwright.problems.mix import UsedNames, mix_splits, train_counts
from callwright.problems.sources import open_sources
from callwright.records import Problem, Split
from callwright.tasks import TASKS
from tests.problems.hostile_rows import ROWS
from tests.problems.test_sources import load_params
from tests.working_tree import ROOT

PUBLIC = ROOT.parent / "shared/data"
needs_public = pytest.mark.skipif(not PUBLIC.is_dir(), reason="needs the public sets in ../shared/data")
SUMS = {"synthetic": {"arithmetic": {"train": 42, "dev": 21, "test": 21, "held_out_test": 0}}}


def rows(split: str, count: int, start: int = 0) -> list[dict[str, Any]]:
    """Sums with numbers of at least 5,000, which synthetic problems do not have."""
    numbers = range(5_000 + start, 5_000 + start + count)
    return [{"question": f"{number} plus 1 is?", "answer": number + 1, "split": split} for number in numbers]


ROWS_OF_SPLITS = [*rows("train", 30), *rows("dev", 4, 100), *rows("test", 6, 200)]
Load = Callable[..., LoadedProblems]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads 42 synthetic problems and a user's rows in one mix."""

    def load(user_rows: list[dict[str, Any]], mix: Mapping[str, float], seed: int = 7, **params: Any) -> LoadedProblems:
        (tmp_path / "problems.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in user_rows))
        return load_problems(load_params(mix=mix, path=str(tmp_path), **{**SUMS, **params}), seed, TASKS, parse_call)

    return load


def by_source(loaded: LoadedProblems, split: Split) -> Counter[str]:
    return Counter(problem.source for problem in loaded.splits[split])


def ids(loaded: LoadedProblems, source: str, split: Split = "train") -> set[str]:
    return {problem.id for problem in loaded.splits[split] if problem.source == source}


def error_message(loaded: LoadedProblems, max_left_out: float = 0.05) -> str:
    with pytest.raises(DataError) as caught:
        raise_if_unusable(loaded, max_left_out, Path("left_out.jsonl"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_share_is_of_the_train_problems_and_dev_and_test_are_kept_whole(load: Load):
    loaded = load(ROWS_OF_SPLITS, {"synthetic": 0.7, "jsonl": 0.3})
    assert by_source(loaded, "train") == {"synthetic": 42, "jsonl": 18}  # 42 / 0.7 is 60, of which 18 are 30 %
    assert by_source(loaded, "dev") == {"synthetic": 21, "jsonl": 4}
    assert by_source(loaded, "test") == {"synthetic": 21, "jsonl": 6}
    assert report_of(loaded).sources["jsonl"].model_dump() == {
        "rows_read": 40,
        "unusable": 0,
        "problems": {"train": 18, "dev": 4, "test": 6},
        "unused": 12,
    }
    assert format_report(loaded)[:3] == [
        "problems: 60 train, 25 dev, 27 test; 0 left out",
        "  synthetic: 42 train, 21 dev, 21 test; all its train problems, which limits the mix",
        "  jsonl: 18 train, 4 dev, 6 test; 12 train unused beyond its share",
    ]


def test_a_source_with_too_few_problems_limits_the_others(load: Load):
    loaded = load(ROWS_OF_SPLITS, {"synthetic": 0.25, "jsonl": 0.75})
    assert by_source(loaded, "train") == {"synthetic": 10, "jsonl": 30}  # 30 / 0.75 is 40


@pytest.mark.parametrize(
    ("available", "shares", "counts"),
    [
        ({"a": 10, "b": 10}, {"a": 0.5, "b": 0.5}, {"a": 10, "b": 10}),
        ({"a": 3, "b": 1000}, {"a": 0.999, "b": 0.001}, {"a": 3, "b": 1}),  # at least one of each
        ({"a": 0, "b": 1000}, {"a": 0.1, "b": 0.9}, {"a": 0, "b": 0}),
        ({"a": 7}, {"a": 1.0}, {"a": 7}),
        ({"a": 1, "b": 1, "c": 1}, {"a": 0.333, "b": 0.333, "c": 0.334}, {"a": 1, "b": 1, "c": 1}),
    ],
)
def test_each_source_gives_as_many_problems_as_the_shares_allow(
    available: dict[str, int], shares: dict[str, float], counts: dict[str, int]
):
    assert train_counts(available, shares) == counts


def test_another_share_uses_the_same_problems_and_more_or_fewer(load: Load):
    few = ids(load(ROWS_OF_SPLITS, {"synthetic": 0.8, "jsonl": 0.2}), "jsonl")
    more = ids(load(ROWS_OF_SPLITS, {"synthetic": 0.7, "jsonl": 0.3}), "jsonl")
    assert len(few) < len(more)
    assert few < more
    assert more != ids(load(ROWS_OF_SPLITS, {"synthetic": 0.7, "jsonl": 0.3}, seed=8), "jsonl")


def test_the_first_problems_of_every_split_are_of_all_sources(load: Load):
    loaded = load(ROWS_OF_SPLITS, {"synthetic": 0.5, "jsonl": 0.5})
    assert Counter(problem.source for problem in loaded.splits["train"][:10]) == {"synthetic": 5, "jsonl": 5}
    assert {problem.source for problem in loaded.splits["test"][:5]} == {"synthetic", "jsonl"}  # 21 and 6
    assert [problem.id for problem in loaded.splits["dev"] if problem.source == "jsonl"] == [
        f"problems/{number}"
        for number in range(30, 34)  # in their order
    ]


def test_one_source_alone_stays_as_it_is():
    problems = [Problem(f"p{n}", "arithmetic", f"{n}?", str(n), (), "a", f"g{n}", "train") for n in range(5)]
    splits: dict[Split, list[Problem]] = {"train": problems, "dev": problems[:2], "test": problems[::-1]}
    assert mix_splits({"a": splits}, {"a": 1.0}, 7) == splits


def test_a_test_question_of_one_source_is_in_no_other_sources_train(load: Load):
    test_question = next(
        problem.question
        for problem in load(ROWS_OF_SPLITS, {"synthetic": 0.5, "jsonl": 0.5}).splits["test"]
        if problem.source == "synthetic"
    )
    copied = {"question": f"{test_question.upper()}", "answer": 1, "split": "train", "id": "copied"}
    loaded = load([*ROWS_OF_SPLITS, copied], {"synthetic": 0.5, "jsonl": 0.5})
    assert [(row.where, row.reason) for row in loaded.dropped] == [("copied", "duplicate question with another answer")]
    assert "copied" not in ids(loaded, "jsonl")


def test_words_shared_with_a_test_question_of_another_source_drop_a_train_problem(tmp_path: Path):
    passage = "A shop sells red apples and green pears in boxes of twelve on every market day of the year"
    (tmp_path / "gsm8k").mkdir()
    for name, text in (("train", "Ann has 2 pens. How many?"), ("test", f"{passage}. How many apples are sold?")):
        row = {"question": text, "answer": "It is <<1+1=2>>2.\n#### 2"}
        (tmp_path / f"gsm8k/{name}.jsonl").write_text(f"{json.dumps(row)}\n")
    leaking = {"question": f"{passage}. How many pears?", "answer": 3, "split": "train", "id": "leaking"}
    (tmp_path / "problems.jsonl").write_text("\n".join(json.dumps(row) for row in [leaking, *ROWS_OF_SPLITS]))
    params = load_params(mix={"gsm8k": 0.5, "jsonl": 0.5}, path=str(tmp_path), public={"train": 1, "dev": 1, "test": 1})
    loaded = load_problems(params, 7, TASKS, parse_call)
    assert [(row.where, row.reason) for row in loaded.dropped] == [
        ("leaking", "shares a run of words with a test question")
    ]


def test_an_id_of_an_earlier_source_drops_the_row(load: Load):
    mix = {"synthetic": 0.5, "jsonl": 0.5}
    taken = load(ROWS_OF_SPLITS, mix).splits["train"][0]
    assert taken.source == "synthetic"
    loaded = load([*ROWS_OF_SPLITS, {"question": "7 plus 8,000?", "answer": 8007, "id": taken.id}], mix)
    assert [(row.reason, row.detail) for row in loaded.unusable] == [
        ("id is used twice", f"{taken.id} is also the id of a problem of another source")
    ]


def test_groups_of_two_sources_stay_apart():
    names = UsedNames()
    first = Problem("a/1", "arithmetic", "1?", "1", (), "a", "percent", "test")
    names.add([first])
    second = Problem("b/1", "arithmetic", "2?", "2", (), "b", "percent", "train")
    assert names.check(second, "b").group == "b/percent"
    other = Problem("b/2", "arithmetic", "3?", "3", (), "b", "rates", "train")
    assert names.check(other, "b") is other
    with pytest.raises(RowError):
        names.check(first, "b")


def test_unusable_rows_are_counted_by_source(load: Load, tmp_path: Path):
    bad = [{"question": "q"}] * 4  # 4 of 44 rows: 9 %, but 3 % of the 128 of both sources
    loaded = load([*ROWS_OF_SPLITS, *bad], {"synthetic": 0.5, "jsonl": 0.5})
    assert loaded.rows_read == 42 + 21 + 21 + 44
    assert error_message(loaded) == (
        f"{tmp_path}/problems.jsonl:41: answer is missing; 4 of 44 rows were left out, more than "
        "problems.max_left_out: 0.05 allows: fix them, or raise it (left_out.jsonl lists them)"
    )


def test_a_source_without_train_problems_gives_one_line(load: Load):
    loaded = load([*rows("dev", 4), *rows("test", 6, 100)], {"synthetic": 0.5, "jsonl": 0.5})
    assert error_message(loaded) == (
        "problems.mix: no train problem from jsonl (left_out.jsonl lists what was left out); give the source some, or "
        "take it out of the mix (docs/own-problems.md)"
    )


def test_a_source_without_test_problems_is_used_and_the_report_says_so(load: Load):
    loaded = load(rows("train", 30), {"synthetic": 0.5, "jsonl": 0.5})
    raise_if_unusable(loaded, 0.05, Path("left_out.jsonl"))
    assert (
        format_report(loaded)[2] == "  jsonl: 30 train; all its train problems, which limits the mix; none in dev, test"
    )


def checked_line(**changes: object) -> str:
    with pytest.raises(ParamsError) as caught:
        open_sources(load_checked(**changes), TASKS)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def load_checked(**changes: object) -> ProblemsParams:
    values = Params.load(ROOT / "params.yaml").model_dump(by_alias=True)
    values["problems"] |= changes
    return Params.check(values, "params.yaml").problems


@pytest.mark.parametrize(
    ("mix", "line"),
    [
        ({"synthetic": 1.0, "gsm8k": 0}, "the share of gsm8k is 0: it has to be above 0, or leave gsm8k out"),
        ({"synthetic": 1.5, "gsm8k": -0.5}, "the share of gsm8k is -0.5: it has to be above 0, or leave gsm8k out"),
        ({"gsm8k": float("nan")}, "the share of gsm8k is nan: it has to be above 0, or leave gsm8k out"),
        ({"synthetic": 0.7, "gsm8k": 0.7}, "the shares of the sources add up to 1.4, not 1"),
        ({"synthetic": 70, "gsm8k": 30}, "the shares of the sources add up to 100, not 1"),
        ({"synthetic": 0.7, "gsm8k": 0.300002}, "the shares of the sources add up to 1.000002, not 1"),
        ({}, "names no source: give each source its share, or leave it null"),
        ({"synthetic": 0.5, "gsm": 0.5}, "gsm is not a source (did you mean gsm8k?)"),
        ({"mine.jsonl\n": 1.0}, "mine.jsonl\\n is not a source (did you mean jsonl?)"),
        (["gsm8k"], "input should be a valid dictionary, not ['gsm8k']"),
    ],
)
def test_a_bad_mix_gives_one_line(mix: object, line: str):
    assert checked_line(mix=mix) == f"params.yaml: problems.mix: {line}"


def test_a_share_that_is_no_number_gives_one_line():
    assert checked_line(mix={"gsm8k": "half"}).startswith(
        "params.yaml: problems.mix.gsm8k: input should be a valid num"
    )


def test_the_sections_of_all_sources_of_a_mix_are_required_and_no_other():
    mix = {"synthetic": 0.5, "jsonl": 0.5}
    assert list(open_sources(load_params(mix=mix, source="gsm8k", public=...), TASKS)) == ["synthetic", "jsonl"]
    with pytest.raises(ParamsError, match=r"problems\.jsonl is missing"):
        open_sources(load_params(mix=mix, jsonl=...), TASKS)


def test_a_missing_file_is_named_in_its_folder_of_the_mix(tmp_path: Path):
    with pytest.raises(DataError) as caught:
        load_problems(load_params(mix={"gsm8k": 1.0}, path=str(tmp_path)), 7, TASKS, parse_call)
    assert str(caught.value).startswith(
        f"{tmp_path}/gsm8k/train.jsonl: no such file or directory; download train.jsonl"
    )


def test_folio_and_proofwriter_are_mixed_with_synthetic_problems(tmp_path: Path):
    for folder, names in {"folio": ["train", "validation"], "proofwriter": ["train", "dev", "test"]}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            row = ROWS[folder]
            text = json.dumps([row]) if folder == "proofwriter" else f"{json.dumps(row)}\n"
            (tmp_path / folder / f"{name}.{'json' if folder == 'proofwriter' else 'jsonl'}").write_text(text)
    mix = {"synthetic": 0.5, "folio": 0.25, "proofwriter": 0.25}
    loaded = load_problems(load_params(mix=mix, path=str(tmp_path), **SUMS), 7, TASKS, parse_call)
    # Each file has the same row, so that of test is kept; train has none of them.
    assert {row.reason for row in loaded.dropped} == {"duplicate question"}
    assert set(by_source(loaded, "test")) == {"synthetic", "folio", "proofwriter"}
    assert error_message(loaded).startswith("problems.mix: no train problem from folio, proofwriter; ")


@needs_public
def test_public_sets_in_one_folder_are_mixed_and_no_test_question_is_trained_on():
    mix = {"synthetic": 0.4, "gsm8k": 0.3, "folio": 0.3}
    public = {"train": 200, "dev": 50, "test": 50}
    loaded = load_problems(load_params(mix=mix, path=str(PUBLIC), public=public, **SUMS), 7, TASKS, parse_call)
    raise_if_unusable(loaded, 0.5, Path("left_out.jsonl"))
    # 42 / 0.4 is 105
    assert by_source(loaded, "train") == {"synthetic": 42, "gsm8k": 32, "folio": 32}
    assert by_source(loaded, "test") == {"synthetic": 21, "gsm8k": 50, "folio": 50}
    problems = [problem for split in loaded.splits.values() for problem in split]
    assert len({problem.id for problem in problems}) == len(problems)
    sources_of_group: dict[str, set[str]] = {}
    for problem in problems:
        sources_of_group.setdefault(problem.group, set()).add(problem.source)
    assert all(len(sources) == 1 for sources in sources_of_group.values())


def test_a_share_that_is_no_number_is_refused():
    line = "params.yaml: problems.mix.synthetic: input should be a valid number, not True"
    assert checked_line(mix={"synthetic": True}) == line
