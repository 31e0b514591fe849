"""What makes chains out of replies has a version, and nothing of it changes without the version being raised."""

import hashlib
import json
from dataclasses import asdict

from callwright.agent.loop import STUCK_AFTER, take_steps
from callwright.agent.protocol import ENGINE_VERSION, NATIVE, TEXT
from callwright.chat.model import Reply, ToolCall
from callwright.functions import guard
from callwright.functions.toolbox import MAX_RESULT_CHARACTERS
from callwright.records import Usage
from callwright.tasks import TASKS

KNOWN = {2: "4668e6462223088b9dd9185bd4b59990367b7e5bee388a9da67f5242fd046d1e"}
"""The hash of what each version makes of the replies below. Raise ENGINE_VERSION, and write the new hash here."""

REPLIES = {
    "arithmetic": (
        "Two and three.\nadd(2, 3)",
        "add(a=2, b='1/3')",
        "divide(1, 3)",
        "answer('$1,200.50')",
        "add(2, 3",
        "I do not know.",
        "sum(2, 3)",
        "add(2)",
        "add(2, 3, 4)",
        "add(2, c=3)",
        "add('two', 3)",
        "divide(1, 0)",
        "power(10, 999999)",
        "solve(equation='2x + 1 = 5')",
        "solve(equation='x^9 = 5')",
        "answer('many')",
        f"add({'1' * 3_000}, 2)",
        "add([[[[[[[[[[1]]]]]]]]]], 2)",
        '{"name": "add", "arguments": {"a": 2, "b": 3}}',
        "<tool_call>\n" + '{"name": "add", "arguments": {"a": 2, "b": 3}}' + "\n</tool_call>",
        "add(__import__('os'), 2)",
    ),
    "translation": ("predicate('Dog', ['x'])", "negate('Dog(x)')", "negate('Dog(')", "answer('all x. Dog(x)')"),
    "entailment": ("assume('Dog(rex)')", "entails('Dog(rex)')", "assume('Dog(rex')", "answer('perhaps')"),
}
NATIVE_REPLIES = (
    Reply("So.", "stop", Usage(), (ToolCall("add", '{"a": 2, "b": 3}'), ToolCall("answer", '{"value": 5}'))),
    Reply("", "stop", Usage(), (ToolCall("add", '{"a": 2'),)),
    Reply("", "stop", Usage(), (ToolCall("add", "[2, 3]"),)),
    Reply("Nothing to do.", "stop", Usage()),
    Reply("add(2, 3)", "stop", Usage()),
    Reply("I shall now", "length", Usage()),
)


def hash_of_steps_and_limits() -> str:
    """The hash of the steps of all replies, and of the limits."""
    steps = []
    for name, replies in REPLIES.items():
        toolbox = TASKS[name].toolbox
        for reply in replies:
            read = Reply(reply, "stop", Usage())
            steps += [asdict(step) for step in take_steps(read, TEXT, toolbox, toolbox.open())]
    toolbox = TASKS["arithmetic"].toolbox
    for reply in NATIVE_REPLIES:
        steps += [asdict(step) for step in take_steps(reply, NATIVE, toolbox, toolbox.open())]
    limits = {name: value for name, value in vars(guard).items() if name.isupper()}
    limits |= {"STUCK_AFTER": STUCK_AFTER, "MAX_RESULT_CHARACTERS": MAX_RESULT_CHARACTERS}
    whole = json.dumps([steps, limits], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def test_the_same_replies_make_the_same_steps_or_the_engine_has_a_new_version():
    made = hash_of_steps_and_limits()
    assert KNOWN.get(ENGINE_VERSION) == made, (
        f"replies make other steps than under engine {ENGINE_VERSION}, or a limit moved: "
        f"raise ENGINE_VERSION in agent/protocol.py and "
        f'write "{made}" into KNOWN for it'
    )


def test_the_hash_is_the_same_each_time():
    assert hash_of_steps_and_limits() == hash_of_steps_and_limits()
