"""A base of a few thousand parameters with a real tokenizer, written once per test session."""

from pathlib import Path

import pytest

from tests.tiny_student import write_tiny_student


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "model"
    write_tiny_student(folder)
    return folder
