"""The grammar of first-order formulas: signs of logic, ASCII, and LaTeX commands.

`not` binds most tightly, then `and`, `xor`, `or`, `->` (right-associative), `<->`. A quantifier prefix (one quantifier
or several) covers the bracket after it; without a bracket it extends as far to the right as possible. `^` is rejected,
because some people write it for `and` and some for `xor`. There is no equality, and there are no function symbols.

The lexer only looks for tokens that the grammar allows next, so a sign can have two meanings: `-` means `not` before a
formula and starts `->` after one; `Or` is a connective between formulas and a name elsewhere. No pattern backtracks.
"""

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, cast

from callwright.functions.formulas.checks import MAX_FORMULA_CHARACTERS, MAX_FORMULA_DEPTH, check_size
from callwright.functions.formulas.nodes import (
    NAME,
    VARIABLE,
    And,
    Atom,
    Exists,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    Variable,
    Xor,
    term,
)

if TYPE_CHECKING:
    from lark import Lark, Token, Transformer, UnexpectedInput

EXAMPLE = "all x. (Dog(x) -> Animal(x))"

_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_TOKEN = re.compile(rf"{NAME}|\S")

_GRAMMAR = rf"""
    ?start: equivalence "."?
    ?equivalence: implication | equivalence _IFF implication
    ?implication: disjunction | disjunction _IMPLIES implication
    ?disjunction: exclusive | disjunction _OR exclusive
    ?exclusive: conjunction | exclusive _XOR conjunction
    ?conjunction: _unary | conjunction _AND _unary
    _unary: atom | negation | quantified | _bracketed
    _bracketed: "(" equivalence ")" | "[" equivalence "]" | "{{" equivalence "}}"
    negation: _NOT _unary
    quantified.2: prefix _bracketed | prefix equivalence
    prefix.2: quantifier+
    quantifier: (ALL | EXISTS) VARIABLE (","? VARIABLE)* ("." | ":" | ",")?
    atom: NAME "(" NAME ("," NAME)* ")"

    ALL.3: /(?:all|All|ALL|forall|Forall|ForAll|FORALL)(?!\w|\s*\()|\\forall(?![a-zA-Z])|∀/
    EXISTS.3: /(?:exists|Exists|EXISTS)(?!\w|\s*\()|\\exists(?![a-zA-Z])|∃/
    _NOT.2: /(?:not|Not|NOT)(?!\w)|\\(?:neg|lnot)(?![a-zA-Z])|[¬~∼!]|(?<!\w)[−-]/
    _AND.2: /(?:and|And|AND)(?!\w)|\\(?:land|wedge)(?![a-zA-Z])|∧|&&?|\/\\/
    _OR.2: /(?:or|Or|OR)(?!\w)|\\(?:lor|vee)(?![a-zA-Z])|∨|\|\|?|\\\//
    _XOR.2: /(?:xor|Xor|XOR)(?!\w)|\\(?:oplus|veebar)(?![a-zA-Z])|[⊕⊻]/
    _IFF.2: /(?:iff|Iff|IFF)(?!\w)|\\(?:iff|equiv|[lL]eftrightarrow)(?![a-zA-Z])|<--?>|<==?>|[↔⟷⇔⟺≡]/
    _IMPLIES.2: /(?:implies|Implies|IMPLIES)(?!\w)|\\(?:to|implies|[rR]ightarrow)(?![a-zA-Z])|--?>|==?>|[→⟶⇒⟹⊃]/
    VARIABLE.1: /{VARIABLE}/
    NAME: /{NAME}/
    %ignore /\s+/
"""


class _FormulaBuilder:
    """Lark transformer: builds a formula for each rule of the grammar. The methods are named after the rules."""

    def equivalence(self, parts: list[Formula]) -> Formula:
        return Iff(*parts)

    def implication(self, parts: list[Formula]) -> Formula:
        return Implies(*parts)

    def disjunction(self, parts: list[Formula]) -> Formula:
        return Or(*parts)

    def exclusive(self, parts: list[Formula]) -> Formula:
        return Xor(*parts)

    def conjunction(self, parts: list[Formula]) -> Formula:
        return And(*parts)

    def negation(self, parts: list[Formula]) -> Formula:
        return Not(*parts)

    def atom(self, names: list[str]) -> Formula:
        return Atom(str(names[0]), tuple(term(str(name)) for name in names[1:]))

    def quantifier(self, tokens: "list[Token]") -> list[tuple[type[ForAll | Exists], Variable]]:
        kind = Exists if tokens[0].type == "EXISTS" else ForAll
        return [(kind, Variable(str(name))) for name in tokens[1:]]

    def prefix(self, quantifiers: list[list[tuple[type[ForAll | Exists], Variable]]]) -> list[Any]:
        return [pair for pairs in quantifiers for pair in pairs]

    def quantified(self, parts: list[Any]) -> Formula:
        prefix, formula = parts
        for kind, variable in reversed(prefix):
            formula = kind(variable, formula)
        return cast(Formula, formula)


@cache
def _parser() -> "Lark":
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", transformer=cast("Transformer[Any, Formula]", _FormulaBuilder()))


@lru_cache(maxsize=1_024)
def parse(text: str) -> Formula:
    """Parse a formula. Length and brackets are checked before parsing, depth and number of parts after it.

    Raises:
        ValueError: the text is not a single formula within the limits. The message is one line that says what is wrong
            and in which column.
    """
    from lark import UnexpectedInput

    if len(text) > MAX_FORMULA_CHARACTERS:
        raise ValueError(f"a formula of more than {MAX_FORMULA_CHARACTERS:,} characters")
    _check_brackets(text)
    try:
        formula = cast(Formula, _parser().parse(text))
    except UnexpectedInput as error:
        raise ValueError(_syntax_error_message(text, error)) from None
    check_size(formula)
    return formula


def _check_brackets(text: str) -> None:
    opened: list[tuple[int, str]] = []
    for column, character in enumerate(text, start=1):
        if character in _BRACKETS:
            opened.append((column, character))
            if len(opened) > MAX_FORMULA_DEPTH:
                raise ValueError(f"brackets are nested deeper than {MAX_FORMULA_DEPTH}")
        elif character in _BRACKETS.values():
            if not opened:
                raise ValueError(f"the bracket {character!r} in column {column} closes nothing")
            opened_at, opening = opened.pop()
            if _BRACKETS[opening] != character:
                raise ValueError(
                    f"the bracket {character!r} in column {column} does not close the {opening!r} in column {opened_at}"
                )
    if opened:
        raise ValueError(f"the bracket {opened[-1][1]!r} in column {opened[-1][0]} is not closed")


def _syntax_error_message(text: str, error: "UnexpectedInput") -> str:
    """Describe the first syntax error in one line."""
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return f"the formula {'ends too early' if text.strip() else 'is empty'}; write it like {EXAMPLE}"
    position = error.pos_in_stream or 0
    token_match = _TOKEN.match(text, position)
    location = f"{token_match[0][:20] if token_match else text[position]!r} in column {position + 1}"
    if text[position] == "^":
        return f"{location}: write 'and' or 'xor' instead"
    if text[position] in "=≠":
        return f"{location}: there is no equality; use a predicate"
    if getattr(error, "expected", None) == {"VARIABLE"} or getattr(error, "allowed", None) == {"VARIABLE"}:
        return f"{location} is not a variable: write one letter from u to z, like x or y2"
    return f"{location} does not fit there; write the formula like {EXAMPLE}"
