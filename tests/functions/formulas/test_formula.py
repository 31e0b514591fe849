import pytest
from pydantic import TypeAdapter

from callwright.errors import CallError
from callwright.functions.formulas.formula import (
    Atom,
    Constant,
    Formula,
    FormulaArgument,
    Not,
    Variable,
    check_arities,
    check_closed,
    format_formula,
    free_variables,
    parse_formula,
    predicate_arities,
    read_formula,
    term,
)

X = Variable("x")
A = Atom("A", (X,))


def test_a_formula_that_is_too_deep_is_not_printed():
    formula: Formula = A
    for _ in range(5_000):
        formula = Not(formula)
    with pytest.raises(ValueError, match="deeper than 30"):
        format_formula(formula)


def test_parse_formula_raises_a_call_error_with_the_message_of_read_formula():
    with pytest.raises(ValueError) as value_error:
        read_formula("A(x")
    with pytest.raises(CallError) as call_error:
        parse_formula("A(x")
    assert call_error.value.fault == "bad_arguments"
    assert call_error.value.message == str(value_error.value)


def test_the_spelling_of_a_name_determines_whether_it_is_a_variable():
    assert term("x") == X and term("z9") == Variable("z9")
    assert term("a") == Constant("a") and term("z99") == Constant("z99")
    for make, name in ((Variable, "rex"), (Constant, "x"), (Constant, "two words"), (Constant, "and"), (Constant, "")):
        with pytest.raises(ValueError):
            make(name)
    with pytest.raises(ValueError, match="needs a name"):
        Atom("Dog", ())


def test_free_variables_are_those_that_no_quantifier_binds():
    formula = read_formula("all x. (P(x, y) -> exists y. Q(y)) and R(x)")  # `all x` ends at the bracket
    assert free_variables(formula) == {"x", "y"}
    check_closed(read_formula("all x. exists y. P(x, y)"))
    with pytest.raises(CallError, match=r"x is bound by no quantifier: say all x\. "):
        check_closed(formula)


def test_a_predicate_always_has_the_same_number_of_terms():
    likes, dog = read_formula("Likes(ann, bob)"), read_formula("all x. (Dog(x) -> Likes(x, ann))")
    assert predicate_arities(likes, dog) == {"Likes": 2, "Dog": 1}
    check_arities(likes, dog)
    with pytest.raises(CallError, match="Likes stands with 2 and with 1 names") as caught:
        check_arities(likes, read_formula("Likes(ann)"))
    assert caught.value.fault == "bad_arguments"


def test_a_formula_argument_accepts_a_text_or_a_formula():
    adapter: TypeAdapter[Formula] = TypeAdapter(FormulaArgument)
    assert adapter.validate_python("A(x)") == A
    assert adapter.validate_python(A) == A
    assert adapter.json_schema()["type"] == "string"
