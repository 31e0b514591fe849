"""A recipe whose student is built in seconds, and knows nothing."""

from callwright.standins.embedded.recipe import RECIPE

SMALL = RECIPE.model_copy(
    update={"hidden": 32, "layers": 3, "heads": 3, "feed_forward": 32, "vocabulary": 900, "lessons": 60, "rows": 2}
    | {"groups": 2, "bare_rows": 3, "copy_rows": 1, "bare_steps": 2}
)
