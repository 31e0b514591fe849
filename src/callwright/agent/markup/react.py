"""ReAct's two lines, `Action: add` and `Action Input: {...}`; what comes after the first observation was made up."""

import re
from itertools import islice

from callwright.agent.brackets import end_of_brackets
from callwright.agent.markup.marks import BEFORE_ARGUMENTS
from callwright.agent.objects import read_arguments, read_object
from callwright.agent.syntax import EXAMPLE, syntax_fault
from callwright.errors import CallError
from callwright.functions.guard import MAX_ITEMS
from callwright.records import Call

_LEAD = r"^[ \t>*#-]{0,20}"
_ACTION = re.compile(
    rf"{_LEAD}Action(?:\s?[0-9]{{1,3}})?\s?:[ \t*`\"']{{0,20}}(?P<name>[A-Za-z_][\w.]*+)[ \t*`\"']{{0,20}}\n"
    rf"\s{{0,20}}{_LEAD}Action[ _]Input(?:\s?[0-9]{{1,3}})?\s?:[ \t*]{{0,20}}",
    re.MULTILINE | re.ASCII,
)
_OBSERVATION = re.compile(rf"{_LEAD}Observation(?:\s?[0-9]{{1,3}})?\s?:", re.MULTILINE)


def read_react(text: str, start: int) -> list[tuple[int, int, Call | CallError]]:
    """[start, end) of each action before the first observation, with its call or what is wrong with it."""
    observation = _OBSERVATION.search(text, start)
    end = observation.start() if observation else len(text)
    actions = list(islice(_ACTION.finditer(text, start, end), MAX_ITEMS + 1))
    read: list[tuple[int, int, Call | CallError]] = []
    for place, action in enumerate(actions):
        following = actions[place + 1].start() if place + 1 < len(actions) else end
        try:
            call, call_end = _call(text, action)
        except CallError as error:
            read.append((action.start(), following, error))
        else:
            read.append((action.start(), call_end, call))
    return read


def _call(text: str, action: re.Match[str]) -> tuple[Call, int]:
    skipped = BEFORE_ARGUMENTS.match(text, action.end())
    position = skipped.end() if skipped else action.end()
    if not text.startswith(("{", "["), position):
        syntax_fault('an action\'s input is a JSON object, like {"a": 2, "b": 3}; ' + EXAMPLE)
    end = end_of_brackets(text, position)
    return Call(action["name"], read_arguments(read_object(text[position:end]))), end
