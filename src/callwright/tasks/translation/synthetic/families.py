"""All families of sentences by name. Chains take 2 to 6 calls."""

from callwright.tasks.translation.synthetic.family import TranslationFamily

SEEN = (
    TranslationFamily(
        "is_a",
        "{noun}({name})",
        ("{name} is {noun.one}.", "It is true that {name} is {noun.one}.", "{name} is one of the {noun.many}."),
    ),
    TranslationFamily(
        "is",
        "{adjective}({name})",
        ("{name} is {adjective}.", "It is true that {name} is {adjective}.", "{name} is someone {adjective}."),
    ),
    TranslationFamily(
        "is_not_a",
        "not {noun}({name})",
        ("{name} is not {noun.one}.", "It is not true that {name} is {noun.one}.", "{name} is no {noun}."),
    ),
    TranslationFamily(
        "relation",
        "{verb}({name}, {other_name})",
        (
            "{name} {verb} {other_name}.",
            "{other_name} is someone that {name} {verb}.",
            "It is {name} who {verb} {other_name}.",
        ),
    ),
    TranslationFamily(
        "every",
        "all x. ({noun}(x) -> {other_noun}(x))",
        (
            "Every {noun} is {other_noun.one}.",
            "All {noun.many} are {other_noun.many}.",
            "If someone is {noun.one}, then they are {other_noun.one}.",
            "There are only {other_noun.many} among the {noun.many}.",
        ),
    ),
    TranslationFamily(
        "every_is",
        "all x. ({noun}(x) -> {adjective}(x))",
        (
            "Every {noun} is {adjective}.",
            "All {noun.many} are {adjective}.",
            "If someone is {noun.one}, then they are {adjective}.",
            "They are {adjective} if they are {noun.many}.",
        ),
    ),
    TranslationFamily(
        "no",
        "all x. ({noun}(x) -> not {other_noun}(x))",
        (
            "No {noun} is {other_noun.one}.",
            "{noun.many} are never {other_noun.many}.",
            "If someone is {noun.one}, then they are not {other_noun.one}.",
            "There is no {other_noun} among the {noun.many}.",
        ),
    ),
    TranslationFamily(
        "some",
        "exists x. ({noun}(x) and {adjective}(x))",
        (
            "Some {noun} is {adjective}.",
            "There is {adjective.one} {noun}.",
            "At least one {noun} is {adjective}.",
        ),
    ),
    TranslationFamily(
        "some_not",
        "exists x. ({noun}(x) and not {adjective}(x))",
        (
            "Some {noun} is not {adjective}.",
            "There is {noun.one} that is not {adjective}.",
            "At least one {noun} is not {adjective}.",
        ),
    ),
    TranslationFamily(
        "both",
        "{noun}({name}) and {adjective}({name})",
        (
            "{name} is {noun.one} and {adjective}.",
            "{name} is both {adjective} and {noun.one}.",
            "{name} is {adjective.one} {noun}.",
        ),
    ),
    TranslationFamily(
        "exactly_one",
        "{noun}({name}) xor {other_noun}({name})",
        (
            "{name} is either {noun.one} or {other_noun.one}, but not both.",
            "{name} is exactly one of {noun.one} and {other_noun.one}.",
            "Either {name} is {noun.one} or {name} is {other_noun.one}, but not both.",
        ),
    ),
    TranslationFamily(
        "at_least_one",
        "{noun}({name}) or {adjective}({name})",
        (
            "{name} is {noun.one} or {adjective} or both.",
            "{name} is {adjective} or {noun.one} or both.",
            "{name} is at least one of {adjective} and {noun.one}.",
        ),
    ),
    TranslationFamily(
        "if_then",
        "{adjective}({name}) -> {other_adjective}({other_name})",
        (
            "If {name} is {adjective}, then {other_name} is {other_adjective}.",
            "{other_name} is {other_adjective} if {name} is {adjective}.",
            "Whenever {name} is {adjective}, {other_name} is {other_adjective}.",
        ),
    ),
    TranslationFamily(
        "if_and_only_if",
        "{adjective}({name}) <-> {noun}({other_name})",
        (
            "{name} is {adjective} if and only if {other_name} is {noun.one}.",
            "{other_name} is {noun.one} exactly when {name} is {adjective}.",
            "{name} is {adjective} just in case {other_name} is {noun.one}.",
        ),
    ),
    TranslationFamily(
        "every_relation",
        "all x. ({noun}(x) -> {verb}(x, {name}))",
        (
            "Every {noun} {verb} {name}.",
            "All {noun.many} {verb.base} {name}.",
            "If someone is {noun.one}, then they {verb.base} {name}.",
            "{name} is someone that every {noun} {verb}.",
        ),
    ),
    TranslationFamily(
        "relation_some",
        "exists x. ({noun}(x) and {verb}({name}, x))",
        (
            "{name} {verb} some {noun}.",
            "There is {noun.one} that {name} {verb}.",
            "{name} {verb} at least one {noun}.",
        ),
    ),
)

HELD_OUT = (
    TranslationFamily(
        "no_is",
        "all x. ({noun}(x) -> not {adjective}(x))",
        (
            "No {noun} is {adjective}.",
            "{noun.many} are never {adjective}.",
            "If someone is {noun.one}, then they are not {adjective}.",
        ),
        held_out=True,
    ),
    TranslationFamily(
        "relation_every",
        "all x. ({noun}(x) -> {verb}({name}, x))",
        (
            "{name} {verb} every {noun}.",
            "{name} {verb} all {noun.many}.",
            "If someone is {noun.one}, then {name} {verb} them.",
        ),
        held_out=True,
    ),
    TranslationFamily(
        "some_relation",
        "exists x. ({noun}(x) and {verb}(x, {name}))",
        (
            "Some {noun} {verb} {name}.",
            "There is {noun.one} that {verb} {name}.",
            "At least one {noun} {verb} {name}.",
        ),
        held_out=True,
    ),
    TranslationFamily(
        "one_not_other",
        "{adjective}({name}) and not {noun}({name})",
        (
            "{name} is {adjective} and not {noun.one}.",
            "{name} is {adjective}, but {name} is no {noun}.",
            "{name} is not {noun.one}, but {name} is {adjective}.",
        ),
        held_out=True,
    ),
    TranslationFamily(
        "two_of_them",
        "{noun}({name}) and {noun}({other_name})",
        (
            "{name} is {noun.one} and {other_name} is {noun.one}.",
            "{name} and {other_name} are both {noun.many}.",
            "Both {name} and {other_name} are {noun.many}.",
        ),
        held_out=True,
    ),
)

FAMILIES: dict[str, TranslationFamily] = {family.name: family for family in (*SEEN, *HELD_OUT)}
