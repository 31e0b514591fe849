"""A lock for promotions and rollbacks of one registered model, across processes and machines.

MLflow can move an alias but cannot compare it first, so two promotions could both believe that they won. The registry's
one atomic operation, for all clients of a server, is numbering the versions of a registered model: each number is given
once, even if versions are deleted. A ticket is such a version, of a separate registered model `<name>-promotions`. The
process with the lowest ticket holds the lock, and deletes its ticket when it is done. docs/decisions/0015 gives the
reasons for this design.

Tickets are deleted, so they must not be confused with anything else: the registered model has a tag of Callwright's,
and a ticket has the queue's name as its source. A model or version without them is left alone, and the promotion stops.

A killed process leaves its ticket. A process that has waited LEASE_S for a ticket, by its own clock, deletes it. The
holder of the lock checks that its ticket still exists before it moves the champion's alias. Not covered: a process that
stalls for longer than LEASE_S between this check and the move. The next holder sees the alias as it then is.
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from callwright.errors import GateError
from callwright.params.promote import PROMOTION_LOCK_SUFFIX
from callwright.registry.version import versions_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger("callwright")

LEASE_S = 30.0
POLL_S = 0.2  # pause between two looks at the queue
LOCK_TAG = "callwright.turns"  # tag of the registered model with the tickets; its value is the model that it serves
DRAW_TIMEOUT_S = 10.0  # for drawing a ticket: the database may be busy with other processes' tickets
_QUEUE_DESCRIPTION = "Promotions and rollbacks take turns here (docs/registry.md). Empty when none runs."


@contextmanager
def hold_lock(client: "MlflowClient", name: str) -> Iterator[Callable[[], None]]:
    """Wait until no other promotion or rollback of a model runs, and hold the lock while the block runs.

    Yields:
        A check that raises GateError if the lock was lost.

    Raises:
        GateError: the registered model with the queue's name is not Callwright's; or, by the check, another process
            deleted this one's ticket.
    """
    queue = f"{name}{PROMOTION_LOCK_SUFFIX}"
    ticket = _draw_ticket(client, queue, name)
    try:
        _wait_for_earlier_tickets(client, queue, ticket, name)

        def check() -> None:
            if ticket not in _list_tickets(client, queue):
                raise GateError(f"this promotion of {name} took over {LEASE_S:g} s and lost its lock: run it again")

        yield check
    finally:
        _delete_ticket(client, queue, ticket)


def _draw_ticket(client: "MlflowClient", queue: str, name: str) -> int:
    from mlflow.exceptions import MlflowException

    owner = f"process {os.getpid()} on {socket.gethostname()}"
    deadline = time.monotonic() + DRAW_TIMEOUT_S
    while True:
        try:
            _create_queue(client, queue, name)
            return int(client.create_model_version(queue, source=_ticket_source(queue), description=owner).version)
        except MlflowException:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)


def _create_queue(client: "MlflowClient", queue: str, name: str) -> None:
    """Create the registered model for the tickets if there is none.

    Raises:
        GateError: there is one that is not Callwright's.
    """
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(queue, tags={LOCK_TAG: name}, description=_QUEUE_DESCRIPTION)
        return
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    model = client.get_registered_model(queue)
    # Queues of earlier versions of Callwright have the description but no tag.
    if model.tags.get(LOCK_TAG) != name and model.description != _QUEUE_DESCRIPTION:
        raise GateError(
            f"the registered model {queue} is not Callwright's, and promotions of {name} need that name for their "
            "lock: rename it, or set another promote.model_name"
        )


def _ticket_source(queue: str) -> str:
    """The source of every ticket; no other version has it."""
    return f"callwright:/{queue}"


def _wait_for_earlier_tickets(client: "MlflowClient", queue: str, ticket: int, name: str) -> None:
    first_ticket: int | None = None
    since = time.monotonic()
    while earlier := [other for other in _list_tickets(client, queue) if other < ticket]:
        if min(earlier) != first_ticket:
            first_ticket, since = min(earlier), time.monotonic()
            log.warning("waiting for another promotion of %s to end, at most %g s", name, LEASE_S)
        elif time.monotonic() - since > LEASE_S:
            _delete_ticket(client, queue, first_ticket)
        time.sleep(POLL_S)


def _list_tickets(client: "MlflowClient", queue: str) -> set[int]:
    versions = versions_of(client, queue)
    foreign = [str(version.version) for version in versions if version.source != _ticket_source(queue)]
    if foreign:
        raise GateError(
            f"version {foreign[0]} of the registered model {queue} is not a ticket of Callwright's: copy it to another "
            f"registered model, delete it from {queue}, then run again"
        )
    return {int(version.version) for version in versions}


def _delete_ticket(client: "MlflowClient", queue: str, ticket: int) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.delete_model_version(queue, str(ticket))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
