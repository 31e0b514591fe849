"""The report page: its contents, and that hostile text has no effect."""

import re
import xml.etree.ElementTree as ET

from callwright.records import StepFault, Verdict
from callwright.reporting.render import render_plots
from callwright.reporting.transcripts import MAX_TEXT_CHARS, transcripts_of
from callwright.reports.rollout import RolloutReport
from tests.fakes import chain, checked, problem
from tests.reporting.report_fixtures import HOSTILE, decision, metrics, page, rollout, transcript

SVG = "{http://www.w3.org/2000/svg}"


def section_ids(html: str) -> list[str]:
    return re.findall(r'<section id="([^"]+)"', html)


def test_the_cards_show_every_model_with_its_interval_and_the_gain(tmp_path):
    html = page(tmp_path)
    cards = re.findall(r'<dt>([^<]+)</dt><dd class="value">([^<]+)</dd><dd class="soft small">([^<]+)</dd>', html)
    assert cards == [
        ("base", "25.0%", "15.0% to 35.0%"),
        ("student", "75.0%", "65.0% to 85.0%"),
        ("teacher", "62.5%", "52.5% to 72.5%"),
        ("champion", "50.0%", "40.0% to 60.0%"),
        ("gain over the base", "+50.0", "+45.0 to +55.0 points"),
        ("over the champion", "+25.0", "+20.0 to +30.0 points"),
    ]
    assert "McNemar p &lt; 0.001, Wilcoxon p = 0.031" in html


def test_what_was_not_measured_is_omitted(tmp_path):
    complete, reduced = page(tmp_path), page(tmp_path, metrics=metrics(everything=False))
    assert set(section_ids(complete)) - set(section_ids(reduced)) == {"samples", "robustness", "unseen"}
    assert all(f'href="#{part}"' in reduced for part in section_ids(reduced))
    assert "champion</dt>" in complete
    assert "champion</dt>" not in reduced
    assert "calls per problem" not in reduced


def test_unseen_functions_are_in_a_table_by_function(tmp_path):
    html = page(tmp_path)
    _, table = html.split("Accuracy on problems that need an unseen function")
    table = table[: table.index("</table>")]
    assert table.count('<th scope="row">arithmetic: larger of</th>') == 2  # base and student
    assert table.count("40.0%") == table.count("20.0%") == 2


def test_every_slice_of_every_task_is_in_the_table(tmp_path):
    html = page(tmp_path, metrics=metrics(tuple(f"task_{index}" for index in range(10))))
    assert all(f'<th scope="row">task {index}: 2 steps</th>' not in html for index in range(10))
    assert all(f'<th scope="row">task_{index}: 2 steps</th>' in html for index in range(10))
    assert html.count('<svg class="chart dots"') == 1 + 10 + 1  # all tasks, each by slice, robustness


def test_a_refusal_shows_each_reason(tmp_path):
    html = page(tmp_path, decision=decision("too low", "<b>stale"))
    assert "<li>too low</li>" in html
    assert "<li>&lt;b&gt;stale</li>" in html
    assert "every condition" not in html


def test_failed_checks_are_listed_and_passed_checks_are_counted(tmp_path):
    html = page(tmp_path)
    assert "1 of 2 checks passed" in html
    assert "drift: task: tasks stay as they were" in html
    assert "ids are unique" not in html


def test_the_teachers_cost_is_shown_if_it_is_known(tmp_path):
    html = page(tmp_path)
    assert re.search(r'<th scope="row">teacher</th>.*<td class="number">1\.25</td>', html)
    free = RolloutReport(teacher=rollout(None))
    assert '<th scope="col">cost</th>' not in page(tmp_path, rollout=free)


def test_the_oracle_is_called_a_stand_in(tmp_path):
    assert "a stand-in for a large model" in page(tmp_path)
    assert "a stand-in for a large model" not in page(tmp_path, stand_in=False)


