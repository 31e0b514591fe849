"""The errors that cross a boundary. A model's mistake is a value (CallError is returned); ours are raised."""


class CallwrightError(Exception):
    """One clear line for the person who runs Callwright: what, where, what to do."""


class ParamsError(CallwrightError):
    """params.yaml says something that cannot be meant."""


class DataError(CallwrightError):
    """A data file is missing, malformed, or not fit to go on with."""


class ProviderError(CallwrightError):
    """A model could not be reached or did not answer; never a reply. It costs the one attempt that met it.

    Args:
        reason: a word or two under which failures are counted, such as `timeout` or `too long`.
    """

    def __init__(self, message: str, reason: str = "no answer") -> None:
        super().__init__(message)
        self.reason = reason


class EndpointUnusableError(ProviderError):
    """No attempt can succeed (a wrong key, an unknown model): the rollout stops at once."""


class GateError(CallwrightError):
    """A model could not be promoted for a reason that is not the gate's own verdict."""


class CallError(Exception):
    """A call that could not be read or executed: the model's mistake, so it is fed back and recorded.

    A function raises it; parsers and toolboxes return it.

    Args:
        fault: one of `callwright.records.STEP_FAULTS`.
        message: one line that says what was wrong and how the call should look.
    """

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message


class RowError(ValueError):
    """A row that cannot become a problem.

    Args:
        reason: short, without anything of the row itself, so that it can be counted.
        detail: what exactly is wrong with this row.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
