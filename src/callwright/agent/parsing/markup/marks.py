"""The marks that models put before, after and around a call. One table for all series of models; no mark nests."""

import re

# Every pattern begins with a literal character, so that a search can skip all other characters quickly.
# Series of models spell the same mark with ASCII or full-width bars, and with "_" or "▁" between words.
_BAR, _SPACE = "[|｜]", "[_▁]"
_OPENINGS = (
    r"<tool_calls?>",  # Qwen, Hermes, GLM, Granite, Jamba, MiniMax-M1
    r"<\|tool_calls?\|?>",  # Gemma 4, Granite, Phi-4
    r"<\|tool_call_start\|>",  # LFM
    rf"<{_BAR}tool{_SPACE}calls?{_SPACE}begin{_BAR}>",  # DeepSeek, Kimi
    r"<\|tool_calls_section_begin\|>",  # Kimi
    r"<(?:minimax|seed):tool_call>",
    r"<function_calls>",
    rf"<{_BAR}DSML{_BAR}(?:function|tool)_calls>",  # DeepSeek V3.2 and later
    r"<start_function_call>",  # FunctionGemma
    r"\[TOOL_CALLS?\]",  # Mistral
    r"<\|python_(?:tag|start)\|>",  # Llama
    r"<\|action_start\|>\s?<\|plugin\|>",  # InternLM
    r"functools(?=\s?\[)",  # Phi-4-mini
    r"<\|channel\|>commentary to=(?=[A-Za-z])",  # harmony
    r"commentary to=(?=[A-Za-z])",
    r"<\|start\|>assistant to=(?=[A-Za-z])",
)
_CALL_OPENINGS = rf"<function(?:=|\sname=)|<(?:{_BAR}DSML{_BAR})?invoke\sname="  # these marks are part of the call
_CLOSINGS = (
    r"</tool_calls?>",
    r"<tool_calls?\|>",
    r"<\|/tool_calls?\|>",
    r"<\|tool_call_end\|>",
    rf"<{_BAR}tool{_SPACE}calls?{_SPACE}end{_BAR}>",
    r"<\|tool_calls_section_end\|>",
    r"</(?:minimax|seed):tool_call>",
    r"</function_calls>",
    rf"</{_BAR}DSML{_BAR}\w{{1,20}}>",
    r"<end_function_call>",
    r"\[/TOOL_CALLS?\]",
    r"<\|python_end\|>",
    r"<\|action_end\|>",
    r"</(?:function|invoke|parameter|arg_key|arg_value)>",
)
_SPECIAL_TOKENS = (
    r"<\|(?:call|end|return|message|im_end|eot_id|eom_id|end_of_text|endoftext|tool_response)\|?>",
    r"<\|start\|>(?:assistant)?",
    r"<\|start_header_id\|>assistant<\|end_header_id\|>",  # Llama
    r"<\|im_start\|>assistant(?=\n|$)",  # Qwen
    r"<\|channel\|>(?:analysis|commentary(?! to=)|final)?",
    rf"<{_BAR}end{_SPACE}of{_SPACE}sentence{_BAR}>",
    r"</s>",
    r"<end_of_turn>|<turn\|>",
    r"<start_function_response>",
)

OPENING = re.compile("|".join((*_OPENINGS, _CALL_OPENINGS)))
CLOSING = re.compile("|".join((*_CLOSINGS, *_SPECIAL_TOKENS)))
BEFORE_CALL = re.compile(
    rf"(?>(?:{'|'.join(_OPENINGS)}|[\s,;\[]|```\w{{0,10}}|function<{_BAR}tool{_SPACE}sep{_BAR}>)*)"
)
AFTER_CALL = re.compile(rf"(?>(?:[\s\]]|```(?!\w)|{'|'.join((*_CLOSINGS, *_SPECIAL_TOKENS))})*)")
BEFORE_ARGUMENTS = re.compile(
    r"(?>(?:\s|\[ARGS\]|\[CALL_ID\]\w{1,64}|```\w{0,10}|json\b|<\|constrain\|>|<\|channel\|>commentary|<\|message\|>"
    rf"|<{_BAR}tool{_SPACE}sep{_BAR}>|<\|tool_call_argument_begin\|>)*)"
)
MARK = re.compile("|".join((*_OPENINGS, *_CLOSINGS, *_SPECIAL_TOKENS)))


def remove_marks(text: str) -> str:
    """Remove all marks from a text, and the blank space that this leaves at its ends.

    >>> remove_marks("<|channel|>analysis<|message|>Two and three.<|end|>\\n</tool_call>")
    'Two and three.'
    """
    return MARK.sub("", text).strip() if "<" in text or "[" in text else text


def end_of_match(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Where a match of the pattern at `position` ends; `position` if the pattern does not match there."""
    match = pattern.match(text, position)
    return match.end() if match else position
