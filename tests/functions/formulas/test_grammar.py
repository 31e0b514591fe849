"""Reading formulas in all notations, printing them, and the errors about texts that are not formulas."""

import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from callwright.functions.formulas.formula import (
    MAX_FORMULA_CHARACTERS,
    MAX_FORMULA_DEPTH,
    MAX_NODES,
    And,
    Atom,
    Constant,
    Exists,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    Variable,
    Xor,
    format_formula,
    parse_formula,
    read_formula,
    term,
)

X, Y = Variable("x"), Variable("y")
A, B, C = (Atom(name, (X,)) for name in "ABC")

names = st.sampled_from(["rex", "a", "c++", "l-2021", "mr.smith", "Iga’s", "x", "y", "z2", "u", "Ą", "2000"])
predicates = st.sampled_from(["Dog", "likes", "Risk-averse", "In", "P2", "allFriends", "notable", "y22"])
atoms = st.builds(Atom, predicates, st.lists(names.map(term), min_size=1, max_size=3).map(tuple))
variables = st.sampled_from("xyz").map(Variable)
formulas = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        *(st.builds(kind, inner, inner) for kind in (And, Or, Xor, Implies, Iff)),
        *(st.builds(kind, variables, inner) for kind in (ForAll, Exists)),
    ),
    max_leaves=12,
)


def error_message(text: object) -> str:
    with pytest.raises(ValueError) as caught:
        read_formula(text)
    return str(caught.value)


@given(formulas, st.booleans())
def test_a_printed_formula_is_read_back_as_the_same_formula(formula: Formula, unicode: bool):
    assert parse_formula(format_formula(formula, unicode)) == formula


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("A(x)", A),
        ("∀x (A(x) → B(x))", ForAll(X, Implies(A, B))),
        ("all x. (A(x) -> B(x))", ForAll(X, Implies(A, B))),
        ("forall x (A(x) => B(x))", ForAll(X, Implies(A, B))),
        ("∃x∃y(A(x)∧A(x))", Exists(X, Exists(Y, And(A, A)))),
        ("exists x, y. A(x)", Exists(X, Exists(Y, A))),
        ("all x.exists y.(A(x))", ForAll(X, Exists(Y, A))),
        ("not A(x) and B(x)", And(Not(A), B)),
        ("¬A(x)", Not(A)),
        ("~~A(x)", Not(Not(A))),
        ("A(x) & B(x) | C(x)", Or(And(A, B), C)),
        ("A(x) or B(x) xor C(x)", Or(A, Xor(B, C))),
        ("A(x) ⊕ B(x) ∧ C(x)", Xor(A, And(B, C))),
        ("A(x) and B(x) and C(x)", And(And(A, B), C)),
        ("A(x) -> B(x) -> C(x)", Implies(A, Implies(B, C))),
        ("A(x) ∨ B(x) ⟶ C(x)", Implies(Or(A, B), C)),
        ("A(x) ↔ B(x)", Iff(A, B)),
        ("A(x) ⟷ B(x)", Iff(A, B)),
        ("A(x) iff B(x)", Iff(A, B)),
        ("A(x) <-> B(x)", Iff(A, B)),
        ("Likes(rex, y).", Atom("Likes", (Constant("rex"), Y))),
        # Notations that models use.
        ("-A(x)", Not(A)),
        ("−A(x)", Not(A)),
        ("--A(x)", Not(Not(A))),
        ("A(x) -> -B(x)", Implies(A, Not(B))),
        ("A(x)->-B(x)", Implies(A, Not(B))),
        ("A(x) & -B(x)", And(A, Not(B))),
        ("∀x[A(x) → -B(x)]", ForAll(X, Implies(A, Not(B)))),
        ("{[A(x) | B(x)] & C(x)} -> A(x)", Implies(And(Or(A, B), C), A)),
        ("forall x, A(x)", ForAll(X, A)),
        ("forall x y, A(x)", ForAll(X, ForAll(Y, A))),
        ("∀x: ∃y: A(x)", ForAll(X, Exists(Y, A))),
        ("A(x) ==> B(x)", Implies(A, B)),
        ("A(x) --> B(x)", Implies(A, B)),
        ("A(x) implies B(x)", Implies(A, B)),
        ("A(x) <==> B(x)", Iff(A, B)),
        ("A(x) ≡ B(x)", Iff(A, B)),
        (r"A(x) /\ B(x) \/ ~C(x)", Or(And(A, B), Not(C))),
        ("Not A(x) And B(x) OR C(x)", Or(And(Not(A), B), C)),
        ("Not(A(x))", Not(A)),
        ("ForAll x. Exists y. A(x)", ForAll(X, Exists(Y, A))),
        (r"\forall x (A(x) \to \neg B(x) \land C(x))", ForAll(X, Implies(A, And(Not(B), C)))),
        (r"\exists x. A(x) \lor B(x) \leftrightarrow C(x)", Exists(X, Iff(Or(A, B), C))),
        # A reserved word is a name where the grammar expects a name.
        ("In(portland, OR)", Atom("In", (Constant("portland"), Constant("OR")))),
        ("All(x)", Atom("All", (X,))),
        ("Or (x) Or And(x)", Or(Atom("Or", (X,)), Atom("And", (X,)))),
    ],
)
def test_every_notation_is_read_correctly(text: str, formula: Formula):
    assert read_formula(text) == formula


