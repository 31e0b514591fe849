"""The markup in which each series of models writes calls, if a server returns it as text. For tests and the fuzzer."""

import json
from collections.abc import Callable, Sequence

from callwright.functions.function import render_call
from callwright.records import Call

WriteCalls = Callable[[Sequence[Call]], str]


def _object(call: Call, arguments: str = "arguments") -> str:
    return json.dumps({"name": call.name, arguments: call.arguments}, ensure_ascii=False)


def _arguments(call: Call) -> str:
    return json.dumps(call.arguments, ensure_ascii=False)


def _tag_value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _qwen_coder(call: Call) -> str:
    inside = "".join(f"<parameter={key}>\n{_tag_value(value)}\n</parameter>\n" for key, value in call.arguments.items())
    return f"<function={call.name}>\n{inside}</function>"


def _invoke(call: Call, prefix: str = "") -> str:
    def attribute(value: object) -> str:  # DeepSeek marks whether a value is text
        return f' string="{str(isinstance(value, str)).lower()}"' if prefix else ""

    inside = "".join(
        f'<{prefix}parameter name="{key}"{attribute(value)}>{_tag_value(value)}</{prefix}parameter>\n'
        for key, value in call.arguments.items()
    )
    return f'<{prefix}invoke name="{call.name}">\n{inside}</{prefix}invoke>'


def _glm(call: Call) -> str:
    inside = "".join(
        f"\n<arg_key>{key}</arg_key>\n<arg_value>{_tag_value(value)}</arg_value>"
        for key, value in call.arguments.items()
    )
    return f"<tool_call>{call.name}{inside}\n</tool_call>"


def _gemma_value(value: object, quote: str) -> str:
    if isinstance(value, str):
        return f"{quote}{value}{quote}"
    if isinstance(value, list):
        return f"[{','.join(_gemma_value(item, quote) for item in value)}]"
    if isinstance(value, dict):
        items = (f"{quote}{key}{quote}:{_gemma_value(item, quote)}" for key, item in value.items())
        return f"{{{','.join(items)}}}"
    return json.dumps(value)


def _gemma(call: Call, quote: str) -> str:
    arguments = ",".join(f"{key}:{_gemma_value(value, quote)}" for key, value in call.arguments.items())
    return f"call:{call.name}{{{arguments}}}"


def _deepseek(call: Call) -> str:
    return (
        f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{call.name}\n```json\n{_arguments(call)}\n```<｜tool▁call▁end｜>"
    )


def _each(write: Callable[[Call], str], between: str = "\n") -> WriteCalls:
    return lambda calls: between.join(map(write, calls))


MARKUP_BY_SERIES: dict[str, WriteCalls] = {
    "Qwen, Hermes": _each(lambda call: f"<tool_call>\n{_object(call)}\n</tool_call>"),
    "Qwen 3.5, Nemotron": _each(lambda call: f"<tool_call>\n{_qwen_coder(call)}\n</tool_call>"),
    "Seed": _each(lambda call: f"<seed:tool_call>{_qwen_coder(call)}</seed:tool_call>"),
    "GLM": _each(_glm),
    "Mistral": lambda calls: f"[TOOL_CALLS] [{', '.join(map(_object, calls))}]</s>",
    "Mistral 3": _each(lambda call: f"[TOOL_CALLS]{call.name}[ARGS]{_arguments(call)}", ""),
    "Llama": lambda calls: "<|python_tag|>" + "; ".join(_object(call, "parameters") for call in calls),
    "Llama, tags": _each(lambda call: f"<function={call.name}>{_arguments(call)}</function>", ""),
    "Llama 4": lambda calls: f"<|python_start|>[{', '.join(map(render_call, calls))}]<|python_end|>",
    "LFM": lambda calls: f"<|tool_call_start|>[{', '.join(map(render_call, calls))}]<|tool_call_end|>",
    "Phi-4-mini": lambda calls: f"functools[{', '.join(map(_object, calls))}]",
    "Granite": lambda calls: f"<|tool_call|>[{', '.join(map(_object, calls))}]",
    "MiniMax-M1": lambda calls: "<tool_calls>\n" + "\n".join(map(_object, calls)) + "\n</tool_calls>",
    "MiniMax-M2": lambda calls: "<minimax:tool_call>\n" + "\n".join(map(_invoke, calls)) + "\n</minimax:tool_call>",
    "DeepSeek V3": lambda calls: (
        "<｜tool▁calls▁begin｜>" + "\n".join(map(_deepseek, calls)) + "<｜tool▁calls▁end｜><｜end▁of▁sentence｜>"
    ),
    "DeepSeek V3.1": lambda calls: (
        "<｜tool▁calls▁begin｜>"
        + "".join(
            f"<｜tool▁call▁begin｜>{call.name}<｜tool▁sep｜>{_arguments(call)}<｜tool▁call▁end｜>" for call in calls
        )
        + "<｜tool▁calls▁end｜>"
    ),
    "DeepSeek V3.2": lambda calls: (
        "<｜DSML｜function_calls>\n"
        + "\n".join(_invoke(call, "｜DSML｜") for call in calls)
        + "\n</｜DSML｜function_calls>"
    ),
    "Gemma 4": _each(lambda call: "<|tool_call>" + _gemma(call, '<|"|>') + "<tool_call|>", ""),
    "FunctionGemma": _each(lambda call: f"<start_function_call>{_gemma(call, '<escape>')}<end_function_call>", ""),
    "Kimi": lambda calls: (
        "<|tool_calls_section_begin|>"
        + "".join(
            f"<|tool_call_begin|>functions.{call.name}:{index}<|tool_call_argument_begin|>{_arguments(call)}"
            "<|tool_call_end|>"
            for index, call in enumerate(calls)
        )
        + "<|tool_calls_section_end|>"
    ),
    "harmony": _each(
        lambda call: (
            f"<|channel|>commentary to=functions.{call.name} <|constrain|>json<|message|>{_arguments(call)}<|call|>"
        ),
        "<|start|>assistant",
    ),
    "ReAct": _each(lambda call: f"Action: {call.name}\nAction Input: {_arguments(call)}"),
    "a JSON list": lambda calls: f"[{', '.join(map(_object, calls))}]",
    "JSON lines": _each(_object),
    "tool_calls": lambda calls: f'{{"tool_calls": [{", ".join(map(_object, calls))}]}}',
    "a Python list": lambda calls: f"[{', '.join(map(render_call, calls))}]",
    "Python lines": _each(render_call),
    "a code block": lambda calls: "```python\n" + "\n".join(map(render_call, calls)) + "\n```",
}
"""By series of models, a function that writes calls as the text of a reply."""
