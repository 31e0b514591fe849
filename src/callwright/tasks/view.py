"""Views: a task's toolbox as a prompt shows it: with other names, in another order, with other descriptions and so on.

A view applies where steps are rendered and replies are read. Chains are stored under the true names, so replaying,
grading, trees and pairs never see a view, and a chain can be shown again in any other view.

The renaming of a view is a permutation: a path of renamed names is closed to a cycle. So every name that a model can
write has exactly one true counterpart. If `add` is shown as `lift`, a model that still writes `add` is recorded with
the unknown name `lift`, and replaying its chain refuses the call as the agent did.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from callwright.errors import CallError
from callwright.functions.function import Function, render_call
from callwright.functions.literal import resolve_function_name
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Call, Step
from callwright.tasks.mentions import replace_mentions
from callwright.tasks.renaming import NOT_SHOWN, Renaming, not_shown

CACHE_SIZE = 2_048  # views of one training


@dataclass(frozen=True, slots=True)
class View:
    """How a prompt shows a task's functions. The default shows them as they are.

    Attributes:
        key: what a chain keeps of the view; empty for the plain view.
        functions: true names of the functions that are shown, in order; they may include needless ones
            (`Toolbox.needless`). Empty: the task's functions in its order.
        names: true name -> shown name. A function that is not in it keeps its name, and so does `answer`.
        parameters: true name of a function -> parameter -> shown parameter.
        descriptions: true name of a function -> shown description.
        stand_ins: true name of a function that is not shown -> of the one that the instructions name in its place.
    """

    key: str = ""
    functions: tuple[str, ...] = field(default=(), hash=False)
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    descriptions: Mapping[str, str] = field(default_factory=dict, hash=False)
    stand_ins: Mapping[str, str] = field(default_factory=dict, hash=False)

    def show(self, toolbox: Toolbox) -> Toolbox:
        """A task's toolbox as the prompt shows it.

        Raises:
            ValueError: the view shows a function that does not exist, shows two functions, or two parameters of one,
                under the same name, or lacks `answer`.
        """
        return _show(self, toolbox).toolbox

    def show_instructions(self, instructions: str, words: Collection[str] = ()) -> str:
        """A task's instructions, which may mention functions: in backquotes, before a bracket, or as no English word.

        Args:
            words: further functions that they mention (`Task.named_in_instructions`).
        """
        in_place = {missing: self.names.get(name, name) for missing, name in self.stand_ins.items()}
        return replace_mentions({**self.names, **in_place}, words=words)(instructions)

    def show_call(self, call: Call, toolbox: Toolbox) -> Call:
        """A call under the shown names."""
        return _show(self, toolbox).names.show(call)

    def read_call(self, call: Call, toolbox: Toolbox) -> Call:
        """A call as a model wrote it, under the true names. Markup around the function's name is removed."""
        shown = _show(self, toolbox)
        name = resolve_function_name(call.name, shown.readable_names)
        return shown.names.read(replace(call, name=name))

    def read_text(self, text: str, toolbox: Toolbox) -> str:
        """An unreadable reply with the true names of the functions that it calls."""
        return _show(self, toolbox).names.read_text(text)

    def read_error(self, error: CallError, text: str, toolbox: Toolbox) -> CallError:
        """The parser's error of an unreadable reply, with the true names of what it names.

        Args:
            text: the reply as the model wrote it.
        """
        return CallError(error.fault, _show(self, toolbox).names.read_syntax_error(error.message, text))

    def show_step(self, step: Step, toolbox: Toolbox) -> Step:
        """A step under the shown names, with the error line that a model reads in this view."""
        shown = _show(self, toolbox)
        if shown.is_plain and not _mentions_hidden(step):
            return step
        call = shown.names.show(step.call) if step.call else None
        thought = shown.names.show_text(step.thought)
        error = replace(step.error, message=shown.error_message(step, call)) if step.error else None
        return replace(step, thought=thought, call=call, error=error)


PLAIN = View()


def _mentions_hidden(step: Step) -> bool:
    """Whether a step was stored with the mark of a function that its view did not show."""
    texts = (step.thought, step.call.name if step.call else "", step.error.message if step.error else "")
    return any(NOT_SHOWN in text for text in texts)


@dataclass(frozen=True, slots=True)
class _ShownToolbox:
    """What a view makes of a toolbox.

    Attributes:
        true_toolbox: under the true names.
        toolbox: as the prompt describes it.
        readable_names: names that a model may write with markup around them.
    """

    is_plain: bool
    true_toolbox: Toolbox
    toolbox: Toolbox
    names: Renaming
    readable_names: frozenset[str]

    def error_message(self, step: Step, shown_call: Call | None) -> str:
        """A step's error line in the view: the toolbox's errors are written anew, in others the names are replaced."""
        assert step.error is not None
        message = step.error.message
        if step.error.fault == "syntax" or shown_call is None:
            return self._with_shown_example(self.names.show_syntax_error(message, step.thought))
        if step.error.fault == "unknown_function":
            return self.toolbox.unknown_function_error(shown_call.name).message
        function = self.toolbox.functions.get(shown_call.name)
        if function is not None and step.error.fault == "bad_arguments":
            bound = function.name_arguments(shown_call)
            bound = bound if isinstance(bound, CallError) else function.bind(bound)
            if isinstance(bound, CallError):
                return bound.message
        return self.names.show_text(message)

    def _with_shown_example(self, message: str) -> str:
        """A syntax error with the example of the first function that is shown; see `with_toolbox_example`."""
        true, shown = _first_function(self.true_toolbox), _first_function(self.toolbox)
        for old, new in (
            (render_call(Call(true.name, true.example)), render_call(Call(shown.name, shown.example))),
            (json.dumps(true.example, ensure_ascii=False), json.dumps(shown.example, ensure_ascii=False)),
        ):
            if message.endswith(old):
                return message.removesuffix(old) + new
            message = message.replace(f"like {old}", f"like {new}", 1)
        return message


def _first_function(toolbox: Toolbox) -> Function:
    return next((function for name, function in toolbox.functions.items() if name != ANSWER), toolbox.functions[ANSWER])


@lru_cache(maxsize=CACHE_SIZE)
def _show(view: View, true: Toolbox) -> _ShownToolbox:
    true_names = view.functions or tuple(true.functions)
    show_description = replace_mentions(view.names)
    functions = []
    for name in true_names:
        function = true.find(name)
        if function is None:
            raise ValueError(f"the view {view.key} shows {name}, which is no function of the toolbox")
        description = show_description(view.descriptions.get(name) or function.description)
        functions.append(function.shown(view.names.get(name, name), description, view.parameters.get(name)))
    is_plain = view == replace(PLAIN, key=view.key)
    toolbox = true if is_plain else true.with_shown(functions)
    hidden = [name for name in (*true.functions, *true.needless) if name not in true_names]
    names = {name: view.names.get(name, name) for name in true_names}
    names |= {name: not_shown(name) for name in hidden}
    return _ShownToolbox(
        is_plain=is_plain,
        true_toolbox=true,
        toolbox=toolbox,
        names=Renaming(names, view.parameters),
        readable_names=frozenset((*toolbox.functions, *true.functions, *true.needless)),
    )
