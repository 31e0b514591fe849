"""A clone's pipeline, run at tiny scale in a copy of its working tree, with that copy's code and no other's.

The copy has its own git, DVC cache and MLflow store; the clone stays as it is. The copy's `src` is first on PYTHONPATH,
before a Callwright that is installed as editable. A `sitecustomize` module on the same path notes where each process
takes `callwright` from: those that `dvc` and `accelerate` start, and their worker processes. One that took it from
elsewhere fails the run. Not covered: a process that ignores PYTHONPATH (`python -I`); the pipeline starts none.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEFT_BY_A_RUN = {"dvc.lock", "models/registry.json"}
NOT_INHERITED = ("PYTHON", "MLFLOW_", "TEACHER_", "DVC_", "CALLWRIGHT_", "ACCELERATE_")  # variables that begin so
THREADS = "OMP_NUM_THREADS"
STATE = Path(".callwright/compare_clones.state")  # in the copy: the hash of what the run was made of
WATCH = Path(".callwright/compare_clones")  # in the copy: a folder with `sitecustomize`
STAGES = ("problems", "base", "rollout", "validate", "pairs", "train", "evaluate", "promote")

SITECUSTOMIZE = '''
import sys

class Watch:
    """Notes where this process takes callwright from, and leaves the import to the finders after it."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "callwright":
            specs = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not Watch)
            spec = next(filter(None, specs), None)
            with open({log!r}, "a") as file:
                file.write(f"{{spec.origin if spec else None}}\\t{{' '.join(sys.argv)}}\\n")
        return None

