"""Every page that the pipeline writes, from records with scripts in them, opened in a real browser."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from callwright.records import CheckedChain, Step, StepError, StepFault, Verdict
from callwright.reporting.data_docs import write_checks
from callwright.reporting.render import render_plots
from callwright.reporting.samples import write_samples
from callwright.validation.suites import expectations
from callwright.validation.suites.suite import Suites
from tests.fakes import chain, pair, problem
from tests.pages.browser import PAYLOADS, open_page, payload_ran
from tests.reporting import report_fixtures
from tests.working_tree import ROOT

pytestmark = pytest.mark.slow


def report(folder: Path) -> None:
    """Hostile text in everything that the report shows: names, reasons, checks, transcripts."""
    text = " ".join(PAYLOADS)
    change = report_fixtures.change(0.75, 0.625)
    measured = report_fixtures.metrics(
        tuple(PAYLOADS),
        faults={"base": {}, "student": dict.fromkeys(PAYLOADS, 3)},
        robustness={"student": dict.fromkeys(PAYLOADS, change) | {"overall": change}},
    )
    failed = report_fixtures.check("critical", False, **dict.fromkeys(("suite", "column", "says", "observed"), text))
    pair = replace(report_fixtures.transcript(text), title=text, problem_id=text, task=text)
    report_fixtures.page(
        folder,
        metrics=measured,
        decision=report_fixtures.decision(*PAYLOADS, model=text, version=text, aliases=(text,)),
        quality=report_fixtures.quality(failed, model=text),
        transcripts=[pair, *map(report_fixtures.transcript, PAYLOADS)],
    )


def charts(folder: Path) -> None:
    for name, svg in render_plots(report_fixtures.metrics(tuple(PAYLOADS))).items():
        (folder / f"{name}.svg").write_text(svg)
        (folder / f"{name}.html").write_text(f"<html><body>{svg}")


def samples(folder: Path) -> None:
    problems = {text: replace(problem(question=text, answer=text), id=text, task=text) for text in PAYLOADS}
    chains, pairs = [], []
    for text in PAYLOADS:
        steps = (Step(text, None, StepError("syntax", text), None), Step(text, None, None, text))
        hostile = replace(chain(*steps, problem_id=text, model=text), id=text, outcome=text, answer=text)
        chains.append(CheckedChain(hostile, Verdict(text, False, (StepFault(text, 0, text),), 0)))
        sides = [({"role": role, "content": text},) for role in (text, "assistant", "assistant")]
        pairs.append(pair(text, sides[0], *sides[1:], margin=0.5, kind=text))
    write_samples(folder / "samples.html", chains, pairs, problems)


def data_docs(folder: Path) -> None:
    """Great Expectations' pages and Callwright's, for checks that all fail."""
    ids = [text.replace("\ud800", "") for text in PAYLOADS]  # lines with lone surrogates are quarantined before
    frame = pd.DataFrame({"id": ids, "task": ids, "n": range(len(ids))})
    suites = Suites(folder)
    expected = [expectations.one_of("task", [f"not {text}"], text) for text in PAYLOADS]
    expected += [
        expectations.empty("task", "nothing is wrong"),
        expectations.distribution_near("task", {ids[0]: 0.9, ids[1]: 0.1}, 0.01, "tasks stay as they were"),
        expectations.between("n", 100, None, "numbers are large"),
    ]
    checks = suites.run(frame, "lines", expected)
    write_checks(folder, suites)
    assert not any(check.success for check in checks)
    assert {row for check in checks for row in check.rows} == set(ids), "the ids are unchanged"


@pytest.mark.parametrize("make", [report, charts, samples, data_docs], ids=lambda make: make.__name__)
def test_no_page_runs_scripts_of_the_records(make: Callable[[Path], None], tmp_path: Path):
    site = tmp_path / "site"
    site.mkdir()
    make(site)
    files = sorted(path for path in site.rglob("*") if path.suffix in (".html", ".svg"))
    assert files
    for path in files:
        document = open_page(path, tmp_path / "profile")
        assert not payload_ran(document), path
        assert '<img src="x"' not in document, path


@pytest.mark.parametrize("payload", PAYLOADS[:2] + PAYLOADS[3:5])
def test_an_unescaped_payload_runs(payload: str, tmp_path: Path):
    """Shows that the test above can fail."""
    (tmp_path / "raw.html").write_text(f"<html><body><p>{payload}</p>")
    assert payload_ran(open_page(tmp_path / "raw.html", tmp_path / "profile"))


@pytest.mark.parametrize(("ci", "outcome"), [("true", "failed"), ("", "skipped")])
def test_a_missing_browser_fails_in_ci_and_is_skipped_elsewhere(ci: str, outcome: str, tmp_path: Path):
    """Run a test of this file in a process whose PATH has no browser."""
    name = f"{__file__}::{test_an_unescaped_payload_runs.__name__}"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", name]
    environment = {**os.environ, "PATH": str(tmp_path), "CI": ci}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert f"4 {outcome}" in done.stdout, done.stdout[-2_000:]
