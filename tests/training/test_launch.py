"""`accelerate launch` with the project's launch files."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML
from safetensors.torch import load_file

from callwright.pipeline.threads import threads_per_process
from tests.training.examples import PARAMS
from tests.working_tree import ROOT

LAUNCHES = sorted((ROOT / "conf/accelerate").glob("*.yaml"))
SCRIPT = """
import json, os, sys
from pathlib import Path
from callwright.params import TrainParams
from callwright.tasks import TASKS
from callwright.training.dpo import train
from tests.training.examples import EXAMPLES, NEW_NAMES

base, folder, params = Path(sys.argv[1]), Path(sys.argv[2]), TrainParams.model_validate_json(sys.argv[3])
logged = []
trained = train(base, EXAMPLES, params, TASKS, NEW_NAMES, seed=7, student=folder / "student",
                adapter=folder / "adapter", work=folder / "work", log=lambda metrics, step: logged.append(step))
rank = os.environ.get("RANK", "0")
(folder / f"rank{rank}.json").write_text(json.dumps(
    {"logged": logged, "has_report": trained.report is not None, "world": os.environ.get("WORLD_SIZE", "1"),
     "curves": trained.curves}))
"""


def launch_training(base: Path, folder: Path, launch: str, processes: int, batch_size: int) -> list[dict]:
    """Train in a launch; returns each rank's logged steps and curves, and whether it has a report, by rank."""
    folder.mkdir()
    script = folder / "script.py"
    script.write_text(SCRIPT)
    params = PARAMS.model_copy(
        update={"batch_size": batch_size, "processes": processes, "accelerate": launch, "learning_rate": 1e-3}
    )
    completed = subprocess.run(
        [str(Path(sys.executable).with_name("accelerate")), "launch", "--quiet", "--config_file",
         str(ROOT / f"conf/accelerate/{launch}.yaml"), "--num_processes", str(processes),
         str(script), str(base), str(folder), params.model_dump_json()],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "OMP_NUM_THREADS": "1",
             "HOME": str(folder)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stdout
    return [json.loads(file.read_text()) for file in sorted(folder.glob("rank*.json"))]


@pytest.mark.slow
@pytest.mark.xdist_group("training")
def test_two_processes_give_the_same_result_as_one_with_twice_the_batch_size(tiny_base: Path, tmp_path: Path):
    (single,) = launch_training(tiny_base, tmp_path / "single", "cpu", processes=1, batch_size=8)
    first, second = launch_training(tiny_base, tmp_path / "double", "cpu2", processes=2, batch_size=4)
    assert [rank["world"] for rank in (first, second)] == ["2", "2"]
    assert first["logged"]
    assert second["logged"] == [], "only rank 0 logs"
    assert (first["has_report"], second["has_report"]) == (True, False)
    for expected_row, row in zip(single["curves"], first["curves"], strict=True):
        for name in ("loss", "margin", "chosen_log_probs", "grad_norm"):
            assert row[name] == pytest.approx(expected_row[name], rel=1e-5, abs=1e-5), name
    expected, student = (load_file(tmp_path / name / "student/model.safetensors") for name in ("single", "double"))
    assert all(torch.allclose(student[key], weight, rtol=0, atol=1e-5) for key, weight in expected.items())


@pytest.mark.parametrize("file", LAUNCHES, ids=lambda file: file.stem)
def test_the_command_of_the_train_stage_leaves_accelerate_no_default_to_warn_about(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # as a user's shell has it
    monkeypatch.setattr("psutil.cpu_count", lambda logical: 64)  # of accelerate, which warns if it finds several cores
    monkeypatch.chdir(ROOT)
    command = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]["train"]["cmd"]
    for name, value in {"train.accelerate": file.stem, "train.processes": "2"}.items():
        command = command.replace(f"${{{name}}}", value)
    command = re.sub(r"\$\(([^)]*)\)", lambda match: output_of(match[1]), command)
    program, subcommand, *arguments = command.split()
    assert (program, subcommand) == ("accelerate", "launch")
    _validate_launch_command(launch_command_parser().parse_args(arguments))
    assert [line for line in caplog.messages if "were not passed" in line] == []


def output_of(command: str) -> str:
    program, *arguments = command.split()
    assert program == "python"
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("variable", "processes", "threads"), [("3", 2, 3), ("", 2, 4), (None, 2, 4), (None, 16, 1), ("0", 1, 8)]
)
def test_threads_are_those_of_the_environment_or_a_share_of_the_cores(
    variable: str | None, processes: int, threads: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("psutil.cpu_count", lambda logical: 16 if logical else 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if variable is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", variable)
    assert threads_per_process(processes) == threads


@pytest.mark.parametrize("file", LAUNCHES, ids=lambda file: file.stem)
def test_a_launch_file_has_all_settings_that_accelerate_needs(file: Path):
    from accelerate.commands.config.config_args import load_config_from_file

    settings = YAML(typ="safe").load(file.read_text())
    config = load_config_from_file(str(file))
    assert config.distributed_type.value == settings["distributed_type"]
    assert "num_processes" not in settings, "train.processes sets it"
    if settings["distributed_type"] != "NO":
        assert (settings["main_process_port"] == 0) == (settings["num_machines"] == 1), "a free port on one machine"
