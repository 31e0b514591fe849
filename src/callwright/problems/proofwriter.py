"""Read ProofWriter: facts, rules and a statement in regular English, labelled True, False or Unknown."""

import re
from collections.abc import Mapping, Sequence
from functools import partial, reduce
from pathlib import Path
from typing import ClassVar

from callwright.errors import RowError
from callwright.functions.formulas.formula import And, Atom, Constant, ForAll, Formula, Implies, Not, Term, Variable
from callwright.problems.public import PublicSet
from callwright.problems.row_fields import check_name, required_text, select_fields
from callwright.problems.row_files import Row, read_list
from callwright.problems.source import SourceResult
from callwright.records import Problem, Split
from callwright.tasks.entailment.functions import TruthValue
from callwright.tasks.entailment.questions import MAX_PREMISES, TASK, entailment_gold_chain, entailment_question

SOURCE = "proofwriter"
MAX_SENTENCE_CHARACTERS = 500

_UNSUPPORTED_FORM = "a sentence of no known form"  # a reason, counted in reports/problems.json
_LABELS: dict[str, TruthValue] = {"A": "True", "B": "False", "C": "Unknown"}
_STATEMENT_MARKER = "is the following statement true, false, or unknown? "
_STATEMENT_NUMBER = re.compile(r"(?<=.)_Q[0-9]+\Z", re.DOTALL)  # in an id, after the theory's name
_SENTENCE_BREAK = re.compile(r"(?<=\.)\s+")

_QUANTIFIED_VARIABLE = Variable("x")

_SUBJECT = r"(?P<subject>(?i:something|someone|it|they|the [a-z]+(?: [a-z]+)?)|[A-Z][a-z]+)"
_IS_CLAUSE = re.compile(rf"{_SUBJECT} (?:is|are) (?P<negated>not )?(?P<adjective>[a-z]+)")
_VERB_CLAUSE = re.compile(rf"{_SUBJECT} (?P<verb>[a-z]+?)s? the (?P<object>[a-z]+(?: [a-z]+)?)")
_NEGATED_VERB_CLAUSE = re.compile(rf"{_SUBJECT} (?:does|do) not (?P<verb>[a-z]+) the (?P<object>[a-z]+(?: [a-z]+)?)")
_ADJECTIVE_CONDITION = re.compile(r"(?P<negated>not )?(?P<adjective>[a-z]+)")
_KIND_RULE = re.compile(
    r"(?:All )?(?P<kinds>[A-Za-z]+(?:, [a-z]+)*) (?:things|people) are (?P<negated>not )?(?P<adjective>[a-z]+)"
)
_CONDITIONAL = re.compile(r"If (?P<conditions>.+) then (?P<consequence>.+)")
_RESERVED_WORD = re.compile(
    r"an?|all|and|(any|every|no|some)(body|one|thing)?|each|few|he|if|many|most|neither|none|not|only|or|several|she|"
    r"th(at|e|en|ese|ey|is|ose)|we|who|you"
)


class SentenceError(RowError):
    """A sentence of an unsupported form."""


def read_sentence(sentence: str) -> Formula:
    """Convert a sentence to a formula.

    Args:
        sentence: with or without its full stop.

    Raises:
        SentenceError: the sentence has an unsupported form.

    >>> from callwright.functions.formulas.formula import format_formula
    >>> format_formula(read_sentence("If someone is big and they do not see the bald eagle then they are not kind."))
    'all x. ((Big(x) and not Sees(x, bald_eagle)) -> not Kind(x))'
    """
    text = sentence.strip().removesuffix(".")
    if len(text) > MAX_SENTENCE_CHARACTERS:
        raise SentenceError(f"a sentence of more than {MAX_SENTENCE_CHARACTERS} characters")
    if rule := _KIND_RULE.fullmatch(text):
        kinds = [_adjective_formula(_QUANTIFIED_VARIABLE, kind) for kind in rule["kinds"].split(", ")]
        return ForAll(
            _QUANTIFIED_VARIABLE,
            Implies(_conjunction(kinds), _adjective_formula(_QUANTIFIED_VARIABLE, rule["adjective"], rule["negated"])),
        )
    if rule := _CONDITIONAL.fullmatch(text):
        return _read_conditional(rule["conditions"].split(" and "), rule["consequence"])
    fact, subject = _read_clause(text)
    if subject == _QUANTIFIED_VARIABLE:
        raise SentenceError("a fact about nobody in particular")
    return fact


