"""Read ReAct's two lines, `Action: add` and `Action Input: {...}`.

What follows the first `Observation:` is not read, because the model invented that observation.
"""

import re
from itertools import islice

from callwright.agent.parsing.json_call import end_of_brackets, read_arguments, read_json_value
from callwright.agent.parsing.markup.marks import BEFORE_ARGUMENTS, end_of_match
from callwright.agent.parsing.syntax_faults import ARGUMENTS_ADVICE, CALL_ADVICE, syntax_fault
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
    """[start, end) of each action before the first observation, with its call or the error."""
    observation = _OBSERVATION.search(text, start)
    end = observation.start() if observation else len(text)
    actions = list(islice(_ACTION.finditer(text, start, end), MAX_ITEMS + 1))
    actions_read: list[tuple[int, int, Call | CallError]] = []
    for index, action in enumerate(actions):
        next_start = actions[index + 1].start() if index + 1 < len(actions) else end
        try:
            call, call_end = _read_call(text, action)
        except CallError as error:
            actions_read.append((action.start(), next_start, error))
        else:
            actions_read.append((action.start(), call_end, call))
    return actions_read


def _read_call(text: str, action: re.Match[str]) -> tuple[Call, int]:
    position = end_of_match(BEFORE_ARGUMENTS, text, action.end())
    if not text.startswith(("{", "["), position):
        raise syntax_fault(f"an action's input is a {ARGUMENTS_ADVICE}; {CALL_ADVICE}")
    end = end_of_brackets(text, position)
    return Call(action["name"], read_arguments(read_json_value(text[position:end]))), end
