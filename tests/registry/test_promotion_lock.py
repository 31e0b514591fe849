"""Turns by tickets that a real registry (SQLite) hands out, also when it hands out the wrong impression: a stall."""

import threading
import time
from pathlib import Path

import pytest

from callwright.errors import GateError
from callwright.registry import promotion_lock
from callwright.tracking.runs import connect

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mlflow")]


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)  # MLflow leaves there what it was told last
    return connect()


def tickets(client) -> list[str]:
    return [one.version for one in client.search_model_versions("name = 'm-promotions'")]


def test_only_one_has_the_turn_and_nothing_is_left_of_it(client):
    inside, most = [], []

    def take() -> None:
        with promotion_lock.turn(client, "m"):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.05)
            inside.pop()

    threads = [threading.Thread(target=take) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert most == [1] * 5
    assert tickets(client) == []


def test_a_ticket_that_a_killed_process_left_is_removed_after_the_lease(client, monkeypatch, capsys):
    monkeypatch.setattr(promotion_lock, "LEASE_S", 0.5)
    client.create_registered_model("m-promotions", tags={promotion_lock.LOCK_TAG: "m"})
    client.create_model_version("m-promotions", source="callwright:/m-promotions")
    started = time.monotonic()
    with promotion_lock.turn(client, "m"):
        assert time.monotonic() - started >= 0.5
        assert tickets(client) == [2]
    assert "waiting for another promotion of m to end, at most 0.5 s" in capsys.readouterr().err


def test_who_stood_still_for_longer_than_the_lease_is_told_before_it_moves_anything(client, monkeypatch):
    monkeypatch.setattr(promotion_lock, "LEASE_S", 0.3)
    with promotion_lock.turn(client, "m") as check:
        check()
        with promotion_lock.turn(client, "m"):
            pass
        with pytest.raises(GateError, match="lost its turn: run it again"):
            check()


def test_an_error_within_a_turn_ends_it(client):
    with pytest.raises(ZeroDivisionError), promotion_lock.turn(client, "m"):
        _ = 1 / 0
    assert tickets(client) == []


def test_a_model_that_only_happens_to_have_the_queues_name_is_left_alone(client, tmp_path):
    client.create_registered_model("m-promotions", description="Models of the sales department")
    client.create_model_version("m-promotions", source=str(tmp_path))
    complaint = r"m-promotions is not Callwright's.*: rename it, or set another promote\.model_name"
    with pytest.raises(GateError, match=complaint), promotion_lock.turn(client, "m"):
        pytest.fail("it has no turn")
    assert tickets(client) == [1]


def test_a_version_in_the_queue_that_is_no_ticket_stops_a_promotion_and_stays(client, monkeypatch, tmp_path):
    monkeypatch.setattr(promotion_lock, "LEASE_S", 0.0)
    with promotion_lock.turn(client, "m"):
        pass
    foreign = client.create_model_version("m-promotions", source=str(tmp_path)).version
    for _ in range(2):
        complaint = rf"^version {foreign} of .* is no ticket of Callwright's: copy it to"
        with pytest.raises(GateError, match=complaint), promotion_lock.turn(client, "m"):
            pytest.fail("it has no turn")
    assert tickets(client) == [foreign]


def test_a_queue_that_an_earlier_version_made_is_still_ours(client):
    client.create_registered_model("m-promotions", description=promotion_lock._QUEUE_DESCRIPTION)
    with promotion_lock.turn(client, "m"):
        assert len(tickets(client)) == 1
    assert tickets(client) == []


def test_the_longest_name_of_a_model_has_a_queue(client):
    with promotion_lock.turn(client, "m" * 100) as check:
        check()
