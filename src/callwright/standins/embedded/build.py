"""Build the embedded student: a small model of Qwen3's architecture that reads its functions in the prompt.

    python -m callwright.standins.embedded.build FOLDER --minutes 60

It takes the place of a general small model if none can be downloaded: it calls the functions of its prompt, by whatever
names, and is weak at chains of several steps on purpose. If FOLDER has a checkpoint, the training continues from it; a
longer `--minutes` extends it. `callwright.standins.embedded.ship` then turns FOLDER into the files that ship.
"""

import argparse
import json
import math
import platform
import random
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from callwright.errors import CallwrightError, DataError
from callwright.paths import RECIPE as RECIPE_FILE
from callwright.standins.embedded.checkpoint import CHECKPOINT
from callwright.standins.embedded.fit import Length, Training, fit
from callwright.standins.embedded.lesson_views import draw_lesson_view
from callwright.standins.embedded.lessons import Lesson, conversation, draw_pairs
from callwright.standins.embedded.recipe import RECIPE, BuildRecipe
from callwright.standins.embedded.seen_questions import (
    SEEN_QUESTIONS_FILE,
    question_hash,
    read_seen_questions,
    write_seen_questions,
)
from callwright.standins.embedded.tokenizer import load_tokenizer, train_tokenizer
from callwright.standins.oracle.confused_names import check_confused_names
from callwright.storage.files import file_hash, read_json, write_json
from callwright.tasks import Tasks, load_tasks
from callwright.tasks.task_sections import listed_tasks

TRIES = "tries.jsonl"  # one line a try, beside the folder that it wrote
_TOKENIZER_LESSONS = 4_000  # conversations from which the tokenizer's merges are learned


def build_embedded_student(
    folder: Path, recipe: BuildRecipe, tasks: Tasks, seed: int, length: Length
) -> dict[str, Any]:
    """Train tokenizer and model from scratch, and save them as a Hugging Face folder with recipe.json.

    Returns:
        The recipe as recipe.json has it: seed, the recipe's fields, what was trained for how long, and versions.

    Raises:
        CallwrightError: a training process was killed.
        ParamsError: the recipe lists a task that does not exist, or that has no lessons, or that names a function in
            its part `mistakes` that does not exist.
        DataError: a lesson cannot be made, or the folder was built with another recipe or seed.
    """
    for task, _ in listed_tasks(recipe.tasks, tasks, "recipe.tasks"):
        check_confused_names(task, tasks)
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"seed": seed, **recipe.model_dump()}
    _check_settings(folder, settings)
    lessons = draw_all_lessons(recipe, tasks, seed)
    questions = {question_hash(lesson.question) for of_task in lessons.values() for lesson in of_task}
    if (folder / CHECKPOINT).is_file():  # the lessons may have changed since: the model has read both
        questions |= read_seen_questions(folder / SEEN_QUESTIONS_FILE).hashes
        tokenizer = load_tokenizer(folder)
    else:
        tokenizer = train_tokenizer(_tokenizer_texts(lessons, tasks, recipe, seed), recipe.vocabulary)
        tokenizer.save_pretrained(folder)
    write_seen_questions(folder / SEEN_QUESTIONS_FILE, questions)
    model, progress = fit(Training(recipe, tasks, lessons, tokenizer, length, seed, folder))
    model.save_pretrained(folder)
    written = {
        "source": "embedded",
        **settings,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "questions": len(questions),
        "trained": {name: round(value, 4) for name, value in asdict(progress).items()},
        "versions": _versions(),
        "weights_sha256": file_hash(folder / "model.safetensors"),
    }
    write_json(folder / RECIPE_FILE, written)
    return written


