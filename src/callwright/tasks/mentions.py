"""Where a text names functions and their parameters, and how they are replaced there.

What a text only quotes is data: in `find(text="find")` and `The word is "find".` the quoted word stays. A name in
quotes is a function's only as the value of a JSON key such as "name".
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from callwright.functions.literal import NAMESPACES

NAMESPACE = rf"(?:{'|'.join(map(re.escape, NAMESPACES))})??"
_QUOTE, _END_QUOTE = "[\"'“‘]", "[\"'”’]"
_CALLED = {
    "python": rf"(?<![\w.]){NAMESPACE}NAME(?=\()",
    "json": rf"{_QUOTE}(?:name|function|tool|action|function_name|tool_name){_END_QUOTE}\s{{0,20}}:\s{{0,20}}"
    rf"{_QUOTE}{NAMESPACE}NAME(?=[\"'”’:<])",
    "react": rf"\bAction\s?[0-9]{{0,3}}\s?:[ \t*`\"']{{0,20}}{NAMESPACE}NAME(?=[ \t*`\"']{{0,20}}\n)",
    "tag": rf"<(?:[|｜]DSML[|｜])?(?:function|invoke)(?:=|\sname=)[\"']?{NAMESPACE}NAME(?!\w|\.\w)",
    "mark": r"(?:tool_calls?\|?>\s{0,2}|\[TOOL_CALLS?\]\s?|(?:begin|sep)[|｜]>|\bto=|\bcall:)"
    rf"{NAMESPACE}NAME(?!\w|\.\w)",
    "quoted": rf"(?<=`){NAMESPACE}NAME(?=`)",
}
"""Where a text calls a function: in the notations that `callwright.agent.parsing` reads, or in backquotes."""

_WORD = rf"(?<![\w.\"'“‘]){NAMESPACE}NAME(?!\w|\.\w)"
"""A whole word that is not quoted. `geometry.area` is one word."""

_STRING = r"""\"(?>(?:[^"\\\n]|\\.)*)\"|'(?>(?:[^'\\\n]|\\.)*)'"""
_ARGUMENT = {
    "json": rf"{_QUOTE}NAME(?={_END_QUOTE}\s{{0,20}}:)",
    "string": rf"(?<!\w)(?>{_STRING})",  # data, which may look like an argument
    "python": r"(?<![\w.])NAME(?=\s{0,20}=(?!=))",
    "tag": r"<(?:[|｜]DSML[|｜])?parameter(?:=|\sname=)[\"']?NAME(?=[\"'\s>])",
    "key": r"<arg_key>NAME(?=<)",
}
"""Where a call names an argument."""

_TOKEN = re.compile(rf"(?>{_STRING})|(?P<open>[(\[{{])|(?P<close>[)\]}}])")
_END_TAG = re.compile(r"</(?:function|invoke|tool_call)>")


def is_no_word(name: str) -> bool:
    """Whether a name cannot be a word of a sentence.

    >>> is_no_word("percent_of"), is_no_word("room.area"), is_no_word("add")
    (True, True, False)
    """
    return "_" in name or "." in name


def replace_mentions(
    names: Mapping[str, str],
    parameters: Mapping[str, Mapping[str, str]] | None = None,
    words: Iterable[str] = (),
    quote_words: bool = False,
) -> Callable[[str], str]:
    """A function that replaces names where a text calls them, and elsewhere those that are no English word.

    Args:
        names: name in the text -> its new name. Names that stay are needed for their parameters alone.
        parameters: function, as the text names it -> parameter -> its new name.
        words: names that are replaced wherever they are whole words, although they may be English words.
        quote_words: whether a name that is no word gets backquotes where its new name is a word: without them that word
            would not be recognised as a function later.
    """
    templates: dict[str, tuple[str, Iterable[str]]] = {kind: (template, names) for kind, template in _CALLED.items()}
    templates["word"] = (_WORD, [name for name in names if is_no_word(name) or name in words])
    replaced = {function: renamed for function, renamed in (parameters or {}).items() if renamed}
    quote = "`{}`" if quote_words else "{}"
    if not replaced:
        return _replace({name: new for name, new in names.items() if name != new}, templates, quote)
    return _CallReplacer(names, templates, quote, replaced).replace


def replace_in(templates: Sequence[str], names: Mapping[str, str]) -> Callable[[str], str]:
    """A function that replaces names in a text where a template matches.

    Args:
        templates: regular expressions that end with NAME, which stands for a name, before what follows it.
    """
    return _replace(names, {f"kind_{number}": (template, names) for number, template in enumerate(templates)}, "{}")


def called_functions(names: Iterable[str]) -> Callable[[str], list[str]]:
    """A function that lists the functions that a text calls, in order."""
    pattern = _compile({kind: (template, names) for kind, template in _CALLED.items()})
    return lambda text: [_named(match)[1] for match in pattern.finditer(text)] if pattern else []


Templates = Mapping[str, tuple[str, Iterable[str]]]
"""Kind -> a regular expression in which NAME stands for a name, and the names that count there."""


