"""Promotions and rollbacks of one model take turns, wherever they run, by tickets that the registry itself hands out.

MLflow can move an alias but not compare it first, so two promotions could both believe that they won. What it does do
atomically, in its database and so for every client of a server, is to number the versions of a registered model, each
number once, deleted ones included. A ticket is such a version, of a registered model of its own, `<name>-promotions`;
it is deleted when its turn ends, so that model is empty when nobody promotes. The lowest ticket has the turn.

Tickets are deleted, so nothing else may be taken for one: the registered model carries a tag of ours, and a ticket
names its queue as its source. Of a model or a version that does not, nothing is touched, and the promotion stops. Why
there is a queue at all: docs/decisions/0015.

A process that is killed leaves its ticket. Who waits behind a ticket for LEASE_S, by its own clock, removes it; and who
has the turn looks before it moves the champion whether its ticket is still there. What remains: a process that stands
still for longer than LEASE_S exactly between that look and the move. Whoever follows sees the alias as it then is.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from callwright.errors import GateError
from callwright.params.promote import PROMOTION_LOCK_SUFFIX
from callwright.registry.version import versions_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

LEASE_S = 30.0
POLL_S = 0.2
LOCK_TAG = "callwright.turns"  # tag of the registered model with the tickets: the model whose promotions it serves
DRAW_TIMEOUT_S = 10.0  # to draw a ticket: the database may be busy with those of others
_QUEUE_DESCRIPTION = "Promotions and rollbacks take turns here (docs/registry.md). Empty when none runs."


@contextmanager
def turn(client: "MlflowClient", name: str) -> Iterator[Callable[[], None]]:
    """Wait until no other promotion or rollback of a model goes on; yields a check that the turn was not lost.

    Raises:
        GateError: what lies under the name of the queue is not Callwright's; or (by the check) others took this
            process for dead.
    """
    queue = f"{name}{PROMOTION_LOCK_SUFFIX}"
    ticket = _draw_ticket(client, queue, name)
    try:
        _wait_for_tickets_ahead(client, queue, ticket, name)

        def check() -> None:
            if ticket not in _list_tickets(client, queue):
                raise GateError(f"this promotion of {name} took over {LEASE_S:g} s and lost its turn: run it again")

        yield check
    finally:
        _delete_ticket(client, queue, ticket)


def _draw_ticket(client: "MlflowClient", queue: str, name: str) -> int:
    from mlflow.exceptions import MlflowException

    who = f"process {os.getpid()} on {socket.gethostname()}"
    deadline = time.monotonic() + DRAW_TIMEOUT_S
    while True:
        try:
            _create_queue(client, queue, name)
            return int(client.create_model_version(queue, source=_ticket_source(queue), description=who).version)
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
    if (
        model.tags.get(LOCK_TAG) != name and model.description != _QUEUE_DESCRIPTION
    ):  # the note alone: made before there were tags
        raise GateError(
            f"the registered model {queue} is not Callwright's, and promotions of {name} take turns under that name: "
            "rename it, or set another promote.model_name"
        )


def _ticket_source(queue: str) -> str:
    """The source that every ticket has, and no other version."""
    return f"callwright:/{queue}"


def _wait_for_tickets_ahead(client: "MlflowClient", queue: str, ticket: int, name: str) -> None:
    first_ticket: int | None = None
    since = time.monotonic()
    while ahead := [other_ticket for other_ticket in _list_tickets(client, queue) if other_ticket < ticket]:
        if min(ahead) != first_ticket:
            first_ticket, since = min(ahead), time.monotonic()
            sys.stderr.write(f"waiting for another promotion of {name} to end, at most {LEASE_S:g} s\n")
        elif time.monotonic() - since > LEASE_S:
            _delete_ticket(client, queue, first_ticket)
        time.sleep(POLL_S)


def _list_tickets(client: "MlflowClient", queue: str) -> set[int]:
    versions = versions_of(client, queue)
    strangers = [str(version.version) for version in versions if version.source != _ticket_source(queue)]
    if strangers:
        raise GateError(
            f"version {strangers[0]} of the registered model {queue} is no ticket of Callwright's: copy it to a model "
            "of its own and delete it there, then run again"
        )
    return {int(version.version) for version in versions}


def _delete_ticket(client: "MlflowClient", queue: str, ticket: int) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.delete_model_version(queue, str(ticket))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
