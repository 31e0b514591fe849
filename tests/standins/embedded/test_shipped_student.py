"""The embedded student that ships: its files are whole, small, and a model that loads."""

import json
import shutil
from itertools import islice
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from callwright.agent.protocol import TEXT
from callwright.chat.local.device import pick_dtype
from callwright.errors import DataError
from callwright.standins.embedded.lessons import draw_lessons
from callwright.standins.embedded.seen_questions import (
    SEEN_QUESTIONS_FILE,
    question_hash,
    read_questions_of_base,
    write_seen_questions,
)
from callwright.standins.embedded.ship import MAX_WEIGHT_BYTES
from callwright.standins.embedded.shipped_files import SHIPPED, checked_file
from callwright.standins.embedded.shipped_student import MODEL_FILES, copy_shipped_student
from callwright.storage.files import read_json
from callwright.tasks import TASKS

RECIPE = read_json(SHIPPED / "recipe.json")


def test_every_shipped_file_is_the_one_that_the_recipe_lists():
    assert set(RECIPE["files"]) == {*MODEL_FILES, SEEN_QUESTIONS_FILE}
    assert {path.name for path in SHIPPED.iterdir()} == {*RECIPE["files"], "recipe.json"}
    for name in RECIPE["files"]:
        assert checked_file(SHIPPED, name) == SHIPPED / name


def test_the_weights_are_in_float16_and_at_most_four_megabytes():
    weights = SHIPPED / "model.safetensors"
    assert weights.stat().st_size <= MAX_WEIGHT_BYTES == 4_000_000
    with safe_open(weights, "pt") as file:
        tensors = [file.get_tensor(name) for name in file.keys()]  # noqa: SIM118 - not a dict
    assert {tensor.dtype for tensor in tensors} == {torch.float16}
    assert sum(tensor.numel() for tensor in tensors) == RECIPE["parameters"]


def test_the_student_is_computed_in_float32_on_a_cpu_whoever_loads_it():
    assert AutoModelForCausalLM.from_pretrained(SHIPPED).dtype == torch.float32
    assert pick_dtype(torch.device("cpu")) == torch.float32


def test_the_card_names_the_licence_a_stand_in_and_the_held_out_families():
    card = (SHIPPED / "README.md").read_text()
    assert card.startswith("---\nlicense: apache-2.0\n")
    assert "A **stand-in** for a small pretrained language model" in card
    assert "**all families, also of those that the pipeline holds out**" in card
    assert f"{RECIPE['questions']:,} different questions" in card


def test_the_questions_it_has_read_are_as_many_as_the_recipe_says():
    assert len(read_questions_of_base("embedded")) == RECIPE["questions"] > 0
    assert len(read_questions_of_base("Qwen/Qwen2.5-0.5B-Instruct")) == 0


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A copy of the shipped files that a test may damage."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "shipped"))


def test_the_list_of_questions_is_checked_like_the_other_files(shipped: Path):
    write_seen_questions(shipped / SEEN_QUESTIONS_FILE, [question_hash("What is 2 plus 3?")])
    with pytest.raises(DataError, match=r"seen_questions\.bin has 8 bytes, SHA-256 \w+: not as recipe\.json says"):
        read_questions_of_base("embedded", shipped)


def damage(path: Path, fault: str) -> None:
    content = path.read_bytes()
    if fault == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if fault == "cut off" else bytes([content[0] ^ 1]) + content[1:])


@pytest.mark.parametrize("name", [*MODEL_FILES, "recipe.json"])
@pytest.mark.parametrize("fault", ["missing", "cut off", "changed"])
def test_a_damaged_package_gives_one_line_that_names_the_file(shipped: Path, tmp_path: Path, name: str, fault: str):
    damage(shipped / name, fault)
    if (name, fault) == ("recipe.json", "cut off"):
        return  # it only lacks the last line break
    with pytest.raises(DataError) as caught:
        copy_shipped_student(tmp_path / "base", shipped)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["[]", "{}", '{"files": []}'])
def test_a_recipe_without_files_is_damage(shipped: Path, tmp_path: Path, content: str):
    (shipped / "recipe.json").write_text(content)
    with pytest.raises(DataError, match=r"^the embedded student is damaged: .*recipe\.json is missing, or lists"):
        copy_shipped_student(tmp_path / "base", shipped)


def test_a_recipe_that_is_cut_off_is_damage(shipped: Path, tmp_path: Path):
    (shipped / "recipe.json").write_text(json.dumps(RECIPE)[:-30])
    with pytest.raises(DataError, match=r"^the embedded student is damaged: .*is not JSON.*install callwright again"):
        copy_shipped_student(tmp_path / "base", shipped)


def test_a_file_that_the_recipe_does_not_list_is_damage(shipped: Path, tmp_path: Path):
    files = {name: entry for name, entry in RECIPE["files"].items() if name != "config.json"}
    (shipped / "recipe.json").write_text(json.dumps({**RECIPE, "files": files}))
    with pytest.raises(DataError, match=r"config\.json has .* bytes, SHA-256 \w+: not as recipe\.json says; install"):
        copy_shipped_student(tmp_path / "base", shipped)


def test_the_tokenizer_encodes_any_text_and_splits_numbers_into_digits():
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED)
    for text in ("Zoë pays 1,234.50 € — 𝔞\n\t\x07", "add(a=1234, b=-5)"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert len(tokenizer("1234")["input_ids"]) == 4


def test_the_loaded_tokenizer_encodes_text_like_the_one_that_was_trained():
    loaded, trained = AutoTokenizer.from_pretrained(SHIPPED), Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))
    for task in ("arithmetic", "translation", "entailment"):
        for messages in islice(draw_lessons(TASKS[task], 0.0, 7), 20):
            for message in messages:
                assert loaded(message["content"])["input_ids"] == trained.encode(message["content"]).ids


def test_a_symbol_of_a_formula_has_the_same_tokens_everywhere():
    tokens = AutoTokenizer.from_pretrained(SHIPPED).tokenize
    symbol = tokens("Dog")
    for text in ("Vocabulary: Cat(x), Dog(x).", "predicate(name='Dog')", "all x. (Cat(x) -> Dog(x))"):
        text_tokens = tokens(text)
        assert any(text_tokens[index : index + len(symbol)] == symbol for index in range(len(text_tokens)))


def test_the_prompt_is_a_token_prefix_of_prompt_and_completion():
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED)
    messages, _ = TEXT.render(TASKS["arithmetic"], "What is 2 plus 3?", ())
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    conversation = tokenizer.apply_chat_template(
        [*messages, {"role": "assistant", "content": "add(a=2, b=3)"}], return_dict=False
    )
    assert conversation[: len(prompt)] == prompt
    assert conversation[-1] == tokenizer.eos_token_id
