"""No reply can do harm: each of a corpus is read and executed in a process with little memory, and timed."""

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
tools = toolbox.open()
for reply in [*(reply for kind in HOSTILE.values() for reply in kind), *HARMLESS]:
    start = time.perf_counter()
    thought, outcome = read_reply(reply)
    if not isinstance(outcome, CallError):
        toolbox.canonical(outcome)
        outcome = tools.execute(outcome)
    fault = outcome.fault if isinstance(outcome, CallError) else None
    said = outcome.message if isinstance(outcome, CallError) else outcome.text
    print(json.dumps([time.perf_counter() - start, fault, said]))
"""


def test_every_hostile_reply_is_a_fault_within_a_second_and_512_mb_and_what_is_said_of_it_can_be_printed():
    replies = [reply for kind in HOSTILE.values() for reply in kind] + list(HARMLESS)
    assert len(set(replies)) == len(replies) >= 100
    root = ROOT
    command = [sys.executable, "-c", RUNNER]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr[-2_000:]
    outcomes = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(outcomes) == len(replies)
    for reply, (seconds, fault, said) in zip(replies, outcomes, strict=True):
        assert seconds < SECONDS, reply[:80]
        assert said.isprintable(), reply[:80]
        assert len(said) < 1_000, reply[:80]
        if reply in HARMLESS:
            assert (fault, said) == (None, HARMLESS[reply])
        else:
            assert fault in ("syntax", "unknown_function", "bad_arguments", "execution_error"), (reply[:80], said)
