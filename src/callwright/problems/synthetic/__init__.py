"""Arithmetic word problems made from families: situations with their own numbers, wordings and gold chain of calls."""

from callwright.problems.synthetic.catalogue import FAMILIES
from callwright.problems.synthetic.draw import SOURCE, draw
from callwright.problems.synthetic.family import Family
from callwright.problems.synthetic.generate import synthetic_problems
from callwright.problems.synthetic.pool import POOLS, Pool

__all__ = ["FAMILIES", "POOLS", "SOURCE", "Family", "Pool", "draw", "synthetic_problems"]
