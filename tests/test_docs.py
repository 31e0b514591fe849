"""README.md and docs/ are correct: links and named files exist, commands run, quoted lines are in the code."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import AFTER_A_RUN, KNOWN_NEEDS, NEEDS, ROOT, RUNS_IN, Block, blocks, blocks_of, pages
from tests.stages.conftest import Project, copy_of_the_project

BLOCKS = blocks()
ELLIPSIS = "…"
SOURCE_TEXT = "\n".join(path.read_text() for path in sorted(ROOT.glob("src/**/*.py")))
HARMLESS = {"callwright", "dvc", "git", "python"}  # a block with other programs, or with slow commands, needs a mark


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return copy_of_the_project(tmp_path_factory.mktemp("docs"))


def test_marks_and_commands_are_parsed():
    first = "<!-- needs: gpu -->\n\n```bash\na b \\\n  c # why\n# no command\nd 'e#f'\n```\n"
    text = f"{first}```text\ng\n```\n```sh\nh\n```\n"
    assert list(blocks_of(text, "p")) == [
        Block("p", 3, ("a b c", "d 'e#f'"), NEEDS, "gpu"),
        Block("p", 12, ("h",), None, ""),
    ]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.mark is None], ids=str)
def test_a_block_without_a_mark_runs_in_a_fresh_copy(project: Project, block: Block):
    programs = {command.split()[0] for command in block.commands}
    assert programs <= HARMLESS, f"mark the block, as tests/documents.py says: {programs - HARMLESS}"
    for command in block.commands:
        project.run("timeout", "60", "bash", "-euo", "pipefail", "-c", command)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.mark is not None], ids=str)
def test_a_mark_names_what_is_needed_or_the_test_that_runs_the_commands(block: Block):
    if block.mark == NEEDS:
        assert set(block.value.split(", ")) <= set(KNOWN_NEEDS)
    elif block.mark == RUNS_IN:
        test = (ROOT / block.value).read_text()
        for command in block.commands:
            program, *arguments = command.split()
            words = [Path(program).name, *[argument for argument in arguments if not argument.startswith("-")][:1]]
            reads_the_page = block.page in test
            assert reads_the_page or [word for word in words if word not in test] == [], command
    else:
        assert (block.mark, block.value) == (AFTER_A_RUN, "")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_exist(page: Path):
    text = page.read_text()
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    named = re.findall(r"\b(?:benchmarks|tests|conf|stages)/[\w/.-]+\.(?:py|yaml)\b", text)
    assert missing + [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_named_modules_of_the_library_exist(page: Path):
    text = page.read_text()
    packages = "|".join(path.name for path in (ROOT / "src/callwright").iterdir() if path.is_dir())
    files = re.findall(r"src/callwright/[\w/.]*\w", text)
    files += [f"src/callwright/{name}" for name in re.findall(rf"`((?:{packages})/[\w/]+(?:\.py)?)`", text)]
    modules = re.findall(r"\bcallwright(?:\.[a-z_]\w*)+", text)
    missing = [name for name in files if not (ROOT / name).exists()]
    assert missing + [name for name in modules if not (defined(name) or name in SOURCE_TEXT)] == []


def defined(dotted: str) -> bool:
    """Whether a dotted name is a module of the library, or a name that its module mentions."""
    path = ROOT / "src"
    for position, part in enumerate(parts := dotted.split(".")):
        if not (path / part).is_dir():
            module = path / f"{part}.py"
            rest = parts[position + 1 :]
            if not module.exists():
                module, rest = path / "__init__.py", parts[position:]
            return module.exists() and all(re.search(rf"\b{name}\b", module.read_text()) for name in rest)
        path = path / part
    return True


def test_the_map_names_every_package():
    page = (ROOT / "docs/how-it-works.md").read_text()
    names = [
        path.name
        for path in (ROOT / "src/callwright").iterdir()
        if path.name[0] not in "_." and path.suffix != ".typed"
    ]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_the_error_lines_of_troubleshooting_are_in_the_code():
    quotable = "\n".join(
        text for path in [*ROOT.glob("src/**/*.py"), *ROOT.glob("stages/*.py")] for text in texts_of(path)
    )
    lines = re.findall(r"^\| `(.+?)` \|", (ROOT / "docs/troubleshooting.md").read_text(), re.MULTILINE)
    assert lines
    parts = [part.strip() for line in lines for part in line.split(ELLIPSIS)]
    assert [part for part in parts if part and part not in quotable] == []


def texts_of(path: Path) -> list[str]:
    """Every string of a file; an f-string has `…` for each replacement field."""
    texts = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            pieces = [str(piece.value) if isinstance(piece, ast.Constant) else ELLIPSIS for piece in node.values]
            texts.append("".join(pieces))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
    return texts


def test_the_estimates_equal_the_output_of_the_script():
    script = [sys.executable, str(ROOT / "benchmarks/estimate.py")]
    printed = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    assumed, table = printed.strip().split("\n\n")
    page = (ROOT / "docs/real-runs.md").read_text()
    assert table in page
    assert assumed.removeprefix("assumed: ") in page


def test_the_licence_of_every_pinned_package_is_listed():
    def name(text: str) -> str:
        return re.sub(r"[-_.]+", "-", text).lower()

    lock = (ROOT / "requirements.lock").read_text()
    pinned = {name(package) for package in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    _, table = (ROOT / "docs/dependencies.md").read_text().split("| Name | License |")
    listed = {name(row.split("|")[1].strip()) for row in table.splitlines() if row.startswith("| ")}
    assert pinned
    assert pinned - listed == set()
