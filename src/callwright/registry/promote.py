"""Through the gate and to the champion's place, and back: one champion, whatever else runs or is killed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from callwright import paths
from callwright.errors import GateError, ProviderError
from callwright.params import Params
from callwright.registry.champion import CHAMPION, CONTENT_TAG
from callwright.registry.decision import PromotionDecision
from callwright.registry.facts import current_facts
from callwright.registry.gate import Facts, Promote, Refuse, decide
from callwright.registry.promotion_lock import turn
from callwright.registry.register import registered
from callwright.registry.version import CHALLENGER, PREVIOUS, ROLLED_BACK_TAG, aliases_of, tag_value, versions_with_tag
from callwright.text import one_line
from callwright.tracking import runs

if TYPE_CHECKING:
    from mlflow import MlflowClient

GATE_TAG = "callwright.gate"


def promote(params: Params, metrics: Mapping[str, Any], quality: Mapping[str, Any]) -> PromotionDecision:
    """Decide, and register the student as champion when the gate lets it through.

    A student that is registered already (same content) keeps its version. The former champion becomes `previous`. Of
    two promotions at once one is made; the other is refused, for it was not compared with the new champion. What a
    kill leaves half done, the next promotion of the same student completes.

    Args:
        metrics: reports/metrics.json.
        quality: reports/quality.json.

    Raises:
        ProviderError: the tracking server cannot be used.
        GateError: the turn was lost, or somebody moved the alias by hand meanwhile.
    """
    name = params.promote.model_name
    client = runs.connect()
    version: str | None = None
    aliases: tuple[str, ...] = ()
    with _mlflow_errors_in_one_line():
        facts = current_facts(client, name)
        content = str(facts.inputs["student"])
        run_id = runs.log_to_training_run(paths.STUDENT, {}, [])
        verdict = decide(metrics, quality, facts, params.promote)
        if isinstance(verdict, Promote):
            made = registered(client, params, metrics, run_id, content)
            verdict, version, aliases = _make_champion(client, name, made, facts)
        reasons = () if isinstance(verdict, Promote) else tuple(map(one_line, verdict.reasons))
        reasons_text = tag_value("; ".join(reasons)) or "promoted"
        client.set_tag(run_id, GATE_TAG, reasons_text)
        if version is not None:
            client.set_model_version_tag(name, version, GATE_TAG, reasons_text)
    if isinstance(verdict, Refuse):
        return PromotionDecision("refused", reasons, name, None, (), content)
    return PromotionDecision("promoted", (), name, version, aliases, content)


def _make_champion(
    client: "MlflowClient", name: str, number: str, facts: Facts
) -> tuple[Promote | Refuse, str, tuple[str, ...]]:
    """Make a version champion, in turn; returns the verdict, the version and its aliases.

    Its predecessor stays reachable as `previous`. The aliases move in such an order that after a kill between any two
    of them there is one champion, old or new, and doing it again completes it.
    """
    with turn(client, name) as check_lock:
        number = _delete_duplicate_version(client, name, number, str(facts.inputs["student"]))
        held = aliases_of(client, name)
        champion = held.get(CHAMPION)
        if champion not in (facts.inputs["champion"], number):
            reason = f"version {champion} became champion meanwhile, and the metrics do not compare with it"
            return Refuse((f"{reason}: run dvc repro --force --single-item evaluate, then dvc repro",)), number, ()
        if champion != number:
            client.set_registered_model_alias(name, CHALLENGER, number)
            if champion is not None:
                client.set_registered_model_alias(name, PREVIOUS, champion)
            check_lock()
            client.set_registered_model_alias(name, CHAMPION, number)
        if CHALLENGER in aliases_of(client, name):
            client.delete_registered_model_alias(name, CHALLENGER)
        held = aliases_of(client, name)
        if held.get(CHAMPION) != number:
            raise GateError(f"{name}: somebody made version {held.get(CHAMPION)} champion by hand meanwhile")
        return Promote(), number, tuple(sorted(alias for alias, holder in held.items() if holder == number))


def _delete_duplicate_version(client: "MlflowClient", name: str, number: str, content: str) -> str:
    """The oldest version of a content: two promotions of the same student at once may have registered it twice."""
    oldest, *others = versions_with_tag(client, name, CONTENT_TAG, content)
    if number in others:
        client.delete_model_version(name, number)
    return oldest


def require_registered(outcome: Mapping[str, Any]) -> None:
    """Stop unless the registry holds the student that was promoted.

    It does not where DVC took the decision from its cache, or another clone's, while MLflow's store is a new one.

    Args:
        outcome: models/registry.json of a promoted student.

    Raises:
        GateError: no version holds it.
        ProviderError: the tracking server cannot be used.
    """
    client = runs.connect()
    with _mlflow_errors_in_one_line():
        if not versions_with_tag(client, str(outcome["model"]), CONTENT_TAG, str(outcome["content"])):
            raise GateError(
                f"unregistered: {paths.REGISTRY} says promoted, but no version of {outcome['model']} in MLflow at "
                f"{runs.redacted_tracking_uri()} holds this student: run dvc repro --force --single-item promote"
            )


def roll_back(name: str) -> tuple[str, str]:
    """Let champion and previous change places; returns the versions that are champion and previous now.

    A version that was rolled back is not promoted again by a pipeline; rolling back once more brings it back. What a
    kill left half done is completed.

    Raises:
        ProviderError: the tracking server cannot be used.
        GateError: there is no champion, or none before it, or a promotion is half done.
    """
    client = runs.connect()
    with _mlflow_errors_in_one_line(), turn(client, name) as check_lock:
        champion, previous = _champion_and_previous(client, name)
        if champion == previous:  # a rollback was killed before its last step: what it took back is marked
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
    """The versions that are champion and previous, where they can change places."""
    held = aliases_of(client, name)
    champion, previous = held.get(CHAMPION), held.get(PREVIOUS)
    if champion is None:
        raise GateError(f"{name} has no champion to roll back")
    if CHALLENGER in held:
        half_done = f"a promotion of {name} version {held[CHALLENGER]} is half done"
        raise GateError(f"{half_done}: run dvc repro in its project, or delete the alias {CHALLENGER}")
    if previous is None or (champion == previous and not _rolled_back_versions(client, name)):
        raise GateError(f"{name} has no champion before version {champion} to go back to")
    return champion, previous


def _rolled_back_versions(client: "MlflowClient", name: str) -> list[str]:
    return versions_with_tag(client, name, ROLLED_BACK_TAG, "true")


@contextmanager
def _mlflow_errors_in_one_line() -> Iterator[None]:
    """A tracking server that goes away is one line, without the password that its address may hold."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException  # of MLflow's artifact uploads

    try:
        yield
    except (MlflowException, RequestException) as error:
        what = getattr(error, "error_code", type(error).__name__)
        raise ProviderError(
            f"MLflow at {runs.redacted_tracking_uri()} did not answer or refused ({what}): "
            f"check the server, then run again; "
            f"what was half done is completed then"
        ) from None
