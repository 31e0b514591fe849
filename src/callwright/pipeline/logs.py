"""What a process of Callwright writes to stderr.

All notes, warnings and errors go through the logger `callwright` and its one handler, which redacts them and escapes
control characters. Results go to stdout. Only `callwright.progress` draws on the terminal by itself.
"""

import logging
import os
import sys
import warnings
from types import TracebackType

from callwright.redaction import redacted
from callwright.text import escape_controls, one_line

log = logging.getLogger("callwright")


class _RedactingFormatter(logging.Formatter):
    """One redacted, escaped line per record. A record with an exception becomes its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info:
            return escape_controls(redacted(self.formatException(record.exc_info)))
        return one_line(redacted(record.getMessage()))


class _StderrHandler(logging.Handler):
    """Writes to the current `sys.stderr`, which may be replaced after the handler was created."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)


def log_to_stderr() -> None:
    """Write the logger's records to stderr, and in a stage the traceback of an uncaught exception. Call it freely."""
    if not any(isinstance(handler, _StderrHandler) for handler in log.handlers):
        handler = _StderrHandler()
        handler.setFormatter(_RedactingFormatter())
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    sys.excepthook = log_uncaught_exception


def log_uncaught_exception(
    error_type: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """An excepthook that shows a traceback without the secrets that a library may have put into a message."""
    log.critical("uncaught exception", exc_info=(error_type, error, traceback))


def quiet_libraries() -> None:
    """Silence logs, warnings and progress bars of third-party libraries."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("MLFLOW_DISABLE_AGENT_HINT", "1")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")  # mlflow sets its loggers' levels when it is imported
    os.environ.setdefault("TQDM_DISABLE", "1")  # `callwright.progress` shows what a stage does
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    for library in ("httpx2", "httpx", "alembic", "great_expectations", "mlflow"):
        logging.getLogger(library).setLevel(logging.WARNING)
