"""The further parts of a task. Each is optional, belongs to one purpose, and is imported when it is first asked for.

| part | what it gives | who asks |
|---|---|---|
| `synthetic` | problems that the task makes up | the source `synthetic` |
| `lessons` | solved problems without end, and the mistakes in careless ones | the builder of the embedded student |
| `wording` | questions in other words | the evaluation's changed problems |
| `mistakes` | what models confuse in the task | the oracle teacher, the builder of the embedded student |
| `labels` | how answers of problem files become labels | the source `jsonl`, the problems report |
| `descriptions` | the functions' descriptions in other words | views: of training and of the evaluation |
| `unseen` | functions that training never shows, and problems that need them | the evaluation |

A task with a folder has each part in a module of the part's name, in a constant of the same name in capitals
(`tasks/arithmetic/wording.py` defines WORDING). A task in one module gives them as `Task(..., parts={...})`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from callwright.errors import RowError
from callwright.functions.function import Function
from callwright.records import Call, Problem, Split
from callwright.text import did_you_mean, one_line

_MAX_SHOWN = 60  # characters of a user's text that an error message shows

GenerateProblems = Callable[[Mapping[Split, int], int, int], Sequence[Problem]]
DrawProblem = Callable[[Random], Problem]
ChangeQuestion = Callable[[Problem, Random], str | None]
ReadLabel = Callable[[str | bool], str]


@dataclass(frozen=True, slots=True)
class SyntheticProblems:
    """The part `synthetic`. params.yaml says how many problems of it there are (`problems.synthetic.<task>`).

    Attributes:
        generate: `generate(counts, held_out_test, seed)` makes problems with ids, of the task and of every split.
            `counts` is the number of problems by split; `held_out_test` is a number of further test problems, which
            differ in kind from all others. Equal arguments give equal problems. `callwright.tasks.synthetic` has what
            a generator needs: people and pools that keep the splits apart, and `draw_from_families`.
    """

    generate: GenerateProblems


@dataclass(frozen=True, slots=True)
class TaskLessons:
    """The part `lessons`, for `callwright.standins.embedded.build`, whose recipe says the task's share of all lessons.

    Attributes:
        problem_drawers: for every family of problems a function that draws one, with its solution, from random numbers.
            Lessons and the problems of the pipeline should differ (`callwright.tasks.synthetic.POOLS["lessons"]`).
        careless_mistakes: mistake of the oracle (`callwright.standins.oracle.script.MISTAKES`) -> its weight among the
            careless lessons. Empty: none is careless.
    """

    problem_drawers: Sequence[DrawProblem]
    careless_mistakes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskWording:
    """The part `wording`. No change may alter the answer. A task without this part has the defaults.

    Attributes:
        replace_names: the question with other names, None if none may change. Default: well-known first names are
            replaced, together with their pronouns.
        reorder_sentences: the question with its sentences in another order, None if that is not safe. Default: never.
    """

    replace_names: ChangeQuestion | None = None
    reorder_sentences: ChangeQuestion | None = None


@dataclass(frozen=True, slots=True)
class TaskMistakes:
    """The part `mistakes`: what models confuse. A task without this part has the defaults, which confuse nothing.

    Attributes:
        confused_functions: function -> the functions that are called instead.
        invented_functions: function -> a name that sounds right but does not exist; `<function>_of` for those that are
            missing.
        misread_words: pairs of a word in a formula and the word that it is mistaken for, with the spaces around them.
        extra_functions: functions that change a result once more before it is the answer. The result is the first
            argument. A second one is another number of the chain or, if the result is not a number, what the chain
            called the function with.
    """

    confused_functions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    invented_functions: Mapping[str, str] = field(default_factory=dict)
    misread_words: tuple[tuple[str, str], ...] = ()
    extra_functions: tuple[str, ...] = ()


def _keep_text(answer: str | bool) -> str:
    if isinstance(answer, bool):
        raise RowError("answer is not text")
    return answer


@dataclass(frozen=True, slots=True)
class TaskLabels:
    """The part `labels`. In a task without this part, text stays as it is.

    Attributes:
        read: `read(answer)` converts the answer of a row to the label of a problem. `answer` is True, False or text
            that is not blank, without surrounding whitespace; a number is the text that was written. For what is no
            answer of the task it raises `callwright.errors.RowError(reason, detail)`, and the row is dropped. Reasons
            are counted, so only the detail quotes the row.
        notes: ending of a label -> what users should check about labels with it. The problems report counts them.
    """

    read: ReadLabel = _keep_text
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskDescriptions:
    """The part `descriptions`: what the functions do, in other words. A task without this part keeps its descriptions.

    A paraphrase says exactly what the function's description says, in one line. Where the order of the arguments
    matters it says `first` and `second`, not the names of the parameters, because a view may rename them.

    Attributes:
        training: function -> paraphrases that training may show.
        held_out: function -> other paraphrases, for the evaluation only. Their words should occur in `training`: a
            student that is trained from scratch cannot know a word that it has never seen.

    Raises:
        ValueError: the paraphrases of a function are not a tuple of texts in one line.
    """

    training: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for group, by_function in (("training", self.training), ("held_out", self.held_out)):
            for function, texts in by_function.items():
                location = f"descriptions: {group}: {one_line(str(function), _MAX_SHOWN)}"
                if not isinstance(texts, tuple | list):
                    raise ValueError(f'{location}: write a tuple of paraphrases, such as ("Adds two numbers.",)')
                for text in texts:
                    if not isinstance(text, str) or not text.strip() or len(text.splitlines()) > 1:
                        shown = one_line(repr(text), _MAX_SHOWN)
                        raise ValueError(f"{location}: a paraphrase has to be a text of one line, not {shown}")

    def check_names(self, task: str, known: Collection[str]) -> None:
        """Check that the functions exist: the paraphrases of a misspelt one would never be shown.

        Args:
            task: its name.
            known: functions of the task.

        Raises:
            ValueError: there is no function of a name.
        """
        for function in (*self.training, *self.held_out):
            if function not in known:
                hint = did_you_mean(str(function), known)
                raise ValueError(
                    f"task {task}: its part descriptions: there is no function "
                    f"{one_line(str(function), _MAX_SHOWN)} ({hint})"
                )


GenerateUnseen = Callable[[Sequence[Problem], int, int], Sequence[Problem]]
KnownCalls = Callable[[Call], tuple[Call, ...]]


def _is_no_known_call(call: Call) -> tuple[Call, ...]:
    return (call,)


@dataclass(frozen=True, slots=True)
class UnseenFunction:
    """A function that training never shows, and problems that need it.

    Attributes:
        generate: `generate(test_problems, count, seed)` makes at most `count` problems whose solutions call the
            function. They may be some of the task's `test_problems` with another solution. Their ids are replaced.
        missing: functions of the task that the prompt of these problems does not list, because a chain of them could do
            without the new function.
        known_calls: the calls of the task's functions that do what a call of this function does, for the check that an
            answer is grounded. By default there are none, and the check sees the call itself.
        stands_in_for: the missing function that the instructions may name; they name this one in its place.
    """

    function: Function
    generate: GenerateUnseen
    missing: tuple[str, ...] = ()
    known_calls: KnownCalls = _is_no_known_call
    stands_in_for: str = ""


@dataclass(frozen=True, slots=True)
class TaskUnseen:
    """The part `unseen`, for the evaluation only. A task without this part has no such problems."""

    functions: tuple[UnseenFunction, ...]


PartName = Literal["synthetic", "lessons", "wording", "mistakes", "labels", "descriptions", "unseen"]
PART_TYPES: Mapping[str, type] = {
    "synthetic": SyntheticProblems,
    "lessons": TaskLessons,
    "wording": TaskWording,
    "mistakes": TaskMistakes,
    "labels": TaskLabels,
    "descriptions": TaskDescriptions,
    "unseen": TaskUnseen,
}
