"""Run a training in several processes of this machine, which add up their gradients."""

import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, distributed
from torch.multiprocessing.spawn import start_processes

from callwright.errors import CallwrightError

if TYPE_CHECKING:
    from torch.multiprocessing.spawn import ProcessContext

MAX_PROCESSES = 4
PROCESS_TIMEOUT = timedelta(minutes=5)  # to wait for another process, which may still be starting
# glibc then keeps freed blocks: otherwise a fifth of a step is spent on pages that are returned and taken again.
_KEEP_FREED_BLOCKS = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "4000000000"}

ArgumentT = TypeVar("ArgumentT")
ResultT = TypeVar("ResultT")


def run_in_processes(train: Callable[[ArgumentT], ResultT], argument: ArgumentT, most: int) -> ResultT:
    """Call `train(argument)` in one process per torch thread, each with one thread; returns this process's result.

    Args:
        train: a function of a module, because other processes import it.
        most: processes; there are never more than MAX_PROCESSES.

    Raises:
        CallwrightError: one of the processes was killed.
    """
    threads = torch.get_num_threads()
    processes = min(threads, MAX_PROCESSES, most)
    if processes == 1:
        return train(argument)
    try:
        torch.set_num_threads(1)
        with TemporaryDirectory() as folder, _environment(_KEEP_FREED_BLOCKS):
            rendezvous = Path(folder, "meeting")
            followers = start_processes(  # type: ignore[no-untyped-call]
                _run_in_process,
                (rendezvous, processes, train, argument),
                processes - 1,
                join=False,
                daemon=True,
                start_method="spawn",
            )
            try:
                with _process_group(rendezvous, 0, processes):
                    result = train(argument)
            except RuntimeError:  # gloo raises it if another process is gone
                _raise_if_process_was_killed(followers)
                raise
            while not followers.join():  # join returns each time that one of the processes ends
                pass
    finally:
        torch.set_num_threads(threads)
    return result


def rank_and_processes() -> tuple[int, int]:
    """This process's index among the processes of a training, and their number."""
    if distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def sum_over_processes(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its sum over the processes."""
    if distributed.is_initialized():
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        distributed.all_reduce(flat)
        totals = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, total in zip(tensors, totals, strict=True):
            tensor.copy_(total.view_as(tensor))


def agree_on(seconds: float) -> float:
    """The first process's value, in all processes."""
    value = torch.tensor([seconds], dtype=torch.float64)
    if distributed.is_initialized():
        distributed.broadcast(value, 0)
    return float(value)


def _raise_if_process_was_killed(followers: "ProcessContext") -> None:
    """Name the cause if a process was killed; the others only get a connection error.

    Raises:
        CallwrightError: a process was ended by a signal.
    """
    for process in followers.processes:
        process.join(1.0)
        if process.exitcode is not None and process.exitcode < 0:
            cause = signal.Signals(-process.exitcode).name
            raise CallwrightError(
                f"embedded student: one of its processes was ended by {cause} (out of memory?): "
                "start the builder again, which continues from its checkpoint"
            )


def _run_in_process(
    process_index: int, rendezvous: Path, processes: int, train: Callable[[ArgumentT], object], argument: ArgumentT
) -> None:
    torch.set_num_threads(1)
    with _process_group(rendezvous, process_index + 1, processes):
        train(argument)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _process_group(rendezvous: Path, rank: int, processes: int) -> Iterator[None]:
    loopback = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "lo")
    os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)  # all processes are on this machine
    distributed.init_process_group(
        "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=processes, timeout=PROCESS_TIMEOUT
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()
