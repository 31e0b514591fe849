"""ProofWriter: facts, rules and a statement in regular English, labelled True, False or Unknown."""

import json
import re
from pathlib import Path
from typing import Any

from callwright.errors import DataError
from callwright.functions.assumptions import TruthValue
from callwright.problems.premises import TASK, NoChainError, entailment_chain, entailment_question
from callwright.problems.proofwriter_english import SentenceError, read_sentence
from callwright.problems.source import LeftOut, Sourced
from callwright.records import Problem, Split

SOURCE = "proofwriter"

_LABELS: dict[str, TruthValue] = {"A": "True", "B": "False", "C": "Unknown"}
_ASKED = re.compile(r".*is the following statement true, false, or unknown\? (?P<statement>[^?]+)", re.DOTALL)
_THEORY = re.compile(r"(?P<theory>.+)_Q\d+")
_BETWEEN_SENTENCES = re.compile(r"(?<=\.)\s+")


class _RowError(ValueError):
    """A row that cannot become a problem; the message is a short, countable reason."""


def read_proofwriter(path: Path, split: Split) -> Sourced:
    """Problems of a ProofWriter file, each with a gold chain that was executed and ends at the label.

    Args:
        path: JSON list of objects with `id`, `context` (sentences), `question` (ends with the statement) and `answer`
            (A: True, B: False, C: Unknown).
        split: the split that all rows get. The statements about one theory are a group.

    Returns:
        Problems with ids `proofwriter/<file stem>/<0-based row>`. Rows with a sentence of no known form, and rows
        whose label the solver does not confirm (docs/proofwriter.md), are left out with their reason.

    Raises:
        DataError: the file cannot be read.

    Source: Tafjord et al., 2021, arXiv 2012.13048; the files of github.com/teacherpeterpan/Logic-LLM.
    """
    sourced = Sourced()
    for place, row in enumerate(_rows(path)):
        try:
            sourced.problems.append(_read_row(row, f"{SOURCE}/{path.stem}/{place}", split))
        except (_RowError, SentenceError, NoChainError) as error:
            sourced.left_out.append(LeftOut(f"{path}: row {place}", str(error)))
    return sourced


def _rows(path: Path) -> list[Any]:
    try:
        rows = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(
            f"{path}: {(error.strerror or 'cannot be read').lower()}; download data/ProofWriter/{path.name} from the "
            f"teacherpeterpan/Logic-LLM repository, or fix problems.path in params.yaml"
        ) from None
    except (ValueError, RecursionError):
        raise DataError(f"{path}: not a JSON file; download it again") from None
    if not isinstance(rows, list):
        raise DataError(f"{path}: not a list of problems; is it one of ProofWriter's files?")
    return rows


def _read_row(row: Any, problem_id: str, split: Split) -> Problem:
    if not isinstance(row, dict):
        raise _RowError("not an object")
    for name in ("id", "context", "question", "answer"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise _RowError(f"{name} is missing")
    asked, theory = _ASKED.fullmatch(row["question"].strip()), _THEORY.fullmatch(row["id"])
    if asked is None:
        raise _RowError("the question has no statement")
    label = _LABELS.get(row["answer"])
    if label is None:
        raise _RowError("answer is not A, B or C")
    sentences = _BETWEEN_SENTENCES.split(row["context"].strip())
    premises = [read_sentence(sentence) for sentence in sentences]
    return Problem(
        id=problem_id,
        task=TASK,
        question=entailment_question(sentences, asked["statement"]),
        answer=label,
        solution=entailment_chain(premises, read_sentence(asked["statement"]), label),
        source=SOURCE,
        group=f"{SOURCE}/{theory['theory'] if theory else row['id']}",
        split=split,
    )
