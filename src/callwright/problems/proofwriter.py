"""ProofWriter: facts, rules and a statement in regular English, labelled True, False or Unknown."""

import re
from functools import partial
from pathlib import Path

from callwright.functions.assumptions import TruthValue
from callwright.problems.premises import MAX_PREMISES, TASK, entailment_chain, entailment_question
from callwright.problems.proofwriter_english import read_sentence
from callwright.problems.row_fields import checked_name, text_field, used_fields
from callwright.problems.row_files import Row, read_list
from callwright.problems.source import RowError, Sourced
from callwright.records import Problem, Split

SOURCE = "proofwriter"

_LABELS: dict[str, TruthValue] = {"A": "True", "B": "False", "C": "Unknown"}
_ASKED = "is the following statement true, false, or unknown? "
_STATEMENT_NUMBER = re.compile(r"(?<=.)_Q[0-9]+\Z", re.DOTALL)  # in an id, after the theory's name
_BETWEEN_SENTENCES = re.compile(r"(?<=\.)\s+")


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
    advice = (
        f"download data/ProofWriter/{path.name} from the teacherpeterpan/Logic-LLM repository, "
        "or fix problems.path in params.yaml"
    )
    for row in read_list(path, advice):
        sourced.add(row.where, partial(_read_row, row, f"{SOURCE}/{path.stem}/{row.number}", split))
    return sourced


def _read_row(row: Row, problem_id: str, split: Split) -> Problem:
    fields = used_fields(row.content(), ("id", "context", "question", "answer"))
    theory = checked_name(text_field(fields, "id"), "id")
    context, question, answer = (text_field(fields, name) for name in ("context", "question", "answer"))
    _, marker, statement = question.rpartition(_ASKED)
    if not marker or not statement.strip() or "?" in statement:
        raise RowError("the question has no statement")
    label = _LABELS.get(answer)
    if label is None:
        raise RowError("answer is not A, B or C")
    sentences = _BETWEEN_SENTENCES.split(context)
    if len(sentences) > MAX_PREMISES:
        raise RowError(f"more than {MAX_PREMISES} sentences")
    premises = [read_sentence(sentence) for sentence in sentences]
    return Problem(
        id=problem_id,
        task=TASK,
        question=entailment_question(sentences, statement),
        answer=label,
        solution=entailment_chain(premises, read_sentence(statement), label),
        source=SOURCE,
        group=f"{SOURCE}/{_STATEMENT_NUMBER.sub('', theory)}",
        split=split,
    )
