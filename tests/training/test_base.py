"""The base: copying the embedded student or another model, and downloading."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from callwright.agent.protocol import TEXT
from callwright.chat.local.chat import LocalChat
from callwright.chat.model import Sampling
from callwright.errors import DataError, ProviderError
from callwright.params import StudentParams
from callwright.standins.embedded.shipped_files import SHIPPED
from callwright.standins.embedded.shipped_student import MODEL_FILES
from callwright.storage.files import folder_hash
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from callwright.training.base import _megabytes, prepare_base

pytestmark = pytest.mark.xdist_group("training")
PROBLEMS = synthetic_problems({"train": 24, "dev": 20, "test": 20}, 12, 7)
TASK = TASKS["arithmetic"]


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


def test_the_embedded_student_is_copied_byte_for_byte_on_every_machine(tmp_path: Path):
    recipe = prepare_base(tmp_path / "base", StudentParams(source="embedded", revision=None))
    assert recipe["source"] == "embedded"
    assert {path.name for path in (tmp_path / "base").iterdir()} == {*MODEL_FILES, "recipe.json"}
    for path in (tmp_path / "base").iterdir():
        assert path.read_bytes() == (SHIPPED / path.name).read_bytes(), path.name


def test_copying_the_embedded_student_imports_no_torch():
    code = "import sys, callwright.pipeline.base; assert not {'torch', 'transformers', 'sympy'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_local_student_is_copied_with_its_hash(tiny_base: Path, tmp_path: Path):
    student = StudentParams(source=str(tiny_base), revision=None)
    recipe = prepare_base(tmp_path / "models" / "base", student)
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
    student = StudentParams(source=str(folder), revision=None)
    with pytest.raises(DataError, match=r"^student\.source: .* is a link that does not lead to a file of "):
        prepare_base(tmp_path / "models" / "base", student)
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize(("name", "target"), [("copy.json", "config.json"), ("inner/up.json", "../config.json")])
def test_a_link_within_a_local_student_is_copied_as_a_file(tmp_path: Path, name: str, target: str):
    folder = folder_with_link(tmp_path / "outside/model", name, target)
    (folder / ".secret").symlink_to("../secret.txt")
    prepare_base(tmp_path / "base", StudentParams(source=str(folder), revision=None))
    assert (tmp_path / "base" / name).read_text() == "{}"
    assert not [path for path in (tmp_path / "base").rglob("*") if path.is_symlink() or path.name == ".secret"]


def test_a_folder_of_the_hubs_cache_is_copied_with_its_links_as_files(tmp_path: Path):
    cache = tmp_path / "models--maker--small"
    (cache / "blobs").mkdir(parents=True)
    (cache / "snapshots/abc").mkdir(parents=True)
    (cache / "blobs/1234").write_text("{}")
    (cache / "snapshots/abc/config.json").symlink_to("../../blobs/1234")
    student = StudentParams(source=str(cache / "snapshots/abc"), revision=None)
    prepare_base(tmp_path / "base", student)
    assert (tmp_path / "base/config.json").read_text() == "{}"
    assert not (tmp_path / "base/config.json").is_symlink()


def test_a_folder_that_is_not_a_model_is_an_error_and_nothing_is_written(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    student = StudentParams(source=str(tmp_path / "empty"), revision=None)
    with pytest.raises(DataError, match=r"has no config\.json"):
        prepare_base(tmp_path / "models" / "base", student)
    assert list((tmp_path / "models").iterdir()) == []


def test_without_a_network_the_error_for_a_hub_student_says_what_to_check(tmp_path: Path):
    student = StudentParams(source="someone/some-model", revision=None)
    with pytest.raises(ProviderError, match=r"someone/some-model cannot be downloaded .*check the id, the network"):
        prepare_base(tmp_path / "models" / "base", student)


def test_the_size_of_a_download_leaves_out_files_that_are_renamed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "model.safetensors").write_bytes(bytes(3_000_000))
    listed = [(str(tmp_path), [], ["model.safetensors", "tokenizer.json.incomplete"])]
    monkeypatch.setattr(os, "walk", lambda folder: listed)
    assert _megabytes(tmp_path) == 3
