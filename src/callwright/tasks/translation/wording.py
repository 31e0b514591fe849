"""Other names of the functions of translation. A sentence to translate keeps its wording."""

from callwright.tasks.parts import TaskWording

WORDING = TaskWording(
    new_function_names={
        "predicate": "relation",
        "negate": "opposite",
        "conjoin": "both_of",
        "disjoin": "either_of",
        "exclusive": "one_of",
        "imply": "whenever",
        "equivalent": "same_as",
        "for_all": "everything",
        "exists": "something",
    }
)
