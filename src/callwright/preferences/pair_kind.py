"""What is wrong with a rejected step: a fault, or a call that is wrong, needless, or a detour."""

from collections.abc import Sequence

from callwright.agent.loop import ends_chain
from callwright.functions.toolbox import Toolbox
from callwright.preferences.tree import step_key
from callwright.records import Step
from callwright.validation.execution import execute_again, returned_texts


def pair_kind(best: Step, step: Step, path: Sequence[Step], toolbox: Toolbox, *, right: bool) -> str:
    """The kind of a pair that prefers `best` to `step` after the steps of `path`.

    Args:
        right: whether a correct chain goes through `step`.
    """
    if step.error:
        return step.error.fault
    if step_key(step, toolbox) in {step_key(earlier, toolbox) for earlier in path}:
        return "repeated_call"
    if ends_chain(step):
        grounded = step.observation in set(returned_texts(path, execute_again(path, toolbox).values))
        return "wrong_answer" if grounded else "ungrounded_answer"
    if ends_chain(best):
        return "needless_call"
    return "detour" if right else "wrong_call"
