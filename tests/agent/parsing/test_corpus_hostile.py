"""No reply can do harm: each reply of a corpus is read and executed in a process with little memory, and timed."""

import json
import subprocess
import sys

from tests.agent.parsing.corpus_hostile import HARMLESS, HOSTILE
from tests.working_tree import ROOT

SECONDS, MEGABYTES = 1.0, 512

RUNNER = f"""
import json, resource, time
resource.setrlimit(resource.RLIMIT_AS, ({MEGABYTES} * 2**20,) * 2)
from callwright.agent.parsing.parse import read_reply
from callwright.errors import CallError
from callwright.tasks import TASKS
from tests.agent.parsing.corpus_hostile import HARMLESS, HOSTILE

toolbox = TASKS["arithmetic"].toolbox
open_toolbox = toolbox.open()
for reply in [*(reply for kind in HOSTILE.values() for reply in kind), *HARMLESS]:
    start = time.perf_counter()
    thought, outcome = read_reply(reply)
    if not isinstance(outcome, CallError):
        toolbox.canonical(outcome)
        outcome = open_toolbox.execute(outcome)
    fault = outcome.fault if isinstance(outcome, CallError) else None
    text = outcome.message if isinstance(outcome, CallError) else outcome.text
    print(json.dumps([time.perf_counter() - start, fault, text]))
"""


def test_every_hostile_reply_is_a_fault_with_a_printable_message_within_a_second_and_512_mb():
    replies = [reply for kind in HOSTILE.values() for reply in kind] + list(HARMLESS)
    assert len(set(replies)) == len(replies) >= 100
    command = [sys.executable, "-c", RUNNER]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr[-2_000:]
    outcomes = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(outcomes) == len(replies)
    for reply, (seconds, fault, text) in zip(replies, outcomes, strict=True):
        assert seconds < SECONDS, reply[:80]
        assert text.isprintable(), reply[:80]
        assert len(text) < 1_000, reply[:80]
        if reply in HARMLESS:
            assert (fault, text) == (None, HARMLESS[reply])
        else:
            assert fault in ("syntax", "unknown_function", "bad_arguments", "execution_error"), (reply[:80], text)
