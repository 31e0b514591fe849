"""The promotion lock in a real registry on SQLite, also after kills and stalls."""

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
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)  # MLflow keeps the last address there
    return connect()


def tickets(client) -> list[str]:
    return [version.version for version in client.search_model_versions("name = 'm-promotions'")]


def test_only_one_thread_holds_the_lock_and_no_ticket_is_left(client):
    holders, counts = [], []

    def take() -> None:
        with promotion_lock.hold_lock(client, "m"):
            holders.append(1)
            counts.append(len(holders))
            time.sleep(0.05)
            holders.pop()

    threads = [threading.Thread(target=take) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert counts == [1] * 5
    assert tickets(client) == []


def test_a_ticket_that_a_killed_process_left_is_removed_after_the_lease(client, monkeypatch, caplog):
    monkeypatch.setattr(promotion_lock, "LEASE_S", 0.5)
    client.create_registered_model("m-promotions", tags={promotion_lock.LOCK_TAG: "m"})
    client.create_model_version("m-promotions", source="callwright:/m-promotions")
    started = time.monotonic()
    with promotion_lock.hold_lock(client, "m"):
        assert time.monotonic() - started >= 0.5
        assert tickets(client) == [2]
    assert "waiting for another promotion of m to end, at most 0.5 s" in caplog.text


def test_a_process_that_outlived_its_lease_is_stopped_before_it_moves_the_alias(client, monkeypatch):
    monkeypatch.setattr(promotion_lock, "LEASE_S", 0.3)
    with promotion_lock.hold_lock(client, "m") as check:
        check()
        with promotion_lock.hold_lock(client, "m"):
            pass
        with pytest.raises(GateError, match="lost its lock: run it again"):
            check()


def test_an_error_releases_the_lock(client):
    with pytest.raises(ZeroDivisionError), promotion_lock.hold_lock(client, "m"):
        _ = 1 / 0
    assert tickets(client) == []


def test_another_registered_model_with_the_queues_name_is_not_touched(client, tmp_path):
    client.create_registered_model("m-promotions", description="Models of the sales department")
    client.create_model_version("m-promotions", source=str(tmp_path))
    message = r"m-promotions is not Callwright's.*: rename it, or set another promote\.model_name"
    with pytest.raises(GateError, match=message), promotion_lock.hold_lock(client, "m"):
        pytest.fail("the lock was granted")
    assert tickets(client) == [1]


def test_a_version_in_the_queue_that_is_not_a_ticket_stops_a_promotion_and_stays(client, monkeypatch, tmp_path):
    monkeypatch.setattr(promotion_lock, "LEASE_S", 0.0)
    with promotion_lock.hold_lock(client, "m"):
        pass
    foreign = client.create_model_version("m-promotions", source=str(tmp_path)).version
    for _ in range(2):
        message = rf"^version {foreign} of .* is not a ticket of Callwright's: copy it to"
        with pytest.raises(GateError, match=message), promotion_lock.hold_lock(client, "m"):
            pytest.fail("the lock was granted")
    assert tickets(client) == [foreign]


def test_a_queue_of_an_earlier_callwright_is_accepted(client):
    client.create_registered_model("m-promotions", description=promotion_lock._QUEUE_DESCRIPTION)
    with promotion_lock.hold_lock(client, "m"):
        assert len(tickets(client)) == 1
    assert tickets(client) == []


def test_the_longest_name_of_a_model_has_a_queue(client):
    with promotion_lock.hold_lock(client, "m" * 100) as check:
        check()
