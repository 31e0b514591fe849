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
from tests.fakes import chain, problem, teacher

MODEL = {"name": "scripted", "base_url": "nowhere"}
ONE, TWO = problem(id="one", question="One?"), problem(id="two", question="Two?")


def plan_for(*problems, chains: int = 1, model=MODEL, **sampling) -> list[Attempt]:
    return plan_attempts(problems, model, chains, Sampling(**sampling))


def test_every_attempt_has_its_own_id_seed_and_key():
    attempts = plan_for(ONE, TWO, chains=3, seed=7)
    assert [attempt.id for attempt in attempts] == [f"{name}/scripted/{n}" for name in ("one", "two") for n in range(3)]
    assert [attempt.sampling.seed for attempt in attempts[:3]] == [7_000, 7_001, 7_002]
    assert len({attempt.key for attempt in attempts}) == 6


def test_a_key_stays_the_same_when_nothing_that_matters_changes():
    same_model = {"base_url": "nowhere", "name": "scripted"}  # in another order
    assert plan_for(ONE) == plan_for(ONE, model=same_model)
    assert plan_for(TWO, ONE)[1].key == plan_for(ONE)[0].key
    assert plan_for(ONE, chains=1)[0].key == plan_for(ONE, chains=2)[0].key
    other_split = replace(ONE, split="dev", answer="6")  # unseen by the model
    assert plan_for(other_split)[0].key == plan_for(ONE)[0].key
    row_inserted = replace(ONE, id="data/source/mine.jsonl:8")  # its name comes from its row
    assert plan_for(row_inserted)[0].key == plan_for(ONE)[0].key
    assert plan_for(row_inserted)[0].id == "data/source/mine.jsonl:8/scripted/0"


@pytest.mark.parametrize(
    "changed",
    [
        plan_for(ONE, temperature=0.7),
        plan_for(ONE, top_p=0.9),
        plan_for(ONE, max_tokens=99),
        plan_for(ONE, max_steps=5),
        plan_for(ONE, seed=1),
        plan_for(ONE, model={**MODEL, "name": "other"}),
        plan_for(ONE, model={**MODEL, "base_url": "elsewhere"}),
        plan_for(TWO),
        plan_for(replace(ONE, question="One, really?")),
        plan_for(replace(ONE, task="entailment")),
    ],
)
def test_a_key_changes_with_whatever_determines_the_chain(changed):
    assert changed[0].key != plan_for(ONE)[0].key


def test_a_key_depends_on_the_protocol():
    text, native = (plan_attempts([ONE], MODEL, 1, Sampling(), protocol) for protocol in ("text", "native"))
    assert text == plan_for(ONE)
    assert text[0].key != native[0].key
    assert text[0].id == native[0].id


def with_answer(folder: Path, name: str, body: str) -> str:
    """The hash of a toolbox that has nothing but an `answer` with this body."""
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
    assert with_answer(tmp_path, "fixed", body) == expected


def test_functions_are_the_same_while_they_compute_the_same_whatever_their_comments_say(tmp_path):
    plain = with_answer(tmp_path, "plain", "return number * 2")
    assert with_answer(tmp_path, "commented", "return (number*2)  # twice") == plain
    assert with_answer(tmp_path, "wrong", "return number + 1") != plain  # though the example, 1, gives 2 either way


def test_a_further_endpoint_of_the_same_model_keeps_what_is_paid_for():
    own = SamplingParams(chains=2, temperature=0.7, top_p=1.0, problems=1)
    rollout = RolloutParams.model_construct(max_tokens=16, max_steps=4, protocol="text")

    def keys(**changes) -> list[str]:
        return [one.key for one in teacher_plan([ONE, TWO], teacher(**changes), own, rollout, 7)]

    here = keys(base_url="http://here/v1")
    assert keys(base_url="HTTP://Here/v1/") == here  # written otherwise
    assert len(here) == 2  # two chains of one problem
    assert keys(base_url="http://here/v1", base_urls=["http://there/v1"]) == here
    assert keys(base_url="http://there/v1") != here
    assert keys(base_url="http://here/v1", timeout_s=99, api_key_env="OTHER") == here


