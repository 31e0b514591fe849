"""What models confuse in words."""

from callwright.tasks.parts import TaskMistakes

MISTAKES = TaskMistakes(
    invented_functions={"join": "concatenate", "turn": "backwards"},
    extra_functions=("turn",),
)
