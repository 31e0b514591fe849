"""The synthetic problems of arithmetic: its families, and problems drawn from them."""

from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from callwright.tasks.parts import SyntheticProblems

SYNTHETIC = SyntheticProblems(synthetic_problems)
