import pytest

from callwright.agent.loop import STUCK_AFTER, solve
from callwright.chat.model import Reply, Sampling
from callwright.errors import ProviderError
from callwright.records import Call, Step, StepError, Usage
from callwright.tasks import TASKS
from tests.fakes import ScriptedChat, problem

TASK = TASKS["arithmetic"]


async def solve_with(*replies: str | Reply | Exception, max_steps: int = 12):
    model = ScriptedChat(*replies)
    return await solve(problem(), TASK, model, Sampling(max_steps=max_steps, seed=3)), model


async def test_a_chain_ends_with_an_answer():
    chain, model = await solve_with("Two and three.\nadd(2, 3)", "answer(5)")
    assert chain.steps == (
        Step("Two and three.", Call("add", {"a": 2, "b": 3}), None, "5"),
        Step("", Call("answer", {"value": 5}), None, "5"),
    )
    assert (chain.outcome, chain.answer) == ("answered", "5")
    assert (chain.id, chain.problem_id, chain.model, chain.protocol) == ("p/scripted/3", "p", "scripted", "text")
    assert chain.usage == Usage(20, 4)  # two requests of 10 + 2
    assert len(model.requests) == 2


async def test_the_answer_is_stored_in_normal_form():
    chain, _ = await solve_with('answer("$1,200.50")')
    assert chain.answer == "1200.5"


async def test_an_error_is_shown_to_the_model_in_one_line_and_the_failed_step_stays():
    chain, model = await solve_with("ad(2, 3)", "add(2, 3)", "answer(5)")
    assert chain.steps[0] == Step(
        "",
        Call("ad", {"0": 2, "1": 3}),
        StepError("unknown_function", "there is no function ad; did you mean add?"),
        None,
    )
    last_message = model.requests[1][-1]
    assert last_message == {"role": "user", "content": "Error: there is no function ad; did you mean add?"}
    assert chain.outcome == "answered"


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("add(2, 3", "syntax"),
        ("sum(2, 3)", "unknown_function"),
        ("add(2)", "bad_arguments"),
        ("add(1, 2, 3)", "bad_arguments"),
        ("divide(1, 0)", "execution_error"),
        ("answer('many')", "bad_arguments"),  # an answer that is refused does not end the chain
    ],
)
async def test_each_kind_of_mistake_has_its_fault_and_the_chain_continues(reply, fault):
    chain, model = await solve_with(reply, "answer(5)")
    assert chain.steps[0].error.fault == fault
    assert chain.steps[0].observation is None
    assert "\n" not in model.requests[1][-1]["content"]
    assert chain.outcome == "answered"


async def test_a_chain_stops_at_max_steps_without_an_answer():
    chain, model = await solve_with("add(1, 1)", "add(1, 2)", "add(1, 3)", max_steps=3)
    assert (chain.outcome, chain.answer, len(chain.steps)) == ("step_limit", None, 3)
    assert len(model.requests) == 3


async def test_an_answer_on_the_last_allowed_step_counts():
    chain, _ = await solve_with("add(2, 3)", "answer(5)", max_steps=2)
    assert chain.outcome == "answered"


async def test_the_same_failure_several_times_in_a_row_ends_the_chain():
    chain, _ = await solve_with(*["sum(2, 3)"] * STUCK_AFTER)
    assert (chain.outcome, chain.answer, len(chain.steps)) == ("stuck", None, STUCK_AFTER)


async def test_different_failures_or_repeated_successes_do_not_end_the_chain():
    chain, _ = await solve_with(
        "sum(2, 3)", "sum(2, 3)", "sum(3, 2)", "add(2, 3)", "add(2, 3)", "add(2, 3)", "answer(5)"
    )
    assert chain.outcome == "answered"


async def test_an_error_of_the_provider_is_raised():
    with pytest.raises(ProviderError, match="gone"):
        await solve_with("add(2, 3)", ProviderError("gone"))


async def test_a_reply_that_was_cut_off_is_a_syntax_fault():
    chain, _ = await solve_with(Reply("I shall now add the", "length", Usage(10, 2)), "answer(5)")
    assert chain.steps[0] == Step(
        "I shall now add the", None, StepError("syntax", "the reply was cut off; write one short call"), None
    )


async def test_the_chain_id_can_be_given():
    chain = await solve(problem(), TASK, ScriptedChat("answer(5)"), Sampling(), chain_id="mine")
    assert chain.id == "mine"