sys.meta_path.insert(0, Watch)
'''


@dataclass(frozen=True, slots=True)
class Run:
    """A copy of a clone in which the pipeline runs.

    Attributes:
        threads: of each process, also the threads of its worker processes; None: as many as PyTorch chooses. One thread
            adds in one order, so that weights are the same.
    """

    folder: Path
    threads: int | None = 1

    def start(self, *command: str, watch: bool = False) -> str:
        """Run a command in the copy, with its code; returns what it printed.

        Raises:
            SystemExit: the command failed; with the end of what it printed.
        """
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(watch),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{done.stdout[-3000:]}\n{self.folder}: {' '.join(command)[:200]} failed with {done.returncode}")
        return done.stdout

    def _environment(self, watch: bool) -> dict[str, str]:
        unwanted = (*NOT_INHERITED, THREADS)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        fixed = {"HF_HUB_OFFLINE": "1"} | ({} if self.threads is None else {THREADS: str(self.threads)})
        path = f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}"
        code = [self.folder / "src", *([self.folder / WATCH] if watch else [])]
        return {**inherited, **fixed, "PATH": path, "PYTHONPATH": os.pathsep.join(map(str, code))}


def copy_clone(clone: Path, folder: Path, changes: Iterable[Mapping[str, Any]], threads: int | None = 1) -> Run:
    """Copy a clone into a folder with its own git and DVC; an earlier run in the folder goes.

    Args:
        changes: laid over params.yaml, one after the other.

    Raises:
        SystemExit: the folder holds something else than an earlier run.
    """
    folder = folder.resolve()
    _make_room(folder)
    for name in _files(clone):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(clone / name, folder / name)
    _set_params(folder / "params.yaml", changes)
    run = Run(folder, threads)
    run.start("git", "init", "--quiet")
    run.start("git", "config", "user.name", "compare")
    run.start("git", "config", "user.email", "compare@example.invalid")
    run.start("git", "add", "--all")
    run.start("git", "commit", "--quiet", "--message", "a copy")
    return run


def run_pipeline(clone: Path, folder: Path, overlay: Path, protocol: str) -> Run:
    """Copy a clone into its own folder and run all stages there.

    Args:
        overlay: a YAML file with the params to change, such as tests/stages/tiny.yaml.
        protocol: that of the rollout, "text" or "native".

    Raises:
        SystemExit: a stage failed, or did not run, or a process took `callwright` from elsewhere.
    """
    run = copy_clone(clone, folder, [read_overlay(overlay), {"rollout": {"protocol": protocol}}])
    folder = run.folder
    log = folder / WATCH / "log.txt"
    (folder / WATCH / "sitecustomize.py").write_text(SITECUSTOMIZE.format(log=str(log)))
    printed = run.start("dvc", "repro", "--no-run-cache", watch=True)
    (folder / WATCH / "printed.txt").write_text(printed)
    if missing := [stage for stage in STAGES if f"Running stage '{stage}'" not in printed]:
        sys.exit(f"{folder}: dvc repro did not run {', '.join(missing)}")
    _check_origins(folder, log.read_text().splitlines())
    (folder / STATE).write_text(state_of(clone, overlay, protocol))
    return run


def finished_run(clone: Path, folder: Path, overlay: Path, protocol: str) -> Run:
    """The run that an earlier comparison kept in a folder.

    Raises:
        SystemExit: there is none, or it was made of other files than the clone has now.
    """
    folder = folder.resolve()
    if not (folder / STATE).is_file():
        sys.exit(f"{folder} holds no finished run: leave out --reuse-before, or name the folder given to --keep")
    if (folder / STATE).read_text() != state_of(clone, overlay, protocol):
        sys.exit(f"{folder} was made of other files than {clone} has now: leave out --reuse-before")
    return Run(folder)


def state_of(clone: Path, overlay: Path, protocol: str) -> str:
    """SHA-256 of all that a run is made of: the clone's files, the overlay, the protocol."""
    digest = hashlib.sha256(protocol.encode() + b"\0" + overlay.read_bytes())
    for name in _files(clone):
        digest.update(name.encode() + b"\0" + hashlib.sha256((clone / name).read_bytes()).digest())
    return digest.hexdigest()


def _files(clone: Path) -> list[str]:
    """The files of the working tree that git does not ignore, without tests and what a run leaves for git."""
    command = ["git", "-C", str(clone), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if listed.returncode:
        sys.exit(f"{clone} is not a clone of the project")
    names = sorted(set(listed.stdout.split("\0")) - LEFT_BY_A_RUN)
    return [name for name in names if not name.startswith("tests/") and (clone / name).is_file()]


def _make_room(folder: Path) -> None:
    """Make a folder for a run; an earlier run in it goes."""
    if folder.exists():
        if not (folder / WATCH).is_dir():
            sys.exit(f"{folder} exists and holds no earlier run: name another folder")
        shutil.rmtree(folder)
    (folder / WATCH).mkdir(parents=True)


def read_overlay(path: Path | None) -> Mapping[str, Any]:
    """The params of a YAML file that lists those to change; without a file none."""
    from ruamel.yaml import YAML

    return YAML().load(path.read_text()) if path else {}


def _set_params(params: Path, changes: Iterable[Mapping[str, Any]]) -> None:
    from ruamel.yaml import YAML

    yaml = YAML()
    values = yaml.load(params.read_text())
    for change in changes:
        _overlay(values, change)
    with params.open("w") as file:
        yaml.dump(values, file)


def _overlay(values: Any, changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if value and isinstance(value, Mapping) and isinstance(values.get(key), Mapping):
            _overlay(values[key], value)
        else:
            values[key] = value


def _check_origins(folder: Path, lines: list[str]) -> None:
    """Check the notes of `sitecustomize`: a line per process, with the file of `callwright` and the arguments."""
    processes = [line.partition("\t")[::2] for line in lines]
    for origin, command in processes:
        if not Path(origin).resolve().is_relative_to(folder):
            sys.exit(f"{folder}: a process took callwright from {origin}, not from the copy: {command[:200]}")
    commands = "\n".join(command for _, command in processes)
    if missing := [stage for stage in STAGES if f"stages/{stage}.py" not in commands]:
        sys.exit(f"{folder}: no process of the stages {', '.join(missing)} was seen to import callwright")
