import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from callwright.chat.model import Sampling
from callwright.functions.toolbox import Toolbox
from callwright.params import RolloutParams, SamplingParams
from callwright.records import Problem
from callwright.rollouts.journal import JournalEntry, find_entry, open_journal
from callwright.rollouts.plan import (
    Attempt,
    functions_hash,
    local_model_identity,
    local_plan,
    plan_attempts,
    teacher_plan,
)
from callwright.rollouts.sample import missing_attempts
from callwright.tasks import TASKS
from tests.fakes import chain, problem, teacher

MODEL = {"name": "scripted", "base_url": "nowhere"}
FIRST, SECOND = problem(id="one", question="One?"), problem(id="two", question="Two?")


def plan_for(*problems, chains: int = 1, model=MODEL, **sampling) -> list[Attempt]:
    return plan_attempts(problems, TASKS, model, chains, Sampling(**sampling))


def test_every_attempt_has_its_own_id_seed_and_key():
    attempts = plan_for(FIRST, SECOND, chains=3, seed=7)
    assert [attempt.id for attempt in attempts] == [f"{name}/scripted/{n}" for name in ("one", "two") for n in range(3)]
    assert [attempt.sampling.seed for attempt in attempts[:3]] == [7_000, 7_001, 7_002]
    assert len({attempt.key for attempt in attempts}) == 6


def test_a_key_does_not_depend_on_what_the_model_does_not_see():
    same_model = {"base_url": "nowhere", "name": "scripted"}  # in another order
    assert plan_for(FIRST) == plan_for(FIRST, model=same_model)
    assert plan_for(SECOND, FIRST)[1].key == plan_for(FIRST)[0].key
    assert plan_for(FIRST, chains=1)[0].key == plan_for(FIRST, chains=2)[0].key
    other_split = replace(FIRST, split="dev", answer="6")  # the model does not see them
    assert plan_for(other_split)[0].key == plan_for(FIRST)[0].key
    row_inserted = replace(FIRST, id="data/source/mine.jsonl:8")  # its id comes from its row
    assert plan_for(row_inserted)[0].key == plan_for(FIRST)[0].key
    assert plan_for(row_inserted)[0].id == "data/source/mine.jsonl:8/scripted/0"


@pytest.mark.parametrize(
    "changed",
    [
        plan_for(FIRST, temperature=0.7),
        plan_for(FIRST, top_p=0.9),
        plan_for(FIRST, max_tokens=99),
        plan_for(FIRST, max_steps=5),
        plan_for(FIRST, seed=1),
        plan_for(FIRST, model={**MODEL, "name": "other"}),
        plan_for(FIRST, model={**MODEL, "base_url": "elsewhere"}),
        plan_for(SECOND),
        plan_for(replace(FIRST, question="One, really?")),
        plan_for(replace(FIRST, task="entailment")),
    ],
)
def test_a_key_depends_on_all_that_determines_the_chain(changed):
    assert changed[0].key != plan_for(FIRST)[0].key


def test_a_key_depends_on_the_protocol():
    text, native = (plan_attempts([FIRST], TASKS, MODEL, 1, Sampling(), protocol) for protocol in ("text", "native"))
    assert text == plan_for(FIRST)
    assert text[0].key != native[0].key
    assert text[0].id == native[0].id


def hash_of_answer(folder: Path, name: str, body: str) -> str:
    """The hash of a toolbox with one function, `answer`, with this body."""
    path = folder / f"{name}.py"
    path.write_text(
        "from callwright.functions.function import function\n\n"
        '@function(example={"number": 1})\n'
        "def answer(number: int) -> str:\n"
        '    """Twice a number."""\n'
        f"    {body}\n"
    )
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return functions_hash(Toolbox([module.answer]))


def test_a_function_has_the_same_hash_in_every_version_of_python(tmp_path):
    body = "return {f'{number!r:>4}': [n ** -2.5 for n in (1, True, ...) if n]}.get('x', number) or None"
    expected = "0892dd3e4ae87f04255adf265c98b9eb667d2ffefdd628a94f0b51c9458728ee"  # as written by 3.11
    assert hash_of_answer(tmp_path, "fixed", body) == expected


def test_the_hash_of_a_function_does_not_depend_on_comments_and_layout(tmp_path):
    plain = hash_of_answer(tmp_path, "plain", "return number * 2")
    assert hash_of_answer(tmp_path, "commented", "return (number*2)  # twice") == plain
    assert hash_of_answer(tmp_path, "wrong", "return number + 1") != plain  # although the example, 1, gives 2 with both


