"""Which chains to sample: a deterministic list of attempts. The key of an attempt hashes all that determines it."""

import ast
import hashlib
import inspect
import json
import textwrap
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from typing import Any

from callwright.agent.protocol import ENGINE_VERSION, PROTOCOLS
from callwright.chat.backend import ChatOptions
from callwright.chat.model import Sampling
from callwright.chat.open_chat import find_backend
from callwright.functions.toolbox import Toolbox
from callwright.params import RolloutParams, SamplingParams, TeacherParams
from callwright.problems.draw import draw_problems
from callwright.records import Problem, Protocol
from callwright.tasks import Tasks
from callwright.tasks.task import Task
from callwright.tasks.view import PLAIN, View


@lru_cache(maxsize=128)  # the evaluation makes toolboxes for single problems: do not keep them all
def functions_hash(toolbox: Toolbox) -> str:
    """A hash of the functions' syntax trees, which does not depend on comments, layout or the version of Python.

    Functions without source, which were made at run time, do not differ in it.
    """
    sources = [_source(function.python) for function in toolbox.functions.values()]
    return hashlib.sha256("\n".join(sources).encode()).hexdigest()


@cache
def _source(function: Callable[..., Any]) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return ""  # made at run time; its signature and example are in the prompt, which is hashed too
    return json.dumps(_to_plain_data(tree))


def _to_plain_data(node: Any) -> Any:
    """A syntax tree as plain data, without empty fields, which differ between versions of Python.

    `ast.unparse` and `ast.dump` write the same tree differently in each version.
    """
    match node:
        case ast.AST():
            fields = {name: _to_plain_data(value) for name, value in ast.iter_fields(node)}
            filled = {name: value for name, value in fields.items() if value not in (None, [])}
            return [type(node).__name__, filled]
        case list():
            return [_to_plain_data(item) for item in node]
        case None:
            return None
        case _:
            return f"{type(node).__name__} {node!r}"  # a name, or a constant's value: 1 is not 1.0, nor True


@dataclass(frozen=True, slots=True)
class Attempt:
    """One chain to sample.

    Attributes:
        task: what the problem is solved with. Its name is the problem's task, but its toolbox may be a changed one.
        view: how the model is shown the task's functions.
        key: the hash of all that determines the chain, so that the same key is never paid for twice. It includes the
            question but not the problem's id, which may be made of row numbers.
        other_keys: keys of the same attempt at other endpoints of the same model.
    """

    id: str
    problem: Problem
    task: Task
    sampling: Sampling
    protocol: Protocol
    key: str
    other_keys: tuple[str, ...] = ()
    view: View = PLAIN

    def journaled_key(self, keys: Container[str]) -> str | None:
        """The key under which the attempt was already made; None if it was not."""
        return next((key for key in (self.key, *self.other_keys) if key in keys), None)


def plan_attempts(
    problems: Iterable[Problem],
    tasks: Tasks,
    model: Mapping[str, object],
    chains: int,
    sampling: Sampling,
    protocol: Protocol = "text",
    *,
    other_servers: Sequence[Mapping[str, object]] = (),
    reads_solutions: bool = False,
    label: str = "",
    views: Mapping[str, Sequence[View]] | None = None,
) -> list[Attempt]:
    """`chains` attempts at every problem, in a fixed order.

    Args:
        model: what identifies the model and its server. `name` is the model's name in chains.
        sampling: the same for all attempts, except that each attempt's seed is computed from its seed.
        other_servers: what identifies the same model at other servers.
        reads_solutions: whether the model answers from the problems' solutions.
        label: goes before the number in the ids, so that two plans for the same problems and model have different ids.
        views: task -> its views, over which the attempts at each problem are spread; None: the plain view.
    """
    samplings = [replace(sampling, seed=sampling.seed * 1_000 + number) for number in range(chains)]
    samplings_json = [json.dumps(asdict(sampling), sort_keys=True).encode() for sampling in samplings]
    servers = [json.dumps(dict(server), sort_keys=True) for server in (model, *other_servers)]
    attempts = []
    for problem in problems:
        task = tasks[problem.task]
        hashes = {}
        for number, view in enumerate(_views_of_attempts(problem, (views or {}).get(task.name, ()), chains)):
            if view.key not in hashes:
                hashes[view.key] = [
                    hashlib.sha256(_hashed_content(problem, task, protocol, view, server, reads_solutions))
                    for server in servers
                ]
            key, *others = (_extend_hash(server_hash, samplings_json[number]) for server_hash in hashes[view.key])
            name = f"{problem.id}/{model['name']}/{label}{number}"
            attempts.append(Attempt(name, problem, task, samplings[number], protocol, key, tuple(others), view))
    return attempts