SPELLINGS = {
    Not: ["not ", "Not ", "NOT ", "~", "!", "¬", " -", r"\neg ", r"\lnot ", "∼", " −"],
    And: ["and", "And", "AND", "&", "&&", "∧", "/\\", r"\land", r"\wedge"],
    Or: ["or", "Or", "OR", "|", "||", "∨", "\\/", r"\lor", r"\vee"],
    Xor: ["xor", "XOR", "⊕", "⊻", r"\oplus"],
    Implies: ["->", "-->", "=>", "==>", "→", "⇒", "implies", "⊃", r"\to", r"\rightarrow", r"\Rightarrow", r"\implies"],
    Iff: ["<->", "<-->", "<=>", "<==>", "↔", "⇔", "≡", "iff", "Iff", r"\iff", r"\leftrightarrow"],
    ForAll: ["all ", "All ", "forall ", "Forall ", "ForAll ", "∀", r"\forall "],
    Exists: ["exists ", "Exists ", "∃", r"\exists "],
}


@st.composite
def notations(draw: st.DrawFn, formula: Formula) -> str:
    """Write a formula in a random mixture of notations, with brackets around every part."""

    def write(part: Formula) -> str:
        if isinstance(part, Atom):
            return str(part)
        sign = draw(st.sampled_from(SPELLINGS[type(part)]))
        if isinstance(part, Not):
            text = f"{sign}{write(part.body)}"
        elif isinstance(part, ForAll | Exists):
            text = f"{sign}{part.variable.name}{draw(st.sampled_from(['', '.', ':', ',', ' ']))} {write(part.body)}"
        else:
            text = f"{write(part.left)} {sign} {write(part.right)}"
        return draw(st.sampled_from(["({})", "[{}]", "{{{}}}", "( {} )"])).format(text)

    return write(formula)


