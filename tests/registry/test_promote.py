"""Promotions in processes of their own against a real registry: several at once, killed half way, the server down."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from callwright.reports.decision import Decision
from callwright.storage.files import folder_hash
from tests.registry.conftest import Server
from tests.registry.projects import PROCESSES, evaluate, finish, make_project, run, start

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mlflow")]
NAME = "callwright-student"


def aliases(uri: str) -> dict[str, str]:
    """The aliases of the registered model; the promotion queue must be empty."""
    client = mlflow.MlflowClient(uri, uri)
    assert list(client.search_model_versions(f"name = '{NAME}-promotions'")) == []
    return {alias: str(version) for alias, version in client.get_registered_model(NAME).aliases.items()}


def champion_of(uri: str) -> str:
    client = mlflow.MlflowClient(uri, uri)
    return str(client.get_model_version_by_alias(NAME, "champion").version)


def versions(uri: str) -> dict[str, dict[str, str]]:
    client = mlflow.MlflowClient(uri, uri)
    return {str(version.version): version.tags for version in client.search_model_versions(f"name = '{NAME}'")}


def promote_two_students(folder: Path) -> tuple[Path, Path, str]:
    """Two projects on one registry: the first one's student is champion, the second one's was compared with it."""
    first, second = make_project(folder / "first", b"one"), make_project(folder / "second", b"two")
    uri = f"sqlite:///{folder}/mlflow.db"
    assert run(first, uri)["outcome"]["decision"] == "promoted"
    evaluate(second, "1")
    return first, second, uri


def test_a_promotion_a_rollback_and_a_second_rollback(tmp_path: Path):
    first, second, uri = promote_two_students(tmp_path)
    assert aliases(uri) == {"champion": "1"}
    promoted = run(second, uri)["outcome"]
    assert (promoted["version"], promoted["aliases"]) == ("2", ["champion"])
    assert promoted["content"] == folder_hash(second / "models/student")
    assert aliases(uri) == {"champion": "2", "previous": "1"}
    assert run(second, uri)["outcome"] == promoted, "a second run changes nothing"
    assert set(versions(uri)) == {"1", "2"}

    assert run(second, uri, "rollback")["outcome"] == ["1", "2"]
    assert aliases(uri) == {"champion": "1", "previous": "2"}
    (reason,) = run(second, uri)["outcome"]["reasons"]
    assert reason == "version 2 is this student and was rolled back: callwright rollback brings it back"
    assert run(first, uri)["outcome"]["aliases"] == ["champion"]

    command = [sys.executable, "-m", "callwright.cli", "rollback"]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, "MLFLOW_REGISTRY_URI": uri}
    printed = subprocess.run(command, cwd=second, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed == f"{NAME}: version 2 is champion, version 1 is previous\n"
    assert run(second, uri)["outcome"] == promoted
    assert aliases(uri) == {"champion": "2", "previous": "1"}


def test_a_version_has_tags_and_a_card_with_its_origins(tmp_path: Path):
    folder, uri = make_project(tmp_path / "one", b"one"), f"sqlite:///{tmp_path}/mlflow.db"
    run(folder, uri)
    tags = versions(uri)["1"]
    assert tags["callwright.content"] == folder_hash(folder / "models/student")
    assert tags["callwright.training"] == "key of the training"
    assert (tags["callwright.base_model"], tags["callwright.base_licence"]) == ("embedded", "Apache-2.0")
    assert tags["callwright.gate"] == "promoted"
    card = mlflow.MlflowClient(uri, uri).get_model_version(NAME, "1").description
    assert "| arithmetic | 100 | 50.0% (85.0% to 95.0%) | 90.0% (85.0% to 95.0%) |" in card
    assert "train 1,200, dev 38, test 67" in card


def test_a_rollback_without_a_previous_champion_gives_a_one_line_error(tmp_path: Path):
    folder, uri = make_project(tmp_path / "one", b"one"), f"sqlite:///{tmp_path}/mlflow.db"
    assert run(folder, uri, "rollback")["outcome"] == f"GateError: {NAME} has no champion to roll back"
    run(folder, uri)
    message = f"GateError: {NAME} has no champion before version 1 to go back to"
    assert run(folder, uri, "rollback")["outcome"] == message
    assert aliases(uri) == {"champion": "1"}


def test_a_refusal_registers_nothing_and_its_reasons_are_on_the_run(tmp_path: Path):
    folder, uri = make_project(tmp_path / "one", b"one"), f"sqlite:///{tmp_path}/mlflow.db"
    (folder / "models/student/model.safetensors").write_bytes(b"trained again")
    outcome = run(folder, uri)["outcome"]
    assert (outcome["decision"], outcome["version"]) == ("refused", None)
    (reason,) = outcome["reasons"]
    assert reason == "the student changed since the metrics were measured (inputs.student): run evaluate again"
    client = mlflow.MlflowClient(uri, uri)
    assert list(client.search_registered_models()) == []
    experiment = client.get_experiment_by_name("callwright")
    (pipeline_run,) = client.search_runs([experiment.experiment_id])
    assert pipeline_run.data.tags["callwright.gate"] == reason


def test_metrics_changed_by_hand_are_refused_by_name_and_stop_the_stage_with_one_line(tmp_path: Path):
    folder = make_project(tmp_path / "one", b"one")
    path = folder / "reports/metrics.json"
    path.write_text(path.read_text().replace('"p_mcnemar": 0.001', '"p_mcnemar": "low"', 1))
    command = [sys.executable, "-m", "callwright.pipeline.promote"]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    bad = "gain.overall.p_mcnemar is missing or not a number from 0 to 1"
    assert done.returncode == 1
    assert done.stderr == f"promote: reports/metrics.json: {bad}: run dvc repro, which writes the file again\n"
    decision = Decision.load(folder / "models/registry.json")
    assert (decision.decision, decision.reasons) == ("refused", (f"{bad} in the metrics",))


@pytest.mark.parametrize("store", ["sqlite", "server"])
def test_of_several_promotions_at_once_one_succeeds(store: str, tmp_path: Path, request: pytest.FixtureRequest):
    """All four have registered their version, and saw no champion, before the first one may move the alias."""
    uri = f"sqlite:///{tmp_path}/mlflow.db" if store == "sqlite" else request.getfixturevalue("server").uri
    projects = [make_project(tmp_path / str(index), f"student {index}".encode()) for index in range(4)]
    barrier = PROCESSES.Barrier(len(projects))
    processes = [start(project, uri, barrier=barrier) for project in projects]
    outcomes = [finish(process, project)["outcome"] for process, project in zip(processes, projects, strict=True)]
    assert [outcome for outcome in outcomes if isinstance(outcome, str)] == [], "an error"
    (winner,) = [outcome for outcome in outcomes if outcome["decision"] == "promoted"]
    assert aliases(uri) == {"champion": winner["version"]}
    for outcome in outcomes:
        if outcome is not winner:
            assert outcome["reasons"][0].startswith(f"version {winner['version']} became champion meanwhile")
    assert len(versions(uri)) == 4


def test_the_same_student_promoted_twice_at_once_is_one_version(tmp_path: Path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    projects = [make_project(tmp_path / name, b"the same") for name in ("one", "other")]
    barrier = PROCESSES.Barrier(2)
    processes = [start(project, uri, barrier=barrier) for project in projects]
    outcomes = [finish(process, project)["outcome"] for process, project in zip(processes, projects, strict=True)]
    assert [outcome["decision"] for outcome in outcomes] == ["promoted", "promoted"]
    assert {outcome["version"] for outcome in outcomes} == {"1"}
    assert list(versions(uri)) == ["1"]


def killed_before_each_write(folder: Path, project: Path, uri: str, action: str) -> Iterator[tuple[str, Path, str]]:
    """Kill the action before each of its writes, each time in a new copy of project and registry.

    Yields:
        The write that was not made, and the copies of project and registry that the killed action left.
    """
    (folder / "untouched.db").write_bytes((folder / "mlflow.db").read_bytes())
    writes = run(project, uri, action)["writes"]
    trials = []
    for index in range(len(writes)):
        copied = shutil.copytree(project, folder / f"killed {index}")
        registry = shutil.copy(folder / "untouched.db", folder / f"killed-{index}.db")
        trials.append((copied, f"sqlite:///{registry}"))
    started = [start(*trial, action, kill_at=index) for index, trial in enumerate(trials)]
    for write, process, (copied, registry) in zip(writes, started, trials, strict=True):
        assert finish(process, copied) is None, f"not killed before {write}"
        yield write, copied, registry


def test_a_promotion_killed_before_any_of_its_writes_is_completed_by_the_next(tmp_path: Path):
    _, second, uri = promote_two_students(tmp_path)
    seen = []
    for write, project, registry in killed_before_each_write(tmp_path, second, uri, "promote"):
        assert champion_of(registry) in ("1", "2"), write
        outcome = run(project, registry, short_lease=True)["outcome"]
        assert (outcome["decision"], outcome["version"]) == ("promoted", "2"), write
        assert aliases(registry) == {"champion": "2", "previous": "1"}, write
        assert set(versions(registry)) == {"1", "2"}, write
        seen.append(write.split()[0])
    assert seen.count("set_registered_model_alias") == 3  # challenger, previous, champion
    assert len(seen) == 11


def test_a_rollback_killed_before_any_of_its_writes_is_completed_by_the_next(tmp_path: Path):
    first, second, uri = promote_two_students(tmp_path)
    run(second, uri)
    for write, project, registry in killed_before_each_write(tmp_path, second, uri, "rollback"):
        assert champion_of(registry) in ("1", "2"), write
        if not write.startswith("delete_model_version "):  # the last write deletes its ticket: the rollback is complete
            assert run(project, registry, "rollback", short_lease=True)["outcome"] == ["1", "2"], write
        else:
            run(first, registry, short_lease=True)  # the next holder of the lock deletes the ticket
        assert aliases(registry) == {"champion": "1", "previous": "2"}, write


def test_a_server_that_is_down_gives_a_one_line_error_and_the_next_run_succeeds(server: Server, tmp_path: Path):
    """The server is down from the start, then stops after the version is registered and before the alias moves."""
    name = champion_of(server.uri) if served(server.uri) else None
    first, second = make_project(tmp_path / "first", b"first"), make_project(tmp_path / "second", b"second")
    evaluate(first, name)
    before = run(first, server.uri)["outcome"]["version"]
    evaluate(second, before)
    server.stop()
    message = run(second, server.uri)["outcome"]
    assert re.fullmatch(
        r"ProviderError: MLflow at http://127.0.0.1:\d+ cannot be used \(\w+\): check MLFLOW.*", message
    )
    server.start()
    assert champion_of(server.uri) == before

    barrier = PROCESSES.Barrier(2)
    process = start(second, server.uri, barrier=barrier)
    barrier.wait(300)
    server.stop()
    barrier.wait(300)
    message = finish(process, second)["outcome"]
    assert re.fullmatch(r"ProviderError: MLflow at http://\S+ did not answer or refused \(\w+\): check.*", message)
    server.start()
    assert aliases(server.uri)["champion"] == before
    assert run(second, server.uri)["outcome"]["decision"] == "promoted"
    assert aliases(server.uri)["previous"] == before


def served(uri: str) -> bool:
    return bool(mlflow.MlflowClient(uri, uri).search_registered_models())
