from pathlib import Path

import pytest
import torch

from callwright.chat.local.cache import CachedSequence, SequenceCache
from callwright.chat.local.device import FREE_MEMORY_DIVISOR, _free_in_cgroups, _free_on_machine, cache_budget_bytes

GIB = 2**30


def smollm2_sequence(number: int, tokens: int = 100) -> CachedSequence:
    """A sequence of SmolLM2-135M in float32: 30 layers, 3 key heads of size 64; 46,080 bytes per token."""
    states = torch.zeros(1, 3, 1, 64).expand(30, 3, tokens, 64)
    return CachedSequence((0, *range(number * tokens, (number + 1) * tokens)), 1, (states, states))


def test_the_cache_limit_counts_bytes_and_not_tokens():
    assert smollm2_sequence(1).nbytes == 100 * 46_080
    cache = SequenceCache(max_bytes=GIB)
    for number in range(300):  # 30,000 tokens: 1.4 GB
        cache.add(smollm2_sequence(number))
    assert 0.99 * GIB < cache.nbytes <= GIB


def test_by_default_the_cache_may_use_a_quarter_of_the_free_memory():
    free = cache_budget_bytes(torch.device("cpu")) * FREE_MEMORY_DIVISOR
    assert 0 < free <= _free_on_machine() * 1.5  # other programs use more or less meanwhile
    physical = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    assert free <= physical


def test_free_memory_is_what_the_system_reports_as_available(tmp_path: Path):
    (tmp_path / "meminfo").write_text("MemTotal:       24000000 kB\nMemAvailable:    2000000 kB\n")
    assert _free_on_machine(tmp_path / "meminfo") == 2_000_000 * 1024
    assert _free_on_machine(tmp_path / "none") > 0


def write_cgroup(folder: Path, version: int, limit: str, used: int, inactive: int) -> None:
    names = (
        ("memory.max", "memory.current", "inactive_file")
        if version == 2
        else ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {inactive}\n")


@pytest.mark.parametrize("version", [1, 2])
def test_the_limits_of_a_container_and_of_its_parent_both_count(tmp_path: Path, version: int):
    memberships = tmp_path / "cgroup"
    memberships.write_text("0::/outer/inner\n" if version == 2 else "9:name=systemd:/\n4:memory:/outer/inner\n0::/\n")
    root = tmp_path / "cgroups" if version == 2 else tmp_path / "cgroups/memory"
    write_cgroup(root / "outer/inner", version, str(4 * GIB), 3 * GIB, GIB)
    write_cgroup(root / "outer", version, str(8 * GIB), 7 * GIB + 5, 0)
    assert min(_free_in_cgroups(memberships, tmp_path / "cgroups")) == GIB - 5
    write_cgroup(root / "outer/inner", version, str(GIB), 2 * GIB, 0)
    assert min(_free_in_cgroups(memberships, tmp_path / "cgroups")) == 0


def test_without_a_limit_or_control_groups_the_memory_of_the_machine_counts(tmp_path: Path):
    memberships = tmp_path / "cgroup"
    assert min(_free_in_cgroups(memberships, tmp_path)) > 2**60
    memberships.write_text("0::/free\n")
    write_cgroup(tmp_path / "free", 2, "max", GIB, 0)
    assert min(_free_in_cgroups(memberships, tmp_path)) > 2**60
