"""The command line of the builder."""

import sys
from pathlib import Path

import pytest

from callwright.standins.embedded.build import main


@pytest.mark.parametrize("option", ["--minutes", "--steps", "--threads"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "many"])
def test_a_length_that_is_not_above_0_is_refused_before_anything_is_drawn(
    option: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["build", str(tmp_path / "student"), f"{option}={value}"])
    with pytest.raises(SystemExit):
        main()
    kind = "number" if option == "--minutes" else "whole number"
    assert f"error: argument {option}: {value} is not a {kind} above 0" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
