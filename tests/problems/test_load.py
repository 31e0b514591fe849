import json
from pathlib import Path

import pytest

from callwright.agent.parse import parse_call
from callwright.errors import DataError
from callwright.params import Params, ProblemsParams
from callwright.problems.load import load_problems

SHIPPED = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def own(tmp_path: Path) -> ProblemsParams:
    """Params of a file with ten problems that share 14 words in a row; two of them, by their shares, go to test."""
    alike = "The late train rides along the sea and through nine hills before it stops"
    rows = [{"question": f"{alike} at platform {number}. Which platform?", "answer": number} for number in range(10)]
    path = tmp_path / "own.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return Params.load(SHIPPED).problems.model_copy(update={"source": "jsonl", "path": str(path)})


def test_splits_that_decontamination_emptied_are_named_with_the_reason(own: ProblemsParams):
    with pytest.raises(DataError) as caught:
        load_problems(own, 7, parse_call)
    assert str(caught.value).startswith(
        "problems: no problem in split train, dev; 8 left out: shares a run of words with a test question; give the"
    )