def _views_of_attempts(problem: Problem, views: Sequence[View], chains: int) -> list[View]:
    """The view of each attempt at a problem: as different as possible, beginning with one that the question selects."""
    if not views:
        return [PLAIN] * chains
    start = int.from_bytes(hashlib.sha256(problem.question.encode()).digest()[:4], "big")
    return [views[(start + number) % len(views)] for number in range(chains)]


def _extend_hash(hash_so_far: "hashlib._Hash", content: bytes) -> str:
    extended = hash_so_far.copy()
    extended.update(content)
    return extended.hexdigest()


def teacher_plan(
    problems: Iterable[Problem],
    tasks: Tasks,
    teacher: TeacherParams,
    sampling_params: SamplingParams,
    rollout: RolloutParams,
    seed: int,
    views: Mapping[str, Sequence[View]] | None = None,
) -> list[Attempt]:
    """The teacher's attempts. Their keys include what its backend says that its answers depend on.

    Further endpoints (`teacher.base_urls`) serve the same model, so adding or reordering endpoints keeps the attempts
    that are in the journal.

    Args:
        views: see `plan_attempts`.
    """
    backend = find_backend(teacher, options=ChatOptions(section="teacher"))
    model, *other_servers = ({"name": teacher.model, **identity} for identity in backend.identities())
    return plan_attempts(
        draw_problems(problems, sampling_params.problems, seed),
        tasks,
        model,
        sampling_params.chains,
        _sampling(sampling_params, rollout, seed),
        rollout.protocol,
        other_servers=other_servers,
        reads_solutions=backend.reads_solutions,
        views=views,
    )


def local_plan(
    problems: Iterable[Problem],
    tasks: Tasks,
    name: str,
    identity: str,
    sampling_params: SamplingParams,
    rollout: RolloutParams,
    seed: int,
    label: str = "",
    views: Mapping[str, Sequence[View]] | None = None,
) -> list[Attempt]:
    """The attempts of a local model.

    Args:
        identity: what the model's answers depend on, such as the `local_model_identity` of its folder.
        label, views: see `plan_attempts`.
    """
    model = {"name": name, "weights": identity}
    problems = draw_problems(problems, sampling_params.problems, seed)
    sampling = _sampling(sampling_params, rollout, seed)
    return plan_attempts(
        problems, tasks, model, sampling_params.chains, sampling, rollout.protocol, label=label, views=views
    )


def _sampling(sampling_params: SamplingParams, rollout: RolloutParams, seed: int) -> Sampling:
    return Sampling(sampling_params.temperature, sampling_params.top_p, rollout.max_tokens, rollout.max_steps, seed)


def _hashed_content(
    problem: Problem, task: Task, protocol: Protocol, view: View, server: str, reads_solutions: bool
) -> bytes:
    """What a key hashes besides the sampling: prompt, tools, functions, engine, model, and solution if it is read."""
    messages, tools = PROTOCOLS[protocol].render(task, problem.question, (), view)
    content = [ENGINE_VERSION, messages, tools, protocol, server, functions_hash(task.toolbox)]
    content += [_source(task.toolbox.needless[name].python) for name in view.functions if name in task.toolbox.needless]
    if reads_solutions:
        content.append([asdict(call) for call in problem.solution])
    return json.dumps(content, sort_keys=True).encode()
