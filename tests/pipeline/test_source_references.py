from pathlib import Path

import pytest

from callwright.errors import DataError
from callwright.pipeline.source_references import References, has_code, read_references


def references_of(text: str, folder: Path, module: str = "a.b.c") -> References:
    file = folder / f"{module.rpartition('.')[2]}.py"
    file.write_text(text)
    return read_references(file, module)


def test_imports_inside_functions_count_and_those_for_type_checkers_do_not(tmp_path: Path):
    text = """
import x.y
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from t import Type
else:
    import e
def f():
    from g import name as other
"""
    assert references_of(text, tmp_path).names == {"x.y", "typing.TYPE_CHECKING", "e", "g.name"}


def test_a_relative_import_starts_at_the_files_package(tmp_path: Path):
    assert references_of("from . import d\nfrom ..e import f\n", tmp_path).names == {"a.b.d", "a.e.f"}
    (tmp_path / "__init__.py").write_text("from .d import e\n")
    assert read_references(tmp_path / "__init__.py", "a.b").names == {"a.b.d.e"}


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ('".lazy", __package__', {"a.b.lazy"}),
        ('"..lazy", package=__package__', {"a.lazy"}),
        ('".lazy", __name__', {"a.b.c.lazy"}),
        ('name=".lazy", package="x.y"', {"x.y.lazy"}),
        ('"lazy"', {"lazy"}),
        ('".lazy"', set()),
        ('"....lazy", __package__', set()),
        ('f".{name}", __package__', set()),
    ],
)
def test_modules_that_import_module_imports_by_a_written_name_are_found(
    arguments: str, names: set[str], tmp_path: Path
):
    text = f"def f():\n    return importlib.import_module({arguments})\n"
    assert references_of(text, tmp_path).names == names


def test_attributes_of_imported_modules_are_names_also_before_the_import(tmp_path: Path):
    text = "def f():\n    return short.y.z\nimport long.name as short\nother.y\n"
    assert references_of(text, tmp_path).names == {"long.name", "long.name.y.z"}


def test_docstrings_and_pieces_of_text_name_nothing(tmp_path: Path):
    text = '"""callwright.a"""\ndef f():\n    """callwright.b"""\n    return "callwright.c", f"callwright.d{1}"\n'
    assert references_of(text, tmp_path).texts == {"callwright.c"}


def test_code_in_a_text_counts_as_code(tmp_path: Path):
    assert references_of('RUN = "import sys; from a.worker import serve; serve(1)"', tmp_path).names == {
        "sys",
        "a.worker.serve",
    }
    assert references_of('HELP = "import this, or else"', tmp_path).names == set()


def test_lazy_exports_count_where_the_name_is_imported(tmp_path: Path):
    references = references_of('from m import z\n__getattr__ = lazy_exports(__name__, {"Name": "p.q"})\n', tmp_path)
    assert references.exports == {"z": "m.z", "Name": "p.q.Name"}
    assert references.texts == set()


def test_parts_and_folders_of_tasks_are_found(tmp_path: Path):
    references = references_of('task.part("mistakes")\n"a b".partition(" ")\nTask(folder="own.clock")\n', tmp_path)
    assert references.parts == {"mistakes"}
    assert references.folders == {"own.clock"}
    assert references_of("Task(folder=__package__)\n", tmp_path).folders == {"a.b"}


def test_a_package_with_only_a_docstring_has_no_code(tmp_path: Path):
    file = tmp_path / "__init__.py"
    file.write_text('"""A package."""\n# nothing here\n')
    assert not has_code(file)
    file.write_text("X = 1\n")
    assert has_code(file)


def test_a_file_that_is_not_python_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"c\.py cannot be parsed: .*line 1"):
        references_of("def :", tmp_path)
