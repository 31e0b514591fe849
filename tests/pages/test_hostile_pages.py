"""Every page that the pipeline writes, of records that would like to run a script, opened in a real browser."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from callwright.records import CheckedChain, Pair, Step, StepError, StepFault, Verdict
from callwright.reporting.data_docs import write_checks
from callwright.reporting.drawing import plots
from callwright.reporting.samples import write_samples
from callwright.validation.suites import expectations
from callwright.validation.suites.suite import Suites
from tests.fakes import chain, problem
from tests.pages.browser import PAYLOADS, opened, ran
from tests.reporting import pages
from tests.working_tree import ROOT

pytestmark = pytest.mark.slow


def report(folder: Path) -> None:
    """Hostile wherever the report shows a text: names, reasons, checks, transcripts."""
    text = " ".join(PAYLOADS)
    measured = pages.metrics(tuple(PAYLOADS))
    measured["faults"]["student"] |= dict.fromkeys(PAYLOADS, 3)
    measured["robustness"]["student"] |= dict.fromkeys(PAYLOADS, measured["robustness"]["student"]["names"])
    failed = pages.check("critical", False) | dict.fromkeys(("suite", "column", "says", "observed"), text)
    decision = {"decision": "refused", "reasons": list(PAYLOADS), "model": text, "version": text, "aliases": [text]}
    quality = {"chains": {"in": 1, "kept": 1, "quarantined": 0}, "correct": {text: 0.5}, "checks": [failed]}
    shown = replace(pages.transcript(text), title=text, problem_id=text, task=text)
    pages.page(
        folder,
        metrics=measured,
        decision=decision,
        quality=quality,
        rollout={one: pages.rollout(1.0) for one in PAYLOADS},
        transcripts=[shown, *map(pages.transcript, PAYLOADS)],
    )


def charts(folder: Path) -> None:
    for name, drawn in plots(pages.metrics(tuple(PAYLOADS))).items():
        (folder / f"{name}.svg").write_text(drawn)
        (folder / f"{name}.html").write_text(f"<html><body>{drawn}")


def samples(folder: Path) -> None:
    asked = {one: replace(problem(question=one, answer=one), id=one, task=one) for one in PAYLOADS}
    chains, pairs = [], []
    for one in PAYLOADS:
        steps = (Step(one, None, StepError("syntax", one), None), Step(one, None, None, one))
        made = replace(chain(*steps, problem_id=one, model=one), id=one, outcome=one, answer=one)
        chains.append(CheckedChain(made, Verdict(one, False, (StepFault(one, 0, one),), 0)))
        sides = [({"role": role, "content": one},) for role in (one, "assistant", "assistant")]
        pairs.append(Pair(one, one, *sides, (), 0.5, one))
    write_samples(folder / "samples.html", chains, pairs, asked)


def data_docs(folder: Path) -> None:
    """Great Expectations' own pages, and ours beside them, of checks that all fail."""
    ids = [one.replace("\ud800", "") for one in PAYLOADS]  # a line with half a character is put aside before
    frame = pd.DataFrame({"id": ids, "task": ids, "n": range(len(ids))})
    suites = Suites(folder)
    expected = [expectations.one_of("task", [f"not {one}"], one) for one in PAYLOADS]
    expected += [
        expectations.empty("task", "nothing is wrong"),
        expectations.near("task", {ids[0]: 0.9, ids[1]: 0.1}, 0.01, "tasks stay as they were"),
        expectations.between("n", 100, None, "numbers are large"),
    ]
    checks = suites.run(frame, "lines", expected)
    write_checks(folder, suites)
    assert not any(check.success for check in checks)
    assert {row for check in checks for row in check.rows} == set(ids), "they are named as they were"


@pytest.mark.parametrize("make", [report, charts, samples, data_docs], ids=lambda make: make.__name__)
def test_no_page_runs_what_stands_in_the_records(make: Callable[[Path], None], tmp_path: Path):
    site = tmp_path / "site"
    site.mkdir()
    make(site)
    written = sorted(path for path in site.rglob("*") if path.suffix in (".html", ".svg"))
    assert written
    for path in written:
        document = opened(path, tmp_path / "profile")
        assert not ran(document), path
        assert '<img src="x"' not in document, path


@pytest.mark.parametrize("payload", PAYLOADS[:2] + PAYLOADS[3:5])
def test_a_payload_that_is_not_escaped_does_run(payload: str, tmp_path: Path):
    """So the test above can fail."""
    (tmp_path / "raw.html").write_text(f"<html><body><p>{payload}</p>")
    assert ran(opened(tmp_path / "raw.html", tmp_path / "profile"))


@pytest.mark.parametrize(("ci", "outcome"), [("true", "failed"), ("", "skipped")])
def test_a_browser_that_is_missing_fails_in_ci_and_is_skipped_elsewhere(ci: str, outcome: str, tmp_path: Path):
    """This file's own test in a process whose PATH has no browser."""
    name = f"{__file__}::{test_a_payload_that_is_not_escaped_does_run.__name__}"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", name]
    environment = {**os.environ, "PATH": str(tmp_path), "CI": ci}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert f"4 {outcome}" in done.stdout, done.stdout[-2_000:]
