"""The device and number type that a local model runs with, and how much memory its cache may take."""

import os
from collections.abc import Iterator
from pathlib import Path

import torch


def pick_device() -> torch.device:
    """CUDA if it is available, otherwise the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pick_dtype(device: torch.device) -> torch.dtype:
    """The number type of the weights: bfloat16 on CUDA, otherwise float32."""
    return torch.bfloat16 if device.type == "cuda" else torch.float32


FREE_MEMORY_DIVISOR = 4  # the cache may use a quarter of the free memory; the rest is for batches and other programs

_MEMINFO, _OWN_CGROUP, _CGROUP_ROOT = Path("/proc/meminfo"), Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def cache_budget_bytes(device: torch.device) -> int:
    """Bytes that cached keys and values may take on a device: a share of the memory that is free now.

    The limit changes the speed, never the results.
    """
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0]) // FREE_MEMORY_DIVISOR
    return min(_free_on_machine(), *_free_in_cgroups()) // FREE_MEMORY_DIVISOR


def _free_on_machine(meminfo: Path = _MEMINFO) -> int:
    """Bytes that are available without swapping; half of the memory if the system does not say."""
    try:
        fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        return int(fields["MemAvailable"].split()[0]) * 1024  # "12345 kB"
    except (OSError, KeyError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _free_in_cgroups(memberships: Path = _OWN_CGROUP, cgroups: Path = _CGROUP_ROOT) -> Iterator[int]:
    """Free bytes below the limit of each control group of this process, such as a container.

    Cached files that the system can drop count as free.
    """
    yield 2**63  # without a control group there is no limit
    try:
        lines = memberships.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2: one hierarchy
            yield from _free_below(cgroups, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _free_below(cgroups / "memory", path, *names)


def _free_below(root: Path, path: str, limit_file: str, usage_file: str, inactive_key: str) -> Iterator[int]:
    """Free bytes in the control group at `path` and in each visible control group that contains it."""
    for cgroup in (root / path.lstrip("/"), *(root / path.lstrip("/")).parents):
        try:
            limit = (cgroup / limit_file).read_text().strip()
            usage = int((cgroup / usage_file).read_text())
            statistics = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # missing files: the root of version 2 has no limit
            limit = "max"
        if limit != "max":
            yield max(int(limit) - usage + int(statistics.get(inactive_key, 0)), 0)
        if cgroup == root:
            return
