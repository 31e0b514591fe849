"""On small projects of a few files."""

from collections.abc import Iterable
from pathlib import Path

from callwright.pipeline.code_graph import CodeGraph


def project(folder: Path, files: dict[str, str]) -> CodeGraph:
    """A project with an empty package, its tasks' folder, and these files."""
    defaults = {"src/callwright/__init__.py": "", "src/callwright/tasks/__init__.py": ""}
    for name, text in {**defaults, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return CodeGraph(folder)


def reached(graph: CodeGraph, start: str, task_folders: Iterable[str] = ()) -> list[str]:
    files = graph.reach([graph.root / start], task_folders=task_folders)
    return sorted(file.relative_to(graph.root).as_posix() for file in files - {graph.root / start})


def test_a_module_reaches_what_it_imports_and_its_packages_that_have_code(tmp_path: Path):
    graph = project(
        tmp_path,
        {
            "src/callwright/a.py": "from callwright.p.q import b\n",
            "src/callwright/p/__init__.py": "X = 1\n",
            "src/callwright/p/q/__init__.py": "",
            "src/callwright/p/q/b.py": "import callwright.c\n",
            "src/callwright/c.py": "import numpy\n",
            "src/callwright/d.py": "",
        },
    )
    assert reached(graph, "src/callwright/a.py") == [
        "src/callwright/c.py",
        "src/callwright/p/__init__.py",
        "src/callwright/p/q/b.py",
    ]
    assert graph.outside_packages(graph.reach([tmp_path / "src/callwright/a.py"])) == {"numpy"}


def test_a_text_that_names_a_module_or_a_name_in_one_reaches_it(tmp_path: Path):
    files = {
        "src/callwright/a.py": 'TABLE = {"x": "callwright.b", "y": "callwright.c:Name", "z": "callwright.missing"}\n',
        "src/callwright/b.py": "",
        "src/callwright/c.py": "",
    }
    assert reached(project(tmp_path, files), "src/callwright/a.py") == ["src/callwright/b.py", "src/callwright/c.py"]


def test_a_data_file_that_is_no_text_is_reached_by_its_name_and_not_read(tmp_path: Path):
    files = {"src/callwright/p/a.py": 'FILES = ("w.safetensors",)\n', "src/callwright/p/shipped/w.safetensors": ""}
    graph = project(tmp_path, files)
    (tmp_path / "src/callwright/p/shipped/w.safetensors").write_bytes(b"\xff\x00")
    assert reached(graph, "src/callwright/p/a.py") == ["src/callwright/p/shipped/w.safetensors"]


def test_a_lazy_export_is_reached_by_those_who_use_the_name(tmp_path: Path):
    lazy = '__getattr__ = lazy_exports(__name__, {"Big": "callwright.big", "Small": "callwright.small"})\n'
    files = {
        "src/callwright/__init__.py": lazy,
        "src/callwright/big.py": "",
        "src/callwright/small.py": "",
        "src/callwright/imports.py": "from callwright import Small\n",
        "src/callwright/attribute.py": "import callwright as c\nc.Big()\n",
        "src/callwright/neither.py": "import callwright\n",
    }
    graph = project(tmp_path, files)
    front_door = "src/callwright/__init__.py"
    assert reached(graph, "src/callwright/imports.py") == [front_door, "src/callwright/small.py"]
    assert reached(graph, "src/callwright/attribute.py") == [front_door, "src/callwright/big.py"]
    assert reached(graph, "src/callwright/neither.py") == [front_door]


def test_modules_that_import_names_from_each_other_end(tmp_path: Path):
    files = {
        "src/callwright/a.py": "from callwright.b import x\n",
        "src/callwright/b.py": "from callwright.a import x\n",
    }
    assert reached(project(tmp_path, files), "src/callwright/a.py") == ["src/callwright/b.py"]


def test_a_part_of_a_task_is_reached_in_every_task_that_has_it(tmp_path: Path):
    files = {
        "src/callwright/a.py": 'def f(task):\n    return task.part("mistakes")\n',
        "src/callwright/tasks/one/__init__.py": "",
        "src/callwright/tasks/one/mistakes.py": "",
        "src/callwright/tasks/one/wording.py": "",
        "src/callwright/tasks/two/__init__.py": "",
        "clock/__init__.py": "",
        "clock/mistakes.py": "",
    }
    graph = project(tmp_path, files)
    mistakes = ["src/callwright/tasks/one/mistakes.py"]
    assert reached(graph, "src/callwright/a.py") == mistakes
    assert reached(graph, "src/callwright/a.py", ["clock"]) == ["clock/mistakes.py", *mistakes]


def test_templates_are_reached_by_name_and_through_each_other(tmp_path: Path):
    files = {
        "src/callwright/pages/a.py": 'render("page.html.jinja")\nCODE = "pages/loaded_by_path.py"\n',
        "src/callwright/pages/loaded_by_path.py": "",
        "src/callwright/pages/templates/page.html.jinja": "{% extends 'base.html.jinja' %}{%- from 'm.jinja' import x",
        "src/callwright/pages/templates/base.html.jinja": "",
        "src/callwright/pages/templates/m.jinja": "",
        "src/callwright/pages/templates/other.html.jinja": "",
        "src/callwright/elsewhere/b.py": 'name = "page.html.jinja"\n',
    }
    graph = project(tmp_path, files)
    assert reached(graph, "src/callwright/pages/a.py") == [
        "src/callwright/pages/loaded_by_path.py",
        "src/callwright/pages/templates/base.html.jinja",
        "src/callwright/pages/templates/m.jinja",
        "src/callwright/pages/templates/page.html.jinja",
    ]
    assert reached(graph, "src/callwright/elsewhere/b.py") == []


def test_a_users_module_reaches_the_modules_of_the_project_that_it_imports(tmp_path: Path):
    files = {
        "clock.py": "import yaml\nimport times.zones\nfrom callwright.a import x\nrun_in_worker('solver:solve')\n",
        "times/zones.py": "from . import names\n",
        "times/names.py": "",
        "solver.py": "",
        "unused.py": "",
        "src/callwright/a.py": "",
    }
    assert reached(project(tmp_path, files), "clock.py") == [
        "solver.py",
        "src/callwright/a.py",
        "times/names.py",
        "times/zones.py",
    ]


def test_a_module_of_python_or_of_an_installed_package_is_not_the_users(tmp_path: Path):
    files = {"own.py": "import json, pytest, time\n", "json.py": "", "pytest.py": "", "time.py": ""}
    assert reached(project(tmp_path, files), "own.py") == []
