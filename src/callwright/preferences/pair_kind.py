"""The kind of a pair: what is wrong with its rejected step."""

from collections.abc import Sequence

from callwright.agent.loop import ends_chain
from callwright.functions.toolbox import Toolbox
from callwright.preferences.tree import step_key
from callwright.records import Step
from callwright.validation.execution import execute_again, returned_texts


def pair_kind(best: Step, rejected: Step, path: Sequence[Step], toolbox: Toolbox, *, leads_to_correct: bool) -> str:
    """The kind of a pair that prefers `best` to `rejected` after the steps of `path`.

    Args:
        leads_to_correct: whether a correct chain goes through `rejected`.

    Returns:
        The fault of a failed step (one of `STEP_FAULTS`), or one of:
        `repeated_call`: the call is in `path` already;
        `ungrounded_answer`, `wrong_answer`: an answer that no call of `path` returned, or that one returned;
        `needless_call`: a call where `best` answers;
        `detour`, `wrong_call`: another call, through which a correct chain goes, or none does.
    """
    if rejected.error:
        return rejected.error.fault
    if step_key(rejected, toolbox) in {step_key(earlier, toolbox) for earlier in path}:
        return "repeated_call"
    if ends_chain(rejected):
        grounded = rejected.observation in set(returned_texts(path, execute_again(path, toolbox).values))
        return "wrong_answer" if grounded else "ungrounded_answer"
    if ends_chain(best):
        return "needless_call"
    return "detour" if leads_to_correct else "wrong_call"
