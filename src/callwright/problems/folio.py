"""Read FOLIO: stories in natural English, with a first-order formula for each sentence, written by people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from callwright.errors import CallError, RowError
from callwright.functions.formulas.formula import Formula, check_closed, parse_formula, predicate_arities
from callwright.problems.public import PublicSet
from callwright.problems.row_fields import check_name, check_text, required_text, select_fields
from callwright.problems.row_files import Row, read_rows
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
    """An annotation that cannot be used; `detail` has the exact cause."""


@dataclass(frozen=True, slots=True)
class FolioRow:
    """One line: a story's premises with their annotations, and a conclusion.

    Attributes:
        number: of the line, from 0.
        where: "file:line" with lines from 1, for people.
        group: the story.
        premises: the sentences, without blank ones.
        annotations: those of the premises, without blank ones.
        annotated_premises: premises with their annotations; none if it is unknown which belong together.
        unpaired: which premise or annotation has no partner; empty if every one has.
        conclusion_annotation: None if it is missing or blank, as in all of train, or cannot be used.
        conclusion_fault: why the conclusion's annotation cannot be used; empty if it can, or is missing.
    """

    number: int
    where: str
    group: str
    premises: tuple[str, ...]
    annotations: tuple[str, ...]
    annotated_premises: tuple[tuple[str, str], ...]
    unpaired: str
    conclusion: str
    conclusion_annotation: str | None
    conclusion_fault: str
    label: TruthValue

    def annotated_sentences(self) -> Iterator[tuple[str, str, str]]:
        """Each annotated sentence as (its name in the row, sentence, annotation)."""
        for index, (sentence, annotation) in enumerate(self.annotated_premises):
            yield f"premise-{index}", sentence, annotation
        if self.conclusion_annotation is not None:
            yield "conclusion", self.conclusion, self.conclusion_annotation


def read_annotation(text: str) -> Formula:
    """Parse an annotation.

    Raises:
        AnnotationError: the text is not a closed formula.
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


class Folio(PublicSet):
    """FOLIO from the files of its repository. Its validation file is the test split."""

    name = SOURCE
    description = "FOLIO: stories with first-order formulas (tasks `translation` and `entailment`)"
    files: ClassVar[Mapping[Split, str]] = {"train": "train.jsonl", "test": "validation.jsonl"}

    def read_file(self, path: Path, split: Split, result: SourceResult) -> None:
        read_folio(path, split, result)


def read_folio(path: Path, split: Split, result: SourceResult | None = None) -> SourceResult:
    """Read the problems of a FOLIO file: translation of its annotated sentences, entailment of its conclusions.

    Each sentence of a story gives one translation problem, even if several rows repeat the story. An entailment
    question includes the vocabulary of the annotations (in train, of the premises only). If the conclusion is
    annotated, the solver confirmed the label and the gold chain ends with it; otherwise the chain is empty.

    Args:
        path: JSON Lines with `premises`, `premises-FOL`, `conclusion`, `label` (True, False, Unknown or Uncertain), and
            optionally `conclusion-FOL` and `story_id`.
        split: the split of all rows. A story is a group.
        result: what the problems are added to; by default a new one, without further checks.

    Returns:
        Problems with ids `folio/<file stem>/<0-based line>` (entailment) and `.../premise-<0-based>` or
        `.../conclusion` (translation). Annotations that are not closed formulas, and rows whose label the solver does
        not confirm (docs/logic.md), are dropped with a reason.

    Raises:
        DataError: the file cannot be read.

    Source: Han et al., 2022, arXiv 2209.00840; the files of github.com/Yale-LILY/FOLIO.
    """
    source_result = SourceResult() if result is None else result
    seen_sentences: set[tuple[str, str, str]] = set()
    for row in read_folio_rows(path, source_result):
        row_id = f"{SOURCE}/{path.stem}/{row.number}"
        for name, sentence, annotation in row.annotated_sentences():
            if (row.group, sentence, annotation) in seen_sentences:
                continue
            seen_sentences.add((row.group, sentence, annotation))
            make_problem = partial(_translation_problem, row.group, sentence, annotation, split, f"{row_id}/{name}")
            source_result.add(f"{row.where} {name}", make_problem)
        source_result.add(row.where, partial(_entailment_problem, row, row_id, split))
    return source_result


