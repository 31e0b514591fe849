"""FOLIO: stories in natural English, every sentence with a first-order formula that people wrote."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from callwright.errors import CallError, DataError
from callwright.functions.assumptions import TruthValue
from callwright.functions.formula import Formula, check_closed, parse_formula, signature
from callwright.problems import premises, sentences
from callwright.problems.source import LeftOut, Sourced
from callwright.records import Call, Problem, Split

SOURCE = "folio"
UNREADABLE = "an annotation is not a formula"
OPEN = "an annotation has a free variable"
AT_ODDS = "a predicate is annotated with two numbers of terms"
UNPAIRED = "sentences and annotations do not pair up"

_LABELS: dict[str, TruthValue] = {"True": "True", "False": "False", "Unknown": "Unknown", "Uncertain": "Unknown"}


class AnnotationError(ValueError):
    """An annotation that cannot be used; the message is a short, countable reason, `detail` says what and where."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.detail = detail


class _RowError(ValueError):
    """A row that cannot become a problem; the message is a short, countable reason."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a story's premises with their annotations, and a conclusion that train does not annotate."""

    number: int
    group: str
    premises: tuple[str, ...]
    annotations: tuple[str, ...]
    conclusion: str
    conclusion_annotation: str | None
    label: TruthValue

    def annotated(self) -> Iterator[tuple[str, str, str]]:
        """Name in the row, sentence and annotation; without the premises where those do not pair up."""
        if self.pairs_up():
            for place, (sentence, annotation) in enumerate(zip(self.premises, self.annotations, strict=True)):
                yield f"premise-{place}", sentence, annotation
        if self.conclusion_annotation is not None:
            yield "conclusion", self.conclusion, self.conclusion_annotation

    def pairs_up(self) -> bool:
        """Whether every premise has its annotation."""
        return len(self.premises) == len(self.annotations)


def read_annotation(text: str) -> Formula:
    """The closed formula of an annotation.

    Raises:
        AnnotationError: there is none.
    """
    reason = UNREADABLE
    try:
        formula = parse_formula(text)
        reason = OPEN
        check_closed(formula)
        reason = AT_ODDS
        signature(formula)
    except CallError as error:
        raise AnnotationError(reason, error.message) from None
    return formula


def read_folio(path: Path, split: Split) -> Sourced:
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
    sourced = Sourced()
    known: set[tuple[str, str, str]] = set()
    for row in rows(path, sourced.left_out):
        where, row_id = f"{path}:{row.number + 1}", f"{SOURCE}/{path.stem}/{row.number}"
        for name, sentence, annotation in row.annotated():
            if (row.group, sentence, annotation) in known:
                continue
            known.add((row.group, sentence, annotation))
            try:
                sourced.problems.append(
                    sentences.translation_problem(
                        sentence, read_annotation(annotation), SOURCE, row.group, split, f"{row_id}/{name}"
                    )
                )
            except AnnotationError as error:
                sourced.left_out.append(LeftOut(f"{where} {name}", str(error)))
        try:
            sourced.problems.append(_entailment(row, row_id, split))
        except (_RowError, AnnotationError, premises.NoChainError) as error:
            sourced.left_out.append(LeftOut(where, str(error)))
    return sourced


def rows(path: Path, left_out: list[LeftOut]) -> Iterator[Row]:
    """The rows of a FOLIO file, in order; those that are malformed go to `left_out`.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines):
                if not line.strip():
                    continue
                try:
                    yield _read_row(line, number, path.stem)
                except _RowError as error:
                    left_out.append(LeftOut(f"{path}:{number + 1}", str(error)))
    except OSError as error:
        raise DataError(
            f"{path}: {(error.strerror or 'cannot be read').lower()}; download data/v0.0/folio-train.jsonl and "
            "folio-validation.jsonl from the Yale-LILY/FOLIO repository, or fix problems.path in params.yaml"
        ) from None


def _read_row(line: bytes, number: int, stem: str) -> Row:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise _RowError("malformed JSON") from None
    if not isinstance(fields, dict):
        raise _RowError("malformed JSON")
    texts, annotations = _texts(fields, "premises"), _texts(fields, "premises-FOL")
    conclusion, label = fields.get("conclusion"), fields.get("label")
    if not isinstance(conclusion, str) or not conclusion.strip():
        raise _RowError("conclusion is missing")
    if label not in _LABELS:
        raise _RowError("label is not True, False, Unknown or Uncertain")
    annotation = fields.get("conclusion-FOL")
    story = fields.get("story_id", sha256("\n".join(texts).encode()).hexdigest()[:12])
    return Row(
        number=number,
        group=f"{SOURCE}/{stem}/{story}",
        premises=texts,
        annotations=annotations,
        conclusion=conclusion.strip(),
        conclusion_annotation=annotation.strip() if isinstance(annotation, str) else None,
        label=_LABELS[label],
    )


def _texts(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    """The texts of a list; empty ones, which say nothing on either side, are passed over."""
    values = fields.get(name)
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise _RowError(f"{name} is missing")
    return tuple(value.strip() for value in values if value.strip())


def _entailment(row: Row, row_id: str, split: Split) -> Problem:
    if not row.pairs_up():
        raise _RowError(UNPAIRED)
    given = list(dict.fromkeys(map(read_annotation, row.annotations)))
    asked = [] if row.conclusion_annotation is None else [read_annotation(row.conclusion_annotation)]
    try:
        words = sentences.vocabulary(*given, *asked)
    except CallError as error:
        raise AnnotationError(AT_ODDS, error.message) from None
    solution: tuple[Call, ...] = premises.entailment_chain(given, asked[0], row.label) if asked else ()
    return Problem(
        id=row_id,
        task=premises.TASK,
        question=f"{premises.entailment_question(row.premises, row.conclusion)} Vocabulary: {words}.",
        answer=row.label,
        solution=solution,
        source=SOURCE,
        group=row.group,
        split=split,
    )