def draw_all_lessons(recipe: BuildRecipe, tasks: Tasks, seed: int) -> dict[str, list[Lesson]]:
    """The lessons of each task in the recipe's shares, drawn in as many processes as torch has threads."""
    counts = {task.name: round(share * recipe.lessons) for task, share in listed_tasks(recipe.tasks, tasks, "tasks")}
    draw = partial(_draw_lessons, tasks, counts, seed)
    processes = min(torch.get_num_threads(), len(counts))
    if processes == 1:
        return dict(zip(counts, map(draw, counts), strict=True))
    with get_context("spawn").Pool(processes) as pool:
        return dict(zip(counts, pool.map(draw, counts, chunksize=1), strict=True))


def _draw_lessons(tasks: Tasks, counts: Mapping[str, int], seed: int, task: str) -> list[Lesson]:
    return list(islice(draw_pairs(tasks[task], seed), counts[task]))


def _tokenizer_texts(
    lessons: Mapping[str, Sequence[Lesson]], tasks: Tasks, recipe: BuildRecipe, seed: int
) -> list[str]:
    """Texts with as many names of functions as the training will show, so that any name is a few tokens."""
    rng = random.Random(f"tokenizer/{seed}")
    texts = []
    for _ in range(min(_TOKENIZER_LESSONS, 2 * recipe.lessons)):
        task = tasks[rng.choices(list(recipe.tasks), list(recipe.tasks.values()))[0]]
        lesson = rng.choice(lessons[task.name])
        view, _ = draw_lesson_view(task, list(task.toolbox.functions), (), 1.0, recipe, rng)
        messages = conversation(task, lesson.question, lesson.careful, view)
        # The prompt is longer than the lesson: with all prompts, few merges would be left for the questions' words.
        texts += [message["content"] for message in messages[int(rng.random() < 0.7) :]]
    return texts


def _check_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Keep the recipe beside the checkpoint, and refuse to continue with another one."""
    path = folder / "settings.json"
    if (folder / CHECKPOINT).is_file() and read_json(path) != settings:
        raise DataError(f"{folder} has a checkpoint of another recipe or seed: name another folder, or remove it")
    write_json(path, dict(settings))


def _versions() -> dict[str, str]:
    import transformers

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "cpu": f"{_cpu_name()}, {torch.get_num_threads()} threads",
    }


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _log_try(folder: Path, event: Mapping[str, Any]) -> None:
    """Add a line to the log of tries, which is beside the folder, so that it outlives a folder that is removed."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / TRIES).open("a") as log:
        log.write(json.dumps({"when": when, "folder": folder.name, **event}) + "\n")


def _minutes(text: str) -> float:
    with suppress(ValueError):
        if 0 < (value := float(text)) < math.inf:
            return value
    raise argparse.ArgumentTypeError(f"{text} is not a number above 0")


def _count(text: str) -> int:
    with suppress(ValueError):
        if (value := int(text)) > 0:
            return value
    raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")


def main() -> str | None:
    """Build the student that the command describes; returns the error line."""
    parser = argparse.ArgumentParser(prog="python -m callwright.standins.embedded.build", description=__doc__)
    parser.add_argument("folder", type=Path)
    how_long = parser.add_mutually_exclusive_group(required=True)
    how_long.add_argument("--minutes", type=_minutes, default=0.0, help="of training, with those before a checkpoint")
    how_long.add_argument("--steps", type=_count, default=0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=_count, help="processes; as many as cores by default")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    length = Length(arguments.steps, arguments.minutes)
    _log_try(arguments.folder, {"event": "started", "seed": arguments.seed, **asdict(length), **RECIPE.model_dump()})
    try:
        written = build_embedded_student(arguments.folder, RECIPE, load_tasks(()), arguments.seed, length)
    except CallwrightError as error:
        _log_try(arguments.folder, {"event": "failed", "error": str(error)})
        return str(error)
    _log_try(arguments.folder, {"event": "ended", "trained": written["trained"]})
    trained = written["trained"]
    print(  # noqa: T201
        f"{arguments.folder}: {written['parameters']:,} weights, {trained['step']:,} steps, loss {trained['loss']}"
    )
    return None


if __name__ == "__main__":
    sys.exit(main())