def test_fields_of_the_request_are_part_of_what_an_attempt_is():
    own = SamplingParams(chains=1, temperature=0.7, top_p=1.0, problems=1)
    rollout = RolloutParams.model_construct(max_tokens=16, max_steps=4, protocol="text")

    def key(request: dict[str, object]) -> str:
        asked = teacher(base_url="http://here/v1", request=request)
        return teacher_plan([ONE], asked, own, rollout, 7)[0].key

    both = {"top_k": 20, "max_tokens": None}
    assert len({key({}), key({"top_k": 20}), key({"top_k": 21}), key(both)}) == 4
    assert key(both) == key(dict(reversed(both.items())))


def test_what_is_paid_for_at_one_endpoint_is_found_when_another_one_is_named_first(tmp_path):
    own = SamplingParams(chains=1, temperature=0.7, top_p=1.0, problems=None)
    rollout = RolloutParams.model_construct(max_tokens=16, max_steps=4, protocol="text")

    def planned_at(first: str, *others: str) -> list[Attempt]:
        return teacher_plan([ONE, TWO], teacher(base_url=first, base_urls=list(others)), own, rollout, 7)

    here, there, elsewhere = (f"http://{name}/v1" for name in ("here", "there", "elsewhere"))
    before = planned_at(here)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        journal.append(JournalEntry(before[0].key, chain("add(2, 3)", "answer(5)")))
        for attempts in (before, planned_at(here, there), planned_at(there, here), planned_at(elsewhere, there, here)):
            assert list(missing_attempts(attempts, journal)) == [attempts[1].key]
        assert len(missing_attempts(planned_at(there), journal)) == 2  # nobody says that this is the same model


def test_a_chain_from_the_journal_bears_the_names_of_today(tmp_path):
    (before,), (now,) = plan_for(ONE), plan_for(replace(ONE, id="moved"))
    with open_journal(tmp_path / "journal.jsonl") as journal:
        assert find_entry(now, journal) is None
        journal.append(JournalEntry(before.key, chain("add(2, 3)", "answer(5)", problem_id="one", id=before.id)))
        found = find_entry(now, journal)
    assert found is not None
    assert (found.chain.id, found.chain.problem_id, found.chain.answer) == ("moved/scripted/0", "moved", "5")


def test_the_oracles_keys_depend_on_the_solution_that_it_answers_from_and_other_teachers_do_not():
    own = SamplingParams(chains=1, temperature=0.7, top_p=1.0, problems=None)
    rollout = RolloutParams.model_construct(max_tokens=16, max_steps=4, protocol="text")
    otherwise = replace(ONE, solution=ONE.solution[1:])

    def key(one: Problem, base_url: str) -> str:
        return teacher_plan([one], teacher(base_url=base_url), own, rollout, 7)[0].key

    assert key(ONE, "oracle") != key(otherwise, "oracle")
    assert key(ONE, "http://here/v1") == key(otherwise, "http://here/v1")


def test_a_model_in_this_process_is_its_files_and_how_they_are_computed_with(tmp_path):
    own = SamplingParams(chains=1, temperature=0.0, top_p=1.0, problems=None)
    rollout = RolloutParams.model_construct(max_tokens=16, max_steps=4, protocol="text")
    (tmp_path / "config.json").write_text("{}")
    identity = local_model_identity(tmp_path)
    assert identity.endswith((" in torch.float32 on cpu", " in torch.bfloat16 on cuda"))
    keys = {
        local_plan([ONE], "base", one, own, rollout, 7)[0].key
        for one in (identity, identity.replace("torch.float32 on cpu", "torch.bfloat16 on cuda"))
    }
    assert len(keys) == 1 + identity.endswith("cpu")


def test_the_engine_is_part_of_every_key(monkeypatch):
    before = plan_for(ONE)[0].key
    monkeypatch.setattr("callwright.rollouts.plan.ENGINE_VERSION", 0)
    assert plan_for(ONE)[0].key != before
