"""How many CPU threads each process of a training gets, for `accelerate launch --num_cpu_threads_per_process`.

Without this option, `accelerate launch` computes the same number for a training on the CPU and warns about it.

    python -m callwright.pipeline.threads PROCESSES
"""

import os
import sys

import psutil


def threads_per_process(processes: int) -> int:
    """OMP_NUM_THREADS if it is set, or else an equal share of this machine's physical cores, at least 1."""
    configured = os.environ.get("OMP_NUM_THREADS", "")
    if configured.isdecimal() and int(configured) > 0:
        return int(configured)
    return max((psutil.cpu_count(logical=False) or os.cpu_count() or 1) // processes, 1)


if __name__ == "__main__":
    print(threads_per_process(int(sys.argv[1])))
