"""What the warm-up imitates: the steps of correct chains."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from callwright.agent.protocol import PROTOCOLS
from callwright.records import Chain, CheckedChain, Demonstration, Problem
from callwright.tasks import TASKS


def demonstrations_of(records: Iterable[CheckedChain], problems: Mapping[str, Problem]) -> list[Demonstration]:
    """Every step of one chain a problem and protocol, the shortest that is correct and without a fault.

    In the order of the problems' ids; which of several shortest chains is taken, their ids decide.
    """
    candidates: dict[tuple[str, str], list[Chain]] = defaultdict(list)
    for record in records:
        if record.verdict.correct and not record.verdict.faults:
            candidates[record.chain.problem_id, record.chain.protocol].append(record.chain)
    shortest = (min(candidates[key], key=lambda chain: (len(chain.steps), chain.id)) for key in sorted(candidates))
    return [one for chain in shortest for one in _steps_of(chain, problems[chain.problem_id])]


def _steps_of(chain: Chain, problem: Problem) -> list[Demonstration]:
    task, protocol = TASKS[problem.task], PROTOCOLS[chain.protocol]
    made = []
    for place, step in enumerate(chain.steps):
        messages, tools = protocol.render(task, problem.question, chain.steps[:place])
        reply = protocol.reply_message(step, place)
        made.append(Demonstration(f"{chain.id}#{place}", problem.id, tuple(messages), (reply,), tuple(tools)))
    return made
