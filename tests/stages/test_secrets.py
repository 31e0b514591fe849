"""A key in the environment is in no file that a run writes; experiments reuse paid replies."""

import http.server
import json
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from callwright.storage.jsonl import write
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from tests.chat.conftest import unused_port
from tests.stages.conftest import Project, copy_of_the_project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("secrets")]
KEY = "sk-planted-3f9a7c1e5b2d4860"


@contextmanager
def served(project: Project, port: int) -> Iterator[None]:
    """The oracle on a port, as `callwright oracle` serves it."""
    command = ["callwright", "oracle", "--port", str(port)]
    with subprocess.Popen(command, cwd=project.folder, env=project.environment()) as process:
        try:
            end = time.monotonic() + 120
            while not answers(f"http://127.0.0.1:{port}/v1/models"):
                assert time.monotonic() < end, "the oracle did not start"
                assert process.poll() is None
                time.sleep(0.2)
            yield
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.URLError:
        return False


def files_with_key(project: Project) -> list[str]:
    """Every file below the project's folder that contains the key, including caches and databases."""
    files = [path for path in project.folder.rglob("*") if path.is_file()]
    assert files
    return [str(path.relative_to(project.folder)) for path in files if KEY.encode() in path.read_bytes()]


@pytest.fixture(scope="module")
def paid_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A pipeline that ran with a teacher on a port and a key in the environment, and its output."""
    project = copy_of_the_project(tmp_path_factory.mktemp("paid"))
    project.run("dvc", "repro", "problems")
    port = unused_port()
    project.set("base_url: oracle", f"base_url: http://127.0.0.1:{port}/v1")
    with served(project, port):
        output = project.run("dvc", "repro", "--verbose", TEACHER_API_KEY=KEY).stdout
    return project, output


def test_the_key_is_in_no_file_and_no_output_of_a_pipeline(paid_run: tuple[Project, str]):
    project, output = paid_run
    assert KEY not in output
    assert files_with_key(project) == []
    written = {path.name for path in project.folder.rglob("*")}
    assert {
        "dvc.lock",
        "mlflow.db",
        "teacher.jsonl",
        "rollout.json",
        "metrics.json",
    } <= written  # these files were searched


def test_the_report_shows_the_usage_of_the_rollout(paid_run: tuple[Project, str]):
    project, _ = paid_run
    teacher = json.loads((project.folder / "reports/rollout.json").read_text())["teacher"]
    lines = (project.folder / "data/chains/teacher.jsonl").read_text().splitlines()
    assert teacher["chains"] == teacher["attempts"] == len(lines)
    assert set(teacher["accuracy"]) == {"arithmetic", "translation", "entailment"}
    assert teacher["completion_tokens"] == sum(json.loads(line)["usage"]["completion_tokens"] for line in lines)
    assert teacher["latency_s"]["p95"] >= teacher["latency_s"]["p50"] > 0
    code = (
        "from callwright.tracking.runs import connect; client = connect(); "
        "(run,) = client.search_runs([client.get_experiment_by_name('callwright').experiment_id]); "
        "print(run.data.metrics['rollout.teacher.prompt_tokens'])"
    )
    assert float(project.run("python", "-c", code).stdout.splitlines()[-1]) == teacher["prompt_tokens"]
    assert "answered_right" in project.run("dvc", "metrics", "show", "reports/rollout.json").stdout


def test_an_experiment_in_a_temporary_copy_reuses_paid_replies(paid_run: tuple[Project, str]):
    project, _ = paid_run
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "a run")
    journal = project.folder / ".callwright/journals/teacher.jsonl"
    before = journal.read_bytes()
    # No teacher is running now, so a single request would fail the stage.
    change = "rollout.concurrency=3"
    output = project.run("dvc", "exp", "run", "--temp", "-S", change, "rollout", TEACHER_API_KEY=KEY).stdout
    assert "Running stage 'rollout'" in output
    assert journal.read_bytes() == before


class Talkative(http.server.BaseHTTPRequestHandler):
    """A server that refuses every key and repeats it in its answer, as some servers do."""

    status = 401

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = {"error": {"message": f"Incorrect API key provided: {self.headers['authorization']}"}}
        body = json.dumps(answer).encode()
        self.send_response(self.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        pass


class TalkativeAboutFields(Talkative):
    """It repeats the key in the error message that is shown."""

    status = 400


@pytest.mark.parametrize(
    ("server_class", "line"),
    [
        (Talkative, "check the key in TEACHER_API_KEY"),
        (TalkativeAboutFields, "answered 400 (the server says: Incorrect API key provided: Bearer ***)"),
    ],
)
def test_a_key_that_the_server_repeats_in_its_refusal_is_not_shown(
    server_class: type[Talkative], line: str, project: Project
):
    problems = synthetic_problems({"train": 3, "dev": 3}, 0, 7)
    for split in ("train", "dev"):
        write(
            project.folder / f"data/problems/{split}.jsonl", [problem for problem in problems if problem.split == split]
        )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), server_class) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        project.set("base_url: oracle", f"base_url: http://127.0.0.1:{server.server_port}/v1")
        done = project.run("python", "stages/rollout.py", check=False, TEACHER_API_KEY=KEY)
        server.shutdown()
    assert done.returncode == 1
    assert line in done.stdout
    assert done.stdout.count("\n") == 1
    assert KEY not in done.stdout
    assert files_with_key(project) == []


@pytest.mark.parametrize(
    "change",
    [
        ("base_url: oracle", f"base_url: https://ann:{KEY}@host/v1"),
        ("base_url: oracle", f"base_url: https://host/v1?api-key={KEY}"),
        ("api_key_env: TEACHER_API_KEY", f"api_key_env: {KEY}"),
        ("request: {}", f"request: {{user: {KEY}}}"),
    ],
)
def test_a_key_in_params_stops_a_stage_with_a_line_that_does_not_repeat_it(change: tuple[str, str], project: Project):
    project.set(*change)
    done = project.run("python", "stages/rollout.py", check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("rollout: params.yaml: teacher.")
    assert done.stdout.count("\n") == 1
    assert KEY not in done.stdout
    assert files_with_key(project) == ["params.yaml"]
