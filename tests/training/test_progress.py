import io
import logging
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import TrainerState

from callwright import progress
from callwright.progress import show_progress
from callwright.training.progress import show_training


class Trainer:
    """What `show_training` needs of a trainer; its steps are called by the test."""

    def __init__(self, epochs: float) -> None:
        self.args = SimpleNamespace(num_train_epochs=epochs)
        self.state = TrainerState()
        self.callback: Any = None

    def add_callback(self, callback: Any) -> None:
        self.callback = callback

    def call(self, event: str, **arguments: Any) -> None:
        getattr(self.callback, event)(self.args, self.state, None, **arguments)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Takes lines about the stage's progress, 50 a second."""
    monkeypatch.setattr(progress, "FIRST_S", 0.0)
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.02)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    caplog.set_level(logging.INFO, "callwright")
    return caplog


def test_a_training_shows_steps_loss_speed_and_time_left(log: pytest.LogCaptureFixture):
    trainer = Trainer(epochs=2)
    with show_progress("train"), show_training(trainer, "preferences", "pairs", examples=40):
        trainer.state.max_steps, trainer.state.global_step = 10, 4  # resumed after step 4
        trainer.call("on_train_begin")
        trainer.state.global_step = 5
        trainer.call("on_step_end")
        trainer.call("on_log", logs={"loss": 0.1234})
        time.sleep(0.5)
    last = log.messages[-1].split(", ")
    assert last[:2] == ["train: preferences: 5 of 10 steps", "loss 0.123"]
    # 40 pairs in 2 epochs of 10 steps together: 8 in a step; 1 step took a little more than 0.5 s, and 5 are left
    assert 5 < float(last[2].removesuffix(" pairs/s")) < 17  # the last line is a little earlier than the end
    assert last[3] in ("2 s left", "3 s left", "4 s left")


def test_the_evaluation_on_dev_pairs_is_shown_while_it_lasts(log: pytest.LogCaptureFixture):
    trainer = Trainer(epochs=1)
    with show_progress("train"), show_training(trainer, "preferences", "pairs", examples=40):
        for _ in range(2):
            for _ in range(3):
                trainer.call("on_prediction_step", eval_dataloader=range(7))
            time.sleep(0.3)
            trainer.call("on_evaluate")
    assert any(line.startswith("train: preferences, dev: 3 of 7 batches") for line in log.messages)
