"""Calls as models and servers wrote them in public bug reports (cases 1 to 12), each the answer to a problem."""

import json

from callwright.records import Call
from tests.agent.parsing.markup_by_series import MARKUP_BY_SERIES
from tests.stages.hostile_cases import Case, call_answer, texts

SUM, PRODUCT = Call("add", {"a": 2, "b": 3}), Call("multiply", {"a": 4, "b": 5})
J, J2 = (json.dumps({"name": call.name, "arguments": call.arguments}) for call in (SUM, PRODUCT))
TAGS = "<function=add>\n<parameter=a>\n2\n</parameter>\n<parameter=b>\n3\n</parameter>\n</function>"
LIKES = "what does it mean that everybody likes Rex?"

_ONE_CALL = {  # the sum, for both protocols
    "no opening tag": f"{TAGS}\n</tool_call>",
    "no closing tag": f"<tool_call>\n{TAGS}",
    "a parameter's closing tag missing": TAGS.replace("3\n</parameter>\n", "3\n"),
    "functools": f"functools[{J}]",
    "arguments in a function's tag": '<function=add>{"a": 2, "b": 3}</function>',
    "decorated in text": J.replace("add", "functions.add"),
    **{f"markup of {family}": write([SUM]) for family, write in MARKUP_BY_SERIES.items()},
}
_TWO_CALLS = {  # sum and product: each is a step in native text; the text protocol allows only one call
    "a list of JSON": f"[{J}, {J2}]",
    "a list of calls": "[add(a=2, b=3), multiply(a=4, b=5)]",
    "blocks with prose between": f"<tool_call>\n{J}\n</tool_call>\nThen:\n<tool_call>\n{J2}\n</tool_call>",
    "single quotes": f"<tool_call>{J}</tool_call><tool_call>{J2}</tool_call>".replace('"', "'"),
    "arguments before name": '<tool_call>{"arguments": {"a": 2, "b": 3}, "name": "add"}</tool_call>'
    '<tool_call>{"arguments": {"a": 4, "b": 5}, "name": "multiply"}</tool_call>',
    "text after a list": f"[TOOL_CALLS] [{J}, {J2}]</s>",
}
_PARSED_CALLS = {  # calls that the server has parsed
    "text after arguments": ("add", '{"a": 2, "b": 3}Estimating the sum...'),
    "encoded twice": ("add", json.dumps('{"a": 2, "b": 3}')),
    "an object of arguments": ("add", {"a": 2, "b": 3}),
    **{
        f"decorated name {number}": (name, '{"a": 2, "b": 3}')
        for number, name in enumerate(
            ("functions.add", "default_api.add", "functions.add:0", "add<|channel|>commentary")
        )
    },
}
NOTATIONS = {
    **{name: texts(reply, correct=True) for name, reply in _ONE_CALL.items()},
    **{
        name: texts(reply, question="what is 4 times 5?", answer=20, correct_native=True)
        for name, reply in _TWO_CALLS.items()
    },
    **{name: Case((call_answer(*call),), correct=False, correct_native=True) for name, call in _PARSED_CALLS.items()},
    "a list between tags": texts(
        "<tool_call>\n<function=predicate>\n<parameter=name>Likes</parameter>\n"
        "<parameter=terms>['x', 'rex']</parameter>\n</function>\n</tool_call>",
        "for_all('x', 'Likes(x, rex)')",
        task="translation",
        question=LIKES,
        answer="all x. Likes(x, rex)",
        correct=True,
    ),
    "a remnant beside a call": Case(
        (call_answer("add", '{"a": 2, "b": 3}', "So.\n</tool_call>"),), correct=False, correct_native=True
    ),
    "unreadable": texts("add(a=2, b=3"),
    "a parameter named from": texts("add(from=2, b=3)"),
    "too long a call": texts(f"add('{'x' * 2_000}', 3)"),
}
