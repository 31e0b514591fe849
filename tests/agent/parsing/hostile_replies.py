"""Replies that a fuzzer makes from a number: calls in the markup of all series of models, broken in typical ways.

Equal numbers make equal replies, so the random draws must not be reordered. `check_reply` reads a reply by both
protocols, executes its calls, and measures the time.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from callwright.agent.loop import execute_step, failed_step
from callwright.agent.native import NATIVE
from callwright.agent.protocol import PROTOCOLS
from callwright.chat.model import Reply, ToolCall
from callwright.errors import CallError
from callwright.functions.function import render_call
from callwright.functions.toolbox import OpenToolbox
from callwright.records import Call, Json, Step, Usage
from callwright.storage import jsonl
from callwright.tasks import TASKS
from tests.agent.parsing.markup_by_series import MARKUP_BY_SERIES

SOLVERS = frozenset({"solve", "entails", "assume"})  # run in a worker process, which has its own time limits
Rng = random.Random

WORDS = ("x", "rex", "Dog(x)", "all x. (Dog(x) -> Animal(x))", "1,200", "$18", "1/3", "3.50", "True", "not P(a)", "")
# Split at spaces, because a line for each would make these lists very long.
TROUBLE = tuple("\ud83d \udc00 \x00 \x1b[2J \u202e \u2066 ² ٣ ½ \ufeff \u200b é 😀 \r \t".split(" "))  # noqa: SIM905
MARKS = (
    *"<tool_call> </tool_call> <think> </think> ``` [TOOL_CALLS] </function> <|im_end|> </parameter>".split(),  # noqa: SIM905
    *"<parameter=a> <function=add> <｜tool▁sep｜> functions. call: Observation: add(2,3) print(".split(),  # noqa: SIM905
    *"=#“‘,'\"\\",
    '<|"|>',
    *("Action: add\nAction Input: ", "commentary to=", "Result: 5\n", "x = ", "```json\n"),
)
RUNS = (
    *"( [ { ) < <a> a 9 1, ' \" \\' f( f(' {\"a\": - ** <tool_call> <function=f> <parameter=a> call:f{ a.".split(),  # noqa: SIM905
    *"“ </think> <arg_key></arg_key><arg_value> \ud800 [TOOL_CALLS]f <|channel|> ,200".split(),  # noqa: SIM905
    *(" ", "\n", "\t[", "x = ", "- ", "1. ", "not ", "```a\n", "Action: f\nAction Input: "),
)


def hostile_reply(number: int, seed: int = 0) -> Reply:
    """The reply for a number: text, or tool calls and perhaps text."""
    rng = Rng(f"{seed}/{number}")
    if rng.random() < 0.25:
        calls = tuple(_tool_call(rng) for _ in range(rng.choice((1, 1, 2, 5))))
        return Reply(_text(rng) if rng.random() < 0.5 else "", rng.choice(("stop", "stop", "length")), Usage(), calls)
    return Reply(_text(rng), "stop" if rng.random() < 0.95 else "length", Usage())


def _text(rng: Rng) -> str:
    kind = rng.random()
    if kind < 0.1:
        return _runs(rng)
    text = rng.choice(list(MARKUP_BY_SERIES.values()))([_call(rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))])
    if rng.random() < 0.3:
        text = rng.choice(("Both numbers.\n", "<think>add(1, 1)?</think>\n", "1. ", "> ", "So Dog(x): ")) + text
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        text = rng.choice(MUTATIONS)(rng, text)
    return text


def _tool_call(rng: Rng) -> ToolCall:
    call = _call(rng)
    text = json.dumps(call.arguments, ensure_ascii=False)
    for _ in range(rng.choice((0, 1, 2))):
        text = rng.choice(MUTATIONS)(rng, text)
    name = call.name if rng.random() < 0.8 else _mark(rng, call.name)
    return ToolCall(name, text)


def _call(rng: Rng) -> Call:
    function = rng.choice([function for task in TASKS.values() for function in task.toolbox.functions.values()])
    if rng.random() < 0.6:
        return Call(function.name, dict(function.example))
    names = [*function.parameters, "from", "²", "0", "a b", "", rng.choice(TROUBLE)]
    arguments = {rng.choice(names) if rng.random() < 0.2 else name: _value(rng, 2) for name in function.parameters}
    return Call(function.name, arguments)


def _value(rng: Rng, depth: int) -> Json:
    match rng.randrange(9 if depth else 6):
        case 0:
            return rng.randint(-9, 9)
        case 1:
            return rng.choice((10**30, -(10**400), 2**63, 0, 1))
        case 2:
            return rng.choice((0.1, -2.5, 1e300, 1e-300, 3.0))
        case 3:
            return rng.choice((True, False, None))
        case 4 | 5:
            return rng.choice((*WORDS, rng.choice(TROUBLE), rng.choice(MARKS), rng.choice(RUNS) * rng.randint(1, 300)))
        case 6 | 7:
            return [_value(rng, depth - 1) for _ in range(rng.choice((0, 1, 3, 70)))]
        case _:
            return {rng.choice((*WORDS, "²")): _value(rng, depth - 1) for _ in range(rng.choice((0, 1, 3)))}


def _runs(rng: Rng) -> str:
    """Long repetitions over which a careless pattern backtracks, up to a little more than the limit of a reply."""
    size = rng.choice((100, 2_000, 10_000, 99_000, 101_000))
    units = [rng.choice(RUNS) for _ in range(rng.choice((1, 1, 2, 3)))]
    parts = [unit * (size // len(units) // len(unit)) for unit in units]
    return "".join(
        (rng.choice(("", "add(", "<tool_call>", "“")), *parts, rng.choice(("", "x", "\nadd(2, 3)", ")", "\x00")))
    )


def _delete(rng: Rng, text: str) -> str:
    start = rng.randrange(len(text) + 1)
    return text[:start] + text[start + rng.choice((1, 1, 3, 20)) :]


def _duplicate(rng: Rng, text: str) -> str:
    start = rng.randrange(len(text) + 1)
    end = start + rng.choice((1, 5, 30))
    return text[:end] + text[start:end] * rng.choice((1, 2, 40)) + text[end:]


def _swap(rng: Rng, text: str) -> str:
    left, right = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
    return text[:left] + text[right:] + text[left:right]


def _cut(rng: Rng, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _mark(rng: Rng, text: str) -> str:
    start = rng.randrange(len(text) + 1)
    return text[:start] + rng.choice((*MARKS, *TROUBLE)) + text[start:]


def _quotes(rng: Rng, text: str) -> str:
    return text.replace('"', rng.choice(("'", "“", "", '\\"', "`")))


def _nest(rng: Rng, text: str) -> str:
    left, right = rng.choice((("(", ")"), ("[", "]"), ('{"a": ', "}"), ("f(", ")"), ("<tool_call>", "</tool_call>")))
    depth = rng.choice((1, 7, 9, 300))
    start = rng.randrange(len(text) + 1)
    return text[:start] + left * depth + text[start:] + right * depth


def _number(rng: Rng, text: str) -> str:
    digit_indices = [index for index, character in enumerate(text) if character in "0123456789"]
    if not digit_indices:
        return text
    index = rng.choice(digit_indices)
    number = rng.choice(
        ("9" * 400, "9" * 5_000, "1e999999", "0.1234567890123456789", "²", "1,200", "1/0", "0x" + "f" * 300, "-", "1_0")
    )
    return text[:index] + number + text[index + 1 :]


def _encode_as_json(rng: Rng, text: str) -> str:
    return json.dumps(text)


MUTATIONS: tuple[Callable[[Rng, str], str], ...] = (
    _delete, _duplicate, _swap, _cut, _mark, _mark, _quotes, _nest, _number, _number, _encode_as_json
)  # fmt: skip


@dataclass
class Cost:
    """The outcomes of a reply's calls, and the time that they took.

    Attributes:
        outcomes: counts of faults and of "executed", over all protocols and toolboxes.
        seconds: of this thread's processor time in the slowest operation, without the solvers.
        slowest: the name of that operation.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest: str = ""


