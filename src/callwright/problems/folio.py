"""FOLIO: stories in natural English, every sentence with a first-order formula that people wrote."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from callwright.errors import CallError, RowError
from callwright.functions.formulas.formula import Formula, check_closed, parse_formula, predicate_arities
from callwright.problems import row_files
from callwright.problems.row_fields import check_name, check_text, required_text, select_fields
from callwright.problems.row_files import read_rows
from callwright.problems.source import SourceResult
from callwright.records import Call, Problem, Split
from callwright.tasks.entailment.functions import TruthValue
from callwright.tasks.entailment.questions import MAX_PREMISES, TASK, entailment_gold_chain, entailment_question
from callwright.tasks.translation.questions import translation_problem, vocabulary

SOURCE = "folio"
NOT_A_FORMULA = "an annotation is not a formula"
FREE_VARIABLE = "an annotation has a free variable"
INCONSISTENT_ARITY = "a predicate is annotated with two numbers of terms"
UNPAIRED_ANNOTATIONS = "sentences and annotations do not pair up"
FIELDS = ("premises", "premises-FOL", "conclusion", "conclusion-FOL", "label", "story_id")

_LABELS: dict[str, TruthValue] = {"True": "True", "False": "False", "Unknown": "Unknown", "Uncertain": "Unknown"}


class AnnotationError(RowError):
    """An annotation that cannot be used; `detail` says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a story's premises with their annotations, and a conclusion that train does not annotate."""

    number: int
    where: str
    group: str
    premises: tuple[str, ...]
    annotations: tuple[str, ...]
    conclusion: str
    conclusion_annotation: str | None
    label: TruthValue

    def annotated(self) -> Iterator[tuple[str, str, str]]:
        """Name in the row, sentence and annotation; without the premises where those do not pair up."""
        if self.has_one_annotation_per_premise():
            for place, (sentence, annotation) in enumerate(zip(self.premises, self.annotations, strict=True)):
                yield f"premise-{place}", sentence, annotation
        if self.conclusion_annotation is not None:
            yield "conclusion", self.conclusion, self.conclusion_annotation

    def has_one_annotation_per_premise(self) -> bool:
        """Whether every premise has its annotation."""
        return len(self.premises) == len(self.annotations)


def read_annotation(text: str) -> Formula:
    """The closed formula of an annotation.

    Raises:
        AnnotationError: there is none.
    """
    reason = NOT_A_FORMULA
    try:
        formula = parse_formula(text)
        reason = FREE_VARIABLE
        check_closed(formula)
        reason = INCONSISTENT_ARITY
        predicate_arities(formula)
    except CallError as error:
        raise AnnotationError(reason, error.message) from None
    return formula


def read_folio(path: Path, split: Split) -> SourceResult:
    """Problems of a FOLIO file: translation of its annotated sentences, entailment of its conclusions.

    A story's sentences are read once, however many rows repeat the story. The entailment question gives the vocabulary
    of the annotations (train: of the premises alone). Where the conclusion is annotated, the gold chain was executed
    and ends at the label, else it is empty.

    Args:
        path: JSON Lines with `premises`, `premises-FOL`, `conclusion`, `label` (True, False, Unknown or Uncertain), and
            perhaps `conclusion-FOL` and `story_id`.
        split: the split that all rows get. A story is a group.

    Returns:
        Problems with ids `folio/<file stem>/<0-based line>` (entailment) and `.../premise-<0-based>`
        or `.../conclusion` (translation).
        Annotations that are not closed formulas, and rows whose label the solver does not confirm (docs/logic.md), are
        left out with their reason.

    Raises:
        DataError: the file cannot be read.

    Source: Han et al., 2022, arXiv 2209.00840; the files of github.com/Yale-LILY/FOLIO.
    """
    source_result = SourceResult()
    known: set[tuple[str, str, str]] = set()
    for row in rows(path, source_result):
        where, row_id = row.where, f"{SOURCE}/{path.stem}/{row.number}"
        for name, sentence, annotation in row.annotated():
            if (row.group, sentence, annotation) in known:
                continue
            known.add((row.group, sentence, annotation))
            make = partial(_translation_problem, row.group, sentence, annotation, split, f"{row_id}/{name}")
            source_result.add(f"{where} {name}", make)
        source_result.add(where, partial(_entailment_problem, row, row_id, split))
    return source_result


def rows(path: Path, source_result: SourceResult) -> Iterator[Row]:
    """The rows of a FOLIO file, in order; those that are malformed are left out of `sourced`.

    Raises:
        DataError: the file cannot be read.
    """
    advice = (
        "download data/v0.0/folio-train.jsonl and folio-validation.jsonl from the Yale-LILY/FOLIO repository, "
        "or fix problems.path in params.yaml"
    )
    for file_row in read_rows(path, advice):
        try:
            row = _read_row(file_row, path.stem)
        except Exception as error:
            source_result.drop(file_row.where, error)
            continue
        yield row


def _read_row(file_row: row_files.Row, stem: str) -> Row:
    fields = select_fields(file_row.content(), FIELDS)
    texts, annotations = _text_list(fields, "premises"), _text_list(fields, "premises-FOL")
    conclusion, label = required_text(fields, "conclusion"), fields.get("label")
    if not isinstance(label, str) or label not in _LABELS:
        raise RowError("label is not True, False, Unknown or Uncertain")
    annotation = required_text(fields, "conclusion-FOL") if isinstance(fields.get("conclusion-FOL"), str) else None
    story = fields.get("story_id", sha256("\n".join(texts).encode()).hexdigest()[:12])
    if isinstance(story, bool) or not isinstance(story, str | int):
        raise RowError("story_id is not text or a number")
    return Row(
        number=file_row.number,
        where=file_row.where,
        group=f"{SOURCE}/{stem}/{check_name(str(story), 'story_id')}",
        premises=texts,
        annotations=annotations,
        conclusion=conclusion,
        conclusion_annotation=annotation,
        label=_LABELS[label],
    )


def _text_list(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    """The texts of a list; empty ones, which say nothing on either side, are passed over."""
    values = fields.get(name)
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise RowError(f"{name} is missing")
    if len(values) > MAX_PREMISES:
        raise RowError(f"{name} has more than {MAX_PREMISES} items")
    return tuple(check_text(value.strip(), name) for value in values if value.strip())


def _translation_problem(group: str, sentence: str, annotation: str, split: Split, problem_id: str) -> Problem:
    return translation_problem(sentence, read_annotation(annotation), SOURCE, group, split, problem_id)


def _entailment_problem(row: Row, row_id: str, split: Split) -> Problem:
    if not row.has_one_annotation_per_premise():
        raise RowError(UNPAIRED_ANNOTATIONS)
    premise_formulas = list(dict.fromkeys(map(read_annotation, row.annotations)))
    statements = [] if row.conclusion_annotation is None else [read_annotation(row.conclusion_annotation)]
    try:
        words = vocabulary(*premise_formulas, *statements)
    except CallError as error:
        raise AnnotationError(INCONSISTENT_ARITY, error.message) from None
    solution: tuple[Call, ...] = entailment_gold_chain(premise_formulas, statements[0], row.label) if statements else ()
    return Problem(
        id=row_id,
        task=TASK,
        question=f"{entailment_question(row.premises, row.conclusion)} Vocabulary: {words}.",
        answer=row.label,
        solution=solution,
        source=SOURCE,
        group=row.group,
        split=split,
    )
