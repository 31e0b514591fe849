"""What is shown of a training while it runs: steps, loss, examples per second, and the evaluation on the dev pairs."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from callwright.progress import Progress, show


@contextmanager
def show_training(trainer: Any, name: str, unit: str, examples: int) -> Iterator[None]:
    """Show a trainer's steps during the block, in which `trainer.train` is called.

    Args:
        unit: what an example is, such as `pairs`.
        examples: number of examples of an epoch.
    """
    from transformers import TrainerCallback

    loss: float | None = None
    progress = Progress(name, unit="steps")
    dev_progress = Progress(f"{name}, dev", unit="batches")

    def status() -> str:
        parts = [] if loss is None else [f"loss {loss:.3g}"]
        if speed := progress.per_second():
            examples_per_step = examples * trainer.args.num_train_epochs / (progress.total or 1)
            parts.append(f"{speed * examples_per_step:,.1f} {unit}/s")
        return ", ".join(parts)

    class Counter(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            progress.start(state.max_steps, state.global_step)  # after a resume, some steps are done

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            progress.done = state.global_step

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            nonlocal loss
            loss = (logs or {}).get("loss", loss)

        def on_prediction_step(
            self, args: Any, state: Any, control: Any, eval_dataloader: Any = None, **_: Any
        ) -> None:
            if dev_progress.total is None:
                dev_progress.start(len(eval_dataloader))
                dev_display.enter_context(show(dev_progress))
            dev_progress.advance()

        def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            dev_display.close()
            dev_progress.start(None)

    progress.status = status
    trainer.add_callback(Counter())
    with ExitStack() as dev_display, show(progress):
        yield
