"""Record what the processes of a stage really load and read: modules, files of the project, and parameters.

A `sitecustomize.py` on PYTHONPATH runs at the start of every Python process, also of the solvers' and pools' worker
processes. It writes a line for each file that is opened for reading, at once, because workers are killed in the end.
Files that libraries open without Python (safetensors) do not show.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from callwright.params import PARAMS_FILE
from tests.stages.conftest import Project

_FOLDER = "recording"  # in the project
_SITE_CUSTOMIZE = """
import os, sys

folder = os.path.dirname(os.path.abspath(__file__))
project = os.path.dirname(folder) + os.sep
with open(os.path.join(folder, "stage")) as file:
    log = os.open(os.path.join(folder, file.read()), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
seen = set()

def record(kind, name):
    if (kind, name) not in seen:
        seen.add((kind, name))
        os.write(log, f"{kind} {name}\\n".encode())

def hook(event, args):
    if event == "open" and isinstance(args[0], (str, bytes, os.PathLike)):
        path = os.path.abspath(os.fsdecode(args[0]))
        if path.startswith(project) and not args[2] & (os.O_WRONLY | os.O_RDWR):
            frame = sys._getframe().f_back  # None: Python opens the script
            caller = frame.f_code.co_filename if frame else ""
            kind = "module" if "importlib" in caller else "copy" if caller.endswith("shutil.py") else "file"
            record(kind, path[len(project):])

sys.addaudithook(hook)
"""
# Appended to the module with the base class of all sections of params.yaml. Values are recorded, sections are not:
# reading `params.rollout` to pass it on reads no parameter.
_RECORD_PARAMS = """

import sitecustomize

_key_by_section = {}


def _register(section, prefix):
    for name, field in type(section).model_fields.items():
        value = BaseModel.__getattribute__(section, name)
        if isinstance(value, Section):
            key = f"{prefix}{field.alias or name}."
            _key_by_section[id(value)] = (key, value)
            _register(value, key)


def _read(self, name):
    value = BaseModel.__getattribute__(self, name)
    kind = type(self)
    if name in kind.__dict__.get("__pydantic_fields__", ()):
        if kind.__name__ == "Params" and id(self) not in _key_by_section:
            _key_by_section[id(self)] = ("", self)
            _register(self, "")
        if id(self) in _key_by_section and not isinstance(value, Section):
            sitecustomize.record("param", _key_by_section[id(self)][0] + (kind.model_fields[name].alias or name))
    return value


def _dump(self, **options):
    if id(self) in _key_by_section:
        prefix, excluded = _key_by_section[id(self)][0], options.get("exclude")
        fields = type(self).model_fields.items()
        names = [prefix + (field.alias or name) for name, field in fields if name not in (excluded or ())]
        for name in names if excluded else [prefix.removesuffix(".")]:
            sitecustomize.record("param", name)
    return BaseModel.model_dump(self, **options)


Section.__getattribute__ = _read
Section.model_dump = _dump
"""


@dataclass(frozen=True)
class Recording:
    """What a stage's processes did.

    Attributes:
        modules: the modules that were imported, as paths of their files.
        code: files in src and stages that were read and not only copied: scripts, templates, modules loaded by path.
        files: other files of the project, read and not written before by the same stage.
        params: keys of params.yaml whose values were read; a whole section if it was dumped.
    """

    modules: set[str]
    code: set[str]
    files: set[str]
    params: set[str]


def record_stage(project: Project, stage: str) -> Recording:
    """Run a stage's command of dvc.yaml without DVC, and return what it did."""
    folder = project.folder / _FOLDER
    if not folder.exists():
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(_SITE_CUSTOMIZE)
        section = project.folder / "src/callwright/params/section.py"
        section.write_text(section.read_text() + _RECORD_PARAMS)
    (folder / "stage").write_text(stage)
    before = {path for path in project.folder.rglob("*") if path.is_file()}
    path = f"{folder}:{project.folder / 'src'}"
    project.run("bash", "-c", _command(project, stage), PYTHONPATH=path)
    lines = [line.split(" ", 1) for line in (folder / stage).read_text().splitlines()]
    modules = {_source(name) for kind, name in lines if kind == "module" and name.startswith("src/")}
    read = {name for kind, name in lines if kind == "file" and project.folder / name in before}
    code = {name for name in read if name.startswith(("src/", "stages/"))}
    files = {name for name in read - code if not name.startswith(_FOLDER)}
    return Recording(modules, code, files, {name for kind, name in lines if kind == "param"})


def _command(project: Project, stage: str) -> str:
    yaml = YAML(typ="safe")
    command = str(yaml.load((project.folder / "dvc.yaml").read_text())["stages"][stage]["cmd"])
    train = yaml.load((project.folder / PARAMS_FILE).read_text())["train"]
    for name in ("accelerate", "processes"):
        command = command.replace(f"${{train.{name}}}", shlex.quote(str(train[name])))
    return command


def _source(path: str) -> str:
    """The source file of a compiled module: a/__pycache__/b.cpython-311.pyc -> a/b.py."""
    file = Path(path)
    return str(file.parents[1] / f"{file.name.partition('.')[0]}.py") if file.suffix == ".pyc" else path