@settings(max_examples=200, derandomize=True)
@given(st.data(), formulas)
def test_all_notations_of_a_formula_are_read_as_the_same_formula(data: st.DataObject, formula: Formula):
    text = data.draw(notations(formula))
    assume(len(text) <= MAX_FORMULA_CHARACTERS)
    assert read_formula(text) == formula


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all x. A(x) -> B(x)", "all x. (A(x) -> B(x))"),  # no bracket: as far to the right as possible
        ("all x. (A(x)) -> B(a)", "(all x. A(x)) -> B(a)"),  # a bracket: no further
        ("∀x ∃y (P(x, y)) → B(a)", "(all x. exists y. P(x, y)) -> B(a)"),  # two quantifiers share the bracket
        ("B(a) ∧ ∃x A(x) ∨ C(x)", "B(a) and (exists x. (A(x) or C(x)))"),
        ("¬∀x (A(x)) ∧ B(a)", "not (all x. A(x)) and B(a)"),
    ],
)
def test_a_quantifier_covers_the_bracket_after_it_or_everything_to_the_right(text: str, expected: str):
    assert format_formula(read_formula(text)) == expected
    assert read_formula(expected) == read_formula(text)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "the formula is empty"),
        ("A(x) and", "the formula ends too early"),
        ("Dog", "the formula ends too early"),
        ("A(x", "the bracket '(' in column 2 is not closed"),
        ("A(x))", "the bracket ')' in column 5 closes nothing"),
        ("A(x) B(x)", "'B' in column 6 does not fit there"),
        ("A(captain america)", "'america' in column 11 does not fit there"),
        ("A(f(x))", "'(' in column 4 does not fit there"),
        ("A()", "')' in column 3 does not fit there"),
        ("all person. A(person)", "'person' in column 5 is not a variable: write one letter from u to z"),
        ("A(x) ^ B(x)", "'^' in column 6: write 'and' or 'xor' instead"),
        ("x = y", "'=' in column 3: there is no equality"),
        ("all(x)", "'all' is a word of the language"),
        ("x(rex)", "x is a variable, not a predicate"),
        ("A(\x1b2J)", "'\\x1b' in column 3 does not fit there"),
        ("A(\ud83d)", "'\\ud83d' in column 3 does not fit there"),
        ("[A(x) and B(x))", "the bracket ')' in column 15 does not close the '[' in column 1"),
        ("{A(x)", "the bracket '{' in column 1 is not closed"),
        ("A[x]", "'[' in column 2 does not fit there"),
        ("A(x) - B(x)", "'-' in column 6 does not fit there"),  # minus? a dash?
        ("A(x) and not-B(x)", "'-' in column 13 does not fit there"),  # a name? not B?
        ("A(x), B(x)", "',' in column 5 does not fit there"),  # and? or?
        ("A(x) <- B(x)", "'<' in column 6 does not fit there"),
        ("And(A(x), B(x))", "'(' in column 6 does not fit there"),
        ("exists! x. A(x)", "'!' in column 7 is not a variable"),
        ("Not(rex)", "')' in column 8 does not fit there"),
        ("A(a, b, c, d, e, f, g, h, i)", "A takes more than 8 names"),
        (7, "a formula is a text, like all x. (Dog(x) -> Animal(x))"),
        (None, "a formula is a text"),
    ],
)
def test_an_error_is_one_line_that_names_the_problem_and_the_column(text: object, start: str):
    message = error_message(text)
    assert message.startswith(start)
    assert "\n" not in message and len(message) <= 120  # longer messages are cut before the model sees them


@pytest.mark.parametrize(
    "text",
    [
        "(" * 900 + "A(x)" + ")" * 900,
        "~" * (MAX_FORMULA_CHARACTERS - 4) + "A(x)",
        "(" * MAX_FORMULA_CHARACTERS,
        "A(x) -> " * 240 + "A(x)",
        "all x. " * 280 + "A(x)",
        " and ".join(["A(x)"] * 220),
        "A(x)" * 100_000,
        "A(" + "b" * 1_900 + ")",
        " " * 1_999,
        "A(x) and (" * 180 + "A(x)" + ")" * 180,
        "-" * 1_990 + "A(x)",
        "all " * 500,
        "all" + " " * 1_990 + "(x)",
        "<" * 1_999 + ">",
        "\\" * 1_999,
        "a-" * 999,
        "[" * 20 + "A(x) " * 390 + "]" * 20,
        "\ud83d" * 2_000,
        "e\u0301" * 1_000,
        "\N{RIGHT-TO-LEFT OVERRIDE}" * 2_000,
        "A(" + "x," * 990 + "x)",
    ],
)
def test_hostile_text_is_rejected_at_once(text: str):
    read_formula("A(x)")  # the parser is built on first use
    start = time.perf_counter()
    error_message(text)
    assert time.perf_counter() - start < 1  # about 0.01 s on an idle machine


def test_the_limits_are_exact():
    deepest = "not " * (MAX_FORMULA_DEPTH - 1) + "A(x)"  # the atom is one level more
    assert format_formula(read_formula(deepest)) == deepest
    assert "deeper than 30" in error_message("not " + deepest)
    largest = ["A(x)"] * (MAX_NODES // 2)  # n atoms and n - 1 connectives
    while len(largest) > 1:  # as a balanced tree
        largest = [f"({' & '.join(largest[i : i + 2])})" for i in range(0, len(largest), 2)]
    assert isinstance(read_formula(largest[0]), And)
    assert "more than 200 parts" in error_message(f"{largest[0]} & A(x)")