def read_folio_rows(path: Path, source_result: SourceResult) -> Iterator[FolioRow]:
    """The rows of a FOLIO file, in order; malformed rows are added to `source_result` as dropped.

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


def _read_row(file_row: Row, stem: str) -> FolioRow:
    fields = select_fields(file_row.value_or_raise(), FIELDS)
    sentences, formulas = _text_list(fields, "premises"), _text_list(fields, "premises-FOL")
    premises, annotations = tuple(filter(None, sentences)), tuple(filter(None, formulas))
    annotated_premises, unpaired = _pair(sentences, formulas)
    conclusion, label = required_text(fields, "conclusion"), fields.get("label")
    if not isinstance(label, str) or label not in _LABELS:
        raise RowError("label is not True, False, Unknown or Uncertain")
    annotation = fields.get("conclusion-FOL")
    is_annotated = type(annotation) is str and annotation.strip()
    story = fields.get("story_id", sha256("\n".join(premises).encode()).hexdigest()[:12])
    if isinstance(story, bool) or not isinstance(story, str | int):
        raise RowError("story_id is not text or a number")
    return FolioRow(
        number=file_row.number,
        where=file_row.where,
        group=f"{SOURCE}/{stem}/{check_name(str(story), 'story_id')}",
        premises=premises,
        annotations=annotations,
        annotated_premises=annotated_premises,
        unpaired=unpaired,
        conclusion=conclusion,
        conclusion_annotation=required_text(fields, "conclusion-FOL") if is_annotated else None,
        conclusion_fault="" if annotation is None or type(annotation) is str else "conclusion-FOL is not text",
        label=_LABELS[label],
    )


def _text_list(fields: dict[str, Any], name: str) -> list[str]:
    """The items of a list of texts, of which some can be blank ("")."""
    values = fields.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RowError(f"{name} is missing")
    if len(values) > MAX_PREMISES:
        raise RowError(f"{name} has more than {MAX_PREMISES} items")
    texts = [check_text(value.strip(), name) for value in values]
    if not any(texts):
        raise RowError(f"{name} is missing")
    return texts


def _pair(sentences: Sequence[str], annotations: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], str]:
    """Pair sentences with annotations by their positions.

    A pair of which both are blank is left out. Lists of different lengths pair up if they differ in blanks at the end.

    Returns:
        The pairs of which neither is blank, and which text has no partner; empty if every one has.
    """
    if len(sentences) != len(annotations):
        sentences, annotations = _without_blank_end(sentences), _without_blank_end(annotations)
    if len(sentences) != len(annotations):
        return (), f"{len(sentences)} premises, {len(annotations)} annotations"
    pairs = tuple(zip(sentences, annotations, strict=True))
    unpaired = [
        f"premise {number} has no {'sentence' if annotation else 'annotation'}"
        for number, (sentence, annotation) in enumerate(pairs, start=1)
        if bool(sentence) != bool(annotation)
    ]
    return tuple(pair for pair in pairs if all(pair)), ", ".join(unpaired[:1])


def _without_blank_end(texts: Sequence[str]) -> Sequence[str]:
    """The texts up to the last one that is not blank."""
    return texts[: max(position for position, text in enumerate(texts, start=1) if text)]


def _translation_problem(group: str, sentence: str, annotation: str, split: Split, problem_id: str) -> Problem:
    return translation_problem(sentence, read_annotation(annotation), SOURCE, group, split, problem_id)


def _entailment_problem(row: FolioRow, row_id: str, split: Split) -> Problem:
    if row.unpaired:
        raise RowError(UNPAIRED_ANNOTATIONS, row.unpaired)
    if row.conclusion_fault:
        raise AnnotationError(NOT_A_FORMULA, row.conclusion_fault)
    premise_formulas = list(dict.fromkeys(map(read_annotation, row.annotations)))
    conclusion = None if row.conclusion_annotation is None else read_annotation(row.conclusion_annotation)
    try:
        words = vocabulary(*premise_formulas, *([] if conclusion is None else [conclusion]))
    except CallError as error:
        raise AnnotationError(INCONSISTENT_ARITY, error.message) from None
    solution: tuple[Call, ...] = ()
    if conclusion is not None:
        solution = entailment_gold_chain(premise_formulas, conclusion, row.label)
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
