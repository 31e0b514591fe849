"""The default params, and runs of the real Great Expectations on chain files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from callwright.params import Params, ValidateParams
from callwright.records import Chain
from callwright.storage import jsonl
from callwright.tasks import TASKS
from callwright.validation.quality import ValidationResult, validate_chains
from callwright.validation.suites.suite import Suites
from tests.fakes import problem
from tests.working_tree import ROOT

SHIPPED = Params.load(ROOT / "params.yaml").validate_  # the bounds in the project's params.yaml
PROBLEMS = {"p": problem(), "secret": problem(id="secret", question="Test?", split="test")}

RunValidation = Callable[..., ValidationResult]


def bounds(**changes: float) -> ValidateParams:
    """The bounds in the project's params.yaml, with changes."""
    return ValidateParams(**{**SHIPPED.model_dump(), **changes})


def line_of(chain: Chain | bytes) -> bytes:
    return chain if isinstance(chain, bytes) else jsonl.dumps(chain)


@pytest.fixture
def run_validation(tmp_path: Path) -> RunValidation:
    """Write chains or lines to a file and validate it; all runs of a test share one history."""

    def run(*chains: Chain | bytes, data_docs: Path | None = None, **changes: float) -> ValidationResult:
        path = tmp_path / "chains.jsonl"
        path.write_bytes(b"".join(line_of(chain) + b"\n" for chain in chains))
        suites = Suites(data_docs)
        history = tmp_path / "history.json"
        return validate_chains([path], PROBLEMS, TASKS, {"oracle", "base"}, bounds(**changes), suites, history)

    return run
