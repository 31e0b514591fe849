"""Builders for records, and fake chat models that return given replies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from callwright.agent.loop import ends_chain, take_steps
from callwright.agent.parsing.parse import parse_call
from callwright.agent.protocol import TEXT
from callwright.chat.model import Message, Reply, Sampling, Tool
from callwright.params import TeacherParams
from callwright.records import Call, Chain, CheckedChain, Json, Pair, Problem, Split, Step, Usage, Verdict
from callwright.standins.oracle.script import MISTAKES
from callwright.tasks import TASKS, Tasks
from callwright.tasks.task import Task

TOOLBOX = TASKS["arithmetic"].toolbox
NO_MISTAKES = dict.fromkeys(MISTAKES, 0.0)


class ScriptedChat:
    """A ChatModel that returns replies from a list; an exception in the list is raised.

    Every reply costs 10 + 2 tokens. `requests` holds the messages of each request.
    """

    def __init__(self, *replies: str | Reply | Exception, name: str = "scripted") -> None:
        self.name = name
        self.requests: list[list[Message]] = []
        self._replies = list(replies)

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        self.requests.append(list(messages))
        assert self._replies, "there are more requests than replies"
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return Reply(reply, "stop", Usage(10, 2)) if isinstance(reply, str) else reply


def call(text: str) -> Call:
    """Parse a call, and name its arguments if the function is known."""
    parsed = parse_call(text)
    assert isinstance(parsed, Call), parsed
    named = TOOLBOX.name_arguments(parsed)
    return named if isinstance(named, Call) else parsed


def step(reply: str, **changes: object) -> Step:
    """The step of a reply, which is read and executed for real, with changed fields."""
    (executed,) = take_steps(Reply(reply, "stop", Usage()), TEXT, TOOLBOX, TOOLBOX.open())
    return replace(executed, **changes)


def chain(*replies: str | Step, problem_id: str = "p", model: str = "oracle", **changes: object) -> Chain:
    """The chain of these replies, with changed fields. Equal replies make equal ids, unless `id` is given."""
    steps = tuple(reply if isinstance(reply, Step) else step(reply) for reply in replies)
    answered = bool(steps) and ends_chain(steps[-1])
    built = Chain(
        id=f"{problem_id}/{model}/{'; '.join(str(reply) for reply in replies)}",
        problem_id=problem_id,
        model=model,
        protocol="text",
        steps=steps,
        outcome="answered" if answered else "step_limit",
        answer=steps[-1].observation if answered else None,
        usage=Usage(10 * len(steps), 2 * len(steps)),
    )
    return replace(built, **changes)


def checked(*replies: str | Step, correct: bool, **changes: object) -> CheckedChain:
    """A chain with a verdict that has no faults, even if the chain is not correct."""
    built = chain(*replies, **changes)
    return CheckedChain(built, Verdict(built.id, correct, (), None))


def problem(
    *solution: str,
    question: str = "Ana has 2 figs and picks 3 more. How many figs has she?",
    answer: str = "5",
    id: str = "p",  # noqa: A002
    task: str = "arithmetic",
    split: Split = "train",
) -> Problem:
    """A problem; by default its solution is 2 + 3."""
    calls = solution or ("add(a=2, b=3)", "answer(value=5)")
    return Problem(id, task, question, answer, tuple(call(text) for text in calls), "test", "group", split)


def pair(
    pair_id: str,
    prompt: Iterable[dict[str, Json]],
    chosen: tuple[dict[str, Json], ...],
    rejected: tuple[dict[str, Json], ...],
    tools: Iterable[dict[str, Json]] = (),
    *,
    problem_id: str | None = None,
    margin: float = 1.0,
    kind: str = "wrong_call",
) -> Pair:
    """A pair of these messages, without the steps that they were rendered from."""
    messages = tuple(prompt), chosen, rejected
    ids = pair_id, pair_id if problem_id is None else problem_id
    return Pair(*ids, *messages, tuple(tools), margin, kind, "arithmetic", "", "text", (), (), ())


def tasks_with(task: Task) -> Tasks:
    """The tasks that ship, and one more, or one in place of the shipped task of its name."""
    return Tasks([*TASKS.values(), task])


def teacher(**changes: object) -> TeacherParams:
    """Params of an oracle teacher that makes no mistakes, and of a client that does not retry."""
    values = {
        "base_url": "oracle",
        "base_urls": [],
        "model": "oracle",
        "api_key_env": "TEACHER_API_KEY",
        "timeout_s": 10,
        "max_retries": 0,
        "mistakes": NO_MISTAKES,
    }
    return TeacherParams.model_validate({**values, **changes})


class ChatByQuestion:
    """A ChatModel that returns the replies of each question in order, and repeats the last one.

    Args:
        replies: replies by question; an exception among them is raised.
    """

    def __init__(self, replies: Mapping[str, Sequence[str | Reply | Exception]], name: str = "scripted") -> None:
        self.name = name
        self._replies = {question: list(question_replies) for question, question_replies in replies.items()}

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        user_text = "\n".join(str(message["content"]) for message in messages if message["role"] == "user")
        replies = next(replies for question, replies in self._replies.items() if question in user_text)
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, Exception):
            raise reply
        return Reply(reply, "stop", Usage(10, 2)) if isinstance(reply, str) else reply
