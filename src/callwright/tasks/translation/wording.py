"""Other names of the functions of translation. A sentence to translate keeps its wording."""

from collections.abc import Mapping

NEW_FUNCTION_NAMES: Mapping[str, str] = {
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
"""Function -> a name that training never shows."""
