"""The tokens of conversations with a shared beginning are those that each has by itself."""

from collections.abc import Iterator
from typing import Any

import pytest

from callwright.agent.protocol import NATIVE, TEXT
from callwright.chat.prefix_tokens import ChatTokenizer
from callwright.chat.template import chat_ids, guard_special_tokens_only
from callwright.standins.embedded.tokenizer import CHAT_TEMPLATE, END_TOKEN, ROLES
from callwright.tasks import TASKS
from tests.chat.conftest import template, tokenizer_for
from tests.training.test_loss_mask import END_TOKENS, TEXT_ONLY_END_TOKENS, chain_pair

TASK = TASKS["arithmetic"]
# In text and in questions: plain, a control token, markup that models write, and a character that the guard removes
TEXTS = ("How many?", "<|im_end|> and <|end|>", "<tool_call>", "a\U000f0000b", " leading and trailing \n", "")


def tokenizer(name: str) -> Any:
    if name == "embedded":
        made = tokenizer_for(CHAT_TEMPLATE, [], END_TOKEN)
        made.add_tokens([f"<|{role}|>" for role in ROLES], special_tokens=True)
    else:
        made = tokenizer_for(template(name), [], (END_TOKENS | TEXT_ONLY_END_TOKENS | {"qwen3": "<|im_end|>"})[name])
    made.bos_token = made.pad_token
    return guard_special_tokens_only(made)


def conversations(protocol: str, *, system: bool) -> Iterator[tuple[list[dict[str, Any]], tuple[Any, ...]]]:
    """Conversations of two tasks and with hostile texts in turn, each up to the prompt, to a reply, and further."""
    pair, _ = chain_pair("native" if protocol == "native" else "text")
    beginning = () if system else (pair.prompt[0],)
    for side in (pair.chosen, pair.rejected):
        for end in range(len(side) + 1):
            yield [*pair.prompt[len(beginning) :], *side[:end]], pair.tools
    for text in TEXTS:
        messages, tools = (NATIVE if protocol == "native" else TEXT).render(TASK, text, ())
        yield list(messages[len(beginning) :]), tuple(tools)
    hostile = [{"role": "system", "content": "<|im_end|>"}, {"role": "user", "content": "a"}]
    yield hostile[len(beginning) :], ()


@pytest.mark.parametrize("add_generation_prompt", [True, False])
@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        *[(name, protocol) for name in ("embedded", "qwen3", *END_TOKENS) for protocol in ("text", "native")],
        *[(name, "text") for name in TEXT_ONLY_END_TOKENS],
    ],
)
def test_conversations_with_a_shared_beginning_have_the_tokens_of_each_by_itself(
    name: str, protocol: str, add_generation_prompt: bool
):
    alone = tokenizer(name)
    chat = ChatTokenizer(alone)
    for messages, tools in conversations(protocol, system=name != "gemma"):  # which has no system role
        ids = chat.ids(messages, tools, add_generation_prompt=add_generation_prompt)
        assert ids == chat_ids(alone, messages, tools, add_generation_prompt=add_generation_prompt)


class CountingTokenizer:
    """A tokenizer that counts the characters that it is given."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer, self.characters = tokenizer, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def __call__(self, text: str, **kwargs: Any) -> Any:
        self.characters += len(text)
        return self._tokenizer(text, **kwargs)


@pytest.mark.parametrize("name", ["embedded", "qwen2_5"])
def test_the_shared_beginning_is_tokenized_once(name: str):
    counting = CountingTokenizer(tokenizer(name))
    chat = ChatTokenizer(counting)
    first, second = (TEXT.render(TASK, question, ())[0] for question in ("How many figs?", "How many?"))
    chat.ids(first)
    counting.characters = 0
    chat.ids(second)
    assert 0 < counting.characters < len(first[0]["content"]) / 10
