"""ProofWriter read as formulas: how many rows become formulas, and where the solver and the labels differ.

    python benchmarks/proofwriter.py FOLDER        # FOLDER contains train.json, dev.json and test.json

ProofWriter's labels come from forward chaining: a rule fires when its conditions are derived, and "not" is a literal
like any other. Classical logic also reasons backwards and by cases, and it detects contradictions. A disagreement is
explained if forward chaining gives the label; any other disagreement is our error.
"""

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from callwright.functions.formulas.formula import And, Atom, Constant, ForAll, Formula, Implies, Not, Variable, atoms
from callwright.functions.solvers.entailment import Contradiction, entails
from callwright.problems.proofwriter import SentenceError, read_sentence

LABELS = {"A": "True", "B": "False", "C": "Unknown"}


def main() -> None:
    folder, started = Path(sys.argv[1]), time.perf_counter()
    for file in ("train", "dev", "test"):
        rows = json.loads((folder / f"{file}.json").read_text())
        classes = Counter(classify(row) for row in rows)
        unread = sum(count for name, count in classes.items() if name.startswith("unread"))
        print(f"{file}: {len(rows):,} problems, {len(rows) - unread:,} ({1 - unread / len(rows):.1%}) become formulas")
        for name, count in classes.most_common():
            print(f"  {count:5,}  {name}")
        print(f"  agreement {classes['agree'] / (len(rows) - unread):.1%}")
    print(f"{time.perf_counter() - started:.0f} s")


def classify(row: dict[str, str]) -> str:
    """`agree`, or how solver and label differ and why."""
    label = LABELS[row["answer"]]
    statement_text = row["question"].partition("unknown? ")[2]
    try:
        premises = [read_sentence(text) for text in re.split(r"(?<=\.)\s+", row["context"].strip())]
        statement = read_sentence(statement_text)
    except SentenceError as error:
        return f"unread: {error}"
    verdict = entails(premises, statement)
    if verdict == label:
        return "agree"
    verdict_text = "a contradiction" if isinstance(verdict, Contradiction) else verdict
    derived = forward(premises)
    chained = "True" if statement in derived else "False" if negation(statement) in derived else "Unknown"
    both = statement in derived and negation(statement) in derived
    if both or chained == label:
        why = "forward chaining gives the label" if not both else "forward chaining gives both"
        return f"label {label}, solver says {verdict_text}: {why}"
    return f"label {label}, solver says {verdict_text}: OUR ERROR (forward chaining: {chained}) in {row['id']}"


def forward(premises: Sequence[Formula]) -> set[Formula]:
    """All literals that forward chaining derives from the facts."""
    terms = {term for premise in premises for atom in atoms(premise) for term in atom.terms}
    names = sorted((term for term in terms if isinstance(term, Constant)), key=str)
    derived = {premise for premise in premises if isinstance(premise, Atom | Not)}
    rules = [(literals(rule.left), rule.right) for premise in premises for rule in instances(premise, names)]
    while new := {then for conditions, then in rules if derived.issuperset(conditions)} - derived:
        derived |= new
    return derived


def instances(premise: Formula, names: Sequence[Constant]) -> list[Implies]:
    """The rule for every named thing; an empty list for a fact."""
    match premise:
        case Implies():
            return [premise]
        case ForAll(variable, Implies() as rule):
            return [put(rule, variable, name) for name in names]
    return []


def put(formula: Formula, variable: Variable, name: Constant) -> Formula:
    match formula:
        case Atom(predicate, terms):
            return Atom(predicate, tuple(name if term == variable else term for term in terms))
        case Not(body):
            return Not(put(body, variable, name))
    return type(formula)(put(formula.left, variable, name), put(formula.right, variable, name))


def literals(formula: Formula) -> list[Formula]:
    return literals(formula.left) + literals(formula.right) if isinstance(formula, And) else [formula]


def negation(literal: Formula) -> Formula:
    return literal.body if isinstance(literal, Not) else Not(literal)


if __name__ == "__main__":
    main()
