"""The report page: what it says, and what it lets no text do."""

import re
import xml.etree.ElementTree as ET

from callwright.records import StepFault, Verdict
from callwright.reporting.drawing import plots
from callwright.reporting.transcripts import MAX_TEXT_CHARS, transcripts_of
from tests.fakes import chain, checked, problem
from tests.reporting.pages import HOSTILE, difference, metrics, page, transcript

SVG = "{http://www.w3.org/2000/svg}"


def parts(shown: str) -> list[str]:
    return re.findall(r'<section id="([^"]+)"', shown)


def test_the_headline_has_every_model_with_its_interval_and_the_gain(tmp_path):
    shown = page(tmp_path)
    cards = re.findall(r'<dt>([^<]+)</dt><dd class="value">([^<]+)</dd><dd class="soft small">([^<]+)</dd>', shown)
    assert cards == [
        ("base", "25.0%", "15.0% to 35.0%"),
        ("student", "75.0%", "65.0% to 85.0%"),
        ("teacher", "62.5%", "52.5% to 72.5%"),
        ("champion", "50.0%", "40.0% to 60.0%"),
        ("gain over the base", "+50.0", "+45.0 to +55.0 points"),
        ("over the champion", "+25.0", "+20.0 to +30.0 points"),
    ]
    assert "McNemar p &lt; 0.001, Wilcoxon p = 0.031" in shown


def test_what_was_not_measured_leaves_no_trace(tmp_path):
    whole, less = page(tmp_path), page(tmp_path, metrics=metrics(everything=False))
    assert set(parts(whole)) - set(parts(less)) == {"samples", "robustness"}
    assert all(f'href="#{part}"' in less for part in parts(less))
    assert "champion</dt>" in whole
    assert "champion</dt>" not in less
    assert "calls a problem" not in less


def test_every_slice_of_every_task_is_in_the_table(tmp_path):
    shown = page(tmp_path, metrics=metrics(tuple(f"task_{place}" for place in range(10))))
    assert all(f'<th scope="row">task {place}: 2 steps</th>' not in shown for place in range(10))
    assert all(f'<th scope="row">task_{place}: 2 steps</th>' in shown for place in range(10))
    assert shown.count('<svg class="chart dots"') == 1 + 10 + 1  # all tasks, each by slice, robustness


def test_a_refusal_shows_each_reason(tmp_path):
    refused = {"decision": "refused", "reasons": ["too low", "<b>stale"], "model": "m", "version": None, "aliases": []}
    shown = page(tmp_path, decision=refused)
    assert "<li>too low</li>" in shown
    assert "<li>&lt;b&gt;stale</li>" in shown
    assert "every condition" not in shown


def test_a_failed_check_is_named_and_passed_ones_are_counted(tmp_path):
    shown = page(tmp_path)
    assert "1 of 2 checks passed" in shown
    assert "drift: task: tasks stay as they were" in shown
    assert "ids are unique" not in shown


def test_the_cost_of_the_teacher_stands_where_it_is_known(tmp_path):
    shown = page(tmp_path)
    assert re.search(r'<th scope="row">teacher</th>.*<td class="number">1\.25</td>', shown)
    free = {"teacher": {"chains": 2, "answered_right": 0.5, "prompt_tokens": 3, "completion_tokens": 1}}
    assert '<th scope="col">cost</th>' not in page(tmp_path, rollout=free)


def test_the_oracle_is_called_a_stand_in(tmp_path):
    assert "a stand-in for a large model" in page(tmp_path)
    assert "a stand-in for a large model" not in page(tmp_path, stand_in=False)


def test_hostile_text_is_shown_and_does_nothing(tmp_path):
    named = metrics((HOSTILE.replace("/", "|"),))
    refused = {"decision": "refused", "reasons": [HOSTILE], "model": HOSTILE, "version": None, "aliases": []}
    shown = page(tmp_path, transcripts=[transcript(HOSTILE)], metrics=named, decision=refused)
    assert "<script" not in shown
    assert "<img" not in shown
    assert all(one.isprintable() or one == "\n" for one in shown)
    assert "\\u202egnp\\x1b[31m {{ 7 * 7 }} \\ud800" in shown


def test_the_page_loads_nothing_and_links_only_to_its_neighbours(tmp_path):
    shown = page(tmp_path)
    assert "default-src 'none'; style-src 'unsafe-inline'" in shown
    links = set(re.findall(r'(?:src|href)="([^"]*)"', shown))
    assert {link for link in links if not link.startswith("#")} == {"samples.html", "data_docs/index.html"}
    assert {link[1:] for link in links if link.startswith("#")} - {"results"} == set(parts(shown))
    assert "url(" not in shown
    assert "@import" not in shown


def test_ids_are_unique_and_every_picture_has_a_title(tmp_path):
    shown = page(tmp_path)
    ids = re.findall(r'\bid="([^"]+)"', shown)
    assert len(ids) == len(set(ids))
    named = [name for names in re.findall(r'aria-labelledby="([^"]+)"', shown) for name in names.split()]
    assert named
    assert set(named) <= set(ids)


def test_transcripts_are_of_problems_on_which_the_verdict_changed_the_longest_of_each_task_first():
    short, long = ("answer(5)",), ("add(2, 3)", "answer(5)")
    problems = [
        problem(*short, id="short"),
        problem(*long, id="long"),
        problem(*short, id="other", task="entailment"),
        problem(*long, id="lost"),
        problem(*long, id="same"),
    ]
    wrong = {one.id: checked("answer(6)", correct=one.id == "lost", problem_id=one.id) for one in problems}
    right = {
        one.id: checked("answer(5)", correct=one.id not in {"lost", "same"}, problem_id=one.id) for one in problems
    }
    found = transcripts_of(problems, wrong, right)
    assert [(one.title, one.problem_id, one.count) for one in found] == [
        ("Base wrong, student right", "long", 3),
        ("Base wrong, student right", "other", 3),
        ("Base wrong, student right", "short", 3),
        ("Base right, student wrong", "lost", 1),
    ]


def test_a_transcript_says_at_each_step_what_was_wrong_and_cuts_what_is_endless():
    one = problem(id="p")
    said = chain("add(2, 3)", "answer(6)", problem_id="p")
    fault = StepFault("wrong_answer", 1, "x" * (MAX_TEXT_CHARS + 5))
    base = checked("add(2, 3)", correct=False, problem_id="p")
    base = type(base)(said, Verdict(said.id, False, (fault,), 1))
    (found,) = transcripts_of([one], {"p": base}, {"p": checked("answer(5)", correct=True, problem_id="p")})
    first, second = found.base.turns
    assert (first.said, first.came, first.faults) == ("add(a=2, b=3)", "Result: 5", ())
    assert second.faults == ("wrong answer: " + "x" * MAX_TEXT_CHARS + " … (5 characters more)",)


def test_plots_are_svg_files_of_their_own():
    drawn = plots(metrics(("arithmetic",)) | {"gain": {"overall": difference(0.1)}})
    assert set(drawn) == {"accuracy", "faults"}
    for picture in drawn.values():
        root = ET.fromstring(picture)
        assert root.tag == f"{SVG}svg"
        assert "75.0%" in "".join(root.itertext())


def test_a_run_without_faults_says_so(tmp_path):
    clean = metrics() | {"faults": {"base": {}, "student": {}}}
    assert "No chain has a fault." in page(tmp_path, metrics=clean)
