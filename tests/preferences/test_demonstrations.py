from callwright.preferences.demonstrations import demonstrations_of
from callwright.records import CheckedChain, Verdict
from callwright.tasks import TASKS
from tests.fakes import chain, problem

PROBLEM = problem()


def checked(chain_id: str, *replies: str, correct: bool = True, faults: tuple = ()) -> CheckedChain:
    built = chain(*replies, id=chain_id)
    return CheckedChain(built, Verdict(built.id, correct, faults, None))


def test_each_step_of_the_shortest_correct_chain_is_a_demonstration():
    records = [
        checked("long", "subtract(3, 2)", "add(2, 3)", "answer(5)"),
        checked("short", "add(2, 3)", "answer(5)"),
        checked("wrong", "answer(5)", correct=False),
    ]
    first, second = demonstrations_of(records, {PROBLEM.id: PROBLEM}, TASKS)
    assert (first.id, second.id) == ("short#0", "short#1")
    assert [message["content"] for message in first.completion] == ["add(a=2, b=3)"]
    assert [message["role"] for message in second.prompt] == ["system", "user", "assistant", "user"]
    assert [message["content"] for message in second.completion] == ["answer(value=5)"]


def test_a_problem_without_a_correct_chain_has_no_demonstration():
    assert demonstrations_of([checked("wrong", "answer(5)", correct=False)], {PROBLEM.id: PROBLEM}, TASKS) == []