def check_reply(reply: Reply, toolboxes: Sequence[tuple[str, OpenToolbox]]) -> Cost:
    """Read a reply by both protocols, execute its calls in each toolbox, and store and render each step.

    Raises:
        Exception: whatever a protocol, a toolbox or the storage raised, which is a defect.
    """
    cost = Cost()
    for protocol in PROTOCOLS.values():
        start = time.thread_time()
        calls = protocol.read(reply)
        _record_time(cost, f"read, {protocol.name}", start)
        for index, (thought, call) in enumerate(calls):
            if isinstance(call, CallError):
                cost.outcomes[call.fault] += 1
                _store_step(cost, failed_step(thought, None, call), index)
                continue
            for task_name, open_toolbox in toolboxes:
                _store_step(cost, _execute(cost, thought, call, task_name, open_toolbox), index)
    return cost


def open_toolboxes() -> list[tuple[str, OpenToolbox]]:
    """The toolbox of each task, opened for one chain, by the task's name."""
    return [(task_name, TASKS[task_name].toolbox.open()) for task_name in ("arithmetic", "translation", "entailment")]


def _execute(cost: Cost, thought: str, call: Call, task_name: str, open_toolbox: OpenToolbox) -> Step:
    toolbox = TASKS[task_name].toolbox
    start = time.thread_time()
    toolbox.name_arguments(call)
    _record_time(cost, f"name_arguments, {task_name}", start)
    start = time.thread_time()
    step = execute_step(thought, call, toolbox, open_toolbox).step
    if step.call is not None and step.call.name not in SOLVERS:
        _record_time(cost, f"{step.call.name}, {task_name}", start)
    cost.outcomes[step.error.fault if step.error else "executed"] += 1
    return step


def _store_step(cost: Cost, step: Step, step_index: int) -> None:
    start = time.thread_time()
    stored = jsonl.loads(Step, jsonl.dumps(step), "here")
    json.dumps(NATIVE.reply_message(stored, step_index), ensure_ascii=False).encode()
    if step.call:
        render_call(step.call)
    if step.error:
        assert step.error.message.isprintable(), step.error.message
    _record_time(cost, "store", start)


def _record_time(cost: Cost, operation: str, start: float) -> None:
    seconds = time.thread_time() - start
    if seconds > cost.seconds:
        cost.seconds, cost.slowest = seconds, operation
