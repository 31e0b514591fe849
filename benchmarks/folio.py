"""How much of FOLIO is read, and whether the solver's verdicts agree with the labels.

    python benchmarks/folio.py FOLDER     # with FOLIO's train.jsonl and validation.jsonl

Prints every annotation that is not read, with its cause; every conclusion whose label the solver does not confirm, with
all its formulas; and the figures last. docs/logic.md has the results and classifies every disagreement.

A translation is graded against the annotation. So each annotation with two quantifiers or more is also compared with
every formula that differs from it in one place, as mistaken translations do, to find pairs that stay undecided.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter

from callwright.errors import CallError
from callwright.functions.formulas.formula import (
    And,
    Atom,
    Exists,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    format_formula,
    walk,
)
from callwright.functions.solvers.entailment import Contradiction, entails, equivalent
from callwright.problems.folio import AnnotationError, FolioRow, read_annotation, read_folio_rows
from callwright.problems.source import SourceResult


def read_annotations(rows: Iterable[FolioRow]) -> Counter[str]:
    """Read every annotation once and print those that fail; return counts by outcome."""
    outcomes: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    for row in rows:
        conclusion = () if row.conclusion_annotation is None else (row.conclusion_annotation,)
        for text in (*row.annotations, *conclusion):
            if (row.group, text) in seen:
                continue
            seen.add((row.group, text))
            try:
                read_annotation(text)
                outcomes["read"] += 1
            except AnnotationError as error:
                outcomes[str(error)] += 1
                print(f"  line {row.number + 1}: {text}\n    {error}: {error.detail}")
    return outcomes


def verdict(row: FolioRow) -> str:
    """The solver's verdict on a row's conclusion, or why it cannot be asked."""
    if row.conclusion_annotation is None:
        return "not annotated"
    try:
        premises = [read_annotation(text) for text in row.annotations]
        result = entails(premises, read_annotation(row.conclusion_annotation))
    except (AnnotationError, CallError) as error:
        return f"not asked: {error}"
    return "contradictory premises" if isinstance(result, Contradiction) else result


def compare(rows: Iterable[FolioRow]) -> Counter[str]:
    """Ask the solver about every annotated conclusion and print the disagreements; return counts by outcome."""
    outcomes: Counter[str] = Counter()
    for row in rows:
        solver_verdict = verdict(row)
        if solver_verdict == row.label:
            outcomes["agrees"] += 1
        elif solver_verdict.startswith("not "):
            outcomes["not asked"] += 1
        else:
            outcomes["undecided" if solver_verdict == "undecided" else "disagrees"] += 1
            print(f"  line {row.number + 1}: label {row.label}, solver {solver_verdict}")
            for name, sentence, text in row.annotated_sentences():
                print(f"    {name}: {sentence}\n      {format_formula(read_annotation(text))}")
    return outcomes


def misreadings(formula: Formula) -> Iterator[Formula]:
    """Every formula that differs in one place: a quantifier, a connective, a negation, or the order of two parts."""
    match formula:
        case Atom(predicate, terms):
            if len(terms) > 1:
                yield Atom(predicate, terms[::-1])
        case Not(body):
            yield body
            yield from map(Not, misreadings(body))
        case ForAll(variable, body) | Exists(variable, body):
            yield (Exists if isinstance(formula, ForAll) else ForAll)(variable, body)
            if isinstance(body, ForAll | Exists):
                yield type(body)(body.variable, type(formula)(variable, body.body))
            yield from (type(formula)(variable, other) for other in misreadings(body))
        case _:
            yield from (
                kind(formula.left, formula.right) for kind in (And, Or, Implies, Iff) if kind is not type(formula)
            )
            yield from (type(formula)(other, formula.right) for other in misreadings(formula.left))
            yield from (type(formula)(formula.left, other) for other in misreadings(formula.right))


def compare_misreadings(rows: Iterable[FolioRow]) -> Counter[str]:
    """Compare annotations of two quantifiers or more with likely misreadings; return counts by outcome."""
    outcomes: Counter[str] = Counter()
    for text in dict.fromkeys(text for row in rows for _, _, text in row.annotated_sentences()):
        try:
            formula = read_annotation(text)
        except AnnotationError:
            continue
        if sum(isinstance(part, ForAll | Exists) for part, _ in walk(formula)) < 2:
            continue
        for other in misreadings(formula):
            result = equivalent(formula, other)
            outcomes[result] += 1
            if result == "undecided":
                print(f"  {format_formula(formula)}\n    {format_formula(other)}")
    return outcomes


def main(folder: Path) -> None:
    figures = []
    for name in ("train", "validation"):
        malformed = SourceResult()
        rows = list(read_folio_rows(folder / f"{name}.jsonl", malformed))
        print(f"{name}: annotations that are not read")
        annotations = read_annotations(rows)
        print(f"{name}: conclusions whose label the solver does not confirm")
        began = perf_counter()
        labels = compare(rows)
        seconds = perf_counter() - began
        print(f"{name}: misreadings that stay undecided")
        began = perf_counter()
        compared = compare_misreadings(rows)
        took = perf_counter() - began
        total, decided = annotations.total(), labels.total() - labels["not asked"]
        figures.append(
            f"{name}: {len(rows):,} rows, {len(malformed.dropped)} malformed; {total:,} annotations, by story"
        )
        figures.append(f"  read {annotations['read'] / total:.1%}; " + counted(annotations))
        if decided:
            figures.append(
                f"  labels: {labels['agrees'] / decided:.1%} of {decided} agree; {counted(labels)}; {seconds:.1f} s"
            )
        if compared:
            figures.append(
                f"  equivalent to a misreading: {counted(compared)}; {took / compared.total() * 1000:.1f} ms each"
            )
    print("\n".join(figures))


def counted(counter: Counter[str]) -> str:
    return ", ".join(f"{reason}: {count:,}" for reason, count in counter.most_common())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
