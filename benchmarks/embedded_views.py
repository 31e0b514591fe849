"""How well a checkpoint of the embedded student reads its functions: teacher-forced, on test problems, in five views.

    python -m benchmarks.embedded_views FOLDER views.csv

FOLDER is what `callwright.standins.embedded.build` writes, also while it trains. Each run appends a line per task and
view: the share of calls whose name's first token is the likeliest, and the share of conversations in which every token
that the model writes is.
"""

import argparse
import csv
import random
import sys
from pathlib import Path

import torch
from transformers import AutoTokenizer

from callwright.standins.embedded.checkpoint import CHECKPOINT
from callwright.standins.embedded.encode import LessonEncoder
from callwright.standins.embedded.lessons import build_steps
from callwright.standins.embedded.network import group_losses, new_model
from callwright.standins.embedded.recipe import RECIPE
from callwright.tasks import TASKS
from callwright.tasks.task import Task
from callwright.tasks.view import View
from callwright.tasks.view_names import HELD_OUT_NAMES

VIEWS = ("plain", "functions", "new_name", "swapped", "reworded")
ROWS = 8
COLUMNS = ("folder", "step", "seconds", "task", "view", "first_tokens", "conversations")


def draw_view(kind: str, task: Task, called: list[str], rng: random.Random) -> View:
    """A view that changes functions which are called: all of them, one, or two that exchange names."""
    functions = [name for name in task.toolbox.functions if name != "answer"]
    match kind:
        case "functions":
            return View(kind, names=dict(zip(functions, HELD_OUT_NAMES.draw(rng, len(functions)), strict=True)))
        case "new_name":
            return View(kind, names={rng.choice(called): HELD_OUT_NAMES.draw(rng, 1)[0]})
        case "swapped":
            first = rng.choice(called)
            second = rng.choice([name for name in functions if name != first])
            return View(kind, names={first: second, second: first})
        case "reworded":
            part = task.part("descriptions")
            held_out = part.held_out if part else {}
            return View(kind, descriptions={name: rng.choice(texts) for name, texts in held_out.items()})
    return View()


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--problems", type=int, default=32, help="for each task and view")
    parser.add_argument("--seed", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(arguments.folder)
    state = torch.load(arguments.folder / CHECKPOINT, weights_only=True)
    model = new_model(RECIPE, tokenizer)
    shapes = {name: weight.shape for name, weight in model.state_dict().items()}
    if {name: weight.shape for name, weight in state["model"].items()} != shapes:
        sys.exit(f"{arguments.folder / CHECKPOINT} is of a model of another size than recipe.py has: build it anew")
    if arguments.csv.is_file() and not arguments.csv.read_text().startswith(f"{COLUMNS[0]},"):
        sys.exit(f"{arguments.csv} has other columns than {', '.join(COLUMNS)}: name another file")
    model.load_state_dict(state["model"])
    encoder = LessonEncoder(tokenizer, RECIPE)
    for task in TASKS.values():
        synthetic = task.part("synthetic")
        assert synthetic is not None
        problems = synthetic.generate({"test": arguments.problems}, 0, arguments.seed)
        lessons = [(each.question, build_steps(each, task, None, random.Random(0))) for each in problems]
        lessons.sort(key=lambda lesson: len(lesson[1]))
        for kind in VIEWS:
            rng = random.Random(f"{kind}/{arguments.seed}")
            counts = torch.zeros(4)
            for start in range(0, len(lessons), ROWS):
                batch = lessons[start : start + ROWS]
                called = sorted({step.call.name for _, steps in batch for step in steps if step.call} - {"answer"})
                group = encoder.group(task, draw_view(kind, task, called, rng), batch)
                _, right, _ = group_losses(model, group, torch.float32, supervise=False)
                first = group.first_tokens()
                rows = (group.positions - len(group.prompt)) // group.rows.shape[1]
                wrong_rows = rows[~right & (rows >= 0)].unique()
                counts += torch.tensor([right[first].sum(), len(first), len(batch) - len(wrong_rows), len(batch)])
            line = {
                "folder": arguments.folder,
                "step": state["progress"]["step"],
                "seconds": round(state["progress"]["seconds"]),
                "task": task.name,
                "view": kind,
                "first_tokens": round(float(counts[0] / counts[1]), 4),
                "conversations": round(float(counts[2] / counts[3]), 4),
            }
            with arguments.csv.open("a", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS)
                if file.tell() == 0:
                    writer.writeheader()
                writer.writerow(line)


if __name__ == "__main__":
    main()
