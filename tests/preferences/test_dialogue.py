"""Pairs as rows of tokens, which are those that the model will read."""

from pathlib import Path

import pytest

from callwright.agent.conversation import make_demonstration, make_pair
from callwright.agent.protocol import NATIVE
from callwright.chat.template import template_messages
from callwright.errors import DataError
from callwright.preferences.dialogue import check_rows
from callwright.records import Call, Pair, Protocol, Step, StepError
from callwright.tasks import TASKS
from tests.chat.conftest import template, tokenizer_for
from tests.fakes import problem, step

TASK, PROBLEM = TASKS["arithmetic"], problem(question="How many?")
BROKEN = Step('{"name": "add", "arguments": {"a": 2', None, StepError("syntax", "broken"), None)
HISTORY = (step("So.\nadd(2, 3)"), BROKEN)


def native_pair(chosen: Step, rejected: Step) -> Pair:
    pair = make_pair(PROBLEM, TASK, "native", HISTORY, [chosen], [rejected], margin=1.0, kind="wrong_call")
    assert pair is not None
    return pair


PAIRS = [
    native_pair(step("answer(5)"), step("multiply(a=2, b=0.5)")),
    native_pair(step("round_to(number=2.5)"), BROKEN),
    native_pair(Step("", Call("solve", {"equation": ["x = 2"]}), None, "2"), step("answer(6)")),
]


@pytest.mark.slow
def test_trl_trains_on_the_tokens_that_the_model_will_read(tiny_model: Path, tmp_path: Path):
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig

    from callwright.training.batches import (
        MaskedPreferenceCollator,
        PlannedBatchSampler,
        PlannedDPOTrainer,
        token_dataset,
    )

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    report, rows = check_rows(PAIRS, tokenizer, 8_192)
    trainer = PlannedDPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(tiny_model),
        args=DPOConfig(output_dir=str(tmp_path), max_length=None, use_cpu=True, bf16=False, report_to="none",
                       max_steps=1, save_strategy="no", disable_tqdm=True, remove_unused_columns=False),
        train_dataset=token_dataset(rows),
        processing_class=tokenizer,
        data_collator=MaskedPreferenceCollator(tokenizer.pad_token_id),
    )  # fmt: skip
    trainer.batch_sampler = PlannedBatchSampler([[3]])
    (batch,) = trainer.get_train_dataloader()
    sequences = [
        ids[mask.bool()].tolist() for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)
    ]
    messages, tools = NATIVE.render(TASK, "How many?", HISTORY)
    sides = [getattr(pair, side) for side in ("chosen", "rejected") for pair in PAIRS]
    assert sequences == [
        tokenizer.apply_chat_template(template_messages([*messages, *side]), tools=tools, return_dict=False)
        for side in sides
    ]
    assert int(batch["completion_mask"].sum()) == report.trained_tokens
    assert trainer.train().training_loss > 0


@pytest.mark.parametrize("protocol", ["text", "native"])
def test_a_demonstration_is_trained_on_its_completion(protocol: Protocol):
    demonstration = make_demonstration("d", PROBLEM, TASK, protocol, HISTORY, step("answer(5)"))
    report, (row,) = check_rows([demonstration], tokenizer_for(template("qwen2_5"), []), 8_192)
    labels = list(row["labels"])
    assert labels[: report.prompt_tokens] == [-100] * report.prompt_tokens
    assert labels[report.prompt_tokens :] == list(row["input_ids"])[report.prompt_tokens :] != []


def test_rows_that_are_too_long_give_the_length_of_the_longest_and_what_to_raise():
    rows = [make_demonstration("d", PROBLEM, TASK, "text", HISTORY[:count], step("answer(5)")) for count in (0, 2)]
    tokenizer = tokenizer_for(template("qwen2_5"), [])
    short, long = (check_rows([row], tokenizer, 8_192)[0].longest for row in rows)
    with pytest.raises(DataError) as caught:
        check_rows(rows, tokenizer, 10)
    assert str(caught.value) == (
        f"demonstration d cannot be trained on: it has {short} tokens, train.max_length is 10; "
        f"the longest row has {long}: raise train.max_length (2 of 2 demonstrations)"
    )
