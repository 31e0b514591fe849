"""Write the code that each stage reaches into dvc.yaml: its script, modules, templates, and a user's own modules.

    python -m callwright.pipeline.deps           rewrite dvc.yaml (`make deps`; `make repro` does it first)
    python -m callwright.pipeline.deps --check   exit 1 with one line for each stage whose entries are stale

Entries are single files, so a new module concerns only the stages that reach it. A user's module that is an installed
package is not listed; requirements.lock pins its version.
"""

import re
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from callwright.errors import CallwrightError, ParamsError
from callwright.params import Params
from callwright.params.section import Section
from callwright.pipeline.code_graph import CodeGraph
from callwright.pipeline.dvc_yaml import FILE, LOCK_FILE, Stage, read_file, read_stages, with_code
from callwright.storage.files import write_text

# Modules that cannot change a result. They are not listed, and neither is what only they reach.
EXCLUDED = {
    "callwright": "re-exports names; the modules that define them are listed where a name is used",
    "callwright.errors": "classes of exceptions; their texts are made where they are raised",
    "callwright.lazy": "imports a module on first use; the module is listed",
    "callwright.paths": "names of files, which dvc.yaml has as outs and deps",
    "callwright.pipeline.early_checks": "refuses values of later stages",
    "callwright.pipeline.deps": "warns of a user's modules that are not listed",
    "callwright.pipeline.dvc_yaml": "reads what is listed, for this warning",
    "callwright.pipeline.logs": "writes to stderr",
    "callwright.pipeline.stage": "the stage's lock, its seconds, and its line for an error",
    "callwright.pipeline.threads": "the number of threads of this machine",
    "callwright.progress": "shows how far a stage is",
    "callwright.rollouts.progress": "what is shown of a rollout",
    "callwright.training.progress": "what is shown of a training",
}
PARAMS = "callwright.params"  # imports the models of all sections; a stage depends on those of the sections it reads
_MAX_NAMED = 5  # entries in a message
LOADERS = {"callwright.tasks.load_tasks"}  # imports a user's modules


def code_of_stages(root: Path, stages: dict[str, Stage], functions: Sequence[str]) -> dict[str, list[str]]:
    """The code dependencies of each stage: paths in the project, the script and the lock file first.

    Args:
        root: the project's folder.
        functions: the user's own modules (`functions` in params.yaml).

    Raises:
        DataError: a file of the code cannot be read or parsed.
    """
    graph = CodeGraph(root)
    own_files = user_files(graph, functions)
    return {name: _code_of_stage(graph, stage, own_files) for name, stage in stages.items()}


def _code_of_stage(graph: CodeGraph, stage: Stage, own_files: set[Path]) -> list[str]:
    starts = _started_files(graph, stage.command)
    reach = partial(
        graph.reach,
        excluded={file for module in EXCLUDED if (file := graph.find(module))},
        excluded_references=_sections_not_read(graph, stage.params),
        task_folders={folder for file in own_files for folder in graph.references(file).folders},
    )
    reached = reach(starts)
    if any(graph.references(file).names & LOADERS for file in reached):
        reached = reach({*starts, *own_files})
    return _entries(graph, starts, reached)


def user_files(graph: CodeGraph, functions: Sequence[str]) -> set[Path]:
    """The files of the user's own modules in the project's folder, and of the modules there that they import.

    Raises:
        ParamsError: there is no such module.
    """
    for module in functions:
        if not graph.exists(module):  # its entries in dvc.yaml must not be removed for a misspelt name
            raise ParamsError(f"functions: there is no module {module} in this folder or among the installed packages")
    starts = [file for module in functions for file in graph.resolve(module)]
    package = graph.root / "src/callwright"
    return {file for file in graph.reach(starts) if not file.is_relative_to(package)}


def _started_files(graph: CodeGraph, command: str) -> set[Path]:
    """The files that a stage's command starts: scripts, and modules after `-m`."""
    scripts = {graph.root / word for word in shlex.split(command) if word.endswith(".py")}
    modules = re.findall(r"-m\s+([\w.]+)", command)
    return scripts | {file for module in modules for file in graph.resolve(module)}


def _sections_not_read(graph: CodeGraph, params: Sequence[str]) -> set[tuple[Path, Path]]:
    """The references of callwright.params to modules that only hold models of sections which a stage does not read."""
    read = {
        field.annotation.__module__
        for name, field in Params.model_fields.items()
        if field.annotation and (field.alias or name) in {entry.partition(".")[0] for entry in params}
    }
    models = {
        value.__module__
        for value in vars(sys.modules[Params.__module__]).values()
        if isinstance(value, type) and issubclass(value, Section) and value not in (Section, Params)
    }
    start = graph.find(PARAMS)
    return {(start, file) for module in models - read if start and (file := graph.find(module))}


def _entries(graph: CodeGraph, starts: set[Path], reached: set[Path]) -> list[str]:
    def entry(file: Path) -> str:
        return file.relative_to(graph.root).as_posix()

    scripts = sorted(entry(file) for file in starts & reached if not file.is_relative_to(graph.root / "src"))
    lock = [LOCK_FILE] if graph.outside_packages(reached) else []
    rest = {entry(file) for file in reached} - {*scripts}
    return [*scripts, *lock, *sorted(rest, key=lambda path: (not path.startswith("src/callwright/"), path))]


def stale_lines(stages: dict[str, Stage], code: dict[str, list[str]]) -> list[str]:
    """One line for each stage whose code dependencies in dvc.yaml are not those that it reaches."""
    lines = []
    for name, stage in stages.items():
        missing = [entry for entry in code[name] if entry not in stage.code]
        surplus = [entry for entry in stage.code if entry not in code[name]]
        faults = [
            f"{verb} {_named(entries)}"
            for verb, entries in (("lacks", missing), ("does not reach", surplus))
            if entries
        ]
        if faults:
            lines.append(f"{FILE}: {name} {' and '.join(faults)}")
    return lines


def _named(entries: Sequence[str]) -> str:
    more = len(entries) - _MAX_NAMED
    return ", ".join(entries[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def missing_user_files(stage: str, functions: Sequence[str], root: Path = Path()) -> list[str]:
    """The user's files that dvc.yaml does not list for a stage that uses them.

    Raises:
        DataError: dvc.yaml or a user's file cannot be read or parsed.
    """
    listed = read_stages(read_file(root / FILE)).get(stage)
    if listed is None or "functions" not in listed.params:
        return []
    graph = CodeGraph(root)
    files = (file.relative_to(graph.root).as_posix() for file in user_files(graph, functions))
    return sorted(file for file in files if file not in listed.deps)


def main(arguments: Sequence[str]) -> str | None:
    """Rewrite or check dvc.yaml in this folder; returns the error, one line a stage."""
    if [*arguments] not in ([], ["--check"]):
        return "usage: python -m callwright.pipeline.deps [--check]"
    try:
        text = read_file()
        stages = read_stages(text)
        code = code_of_stages(Path(), stages, Params.load().functions)
        lines = stale_lines(stages, code)
        if arguments:
            return "\n".join(f"{line}: run make deps" for line in lines) or None
        write_text(FILE, with_code(text, code))
    except FileNotFoundError:
        return f"there is no {FILE} in this folder: run this in the project's folder"
    except CallwrightError as error:
        return str(error)
    for line in lines:
        print(f"{line}: rewritten")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
