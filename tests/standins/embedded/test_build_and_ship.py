"""From lessons to the files that ship, and from these to a model that answers, by the commands of the real one."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from callwright.chat.local import LocalChat
from callwright.chat.model import Sampling
from callwright.standins.embedded import build, ship
from callwright.standins.embedded.build import draw_all_lessons
from callwright.standins.embedded.checkpoint import CURVE
from callwright.standins.embedded.seen_questions import question_hash, read_questions_of_base
from callwright.standins.embedded.ship import ship_student
from callwright.standins.embedded.shipped_student import copy_shipped_student
from callwright.storage.files import read_json
from callwright.tasks import TASKS
from tests.standins.embedded.small_recipe import SMALL

SEED, STEPS = 5, 30


@pytest.mark.slow
@pytest.mark.usefixtures("restored_threads")
def test_a_student_is_built_shipped_copied_and_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    built, shipped, base = (tmp_path / name for name in ("built", "package/shipped", "base"))
    recipe = SMALL.model_copy(update={"careless_from": 0.5, "careless_share": 1.0, "careless_groups": 1.0})
    monkeypatch.setattr(build, "RECIPE", recipe)
    command = ["build", str(built), f"--steps={STEPS}", f"--seed={SEED}", "--threads=1"]
    monkeypatch.setattr(sys, "argv", command)
    assert build.main() is None
    assert f"{STEPS:,} steps, loss" in capsys.readouterr().out
    tries = [json.loads(line) for line in (tmp_path / build.TRIES).read_text().splitlines()]
    assert [(line["event"], line["folder"]) for line in tries] == [("started", "built"), ("ended", "built")]
    assert tries[0]["vocabulary"] == recipe.vocabulary
    assert (built / CURVE).read_text().startswith("step,seconds,")

    shipped.parent.mkdir()
    assert ship_student(built, shipped)["trained"]["step"] == STEPS
    assert copy_shipped_student(base, shipped) == read_json(shipped / ship.RECIPE)

    chat = LocalChat(base, "base", max_batch=1)
    messages = [{"role": "system", "content": "Functions: add(a, b)"}, {"role": "user", "content": "What is 2 + 3?"}]
    reply = asyncio.run(chat.reply(messages, (), Sampling(0.0, 1.0, 4, 1, 0)))
    assert 1 <= reply.usage.completion_tokens <= 4

    lessons = draw_all_lessons(recipe, TASKS, SEED)
    questions = {question_hash(lesson.question) for of_task in lessons.values() for lesson in of_task}
    assert read_questions_of_base("embedded", shipped).hashes == questions
