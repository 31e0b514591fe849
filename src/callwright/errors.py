"""The errors that cross a boundary. A model's mistake is returned as a value (CallError); other errors are raised."""


class CallwrightError(Exception):
    """One line for the user: what is wrong, where, and what to do."""


class ParamsError(CallwrightError):
    """params.yaml, a preset or a command's arguments are invalid."""


class DataError(CallwrightError):
    """A data file is missing, malformed or unusable."""


class ProviderError(CallwrightError):
    """A model could not be reached or did not answer. It fails the current attempt only; it is never a reply.

    Args:
        reason: a word or two by which failures are counted, such as `timeout` or `too long`.
    """

    def __init__(self, message: str, reason: str = "no answer") -> None:
        super().__init__(message)
        self.reason = reason


class EndpointUnusableError(ProviderError):
    """Every attempt would fail (a wrong key, an unknown model), so the rollout stops immediately."""


class GateError(CallwrightError):
    """A promotion failed for a technical reason, not because of the gate's decision."""


class CallError(Exception):
    """A call that could not be parsed or executed: the model's mistake, so the model is shown it, and it is recorded.

    A function raises it; parsers and toolboxes return it.

    Args:
        fault: one of `callwright.records.STEP_FAULTS`.
        message: one line: what is wrong, and what the call should look like.
    """

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message


class RowError(ValueError):
    """A row that cannot become a problem.

    Args:
        reason: short, without text from the row, so that it can be counted.
        detail: the exact cause in this row.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