def _compile(templates: Templates) -> re.Pattern[str] | None:
    """One pattern for all templates; None if there are no names."""
    patterns = []
    for kind, (template, names) in templates.items():
        alternatives = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        if alternatives:
            patterns.append(template.replace("NAME", f"(?P<{kind}>{alternatives})"))
    return re.compile("|".join(patterns), re.MULTILINE) if patterns else None


def _named(match: re.Match[str]) -> tuple[str, str, str]:
    """The kind of a match, the name in it, and what was matched before the name."""
    kind = match.lastgroup or ""
    name = match[kind]
    return kind, name, match[0].removesuffix(name)


def _replace(names: Mapping[str, str], templates: Templates, quote: str) -> Callable[[str], str]:
    pattern = _compile(
        {kind: (template, [name for name in of if name in names]) for kind, (template, of) in templates.items()}
    )
    if pattern is None:
        return keep
    return lambda text: pattern.sub(lambda match: _new(match, names, quote), text)


def _new(match: re.Match[str], names: Mapping[str, str], quote: str) -> str:
    kind, name, before = _named(match)
    new = names[name]
    needs_quotes = kind == "word" and new != name and not is_no_word(new)
    return before + (quote.format(new) if needs_quotes else new)


def _replace_arguments(parameters: Mapping[str, str]) -> Callable[[str], str]:
    pattern = _compile({kind: (template, parameters) for kind, template in _ARGUMENT.items()})

    def new(match: re.Match[str]) -> str:
        if match.lastgroup is None:
            return match[0]
        _, name, before = _named(match)
        return before + parameters[name]

    return keep if pattern is None else lambda text: pattern.sub(new, text)


def keep(text: str) -> str:
    """The text as it is."""
    return text


@dataclass(frozen=True, slots=True)
class _OpenCall:
    """A call in whose arguments the text is.

    Attributes:
        end: index after its closing bracket; of the text, if the bracket is missing.
    """

    end: int
    is_closed: bool
    kind: str
    replace_arguments: Callable[[str], str]


class _CallReplacer:
    """Replaces names of functions, and between a call's brackets the names of its arguments."""

    def __init__(
        self, names: Mapping[str, str], templates: Templates, quote: str, parameters: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._names, self._quote = names, quote
        self._pattern = _compile(templates)
        self._replace_arguments = {function: _replace_arguments(renamed) for function, renamed in parameters.items()}

    def replace(self, text: str) -> str:
        matches = list(self._pattern.finditer(text)) if self._pattern else []
        calls = [(match, *_named(match)[:2]) for match in matches]
        ends = _ends_of_calls(text, [(match.end(), kind) for match, kind, _ in calls if kind not in ("quoted", "word")])
        parts: list[str] = []
        position = 0
        open_calls = [_OpenCall(len(text), False, "", keep)]
        for match, kind, name in calls:
            closed, position = _close_calls(text, position, match.start(), open_calls)
            parts += closed
            innermost = open_calls[-1]
            if innermost.is_closed and innermost.kind == kind == "json":
                continue  # an argument of a JSON call is data, even if its key is "name"
            before = innermost.replace_arguments(text[position : match.start()])
            parts += [before, _new(match, self._names, self._quote)]
            position = match.end() if kind in ("python", "quoted", "word") else _skip_quote(text, match.end())
            parts.append(text[match.end() : position])
            if kind in ("quoted", "word"):
                continue
            arguments = self._replace_arguments.get(name, keep)
            if (end := ends.get(match.end())) is not None:
                open_calls.append(_OpenCall(end, True, kind, arguments))
            elif not innermost.is_closed:
                open_calls[-1] = _OpenCall(innermost.end, False, kind, arguments)
        closed, position = _close_calls(text, position, len(text), open_calls)
        return "".join([*parts, *closed, open_calls[-1].replace_arguments(text[position:])])


def _close_calls(text: str, position: int, until: int, open_calls: list[_OpenCall]) -> tuple[list[str], int]:
    """Remove the calls that end before an index: the rest of each, and where the last one ends."""
    rests = []
    while open_calls[-1].is_closed and open_calls[-1].end <= until:
        call = open_calls.pop()
        rests.append(call.replace_arguments(text[position : call.end]))
        position = call.end
    return rests, position


def _ends_of_calls(text: str, calls: Iterable[tuple[int, str]]) -> dict[int, int]:
    """End of a call's name -> index after the call's closing bracket or tag, if it has one. One pass over the text."""
    ends: dict[int, int] = {}
    scanned = 0
    for name_end, kind in calls:
        if kind in ("tag", "mark"):
            if tag := _END_TAG.search(text, name_end, name_end + 4_000):
                ends[name_end] = tag.start()
            continue
        if name_end < scanned:
            continue
        start = name_end if kind == "python" else _skip_quote(text, name_end)
        openings: list[int] = []
        for token in _TOKEN.finditer(text, start):
            scanned = token.end()
            if token["open"]:
                openings.append(token.start() if openings else name_end)
            elif token["close"]:
                if openings:
                    ends[openings.pop()] = token.end()
                if not openings:
                    break
        else:
            scanned = len(text)
    return ends


def _skip_quote(text: str, index: int) -> int:
    return index + 1 if text[index : index + 1] in ('"', "'") else index
