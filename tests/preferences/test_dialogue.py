"""Pairs as TRL's rows: no key is lost or added, and TRL's tokens are those that the model will read."""

import json
from pathlib import Path

import pytest

from callwright.agent.protocol import NATIVE, PROTOCOLS
from callwright.preferences.dialogue import check_rows, conversation_rows
from callwright.records import Call, Pair, Step, StepError
from callwright.tasks import TASKS
from tests.fakes import step

TASK = TASKS["arithmetic"]
BROKEN = Step('{"name": "add", "arguments": {"a": 2', None, StepError("syntax", "broken"), None)


def pair(pair_id: str, protocol: str, chosen: Step, rejected: Step) -> Pair:
    path = [step("So.\nadd(2, 3)"), BROKEN]
    messages, tools = PROTOCOLS[protocol].render(TASK, "How many?", path)
    sides = [(PROTOCOLS[protocol].reply_message(side, 2),) for side in (chosen, rejected)]
    return Pair(pair_id, pair_id, tuple(messages), *sides, tuple(tools), 1.0, "wrong_call")


PAIRS = [
    pair("a", "native", step("answer(5)"), step("multiply(a=2, b=0.5)")),
    pair("b", "native", step("round_to(number=2.5)"), BROKEN),
    pair("c", "native", Step("", Call("solve", {"equation": ["x = 2"]}), None, "2"), step("answer(6)")),
]


def test_text_rows_have_no_tools():
    (row,) = conversation_rows([pair("a", "text", step("answer(5)"), step("answer(6)"))])
    assert set(row) == {"prompt", "chosen", "rejected", "chat_template_kwargs"}


def test_native_rows_have_tools_as_json_and_arguments_as_mappings():
    row = conversation_rows(PAIRS[:1])[0]
    assert json.loads(row["tools"]) == TASK.toolbox.schemas()
    assert row["chosen"][0]["tool_calls"][0]["function"] == {"name": "answer", "arguments": {"value": 5}}


def test_a_table_returns_the_same_rows():
    from datasets import Dataset

    rows = conversation_rows(PAIRS)
    assert list(Dataset.from_list(rows, on_mixed_types="use_json")) == rows


@pytest.mark.slow
def test_trl_trains_on_the_tokens_that_the_model_will_read(tiny_model: Path, tmp_path: Path):
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    from callwright.chat.template import template_messages

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    report, _ = check_rows(PAIRS, tokenizer, 8_192)
    trainer = DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(tiny_model),
        args=DPOConfig(output_dir=str(tmp_path), max_length=8_192, use_cpu=True, bf16=False, report_to="none",
                       max_steps=1, per_device_train_batch_size=3, save_strategy="no", disable_tqdm=True),
        train_dataset=Dataset.from_list(conversation_rows(PAIRS), on_mixed_types="use_json"),
        processing_class=tokenizer,
    )  # fmt: skip
    tokens = 0
    for example, row in zip(PAIRS, trainer.train_dataset, strict=True):
        messages, tools = NATIVE.render(TASK, "How many?", [step("So.\nadd(2, 3)"), BROKEN])
        prompt_ids = tokenizer.apply_chat_template(
            template_messages(messages), tools=tools, add_generation_prompt=True, return_dict=False
        )
        assert row["prompt_ids"] == prompt_ids
        for side in ("chosen", "rejected"):
            all_ids = tokenizer.apply_chat_template(
                template_messages([*messages, *getattr(example, side)]), tools=tools, return_dict=False
            )
            assert prompt_ids + row[f"{side}_ids"] == all_ids
            tokens += len(row[f"{side}_ids"])
    assert tokens == report.completion_tokens
    assert trainer.train().training_loss > 0
