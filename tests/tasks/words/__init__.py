"""A whole task in a folder of its own: words are joined and turned around. `TASKS` is as a user's module has it."""

from tests.tasks.words.task import WORDS

TASKS = (WORDS,)
