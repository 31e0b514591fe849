"""The embedded student's forward pass over a group is the model's own, and lessons are encoded as the template does."""

import random
from itertools import islice

import pytest
import torch
from torch.nn.functional import cross_entropy

from callwright.standins.embedded.encode import LessonEncoder
from callwright.standins.embedded.lesson_views import draw_lesson_view, draw_names, has_held_out_stem
from callwright.standins.embedded.lessons import conversation, draw_pairs
from callwright.standins.embedded.network import Group, group_losses, new_model
from callwright.standins.embedded.recipe import RECIPE
from callwright.standins.embedded.tokenizer import train_tokenizer
from callwright.tasks import TASKS
from callwright.tasks.view import View

ARITHMETIC = TASKS["arithmetic"]
SMALL = RECIPE.model_copy(update={"hidden": 32, "layers": 4, "heads": 3, "feed_forward": 48})
VIEW = View("shown", names={"add": "lift", "subtract": "add"}, descriptions={"add": "The total of two numbers."})


@pytest.fixture(scope="module")
def tokenizer():
    lessons = islice(draw_pairs(ARITHMETIC, 5), 40)
    texts = [
        message["content"]
        for lesson in lessons
        for message in conversation(ARITHMETIC, lesson.question, lesson.careful)
    ]
    return train_tokenizer(texts, 600)


@pytest.fixture(scope="module")
def lessons():
    return [(lesson.question, lesson.careful) for lesson in islice(draw_pairs(ARITHMETIC, 1), 3)]


@pytest.fixture(scope="module")
def group(tokenizer, lessons) -> Group:
    return LessonEncoder(tokenizer, SMALL).group(ARITHMETIC, VIEW, lessons)


def test_lessons_have_the_ids_of_the_chat_template(tokenizer, lessons, group):
    for (question, steps), row in zip(lessons, group.rows.tolist(), strict=True):
        messages = conversation(ARITHMETIC, question, steps, VIEW)
        ids = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False)
        assert (group.prompt.tolist() + row)[: len(ids) - 1] == ids[:-1]


def test_losses_and_gradients_are_those_of_the_model_itself(tokenizer, group):
    torch.manual_seed(0)
    model = new_model(SMALL, tokenizer)
    losses, _, _ = group_losses(model, group, torch.float32, supervise=True)
    losses.sum().backward()
    gradient = model.model.layers[0].self_attn.k_proj.weight.grad.clone()
    model.zero_grad()
    prompt = len(group.prompt)
    logits = model(input_ids=torch.cat([group.prompt.expand(len(group.rows), -1), group.rows], dim=1)).logits
    flat = torch.cat([logits[0, :prompt], logits[:, prompt:].flatten(0, 1)])[group.positions]
    expected = cross_entropy(flat, group.targets, reduction="none")
    expected.sum().backward()
    torch.testing.assert_close(losses, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(gradient, model.model.layers[0].self_attn.k_proj.weight.grad, atol=1e-3, rtol=1e-3)


def test_reads_point_from_a_call_to_the_shown_name_in_the_prompt(tokenizer, lessons, group):
    flat = torch.cat([group.prompt, group.rows.flatten()])
    positions, names, is_first = group.reads
    assert len(positions)
    written = dict(zip(group.positions.tolist(), group.targets.tolist(), strict=True))
    assert [written[position] for position in positions.tolist()] == flat[names].tolist()
    calls = [step.call for _, steps in lessons for step in steps]
    assert int(is_first.sum()) == len(calls)
    shown = tokenizer.decode(group.prompt)
    assert "lift(a, b): The total of two numbers. Example: lift(a=17, b=25) -> 42" in shown


def test_supervised_descriptions_are_those_of_the_same_line(tokenizer, group):
    lines = {tokenizer.decode(group.prompt[start:end]).strip() for _, start, end in group.descriptions.t().tolist()}
    assert "The total of two numbers." in lines
    assert len(lines) == len(ARITHMETIC.toolbox.functions)


def test_views_of_lessons_show_what_is_needed_and_no_held_out_name():
    rng = random.Random(4)
    for number in range(60):
        view, _ = draw_lesson_view(ARITHMETIC, ["add", "divide"], ["lift", "cup"], number / 60, RECIPE, rng)
        assert {"add", "divide", "answer"} <= set(view.functions)
        shown = view.show(ARITHMETIC.toolbox).functions
        new = [name for name in shown if name not in ARITHMETIC.toolbox.functions and name not in ("lift", "cup")]
        needless = set(ARITHMETIC.toolbox.needless)
        assert not [name for name in new if name not in needless and any(map(has_held_out_stem, name.split("_")))]
    names = {name for _ in range(5) for name in draw_names(["lift"], rng)}
    assert len(names) > 10
    assert "lift" in names
