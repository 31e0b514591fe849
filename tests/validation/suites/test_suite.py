"""Running suites, their checks' messages, and the data docs."""

import re
from urllib.parse import unquote

import pandas as pd
import pytest

from callwright.errors import DataError
from callwright.reporting.data_docs import write_checks, write_index
from callwright.validation.suites import expectations
from callwright.validation.suites.suite import Suites, raise_if_critical_failed, warning_lines

FRAME = pd.DataFrame({"id": ["a", "b", "c"], "size": [1, 5, 9], "kind": ["x", "x", "y"]})


def run(*expectations: expectations.Expectation, data_docs=None):
    return Suites(data_docs).run(FRAME, "things", expectations)


def test_a_failed_checks_message_has_the_expectation_the_observation_and_the_rows():
    (check,) = run(expectations.between("size", 2, 6, "a thing is of size 2 to 6"))
    assert (check.success, check.severity, check.rows) == (False, "critical", ("a", "c"))
    assert check.failure_message() == (
        "things: size: expected that a thing is of size 2 to 6; found 2 of 3 failed, such as a, c"
    )


def test_a_failed_critical_check_stops_and_a_failed_warning_gives_a_line():
    checks = run(
        expectations.one_of("kind", ["x"], "all things are x", expectations.WARNING),
        expectations.mean_between("size", 6, None, "things are large"),
        expectations.unique("kind", "no two things are alike"),
    )
    assert [line.partition(";")[0] for line in warning_lines(checks)] == [
        "things: kind: expected that all things are x"
    ]
    with pytest.raises(DataError, match=r"^things: .* \(and 1 other critical checks failed\)$"):
        raise_if_critical_failed(checks)


def test_control_characters_in_a_row_id_are_escaped():
    frame = FRAME.assign(id=["\x1b[31mred", "b", "c"])
    (check,) = Suites(None).run(
        frame, "things", [expectations.between("size", 2, None, "things are of size 2 or more")]
    )
    assert check.failure_message().endswith("such as \\x1b[31mred")


def test_checks_that_pass_give_no_warning_and_no_error():
    checks = run(
        expectations.unique("id", "ids differ"),
        expectations.complete("kind", "all have a kind"),
        expectations.some_rows("any"),
    )
    assert all(check.success for check in checks)
    assert list(warning_lines(checks)) == []
    raise_if_critical_failed(checks)


def test_a_check_that_cannot_run_is_a_data_error_and_not_a_failed_check():
    with pytest.raises(DataError, match="could not run"):
        run(expectations.one_of("colour", ["red"], "things are red", expectations.WARNING))


def test_the_site_shows_the_sentence_of_every_expectation(tmp_path):
    run(expectations.between("size", 2, 6, "a thing is of size 2 to 6"), data_docs=tmp_path)
    (page,) = (tmp_path / "validations").rglob("*.html")
    assert "a thing is of size 2 to 6" in page.read_text()


def test_the_page_of_checks_marks_failures_escapes_row_ids_and_links_the_suites(tmp_path):
    frame = FRAME.assign(id=["<script>alert(1)</script>", "b", "c"])
    suites = Suites(tmp_path)
    suites.run(frame, "two words", [expectations.one_of("kind", ["y"], "things are y")])
    suites.run(frame, "more", [expectations.unique("id", "ids differ")])
    write_checks(tmp_path, suites)
    page = (tmp_path / "checks.html").read_text()
    assert "<script>" not in page
    assert '<td class="no">no<td>kind<td>things are y<td>critical<td>2 of 3 failed<td>&lt;script&gt;' in page
    assert "<td>yes<td>id<td>ids differ" in page
    links = [unquote(link) for link in re.findall('href="([^"]+)"', page)]
    assert len(links) == 2
    assert all((tmp_path / link).is_file() for link in links)


def test_the_index_page_links_the_sites_of_both_stages(tmp_path):
    write_index(tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text()
    assert all(f'href="{site}/checks.html"' in page for site in ("chains", "pairs"))
