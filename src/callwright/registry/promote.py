"""Promote a student through the gate, and roll back. There is always one champion, even after a kill."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from callwright import paths
from callwright.errors import GateError, ProviderError
from callwright.params import Params
from callwright.progress import work
from callwright.registry.facts import current_facts
from callwright.registry.gate import Facts, Promote, Refuse, decide
from callwright.registry.promotion_lock import hold_lock
from callwright.registry.register import register_student
from callwright.registry.version import (
    CHALLENGER,
    CHAMPION,
    CONTENT_TAG,
    PREVIOUS,
    ROLLED_BACK_TAG,
    aliases_of,
    tag_value,
    versions_with_tag,
)
from callwright.reports.decision import Decision
from callwright.reports.metrics import Metrics
from callwright.reports.quality import Quality
from callwright.reports.report import InvalidReport
from callwright.tasks import Tasks
from callwright.text import one_line
from callwright.tracking import runs

if TYPE_CHECKING:
    from mlflow import MlflowClient

GATE_TAG = "callwright.gate"


def promote(
    params: Params, tasks: Tasks, metrics: Metrics | InvalidReport, quality: Quality | InvalidReport
) -> Decision:
    """Decide, and register the student as champion if it passes the gate.

    A student that is already registered (same content) keeps its version. The former champion becomes `previous`. If
    two promotions run at the same time, one succeeds; the other is refused, because its student was not compared with
    the new champion. After a kill, the next promotion of the same student completes the work.

    Raises:
        ProviderError: the tracking server cannot be used.
        GateError: the promotion lock was lost, or someone else moved the alias during the promotion.
    """
    name = params.promote.model_name
    client = runs.connect()
    version: str | None = None
    aliases: tuple[str, ...] = ()
    with _mlflow_errors_in_one_line():
        facts = current_facts(client, name)
        content_hash = facts.inputs.student
        run_id = runs.log_to_training_run(paths.STUDENT, {}, [])
        verdict = decide(metrics, quality, facts, params.promote)
        if isinstance(verdict, Promote):
            assert isinstance(metrics, Metrics), "the gate refuses invalid metrics"
            with work("register the student"):
                registered_version = register_student(client, params, tasks, metrics, run_id, content_hash)
            verdict, version, aliases = _make_champion(client, name, registered_version, facts)
        reasons = () if isinstance(verdict, Promote) else tuple(map(one_line, verdict.reasons))
        reasons_text = tag_value("; ".join(reasons)) or "promoted"
        client.set_tag(run_id, GATE_TAG, reasons_text)
        if version is not None:
            client.set_model_version_tag(name, version, GATE_TAG, reasons_text)
    if isinstance(verdict, Refuse):
        return Decision(decision="refused", reasons=reasons, model=name, content=content_hash)
    return Decision(decision="promoted", reasons=(), model=name, version=version, aliases=aliases, content=content_hash)


def _make_champion(
    client: "MlflowClient", name: str, version: str, facts: Facts
) -> tuple[Promote | Refuse, str, tuple[str, ...]]:
    """Make a version champion while holding the promotion lock; returns the verdict, the version and its aliases.

    The former champion gets the alias `previous`. The order of the alias moves ensures that after a kill between any
    two of them there is one champion, old or new, and that repeating the promotion completes it.
    """
    with hold_lock(client, name) as check_lock:
        version = _delete_duplicate_version(client, name, version, facts.inputs.student)
        champion = aliases_of(client, name).get(CHAMPION)
        if champion not in (facts.inputs.champion, version):
            reason = f"version {champion} became champion meanwhile, and the metrics do not compare with it"
            return Refuse((f"{reason}: run dvc repro --force --single-item evaluate, then dvc repro",)), version, ()
        if champion != version:
            client.set_registered_model_alias(name, CHALLENGER, version)
            if champion is not None:
                client.set_registered_model_alias(name, PREVIOUS, champion)
            check_lock()
            client.set_registered_model_alias(name, CHAMPION, version)
        if CHALLENGER in aliases_of(client, name):
            client.delete_registered_model_alias(name, CHALLENGER)
        aliases = aliases_of(client, name)
        if aliases.get(CHAMPION) != version:
            raise GateError(
                f"{name}: version {aliases.get(CHAMPION)} was made champion by someone else during this promotion"
            )
        return Promote(), version, tuple(sorted(alias for alias, number in aliases.items() if number == version))


def _delete_duplicate_version(client: "MlflowClient", name: str, version: str, content_hash: str) -> str:
    """The oldest version with a content. Two promotions of the same student may have registered it twice."""
    oldest, *others = versions_with_tag(client, name, CONTENT_TAG, content_hash)
    if version in others:
        client.delete_model_version(name, version)
    return oldest


def require_registered(decision: Decision) -> None:
    """Raise unless the registry holds the student that was promoted.

    It may be missing if the decision comes from another clone and MLflow's store here is a new one.

    Args:
        decision: about a promoted student.

    Raises:
        GateError: no version of the registered model holds the student.
        ProviderError: the tracking server cannot be used.
    """
    client = runs.connect()
    with _mlflow_errors_in_one_line():
        if not versions_with_tag(client, decision.model, CONTENT_TAG, str(decision.content)):
            raise GateError(
                f"unregistered: {paths.REGISTRY} says promoted, but no version of {decision.model} in MLflow at "
                f"{runs.redacted_tracking_uri()} holds this student: run dvc repro --force --single-item promote"
            )


def roll_back(name: str) -> tuple[str, str]:
    """Swap champion and previous; returns the versions that are now champion and previous.

    A pipeline does not promote a rolled-back version again; another rollback restores it. A rollback that was killed
    is completed.

    Raises:
        ProviderError: the tracking server cannot be used.
        GateError: there is no champion or no previous champion, or a promotion is incomplete.
    """
    client = runs.connect()
    with _mlflow_errors_in_one_line(), hold_lock(client, name) as check_lock:
        champion, previous = _champion_and_previous(client, name)
        if champion == previous:  # a rollback was killed before its last step: the version it took back has the tag
            previous = _rolled_back_versions(client, name)[-1]
        else:
            client.set_model_version_tag(name, champion, ROLLED_BACK_TAG, "true")
            client.delete_model_version_tag(name, previous, ROLLED_BACK_TAG)
            check_lock()
            champion, previous = previous, champion
            client.set_registered_model_alias(name, CHAMPION, champion)
        client.set_registered_model_alias(name, PREVIOUS, previous)
        return champion, previous


def _champion_and_previous(client: "MlflowClient", name: str) -> tuple[str, str]:
    """The versions that are champion and previous.

    Raises:
        GateError: they cannot be swapped.
    """
    aliases = aliases_of(client, name)
    champion, previous = aliases.get(CHAMPION), aliases.get(PREVIOUS)
    if champion is None:
        raise GateError(f"{name} has no champion to roll back")
    if CHALLENGER in aliases:
        incomplete = f"a promotion of {name} version {aliases[CHALLENGER]} is half done"
        raise GateError(f"{incomplete}: run dvc repro in its project, or delete the alias {CHALLENGER}")
    if previous is None or (champion == previous and not _rolled_back_versions(client, name)):
        raise GateError(f"{name} has no champion before version {champion} to go back to")
    return champion, previous


def _rolled_back_versions(client: "MlflowClient", name: str) -> list[str]:
    return versions_with_tag(client, name, ROLLED_BACK_TAG, "true")


@contextmanager
def _mlflow_errors_in_one_line() -> Iterator[None]:
    """Turn errors of a tracking server that stopped into one line, without the password in its address."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException  # raised by MLflow's artifact uploads

    try:
        yield
    except (MlflowException, RequestException) as error:
        code = getattr(error, "error_code", type(error).__name__)
        raise ProviderError(
            f"MLflow at {runs.redacted_tracking_uri()} did not answer or refused ({code}): "
            "check the server, then run again to complete the operation"
        ) from None
