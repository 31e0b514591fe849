import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from callwright.errors import CallError
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
    FormulaArgument,
    Iff,
    Implies,
    Not,
    Or,
    Variable,
    Xor,
    check_arities,
    check_closed,
    format_formula,
    free_variables,
    parse_formula,
    predicate_arities,
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


def complaint(text: object) -> str:
    with pytest.raises(ValueError) as caught:
        read_formula(text)
    return str(caught.value)


@given(formulas, st.booleans())
def test_what_is_printed_reads_back_as_the_same_formula(formula: Formula, unicode: bool):
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
        # As models write them.
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
        # Words that stand where a name stands are names.
        ("In(portland, OR)", Atom("In", (Constant("portland"), Constant("OR")))),
        ("All(x)", Atom("All", (X,))),
        ("Or (x) Or And(x)", Or(Atom("Or", (X,)), Atom("And", (X,)))),
    ],
)
def test_every_notation_reads_as_meant(text: str, formula: Formula):
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
def written(draw: st.DrawFn, formula: Formula) -> str:
    """The formula in a wild mixture of notations, brackets around every part."""

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
def test_all_notations_of_a_formula_read_alike(data: st.DataObject, formula: Formula):
    text = data.draw(written(formula))
    assume(len(text) <= MAX_FORMULA_CHARACTERS)
    assert read_formula(text) == formula


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("all x. A(x) -> B(x)", "all x. (A(x) -> B(x))"),  # no bracket: as far as it can
        ("all x. (A(x)) -> B(a)", "(all x. A(x)) -> B(a)"),  # a bracket: no further
        ("∀x ∃y (P(x, y)) → B(a)", "(all x. exists y. P(x, y)) -> B(a)"),  # a row of them shares its bracket
        ("B(a) ∧ ∃x A(x) ∨ C(x)", "B(a) and (exists x. (A(x) or C(x)))"),
        ("¬∀x (A(x)) ∧ B(a)", "not (all x. A(x)) and B(a)"),
    ],
)
def test_a_quantifier_reaches_over_the_bracket_that_follows_or_else_to_the_end(text: str, same: str):
    assert format_formula(read_formula(text)) == same
    assert read_formula(same) == read_formula(text)


@pytest.mark.parametrize(
    ("text", "line"),
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
def test_one_line_says_what_is_wrong_and_where(text: object, line: str):
    message = complaint(text)
    assert message.startswith(line)
    assert "\n" not in message and len(message) <= 120  # as much as a model is shown of it


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
def test_hostile_text_is_refused_at_once(text: str):
    read_formula("A(x)")  # the parser is built on first use
    began = time.perf_counter()
    complaint(text)
    assert time.perf_counter() - began < 1  # a hundredth of it on an idle machine


def test_the_bounds_are_exact():
    deepest = "not " * (MAX_FORMULA_DEPTH - 1) + "A(x)"  # the atom is one level more
    assert format_formula(read_formula(deepest)) == deepest
    assert "deeper than 30" in complaint("not " + deepest)
    largest = ["A(x)"] * (MAX_NODES // 2)  # n atoms and n - 1 connectives
    while len(largest) > 1:  # as a balanced tree
        largest = [f"({' & '.join(largest[i : i + 2])})" for i in range(0, len(largest), 2)]
    assert isinstance(read_formula(largest[0]), And)
    assert "more than 200 parts" in complaint(f"{largest[0]} & A(x)")


def test_a_formula_built_too_deep_is_not_printed():
    formula: Formula = A
    for _ in range(5_000):
        formula = Not(formula)
    with pytest.raises(ValueError, match="deeper than 30"):
        format_formula(formula)


def test_parse_formula_hands_the_line_to_the_model():
    with pytest.raises(CallError) as caught:
        parse_formula("A(x")
    assert caught.value.fault == "bad_arguments"
    assert caught.value.message == complaint("A(x")


def test_a_name_is_what_it_looks_like():
    assert term("x") == X and term("z9") == Variable("z9")
    assert term("a") == Constant("a") and term("z99") == Constant("z99")
    for make, name in ((Variable, "rex"), (Constant, "x"), (Constant, "two words"), (Constant, "and"), (Constant, "")):
        with pytest.raises(ValueError):
            make(name)
    with pytest.raises(ValueError, match="needs a name"):
        Atom("Dog", ())


def test_free_variables_are_those_no_quantifier_binds():
    formula = read_formula("all x. (P(x, y) -> exists y. Q(y)) and R(x)")  # the bracket ends the reach of x
    assert free_variables(formula) == {"x", "y"}
    check_closed(read_formula("all x. exists y. P(x, y)"))
    with pytest.raises(CallError, match=r"x is bound by no quantifier: say all x\. "):
        check_closed(formula)


def test_a_predicate_takes_one_number_of_terms():
    likes, dog = read_formula("Likes(ann, bob)"), read_formula("all x. (Dog(x) -> Likes(x, ann))")
    assert predicate_arities(likes, dog) == {"Likes": 2, "Dog": 1}
    check_arities(likes, dog)
    with pytest.raises(CallError, match="Likes stands with 2 and with 1 names") as caught:
        check_arities(likes, read_formula("Likes(ann)"))
    assert caught.value.fault == "bad_arguments"


def test_a_formula_argument_is_text_to_a_model_and_a_formula_to_us():
    adapter: TypeAdapter[Formula] = TypeAdapter(FormulaArgument)
    assert adapter.validate_python("A(x)") == A
    assert adapter.validate_python(A) == A
    assert adapter.json_schema()["type"] == "string"
