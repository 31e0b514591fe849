"""Which files of a project a file reaches, directly or through others.

Besides imports these count as references, because the process that uses the text imports or reads what it names:

- a text that names a module (`"callwright.a.b"`, `"callwright.a.b:Name"`): tables, and functions of a worker process;
- `.part("mistakes")`: the module `mistakes` of every task's folder that has one;
- a text that names a file of the package which is no module (a template), or a module's file by its path;
- the templates that a template includes.

An import of a module also executes the `__init__.py` of its parent packages.
"""

import re
import sys
from collections.abc import Collection, Iterable, Iterator
from functools import cache, cached_property
from importlib import invalidate_caches
from importlib.machinery import PathFinder
from pathlib import Path

from callwright.errors import DataError
from callwright.pipeline.source_references import References, has_code, read_references

PACKAGE = "callwright"
TASKS_PACKAGE = "callwright.tasks"  # each package below it is a task's folder
_MODULE_TEXT = re.compile(r"[A-Za-z_]\w*(?:[.:][A-Za-z_]\w*)+")
_INCLUDED_TEMPLATE = re.compile(r"""\{%-?\s*(?:extends|include|import|from)\s+["']([^"']+)["']""")


class CodeGraph:
    """The files of a project that its processes execute or read.

    Callwright's package is in `src`. Other modules are a user's: those that Python finds in the project's folder.
    Modules that are installed elsewhere are not part of the project.

    Args:
        root: the project's folder.
    """

    def __init__(self, root: Path) -> None:
        invalidate_caches()  # of a folder's modules: a user has just written one
        self.root = root.resolve()
        self._module_by_file: dict[Path, str] = {}
        self.find = cache(self._find)
        self.references = cache(self._references)
        self.referenced = cache(self._referenced)
        self._folder_of = cache(self._find_top_level)

    def reach(
        self,
        starts: Iterable[Path],
        *,
        excluded: Collection[Path] = (),
        excluded_references: Collection[tuple[Path, Path]] = (),
        task_folders: Iterable[str] = (),
    ) -> set[Path]:
        """The files that the starting files reach, without packages' `__init__.py` that have no code.

        Args:
            excluded: files that do not count, nor does what only they reach.
            excluded_references: pairs (file, referenced file) that do not count.
            task_folders: packages of tasks besides Callwright's own.

        Raises:
            DataError: a file cannot be read or parsed, or the folder does not have Callwright's source.
        """
        folders = (*self._own_task_folders, *task_folders)
        reached: set[Path] = set()
        waiting = [file for file in starts if file not in excluded]
        while waiting:
            file = waiting.pop()
            if file in reached:
                continue
            reached.add(file)
            waiting += [
                to
                for to in self.referenced(file, folders)
                if to not in excluded and (file, to) not in excluded_references
            ]
        return {file for file in reached if file.name != "__init__.py" or has_code(file)}

    def outside_packages(self, files: Iterable[Path]) -> set[str]:
        """The top-level names that files import from neither the project nor Python itself."""
        names = {
            name.partition(".")[0] for file in files if file.suffix == ".py" for name in self.references(file).names
        }
        return {name for name in names - sys.stdlib_module_names if self._folder_of(name) is None}

    def resolve(self, name: str) -> Iterator[Path]:
        """The files that importing a dotted name executes: of its packages, its module, and of what it leads to.

        A name that a module imports itself or exports lazily leads to the module that defines it.
        """
        yield from self._resolve(name.split("."), set())

    def _resolve(self, parts: list[str], followed: set[str]) -> Iterator[Path]:
        parent: Path | None = None
        for position in range(len(parts)):
            file = self.find(".".join(parts[: position + 1]))
            if file is None:
                if parent is not None and parent.is_file():
                    exports = self.references(parent).exports
                    exported = exports if parts[position] == "*" else {parts[position]} & exports.keys()
                    for origin in {exports[name] for name in exported} - followed:
                        yield from self._resolve([*origin.split("."), *parts[position + 1 :]], {*followed, origin})
                return
            if file.is_file():
                yield file
            parent = file

    def _referenced(self, file: Path, task_folders: tuple[str, ...]) -> frozenset[Path]:
        return frozenset(self._find_referenced(file, task_folders))

    def _find_referenced(self, file: Path, task_folders: tuple[str, ...]) -> Iterator[Path]:
        if file.suffix != ".py":
            for name in _INCLUDED_TEMPLATE.findall(file.read_text()) if file.suffix == ".jinja" else ():
                yield from [file.with_name(name)] if file.with_name(name).is_file() else []
            return
        references = self.references(file)
        is_callwright = file.is_relative_to(self._package_folder)
        for name in references.names:
            if not is_callwright or name.partition(".")[0] == PACKAGE:
                yield from self.resolve(name)
        for text in references.texts:
            if _MODULE_TEXT.fullmatch(text) and (not is_callwright or text.startswith(f"{PACKAGE}.")):
                yield from self.resolve(text.replace(":", "."))
            yield from self._named_files(text, file.parent)
        for part in references.parts:
            for folder in task_folders:
                if self.find(f"{folder}.{part}"):
                    yield from self.resolve(f"{folder}.{part}")

    def _named_files(self, text: str, folder: Path) -> Iterator[Path]:
        """The package's files that a text names: by the path in the package, or by the name, in the module's folder."""
        package = self._package_folder
        if text.endswith(".py") and "/" in text and not text.startswith("/") and (package / text).is_file():
            yield package / text
        for file in self._data_files:
            in_folder = folder != package and file.is_relative_to(folder)
            if text == file.relative_to(package).as_posix() or (in_folder and text == file.name):
                yield file

    @property
    def _package_folder(self) -> Path:
        return self.root / "src" / PACKAGE

    @cached_property
    def _data_files(self) -> list[Path]:
        files = self._package_folder.rglob("*.*")
        return sorted(file for file in files if file.is_file() and file.suffix not in (".py", ".pyc"))

    @cached_property
    def _own_task_folders(self) -> list[str]:
        folder = self._package_folder / "tasks"
        if not folder.is_dir():
            raise DataError(
                f"there is no src/{PACKAGE}/tasks in this folder: make deps needs the project's source, which an "
                "installed package does not replace; run it in a clone of the project"
            )
        return [f"{TASKS_PACKAGE}.{path.name}" for path in sorted(folder.iterdir()) if (path / "__init__.py").is_file()]

    def _references(self, file: Path) -> References:
        if file.suffix != ".py":
            return References()
        return read_references(file, self._module_by_file.get(file, file.stem))

    def _find(self, module: str) -> Path | None:
        """A module's file; for a package its `__init__.py`, or its folder if it has none; None outside the project."""
        top, *rest = module.split(".")
        folder = self._folder_of(top)
        if folder is None:
            return None
        path = folder.joinpath(top, *rest)
        for file in (path / "__init__.py", path.with_name(f"{path.name}.py")):
            if file.is_file():
                self._module_by_file[file] = module
                return file
        return path if path.is_dir() else None

    def exists(self, module: str) -> bool:
        """Whether a module is in the project or, by its top-level name, among the installed packages."""
        top = module.partition(".")[0]
        if self._folder_of(top) is not None:
            return self.find(module) is not None
        return top in sys.stdlib_module_names or PathFinder.find_spec(top) is not None

    def _find_top_level(self, name: str) -> Path | None:
        """The folder in which a top-level module or package is; None if it is not the project's."""
        if name == PACKAGE:
            return self.root / "src"
        if name in sys.stdlib_module_names:
            return None
        # As in a stage (callwright.tasks): installed packages come before the project's folder.
        path = [*(entry for entry in sys.path if entry and Path(entry).resolve() != self.root), str(self.root)]
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            return None
        locations = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
        file = Path(locations[0]).resolve() if locations else Path("/")
        if not file.is_relative_to(self.root) or file.is_relative_to(Path(sys.prefix).resolve()):
            return None
        return file.parents[1] if file.name == "__init__.py" else file.parent
