import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from callwright.chat.model import Sampling
from callwright.functions.toolbox import Toolbox
from callwright.params import RolloutParams, SamplingParams
from callwright.rollouts.plan import Attempt, functions_hash, plan, teacher_plan
from callwright.tasks import TASKS
from tests.fakes import problem, teacher

MODEL = {"name": "scripted", "base_url": "nowhere"}
ONE, TWO = problem(id="one", question="One?"), problem(id="two", question="Two?")


def planned(*problems, chains: int = 1, model=MODEL, **sampling) -> list[Attempt]:
    return plan(problems, model, chains, Sampling(**sampling))


def test_every_attempt_has_its_own_id_seed_and_key():
    attempts = planned(ONE, TWO, chains=3, seed=7)
    assert [attempt.id for attempt in attempts] == [f"{name}/scripted/{n}" for name in ("one", "two") for n in range(3)]
    assert [attempt.sampling.seed for attempt in attempts[:3]] == [7_000, 7_001, 7_002]
    assert len({attempt.key for attempt in attempts}) == 6


def test_a_key_stays_the_same_when_nothing_that_matters_changes():
    same_model = {"base_url": "nowhere", "name": "scripted"}  # in another order
    assert planned(ONE) == planned(ONE, model=same_model)
    assert planned(TWO, ONE)[1].key == planned(ONE)[0].key
    assert planned(ONE, chains=1)[0].key == planned(ONE, chains=2)[0].key
    other_split = replace(ONE, split="dev", answer="6")  # unseen by the model
    assert planned(other_split)[0].key == planned(ONE)[0].key


@pytest.mark.parametrize(
    "changed",
    [
        planned(ONE, temperature=0.7),
        planned(ONE, top_p=0.9),
        planned(ONE, max_tokens=99),
        planned(ONE, max_steps=5),
        planned(ONE, seed=1),
        planned(ONE, model={**MODEL, "name": "other"}),
        planned(ONE, model={**MODEL, "base_url": "elsewhere"}),
        planned(TWO),
        planned(replace(ONE, question="One, really?")),
        planned(replace(ONE, task="entailment")),
    ],
)
def test_a_key_changes_with_whatever_determines_the_chain(changed):
    assert changed[0].key != planned(ONE)[0].key


def test_a_key_depends_on_the_protocol():
    text, native = (plan([ONE], MODEL, 1, Sampling(), protocol) for protocol in ("text", "native"))
    assert text == planned(ONE)
    assert text[0].key != native[0].key
    assert text[0].id == native[0].id


def with_double(folder: Path, name: str, body: str) -> str:
    """The hash of a toolbox with an own function `double` of this body."""
    path = folder / f"{name}.py"
    path.write_text(
        "from callwright.functions.function import function\n\n"
        '@function(example={"number": 1})\n'
        "def double(number: int) -> int:\n"
        '    """Twice a number."""\n'
        f"    {body}\n"
    )
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return functions_hash(Toolbox([module.double, TASKS["arithmetic"].toolbox.functions["answer"]]))


def test_functions_are_the_same_while_they_compute_the_same_whatever_their_comments_say(tmp_path):
    plain = with_double(tmp_path, "plain", "return number * 2")
    assert with_double(tmp_path, "commented", "return (number*2)  # twice") == plain
    assert with_double(tmp_path, "wrong", "return number + 1") != plain  # though the example, 1, gives 2 either way


def test_a_further_endpoint_of_the_same_model_keeps_what_is_paid_for():
    own = SamplingParams(chains=2, temperature=0.7, top_p=1.0, problems=1)
    rollout = RolloutParams.model_construct(max_tokens=16, max_steps=4, protocol="text")

    def keys(**changes) -> list[str]:
        return [one.key for one in teacher_plan([ONE, TWO], teacher(**changes), own, rollout, 7)]

    here = keys(base_url="http://here/v1")
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
