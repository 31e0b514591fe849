"""A base of a few thousand parameters with a real tokenizer, built once per test session."""

from pathlib import Path

import pytest

from callwright.params import EmbeddedParams, TaskShares
from callwright.standins.embedded.build import build_embedded_student
from callwright.tasks import TASKS

RECIPE = EmbeddedParams(
    hidden=32,
    layers=2,
    heads=2,
    vocabulary=420,
    demonstrations=120,
    tasks=TaskShares(arithmetic=0.5, translation=0.25, entailment=0.25),
    careless_share=0.5,
    steps=12,
    careless_steps=6,
    prompt_steps=3,
    batch_size=12,
    learning_rate=0.02,
    question_weight=0.1,
    copy_weight=4.0,
)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "model"
    build_embedded_student(folder, RECIPE, TASKS, seed=3)
    return folder
