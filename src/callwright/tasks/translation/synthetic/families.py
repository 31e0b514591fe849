"""All families of sentences, by name: frames x conditions. Their gold chains have 2 to 7 calls.

Every wording has one usual reading. So `or` says `or both` or `and/or`, and exclusive `or` says `but not both`.
"""

from callwright.tasks.translation.synthetic.family import Condition, Frame, TranslationFamily

CONDITIONS: dict[str, Condition] = {
    "is": Condition("{adjective}({subject})", ("{is} {adjective}",)),
    "is_a": Condition("{other_noun}({subject})", ("{is} {noun_form}",)),
    "not": Condition("not {adjective}({subject})", ("{is} not {adjective}",)),
    "relation": Condition("{verb}({subject}, {object})", ("{verb_form} {object}",)),
    "no_relation": Condition("not {verb}({subject}, {object})", ("{does} not {verb.base} {object}",)),
    "and": Condition(
        "({adjective}({subject}) and {other_adjective}({subject}))",
        ("{is} {adjective} and {other_adjective}", "{is} both {adjective} and {other_adjective}"),
    ),
    "and_relation": Condition(
        "({adjective}({subject}) and {verb}({subject}, {object}))",
        ("{is} {adjective} and {verb_form} {object}", "{verb_form} {object} and {is} {adjective}"),
    ),
    "or": Condition(
        "({adjective}({subject}) or {other_adjective}({subject}))",
        ("{is} {adjective} or {other_adjective} or both", "{is} {adjective} and/or {other_adjective}"),
    ),
    "xor": Condition(
        "({adjective}({subject}) xor {other_adjective}({subject}))",
        (
            "{is} either {adjective} or {other_adjective}, but not both",
            "{is} {adjective} or {other_adjective}, but not both",
        ),
    ),
    "nor": Condition(
        "not ({adjective}({subject}) or {other_adjective}({subject}))",
        ("{is} neither {adjective} nor {other_adjective}",),
    ),
}

FRAMES: dict[str, Frame] = {
    "name": Frame("{condition}", ("{name} {condition}.", "It is true that {name} {condition}."), "name"),
    "denied": Frame(
        "not {condition}",
        (
            "It is not true that {name} {condition}.",
            "It is false that {name} {condition}.",
            "It is not the case that {name} {condition}.",
        ),
        "name",
    ),
    "every": Frame(
        "all x. ({noun}(x) -> {condition})",
        (
            "Every {noun} {condition}.",
            "Each {noun} {condition}.",
            "All {noun.plural} {conditions}.",
            "Anyone who is {noun.with_article} {condition}.",
        ),
    ),
    "no": Frame(
        "all x. ({noun}(x) -> not {condition})",
        ("No {noun} {condition}.", "Not a single {noun} {condition}.", "There is no {noun} who {condition}."),
    ),
    "some": Frame(
        "exists x. ({noun}(x) and {condition})",
        (
            "Some {noun} {condition}.",
            "At least one {noun} {condition}.",
            "There is {noun.with_article} who {condition}.",
        ),
    ),
    "only": Frame(
        "all x. ({condition} -> {noun}(x))",
        (
            "Only {noun.plural} {conditions}.",
            "It is only {noun.plural} who {conditions}.",
            "The only people who {conditions} are {noun.plural}.",
        ),
    ),
    "everyone": Frame("all x. {condition}", ("Everyone {condition}.", "Every person {condition}.")),
    "someone": Frame(
        "exists x. {condition}",
        ("Someone {condition}.", "At least one person {condition}.", "There is someone who {condition}."),
    ),
    "no_one": Frame(
        "all x. not {condition}", ("No one {condition}.", "Nobody {condition}.", "There is no one who {condition}.")
    ),
    "if_someone": Frame(
        "all x. ({condition} -> {noun}(x))",
        (
            "Everyone who {condition} is {noun.with_article}.",
            "Anyone who {condition} is {noun.with_article}.",
            "If someone {condition}, then that person is {noun.with_article}.",
        ),
    ),
    "to_all": Frame(
        "all x. ({condition} -> {verb}({name}, x))",
        ("{name} {verb} everyone who {condition}.", "If someone {condition}, then {name} {verb} that person."),
    ),
    "to_some": Frame(
        "exists x. ({condition} and {verb}({name}, x))",
        ("{name} {verb} someone who {condition}.", "{name} {verb} at least one person who {condition}."),
    ),
    "if": Frame(
        "{condition} -> {noun}({other_name})",
        (
            "If {name} {condition}, then {other_name} is {noun.with_article}.",
            "{other_name} is {noun.with_article} if {name} {condition}.",
            "Whenever {name} {condition}, {other_name} is {noun.with_article}.",
        ),
        "name",
    ),
    "iff": Frame(
        "{condition} <-> {noun}({other_name})",
        (
            "{name} {condition} if and only if {other_name} is {noun.with_article}.",
            "{other_name} is {noun.with_article} if and only if {name} {condition}.",
            "{other_name} is {noun.with_article} exactly when {name} {condition}.",
        ),
        "name",
    ),
    "unless": Frame(
        "not {condition} -> {noun}({other_name})",
        (
            "{other_name} is {noun.with_article} unless {name} {condition}.",
            "Unless {name} {condition}, {other_name} is {noun.with_article}.",
        ),
        "name",
    ),
    "either": Frame(
        "{condition} xor {noun}({other_name})",
        (
            "Either {name} {condition} or {other_name} is {noun.with_article}, but not both.",
            "Either {other_name} is {noun.with_article} or {name} {condition}, but not both.",
        ),
        "name",
    ),
}

COMPOSITIONS: dict[str, tuple[str, str]] = {  # frame -> its conditions in seen families, and in held-out ones
    "name": ("is_a no_relation or xor nor", "and_relation"),
    "denied": ("is_a and", "and_relation"),
    "every": ("is relation and or", "xor"),
    "no": ("is relation", "is_a"),
    "some": ("is no_relation or", "and"),
    "only": ("is and_relation", "no_relation"),
    "everyone": ("or relation", "xor"),
    "someone": ("and no_relation xor", "nor"),
    "no_one": ("relation and", "and_relation"),
    "if_someone": ("relation not and", "or"),
    "to_all": ("is_a not", "or"),
    "to_some": ("is xor", "and"),
    "if": ("is not and and_relation nor", "relation"),
    "iff": ("is relation or nor", "and"),
    "unless": ("is and", "relation"),
    "either": ("is and_relation", "relation"),
}
FAMILIES: dict[str, TranslationFamily] = {
    f"{frame}/{condition}": TranslationFamily(f"{frame}/{condition}", FRAMES[frame], CONDITIONS[condition], held_out)
    for held_out in (False, True)
    for frame, compositions in COMPOSITIONS.items()
    for condition in compositions[held_out].split()
}
"""The seen families first. A held-out family is a new composition of a frame and a condition that seen families use."""
