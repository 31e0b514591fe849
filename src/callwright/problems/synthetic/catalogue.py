"""All families by name. A new family is one entry in a `families_*.py` file."""

from callwright.problems.synthetic import (
    families_algebra,
    families_held_out,
    families_many_steps,
    families_one_step,
    families_two_steps,
)
from callwright.problems.synthetic.family import Family

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        *families_one_step.ALL,
        *families_two_steps.ALL,
        *families_many_steps.ALL,
        *families_algebra.ALL,
        *families_held_out.ALL,
    )
}
