"""The recipe of the embedded student: its size, its lessons and its training before the pipeline."""

from typing import Annotated

from pydantic import AfterValidator, Field

from callwright.params.section import Section, Share


def _check_sum(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    if abs(total - 1) > 1e-6:
        raise ValueError(f"the shares of the tasks add up to {total:g}, not 1")
    return shares


TaskShares = Annotated[dict[str, Annotated[float, Share]], AfterValidator(_check_sum)]
"""Task -> its share; their sum is 1. The builder knows the tasks."""


HEAD_SIZE = 64  # a head copies a token's identity through so many dimensions


class BuildRecipe(Section):
    """How the embedded student is built. Shares of the run are of its time or, with `--steps`, of its steps.

    Attributes:
        hidden: width of the hidden states.
        heads: attention heads of HEAD_SIZE in each layer.
        feed_forward: width of the feed-forward layers.
        vocabulary: tokens.
        tasks: shares of the lessons.
        lessons: different problems that are drawn, of all tasks; each is read many times, in many views.
        rows: lessons in a group, which share a task and a view.
        groups: groups in a step, over all processes.
        bare_rows: lessons in a group without a prompt; they are of all tasks.
        copy_rows: lists of names to repeat in such a group.
        bare_steps: first steps, which have lessons without a prompt only: there copying and the order of calls are
            learned, with the names by heart.
        bare_share: share of groups without a prompt after that, at difficulty 0; it falls to `least_bare_share`.
        difficulty_step: by how much the difficulty (0 to 1) rises after a step, if enough names are read right.
        difficulty_threshold: share of first tokens of new names that is enough.
        true_names: share of groups under the true names; those that exchange names and those with new names are others.
        exchanged_names: share of groups in which functions exchange their true names.
        careless_from: share of the run after which careless lessons are read.
        careless_groups: share of the groups of problems in which careless lessons are read; the pipeline corrects this.
        careless_share: share of careless lessons among those of such groups with several calls.
        cool_down: last share of the run, in which the learning rate falls to 0.
        learning_rate: of Muon, for the weight matrices.
        embedding_rate: AdamW's learning rate, for embeddings and norms.
        name_weight: loss weight of the tokens of a called function's name.
        copy_weight: loss weight of a number or name that a call takes from the question or a result.
        prompt_name_weight: loss weight of a function's name where the prompt's example repeats it.
        head_weight: loss weight of the supervised heads at difficulty 0; it falls to a tenth.
    """

    hidden: int = Field(ge=16)
    layers: int = Field(ge=2)
    heads: int = Field(ge=2)
    feed_forward: int = Field(ge=16)
    rope_theta: float = Field(gt=1)
    vocabulary: int = Field(ge=300)
    tasks: TaskShares
    lessons: int = Field(ge=1)
    rows: int = Field(ge=1)
    groups: int = Field(ge=1)
    bare_rows: int = Field(ge=1)
    copy_rows: int = Field(ge=0)
    bare_steps: int = Field(ge=0)
    bare_share: float = Share
    least_bare_share: float = Share
    difficulty_step: float = Field(gt=0, le=1)
    difficulty_threshold: float = Share
    true_names: float = Share
    exchanged_names: float = Share
    careless_from: float = Share
    careless_groups: float = Share
    careless_share: float = Share
    cool_down: float = Field(gt=0, le=1)
    learning_rate: float = Field(gt=0)
    embedding_rate: float = Field(gt=0)
    name_weight: float = Field(ge=0)
    copy_weight: float = Field(ge=1)
    prompt_name_weight: float = Field(ge=0)
    head_weight: float = Field(ge=0)


RECIPE = BuildRecipe(
    hidden=128,
    layers=6,
    heads=3,
    feed_forward=384,
    rope_theta=2_000.0,
    vocabulary=1_280,
    tasks={"arithmetic": 0.36, "translation": 0.36, "entailment": 0.28},
    lessons=36_000,
    rows=8,
    groups=4,
    bare_rows=8,
    copy_rows=4,
    bare_steps=160,
    bare_share=0.3,
    least_bare_share=0.08,
    difficulty_step=0.004,
    difficulty_threshold=0.75,
    true_names=0.2,
    exchanged_names=0.25,
    careless_from=0.85,
    careless_groups=0.62,
    careless_share=0.95,
    cool_down=0.4,
    learning_rate=0.02,
    embedding_rate=0.0006,
    name_weight=5.0,
    copy_weight=4.0,
    prompt_name_weight=3.0,
    head_weight=1.0,
)
