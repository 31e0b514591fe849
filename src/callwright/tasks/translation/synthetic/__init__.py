"""The synthetic problems of translation: its families, and problems drawn from them."""

from callwright.tasks.parts import SyntheticProblems
from callwright.tasks.translation.synthetic.problems import translation_problems

SYNTHETIC = SyntheticProblems(translation_problems)
