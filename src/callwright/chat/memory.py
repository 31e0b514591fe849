"""How much memory a device has to spare for what is kept computed."""

import os
from collections.abc import Iterator
from pathlib import Path

import torch

SHARE = 4  # of the free memory a quarter is used; the rest is for batches, and for other programs

_MEMINFO, _OWN_GROUP, _GROUPS = Path("/proc/meminfo"), Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def cache_bytes(device: torch.device) -> int:
    """Bytes that keys and values kept for later may take on a device, going by what is free there now.

    It decides what is computed again and never what comes out.
    """
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0]) // SHARE
    return min(_free_on_machine(), *_free_in_groups()) // SHARE


def _free_on_machine(meminfo: Path = _MEMINFO) -> int:
    """Bytes that programs can have without swapping; where the system does not say, half of the memory."""
    try:
        fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        return int(fields["MemAvailable"].split()[0]) * 1024  # "12345 kB"
    except (OSError, KeyError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _free_in_groups(own: Path = _OWN_GROUP, groups: Path = _GROUPS) -> Iterator[int]:
    """What is left below the limit of each control group that this process is in; a container is one.

    Files in the system's cache that can be given back count as free.
    """
    yield 2**63  # no group, no limit
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2: one hierarchy
            yield from _free_below(groups, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _free_below(groups / "memory", path, *names)


def _free_below(root: Path, path: str, limit: str, used: str, inactive: str) -> Iterator[int]:
    """In the group at `path` and in those that hold it, as far as they are seen from here."""
    for group in (root / path.lstrip("/"), *(root / path.lstrip("/")).parents):
        try:
            most = (group / limit).read_text().strip()
            taken = int((group / used).read_text())
            kept = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # not there, as the root of version 2 has no limit
            most = "max"
        if most != "max":
            yield max(int(most) - taken + int(kept.get(inactive, 0)), 0)
        if group == root:
            return