def test_the_page_says_that_the_embedded_base_has_read_held_out_families(tmp_path):
    note = "The embedded base has read problems of"
    assert note in page(tmp_path)
    assert note not in page(tmp_path, embedded_base=False)


def test_hostile_text_is_shown_and_has_no_effect(tmp_path):
    named = metrics((HOSTILE.replace("/", "|"),))
    refused = decision(HOSTILE, model=HOSTILE)
    html = page(tmp_path, transcripts=[transcript(HOSTILE)], metrics=named, decision=refused)
    assert "<script" not in html
    assert "<img" not in html
    assert all(character.isprintable() or character == "\n" for character in html)
    assert "\\u202egnp\\x1b[31m {{ 7 * 7 }} \\ud800" in html


def test_the_page_loads_nothing_and_links_only_to_other_report_pages(tmp_path):
    html = page(tmp_path)
    assert "default-src 'none'; style-src 'unsafe-inline'" in html
    links = set(re.findall(r'(?:src|href)="([^"]*)"', html))
    assert {link for link in links if not link.startswith("#")} == {"samples.html", "data_docs/index.html"}
    assert {link[1:] for link in links if link.startswith("#")} - {"results"} == set(section_ids(html))
    assert "url(" not in html
    assert "@import" not in html


def test_ids_are_unique_and_every_chart_has_a_title(tmp_path):
    html = page(tmp_path)
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    named = [name for names in re.findall(r'aria-labelledby="([^"]+)"', html) for name in names.split()]
    assert named
    assert set(named) <= set(ids)


def test_transcripts_show_problems_with_another_verdict_the_longest_of_each_task_first():
    short, long = ("answer(5)",), ("add(2, 3)", "answer(5)")
    problems = [
        problem(*short, id="short"),
        problem(*long, id="long"),
        problem(*short, id="other", task="entailment"),
        problem(*long, id="lost"),
        problem(*long, id="same"),
    ]
    base = {
        shown_problem.id: checked("answer(6)", correct=shown_problem.id == "lost", problem_id=shown_problem.id)
        for shown_problem in problems
    }
    student = {
        shown_problem.id: checked(
            "answer(5)", correct=shown_problem.id not in {"lost", "same"}, problem_id=shown_problem.id
        )
        for shown_problem in problems
    }
    pairs = transcripts_of(problems, base, student)
    assert [(pair.title, pair.problem_id, pair.count) for pair in pairs] == [
        ("Base wrong, student right", "long", 3),
        ("Base wrong, student right", "other", 3),
        ("Base wrong, student right", "short", 3),
        ("Base right, student wrong", "lost", 1),
    ]


def test_a_transcript_shows_the_faults_of_each_step_and_cuts_long_text():
    shown_problem = problem(id="p")
    wrong_chain = chain("add(2, 3)", "answer(6)", problem_id="p")
    fault = StepFault("wrong_answer", 1, "x" * (MAX_TEXT_CHARS + 5))
    base = checked("add(2, 3)", correct=False, problem_id="p")
    base = type(base)(wrong_chain, Verdict(wrong_chain.id, False, (fault,), 1))
    (pair,) = transcripts_of([shown_problem], {"p": base}, {"p": checked("answer(5)", correct=True, problem_id="p")})
    first, second = pair.base.steps
    assert (first.reply, first.result, first.faults) == ("add(a=2, b=3)", "Result: 5", ())
    assert second.faults == ("wrong answer: " + "x" * MAX_TEXT_CHARS + " … (5 characters more)",)


def test_plots_are_svg_files():
    svg_by_name = render_plots(metrics(("arithmetic",)))
    assert set(svg_by_name) == {"accuracy", "faults"}
    for svg in svg_by_name.values():
        root = ET.fromstring(svg)
        assert root.tag == f"{SVG}svg"
        assert "75.0%" in "".join(root.itertext())


def test_a_run_without_faults_shows_a_sentence_instead_of_a_chart(tmp_path):
    clean = metrics(faults={"base": {}, "student": {}})
    assert "No chain has a fault." in page(tmp_path, metrics=clean)
