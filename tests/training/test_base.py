"""The base: building the embedded student, and copying or downloading another model."""

import asyncio
from itertools import islice
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from callwright.agent.protocol import TEXT
from callwright.chat.local.chat import LocalChat
from callwright.chat.model import Sampling
from callwright.errors import DataError, ProviderError
from callwright.params import StudentParams
from callwright.problems.decontaminate import normalise
from callwright.standins.embedded.build import token_weights
from callwright.standins.embedded.lessons import draw_lessons
from callwright.storage.files import folder_hash
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from callwright.tasks.entailment.synthetic import entailment_problems
from callwright.tasks.translation.synthetic.problems import translation_problems
from callwright.training.base import prepare_base
from tests.training.conftest import RECIPE

pytestmark = pytest.mark.xdist_group("training")
PROBLEMS = synthetic_problems({"train": 24, "dev": 20, "test": 20}, 12, 7)
TASK = TASKS["arithmetic"]


def test_the_tokenizer_encodes_any_text_and_splits_numbers_into_digits(tiny_base: Path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    for text in ("Zoë pays 1,234.50 € — 𝔞\n\t\x07", "add(a=1234, b=-5)"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert len(tokenizer("1234")["input_ids"]) == 4


def test_the_loaded_tokenizer_encodes_text_like_the_one_that_was_trained(tiny_base: Path):
    loaded, trained = AutoTokenizer.from_pretrained(tiny_base), Tokenizer.from_file(str(tiny_base / "tokenizer.json"))
    for task in ("arithmetic", "translation", "entailment"):
        for messages in islice(draw_lessons(TASKS[task], 0.0, 7), 20):
            for message in messages:
                assert loaded(message["content"])["input_ids"] == trained.encode(message["content"]).ids


def test_a_symbol_of_a_formula_has_the_same_tokens_everywhere(tiny_base: Path):
    tokens = AutoTokenizer.from_pretrained(tiny_base).tokenize
    symbol = tokens("Dog")
    for text in ("Vocabulary: Cat(x), Dog(x).", "predicate(name='Dog')", "all x. (Cat(x) -> Dog(x))"):
        text_tokens = tokens(text)
        assert any(text_tokens[index : index + len(symbol)] == symbol for index in range(len(text_tokens)))


@pytest.mark.parametrize(
    ("task", "generate"),
    [
        ("arithmetic", synthetic_problems),
        ("translation", translation_problems),
        ("entailment", entailment_problems),
    ],
)
def test_lessons_share_no_question_with_any_split(task, generate):
    problems = generate({"train": 150, "dev": 20, "test": 50}, 20, 7)
    questions = {normalise(messages[1]["content"]) for messages in islice(draw_lessons(TASKS[task], 0.5, 7), 500)}
    assert not questions & {normalise(problem.question) for problem in problems}


@pytest.mark.parametrize("task", ["arithmetic", "translation", "entailment"])
def test_careful_lessons_are_free_of_mistakes_and_most_careless_ones_differ_from_them(task):
    careful, careless = (
        [list(messages) for messages in islice(draw_lessons(TASKS[task], share, 7), 120)] for share in (0.0, 1.0)
    )
    assert all("Error" not in message["content"] for messages in careful for message in messages[1:])
    assert all(messages[-1]["content"].startswith("answer(") for messages in careful)
    careful_openings = {messages[0]["content"] for messages in careful}
    assert careful_openings == {messages[0]["content"] for messages in careless}, "one system prompt"
    assert sum(a[2:] != b[2:] for a, b in zip(careful, careless, strict=True)) > 60


def test_the_prompt_is_a_token_prefix_of_prompt_and_completion(tiny_base: Path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    messages, _ = TEXT.render(TASK, PROBLEMS[0].question, ())
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    conversation = tokenizer.apply_chat_template(
        [*messages, {"role": "assistant", "content": "add(a=2, b=3)"}], return_dict=False
    )
    assert conversation[: len(prompt)] == prompt
    assert conversation[-1] == tokenizer.eos_token_id


def test_a_copied_number_weighs_more_and_the_question_weighs_less():
    number, bracket, new_number = range(3)
    ids = (number, bracket, number, bracket, new_number)
    assistant_mask = (False, False, True, True, True)
    assert token_weights(ids, assistant_mask, {number, new_number}, RECIPE) == (0.1, 0.1, 4.0, 1.0, 1.0)


async def replies(folder: Path, max_batch: int, temperature: float) -> list[str]:
    model = LocalChat(folder, "base", max_batch=max_batch)
    conversations = [TEXT.render(TASK, problem.question, ())[0] for problem in PROBLEMS[:12]]
    answers = await asyncio.gather(
        *(
            model.reply(messages, [], Sampling(temperature=temperature, max_tokens=12, seed=index))
            for index, messages in enumerate(conversations)
        )
    )
    return [reply.text for reply in answers]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
async def test_replies_do_not_depend_on_the_other_requests_in_the_batch(tiny_base: Path, temperature: float):
    together = await replies(tiny_base, 12, temperature)
    assert await replies(tiny_base, 1, temperature) == together
    assert await replies(tiny_base, 5, temperature) == together


async def test_greedy_replies_equal_those_of_the_librarys_generate(tiny_base: Path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    expected = []
    for problem in PROBLEMS[:12]:
        messages, _ = TEXT.render(TASK, problem.question, ())
        encoded = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        generated = model.generate(**encoded, max_new_tokens=12, do_sample=False)
        expected.append(tokenizer.decode(generated[0, encoded["input_ids"].shape[1] :], skip_special_tokens=True))
    assert await replies(tiny_base, 12, 0.0) == expected


async def test_a_folder_without_a_model_gives_a_one_line_error(tmp_path: Path):
    with pytest.raises(ProviderError, match="cannot load a model"):
        LocalChat(tmp_path, "base")


def test_a_local_student_is_copied_with_its_hash(tiny_base: Path, tmp_path: Path):
    student = StudentParams(source=str(tiny_base), revision=None, embedded=RECIPE)
    recipe = prepare_base(tmp_path / "models" / "base", student, TASKS, seed=7)
    assert recipe["hash"] == folder_hash(tiny_base)
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["base"]


def folder_with_link(folder: Path, name: str, target: str) -> Path:
    """A model's folder with a link called `name`; a file with a secret is beside the folder."""
    (folder / "inner").mkdir(parents=True)
    (folder.parent / "secret.txt").write_text("a key")
    (folder / "config.json").write_text("{}")
    (folder / name).symlink_to(target)
    return folder


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("notes.txt", "../secret.txt"),
        ("inner/notes.txt", "../../secret.txt"),
        ("everything", ".."),
        ("itself", "."),
        ("circle", "circle"),
        ("nowhere.txt", "gone.txt"),
        ("device", "/dev/zero"),
    ],
)
def test_a_link_that_leads_out_of_a_local_student_is_an_error(tmp_path: Path, name: str, target: str):
    folder = folder_with_link(tmp_path / "outside/model", name, target)
    student = StudentParams(source=str(folder), revision=None, embedded=RECIPE)
    with pytest.raises(DataError, match=r"^student\.source: .* is a link that does not lead to a file of "):
        prepare_base(tmp_path / "models" / "base", student, TASKS, seed=7)
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize(("name", "target"), [("copy.json", "config.json"), ("inner/up.json", "../config.json")])
def test_a_link_within_a_local_student_is_copied_as_a_file(tmp_path: Path, name: str, target: str):
    folder = folder_with_link(tmp_path / "outside/model", name, target)
    (folder / ".secret").symlink_to("../secret.txt")
    prepare_base(tmp_path / "base", StudentParams(source=str(folder), revision=None, embedded=RECIPE), TASKS, seed=7)
    assert (tmp_path / "base" / name).read_text() == "{}"
    assert not [path for path in (tmp_path / "base").rglob("*") if path.is_symlink() or path.name == ".secret"]


def test_a_folder_of_the_hubs_cache_is_copied_with_its_links_as_files(tmp_path: Path):
    cache = tmp_path / "models--maker--small"
    (cache / "blobs").mkdir(parents=True)
    (cache / "snapshots/abc").mkdir(parents=True)
    (cache / "blobs/1234").write_text("{}")
    (cache / "snapshots/abc/config.json").symlink_to("../../blobs/1234")
    student = StudentParams(source=str(cache / "snapshots/abc"), revision=None, embedded=RECIPE)
    prepare_base(tmp_path / "base", student, TASKS, seed=7)
    assert (tmp_path / "base/config.json").read_text() == "{}"
    assert not (tmp_path / "base/config.json").is_symlink()


def test_a_folder_that_is_not_a_model_is_an_error_and_nothing_is_written(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    student = StudentParams(source=str(tmp_path / "empty"), revision=None, embedded=RECIPE)
    with pytest.raises(DataError, match=r"has no config\.json"):
        prepare_base(tmp_path / "models" / "base", student, TASKS, seed=7)
    assert list((tmp_path / "models").iterdir()) == []


def test_without_a_network_the_error_for_a_hub_student_says_what_to_check(tmp_path: Path):
    student = StudentParams(source="someone/some-model", revision=None, embedded=RECIPE)
    with pytest.raises(ProviderError, match=r"someone/some-model cannot be downloaded .*check the id, the network"):
        prepare_base(tmp_path / "models" / "base", student, TASKS, seed=7)
