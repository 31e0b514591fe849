from dataclasses import replace

import pytest

from callwright.agent.loop import take_steps
from callwright.agent.protocol import TEXT
from callwright.chat.model import Reply
from callwright.functions.formulas.formula import parse_formula
from callwright.functions.function import render_call
from callwright.records import Call, Chain, Problem, Step, Usage
from callwright.tasks import TASKS
from callwright.tasks.entailment.questions import GoldChainError, entailment_gold_chain, entailment_question
from callwright.validation.faults import judge
from callwright.validation.replay import replay

ENTAILMENT = TASKS["entailment"]
PREMISES = ["all x. (Cat(x) -> Kind(x))", "Cat(rex)"]


def problem(answer: str = "True", statement: str = "Kind(rex)") -> Problem:
    premises = [parse_formula(premise) for premise in PREMISES]
    solution = entailment_gold_chain(premises, parse_formula(statement), answer)
    question = entailment_question(["Every cat is kind.", "Rex is a cat."], "Rex is kind.")
    return Problem("p", "entailment", question, answer, solution, "mine", "p", "test")


def attempt(*replies: str) -> Chain:
    tools = ENTAILMENT.toolbox.open()
    steps: list[Step] = []
    for reply in replies:
        steps += take_steps(Reply(reply, "stop", Usage()), TEXT, ENTAILMENT.toolbox, tools)
    return Chain("c", "p", "me", "text", tuple(steps), "answered", steps[-1].observation)


def verdict(chain: Chain) -> tuple[bool, list[str]]:
    checked = judge(chain, problem(), ENTAILMENT, replay(chain, ENTAILMENT))
    return checked.correct, [fault.fault for fault in checked.faults]


GOLD = [render_call(call) for call in problem().solution]


def test_the_gold_chain_is_correct():
    assert GOLD == [
        "assume(formula='all x. (Cat(x) -> Kind(x))')",
        "assume(formula='Cat(rex)')",
        "entails(formula='Kind(rex)')",
        "answer(value='True')",
    ]
    assert verdict(attempt(*GOLD)) == (True, [])


def test_an_answer_that_no_call_returned_is_ungrounded():
    assert verdict(attempt(GOLD[0], GOLD[1], GOLD[3])) == (False, ["ungrounded_answer"])


def test_a_chain_without_a_premise_is_unfaithful_and_wrong():
    assert verdict(attempt(GOLD[0], GOLD[2], "answer(value='Unknown')")) == (
        False,
        ["unfaithful_call", "wrong_answer"],
    )


def test_replay_finds_a_forged_observation():
    chain = attempt(*GOLD)
    forged = replace(chain, steps=(*chain.steps[:2], replace(chain.steps[2], observation="False"), chain.steps[3]))
    assert "replay_mismatch" in verdict(forged)[1]


def test_a_chain_with_a_contradiction_replays_the_same():
    replies = [*GOLD[:2], "assume(formula='not Kind(rex)')", GOLD[2], "entails('Cat(rex)')", GOLD[2], "answer('True')"]
    chain = attempt(*replies)
    assert replay(chain, ENTAILMENT).steps == chain.steps
    correct, faults = verdict(chain)
    assert correct, "the withdrawn assumption was a mistake that the chain recovered from"
    assert faults == ["execution_error", "repeated_call"]


@pytest.mark.parametrize(
    ("answer", "label", "grade"),
    [
        ("True", "True", "right"),
        ("Unknown", "Uncertain", "right"),  # FOLIO's validation split
        ("false", "False", "right"),
        ("Unknown", "False", "wrong"),
        ("maybe", "True", "wrong"),
    ],
)
def test_answers_are_graded_by_label(answer, label, grade):
    assert ENTAILMENT.grade(replace(problem(), answer=label), answer) == grade


@pytest.mark.parametrize(
    ("premises", "answer", "reason"),
    [
        (PREMISES, "Unknown", "the label is Unknown, the formulas say True"),
        ([*PREMISES, "not Kind(rex)"], "True", "the premises contradict each other"),
        (["Cat(rex)", "Cat(rex, max)"], "True", "the solver refuses the formulas"),
    ],
)
def test_a_gold_chain_that_does_not_reach_the_label_is_refused_with_its_reason(premises, answer, reason):
    with pytest.raises(GoldChainError, match=reason):
        entailment_gold_chain([parse_formula(premise) for premise in premises], parse_formula("Kind(rex)"), answer)


def test_the_calls_of_a_solution_have_named_arguments():
    assert problem().solution[0] == Call("assume", {"formula": PREMISES[0]})


def test_unknown_needs_all_premises_and_a_proof_only_those_that_it_uses():
    unknown = problem("Unknown", "Bird(rex)")
    chains = [attempt(*GOLD[:end], "entails('Bird(rex)')", "answer('Unknown')") for end in (1, 2)]
    verdicts = [judge(chain, unknown, ENTAILMENT, replay(chain, ENTAILMENT)) for chain in chains]
    assert [verdict.correct for verdict in verdicts] == [False, True]
    assert verdicts[0].faults[0].message == "Unknown was answered from 1 of 2 premises"
    rules = [*PREMISES, "Bird(max)"]
    solution = entailment_gold_chain([parse_formula(rule) for rule in rules], parse_formula("Kind(rex)"), "True")
    other_solution, gold = replace(problem(), solution=solution), attempt(*GOLD)
    assert judge(gold, other_solution, ENTAILMENT, replay(gold, ENTAILMENT)).correct
