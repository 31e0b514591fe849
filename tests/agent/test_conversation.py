"""Pairs and demonstrations in a view."""

import json
from pathlib import Path
from random import Random

import pytest

from callwright.agent.conversation import make_demonstration, make_pair, rendered, with_called_functions
from callwright.agent.protocol import PROTOCOLS
from callwright.chat.model import Reply, ToolCall
from callwright.errors import DataError
from callwright.functions.toolbox import ANSWER
from callwright.preferences.chain_pairs import chain_pairs
from callwright.records import Call, CheckedChain, Pair, Protocol, Step, Usage, Verdict
from callwright.storage.jsonl import dumps, read
from callwright.tasks import TASKS
from callwright.tasks.draw_view import draw_view
from callwright.tasks.view import PLAIN, View
from tests.fakes import chain, problem, step
from tests.training.examples import NEW_NAMES

TASK, PROBLEM = TASKS["arithmetic"], problem()
VIEW = draw_view(TASK, NEW_NAMES.model_copy(update={"parameters": True, "shuffle": True}), Random(7), "test")
RIGHT = (step("So.\nadd(2, 3)"), step("divide(5, 0)"), step("answer(5)"))
WRONG = (step("multiply(2, 3)"), step("no_function(1)"), step("answer(6)"))


def read_steps(messages: tuple, protocol: Protocol, view: View) -> list[Call]:
    """The calls of the model's messages, as the agent reads them in the view."""
    calls = []
    for message in messages:
        if message["role"] == "assistant":
            tool_calls = tuple(
                ToolCall(call["function"]["name"], call["function"]["arguments"])
                for call in message.get("tool_calls", ())
            )
            reply = Reply(message["content"] or "", "stop", Usage(), tool_calls)
            ((_, call),) = PROTOCOLS[protocol].read(reply)
            assert isinstance(call, Call), message
            calls.append(view.read_call(call, TASK.toolbox))
    return calls


def named(steps: tuple[Step, ...]) -> list[Call]:
    return [step.call for step in steps if step.call]


@pytest.mark.parametrize("protocol", ["text", "native"])
def test_the_rows_of_a_pair_in_a_view_read_back_to_the_true_steps(protocol: Protocol):
    pair = make_pair(PROBLEM, TASK, protocol, RIGHT[:1], RIGHT[1:], WRONG[1:], margin=1.0, kind="wrong_call")
    assert pair is not None
    shown = rendered(pair, TASK, VIEW)
    assert (shown.prompt[0], shown.chosen, shown.rejected) != (pair.prompt[0], pair.chosen, pair.rejected)
    assert "add(" not in str((shown.prompt, shown.chosen, shown.rejected))
    assert read_steps(shown.prompt, protocol, VIEW) == named(RIGHT[:1])
    assert read_steps(shown.chosen, protocol, VIEW) == named(RIGHT[1:])
    assert read_steps(shown.rejected, protocol, VIEW) == named(WRONG[1:])
    assert shown.chosen_steps == pair.chosen_steps
    assert rendered(shown, TASK, PLAIN) == pair


@pytest.mark.parametrize("protocol", ["text", "native"])
def test_a_demonstration_in_a_view_reads_back_to_the_true_step(protocol: Protocol):
    demonstration = make_demonstration("d", PROBLEM, TASK, protocol, RIGHT[:2], RIGHT[2])
    shown = rendered(demonstration, TASK, VIEW)
    assert [message["role"] for message in shown.completion] == ["assistant"]
    assert read_steps(shown.completion, protocol, VIEW) == named(RIGHT[2:])
    assert rendered(shown, TASK, PLAIN) == demonstration


def test_a_completion_ends_with_the_models_last_reply():
    records = [CheckedChain(chain(*steps, id=str(correct)), Verdict(str(correct), correct, (), None))
               for steps, correct in ((RIGHT[::2], True), (WRONG, False))]  # fmt: skip
    from tests.training.test_loss_mask import CHAIN_MODE

    (pair,) = chain_pairs(PROBLEM, TASK, records, CHAIN_MODE)
    for view in (PLAIN, VIEW):
        shown = rendered(pair, TASK, view)
        assert [message["role"] for message in shown.chosen] == ["assistant", "user", "assistant"]
        assert shown.rejected[-1]["role"] == "assistant"


def test_sides_with_the_same_text_make_no_pair():
    cut_off = Step("answer(value=5)", None, None, None)
    assert make_pair(PROBLEM, TASK, "text", (), RIGHT[2:], [cut_off], margin=1.0, kind="syntax") is None


def test_a_prompt_lists_the_needless_functions_that_its_steps_call():
    needless = next(iter(TASK.toolbox.needless.values()))
    call = Step("", Call(needless.name, dict(needless.example)), None, "1")
    pair = make_pair(PROBLEM, TASK, "text", (), RIGHT[:1], [call], margin=1.0, kind="detour")
    assert pair is not None
    assert f"{needless.name}(" in pair.prompt[0]["content"]
    assert pair.rejected[0]["content"].startswith(f"{needless.name}(")
    assert with_called_functions(VIEW, TASK, [make_demonstration("d", PROBLEM, TASK, "text", (), RIGHT[0])]) == VIEW


def test_the_error_for_a_pair_of_an_older_version_names_the_line_and_the_missing_field(tmp_path: Path):
    pair = make_pair(PROBLEM, TASK, "text", (), RIGHT[2:], WRONG[2:], margin=1.0, kind="wrong_answer")
    old = {name: value for name, value in json.loads(dumps(pair)).items() if name != "history"}
    path = tmp_path / "train.jsonl"
    path.write_text(f"{json.dumps(old)}\n")
    with pytest.raises(DataError, match=r"train\.jsonl:1: history: Field required; not a Pair record$"):
        list(read(Pair, path))


def test_a_call_of_a_function_that_was_not_shown_is_shown_in_views_without_the_function():
    refused = step("day_after(day='Monday')")
    assert refused.call == Call("not shown: day_after", {"day": "Monday"})
    pair = make_pair(PROBLEM, TASK, "text", (), RIGHT[:1], [refused], margin=1.0, kind="unknown_function")
    assert pair is not None
    assert pair.rejected[0]["content"] == "day_after(day='Monday')"
    lists_it = View("v", (*(name for name in TASK.toolbox.functions if name != ANSWER), "day_after", ANSWER))
    view = with_called_functions(lists_it, TASK, [pair])
    assert (view.key, view.functions) == ("v-day_after", tuple(TASK.toolbox.functions))
    shown = rendered(pair, TASK, view)
    assert (shown.prompt, shown.rejected) == (pair.prompt, pair.rejected)


def test_the_name_of_a_function_that_was_not_shown_stays_in_a_thought():
    replies = [step("First day_after(x).\nadd(2, 3)"), step("day_after(day='Monday'")]
    messages, _ = PROTOCOLS["text"].render(TASK, PROBLEM.question, replies)
    assert messages[2]["content"].startswith("First day_after(x).")
    assert messages[4]["content"] == "day_after(day='Monday'"