def test_another_endpoint_of_the_same_model_does_not_change_the_key():
    sampling = SamplingParams(chains=2, temperature=0.7, top_p=1.0, problems=1)
    rollout = RolloutParams.model_construct(max_tokens=16, max_steps=4, protocol="text")

    def keys(**changes) -> list[str]:
        return [
            attempt.key for attempt in teacher_plan([FIRST, SECOND], TASKS, teacher(**changes), sampling, rollout, 7)
        ]

    here = keys(base_url="http://here/v1")
    assert keys(base_url="HTTP://Here/v1/") == here  # another spelling
    assert len(here) == 2  # two chains of one problem
    assert keys(base_url="http://here/v1", base_urls=["http://there/v1"]) == here
    assert keys(base_url="http://there/v1") != here
    assert keys(base_url="http://here/v1", timeout_s=99, api_key_env="OTHER") == here


def test_a_key_depends_on_the_fields_of_the_request():
    sampling = SamplingParams(chains=1, temperature=0.7, top_p=1.0, problems=1)
    rollout = RolloutParams.model_construct(max_tokens=16, max_steps=4, protocol="text")

    def key(request: dict[str, object]) -> str:
        params = teacher(base_url="http://here/v1", request=request)
        return teacher_plan([FIRST], TASKS, params, sampling, rollout, 7)[0].key

    both = {"top_k": 20, "max_tokens": None}
    assert len({key({}), key({"top_k": 20}), key({"top_k": 21}), key(both)}) == 4
    assert key(both) == key(dict(reversed(both.items())))


def test_a_journaled_attempt_is_found_after_endpoints_are_reordered(tmp_path):
    sampling = SamplingParams(chains=1, temperature=0.7, top_p=1.0, problems=None)
    rollout = RolloutParams.model_construct(max_tokens=16, max_steps=4, protocol="text")

    def plan_at(first: str, *others: str) -> list[Attempt]:
        return teacher_plan(
            [FIRST, SECOND], TASKS, teacher(base_url=first, base_urls=list(others)), sampling, rollout, 7
        )

    here, there, elsewhere = (f"http://{name}/v1" for name in ("here", "there", "elsewhere"))
    before = plan_at(here)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        journal.append(JournalEntry(before[0].key, chain("add(2, 3)", "answer(5)")))
        for attempts in (before, plan_at(here, there), plan_at(there, here), plan_at(elsewhere, there, here)):
            assert list(missing_attempts(attempts, journal)) == [attempts[1].key]
        assert len(missing_attempts(plan_at(there), journal)) == 2  # it may be another model


def test_a_chain_from_the_journal_gets_the_current_ids(tmp_path):
    (before,), (now,) = plan_for(FIRST), plan_for(replace(FIRST, id="moved"))
    with open_journal(tmp_path / "journal.jsonl") as journal:
        assert find_entry(now, journal) is None
        journal.append(JournalEntry(before.key, chain("add(2, 3)", "answer(5)", problem_id="one", id=before.id)))
        entry = find_entry(now, journal)
    assert entry is not None
    assert (entry.chain.id, entry.chain.problem_id, entry.chain.answer) == ("moved/scripted/0", "moved", "5")


def test_only_the_oracles_keys_depend_on_the_solution():
    sampling = SamplingParams(chains=1, temperature=0.7, top_p=1.0, problems=None)
    rollout = RolloutParams.model_construct(max_tokens=16, max_steps=4, protocol="text")
    other_solution = replace(FIRST, solution=FIRST.solution[1:])

    def key(problem: Problem, base_url: str) -> str:
        return teacher_plan([problem], TASKS, teacher(base_url=base_url), sampling, rollout, 7)[0].key

    assert key(FIRST, "oracle") != key(other_solution, "oracle")
    assert key(FIRST, "http://here/v1") == key(other_solution, "http://here/v1")


def test_the_key_of_a_local_model_depends_on_its_files_number_type_and_device(tmp_path):
    sampling = SamplingParams(chains=1, temperature=0.0, top_p=1.0, problems=None)
    rollout = RolloutParams.model_construct(max_tokens=16, max_steps=4, protocol="text")
    (tmp_path / "config.json").write_text("{}")
    identity = local_model_identity(tmp_path)
    assert identity.endswith((" in torch.float32 on cpu", " in torch.bfloat16 on cuda"))
    keys = {
        local_plan([FIRST], TASKS, "base", weights, sampling, rollout, 7)[0].key
        for weights in (identity, identity.replace("torch.float32 on cpu", "torch.bfloat16 on cuda"))
    }
    assert len(keys) == 1 + identity.endswith("cpu")


def test_every_key_depends_on_the_engine_version(monkeypatch):
    before = plan_for(FIRST)[0].key
    monkeypatch.setattr("callwright.rollouts.plan.ENGINE_VERSION", 0)
    assert plan_for(FIRST)[0].key != before
