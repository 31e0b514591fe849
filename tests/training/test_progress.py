import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import TrainerState

from callwright.progress import show_progress
from callwright.training.progress import show_training
from tests.stage_log import wait_for


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


def test_a_training_shows_steps_loss_speed_and_time_left(stage_log: pytest.LogCaptureFixture):
    trainer = Trainer(epochs=2)
    with show_progress("train"), show_training(trainer, "preferences", "pairs", examples=40):
        trainer.state.max_steps, trainer.state.global_step = 10, 4  # resumed after step 4
        trainer.call("on_train_begin")
        trainer.state.global_step = 5
        time.sleep(0.2)
        trainer.call("on_step_end")
        trainer.call("on_log", logs={"loss": 0.1234})
        line = wait_for(stage_log, "train: preferences: 5 of 10 steps, loss 0.123, ")
    speed, seconds = re.fullmatch(r"(.+) pairs/s, (\d+) s left", line.split("0.123, ")[1]).groups()
    # 40 pairs in each of 2 epochs, 10 steps together: 8 pairs a step, and 5 steps are left
    assert float(seconds) == pytest.approx(5 * 8 / float(speed.replace(",", "")), abs=1)


def test_the_evaluation_on_dev_pairs_is_shown_while_it_lasts(stage_log: pytest.LogCaptureFixture):
    trainer = Trainer(epochs=1)
    with show_progress("train"), show_training(trainer, "preferences", "pairs", examples=40):
        for _ in range(2):
            for _ in range(3):
                trainer.call("on_prediction_step", eval_dataloader=range(7))
            wait_for(stage_log, "train: preferences, dev: 3 of 7 batches")
            stage_log.clear()
            trainer.call("on_evaluate")