def _read_conditional(conditions: Sequence[str], consequence: str) -> Formula:
    """Convert a rule. Its first clause with "someone" or "something" introduces what "they" and "it" refer to."""
    clauses: list[Formula] = []
    introduced = False
    subject: Term = _QUANTIFIED_VARIABLE
    for index, text in enumerate([*conditions, consequence]):
        adjective_condition = _ADJECTIVE_CONDITION.fullmatch(text)
        if adjective_condition and 0 < index < len(conditions):
            clauses.append(
                _adjective_formula(subject, adjective_condition["adjective"], adjective_condition["negated"])
            )
            continue
        clause, subject = _read_clause(text)
        introduces = text.split()[0] in ("someone", "something")
        if introduces == introduced and subject == _QUANTIFIED_VARIABLE:
            raise SentenceError("a pronoun that goes back to nothing, or two things that are not named")
        introduced = introduced or introduces
        clauses.append(clause)
    rule = Implies(_conjunction(clauses[:-1]), clauses[-1])
    return ForAll(_QUANTIFIED_VARIABLE, rule) if introduced else rule


def _read_clause(text: str) -> tuple[Formula, Term]:
    """The formula of a clause, and its subject."""
    if clause := _IS_CLAUSE.fullmatch(text):
        subject = _read_term(clause["subject"])
        return _adjective_formula(subject, clause["adjective"], clause["negated"]), subject
    negated = _NEGATED_VERB_CLAUSE.fullmatch(text)
    clause = negated or _VERB_CLAUSE.fullmatch(text)
    if clause is None:
        raise SentenceError(_UNSUPPORTED_FORM)
    subject = _read_term(clause["subject"])
    relation = Atom(f"{_symbol_name(clause['verb']).capitalize()}s", (subject, _read_term(f"the {clause['object']}")))
    return Not(relation) if negated else relation, subject


def _read_term(words: str) -> Term:
    if words.lower() in ("something", "someone", "it", "they"):
        return _QUANTIFIED_VARIABLE
    return Constant("_".join(_symbol_name(word) for word in words.lower().removeprefix("the ").split()))


def _adjective_formula(subject: Term, adjective: str, negated: str | None = None) -> Formula:
    quality = Atom(_symbol_name(adjective.lower()).capitalize(), (subject,))
    return Not(quality) if negated else quality


def _symbol_name(word: str) -> str:
    if _RESERVED_WORD.fullmatch(word):
        raise SentenceError(_UNSUPPORTED_FORM)
    return word


def _conjunction(conditions: Sequence[Formula]) -> Formula:
    return reduce(And, conditions)


class ProofWriter(PublicSet):
    """ProofWriter from the files of the Logic-LLM repository."""

    name = SOURCE
    description = "ProofWriter: facts and rules in regular English, with a statement (task `entailment`)"
    files: ClassVar[Mapping[Split, str]] = {"train": "train.json", "dev": "dev.json", "test": "test.json"}

    def read_file(self, path: Path, split: Split, result: SourceResult) -> None:
        read_proofwriter(path, split, result)


def read_proofwriter(path: Path, split: Split, result: SourceResult | None = None) -> SourceResult:
    """Read the problems of a ProofWriter file, each with a gold chain that ends with the label, as the solver confirms.

    Args:
        path: JSON list of objects with `id`, `context` (sentences), `question` (ends with the statement) and `answer`
            (A: True, B: False, C: Unknown).
        split: the split of all rows. The statements about one theory are a group.
        result: what the problems are added to; by default a new one, without further checks.

    Returns:
        Problems with ids `proofwriter/<file stem>/<0-based row>`. Rows with a sentence of an unsupported form, and
        rows whose label the solver does not confirm (docs/proofwriter.md), are dropped with a reason.

    Raises:
        DataError: the file cannot be read.

    Source: Tafjord et al., 2021, arXiv 2012.13048; the files of github.com/teacherpeterpan/Logic-LLM.
    """
    source_result = SourceResult() if result is None else result
    advice = (
        f"download data/ProofWriter/{path.name} from the teacherpeterpan/Logic-LLM repository, "
        "or fix problems.path in params.yaml"
    )
    for row in read_list(path, advice):
        source_result.add(row.where, partial(_read_row, row, f"{SOURCE}/{path.stem}/{row.number}", split))
    return source_result


def _read_row(row: Row, problem_id: str, split: Split) -> Problem:
    fields = select_fields(row.value_or_raise(), ("id", "context", "question", "answer"))
    theory = check_name(required_text(fields, "id"), "id")
    context, question, answer = (required_text(fields, name) for name in ("context", "question", "answer"))
    _, marker, statement = question.rpartition(_STATEMENT_MARKER)
    if not marker or not statement.strip() or "?" in statement:
        raise RowError("the question has no statement")
    label = _LABELS.get(answer)
    if label is None:
        raise RowError("answer is not A, B or C")
    sentences = _SENTENCE_BREAK.split(context)
    if len(sentences) > MAX_PREMISES:
        raise RowError(f"more than {MAX_PREMISES} sentences")
    premises = [read_sentence(sentence) for sentence in sentences]
    return Problem(
        id=problem_id,
        task=TASK,
        question=entailment_question(sentences, statement),
        answer=label,
        solution=entailment_gold_chain(premises, read_sentence(statement), label),
        source=SOURCE,
        group=f"{SOURCE}/{_STATEMENT_NUMBER.sub('', theory)}",
        split=split,
    )
