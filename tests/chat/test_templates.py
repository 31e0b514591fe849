"""The native protocol with the chat templates that ship inside TRL: they show everything, and calls are read back."""

import json
from functools import cache
from typing import Any

import pytest

from callwright.agent.loop import take_steps
from callwright.agent.native import NATIVE
from callwright.chat.model import Reply, ToolCall
from callwright.chat.template import template_messages
from callwright.preferences.dialogue import check_rows
from callwright.records import Call, Step, Usage
from callwright.tasks import TASKS
from tests.chat.conftest import template
from tests.fakes import TOOLBOX, pair

TASK = TASKS["arithmetic"]
# What each template writes after the last call
END = {
    "qwen2_5": "<|im_end|>\n",
    "qwen3": "<|im_end|>\n",
    "qwen3_instruct_2507": "<|im_end|>\n",
    "qwen3_vl": "<|im_end|>\n",
    "qwen3_5_nothink": "<|im_end|>\n",
    "qwen3_6": "<|im_end|>\n",
    "qwen3_8": "<|im_end|>\n",
    "nemotron_3_nano": "<|im_end|>\n",
    "glm4moe": "",
    "llama3_1": "<|eot_id|>",
    "llama3_2": "<|eot_id|>",
    "lfm2_2_5": "<|im_end|>\n",
    "lfm2_v2": "<|im_end|>\n",
}
RENDERED_ONLY = ("gptoss", "gemma4_v2")  # the tokenizer's response template reads their markup
WITHOUT_THOUGHT = ("llama3_1", "llama3_2")  # do not show the thought of a message with a call
UNQUOTED = ("qwen3_5_nothink", "qwen3_6", "qwen3_8", "nemotron_3_nano", "glm4moe")  # numbers and texts look alike


@cache
def tokenizer(name: str) -> Any:
    """A byte-level tokenizer (no merges) with a template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytes_only = Tokenizer(models.BPE(vocab={character: index for index, character in enumerate(alphabet)}, merges=[]))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_only, bos_token="<s>", eos_token="</s>")
    tokenizer.chat_template = template(name)
    return tokenizer


def steps() -> list[Step]:
    calls = [("add", {"a": 2, "b": 3}), ("divide", {"a": 5, "b": 0}), ("add", {"a": "1/3", "b": -2})]
    tools = TOOLBOX.open()
    replies = [Reply("So.", "stop", Usage(), (ToolCall(name, json.dumps(arguments)),)) for name, arguments in calls]
    return [step for reply in replies for step in take_steps(reply, NATIVE, TOOLBOX, tools)]


def render(name: str, earlier: list[Step], *, add_generation_prompt: bool) -> str:
    messages, tools = NATIVE.render(TASK, "How many figs?", earlier)
    if not add_generation_prompt:
        messages = messages[:-1]
    text: str = tokenizer(name).apply_chat_template(
        template_messages(messages), tools=tools, tokenize=False, add_generation_prompt=add_generation_prompt
    )
    return text


@pytest.mark.parametrize("name", [*END, *RENDERED_ONLY])
def test_functions_calls_results_and_errors_are_all_in_the_prompt(name):
    text = render(name, steps(), add_generation_prompt=True)
    for function in TOOLBOX.functions.values():
        assert function.name in text
        assert function.description in text
    assert "How many figs?" in text
    assert "add(a=17, b=25) -> 42" in text
    assert "Error: cannot divide by zero" in text
    assert "-5/3" in text  # 1/3 - 2
    assert '\\"a\\"' not in text  # nothing is encoded twice


@pytest.mark.parametrize("name", END)
def test_a_call_that_a_template_writes_is_read_back(name):
    for index, step in enumerate(steps()):
        prompt = render(name, steps()[:index], add_generation_prompt=True)
        text = render(name, steps()[: index + 1], add_generation_prompt=False)
        if not text.startswith(prompt):  # a template that closes its thinking, or hides it later
            prompt = prompt[: prompt.rindex("assistant") + len("assistant")]
            assert text.startswith(prompt)
        reply = text.removeprefix(prompt).removesuffix(END[name])
        ((thought, call),) = NATIVE.read(Reply(reply, "stop", Usage()))
        assert isinstance(call, Call), reply
        assert TOOLBOX.canonical(call) == TOOLBOX.canonical(step.call)
        if name not in UNQUOTED:
            assert call == step.call
        assert ("So." in thought) == (name not in WITHOUT_THOUGHT)


@pytest.mark.parametrize(
    "name", ["qwen2_5", "qwen3_instruct_2507", "llama3_1", "llama3_2", "qwen3_5_nothink", "lfm2_v2"]
)
def test_the_prompt_of_a_native_pair_is_a_prefix_of_prompt_and_completion(name):
    first, second, chosen = steps()
    messages, tools = NATIVE.render(TASK, "How many figs?", [first, second])
    wrong = Step("So.", Call("add", {"a": 1, "b": 1}), None, "2")
    broken = Step('{"name": "add", "arguments": {"a": 1', None, None, None)
    pairs = [
        pair(f"p{number}", messages, (NATIVE.reply_message(chosen, 2),), (NATIVE.reply_message(rejected, 2),), tools)
        for number, rejected in enumerate((wrong, broken))
    ]
    report, _ = check_rows(pairs, tokenizer(name), 100_000)
    assert report.rows == 2
    assert report.prompt_tokens > 2 * sum(len(function.description) for function in TOOLBOX.functions.values())
