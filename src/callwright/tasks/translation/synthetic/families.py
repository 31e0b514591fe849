"""All families of sentences, by name. Their gold chains have 2 to 6 calls."""

from callwright.tasks.translation.synthetic.family import TranslationFamily

SEEN = (
    TranslationFamily(
        "is_a",
        "{noun}({name})",
        (
            "{name} is {noun.with_article}.",
            "It is true that {name} is {noun.with_article}.",
            "{name} is one of the {noun.plural}.",
        ),
    ),
    TranslationFamily(
        "is",
        "{adjective}({name})",
        ("{name} is {adjective}.", "It is true that {name} is {adjective}.", "{name} is someone {adjective}."),
    ),
    TranslationFamily(
        "is_not_a",
        "not {noun}({name})",
        (
            "{name} is not {noun.with_article}.",
            "It is not true that {name} is {noun.with_article}.",
            "{name} is no {noun}.",
        ),
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
            "Every {noun} is {other_noun.with_article}.",
            "All {noun.plural} are {other_noun.plural}.",
            "If someone is {noun.with_article}, then they are {other_noun.with_article}.",
            "There are only {other_noun.plural} among the {noun.plural}.",
        ),
    ),
    TranslationFamily(
        "every_is",
        "all x. ({noun}(x) -> {adjective}(x))",
        (
            "Every {noun} is {adjective}.",
            "All {noun.plural} are {adjective}.",
            "If someone is {noun.with_article}, then they are {adjective}.",
            "They are {adjective} if they are {noun.plural}.",
        ),
    ),
    TranslationFamily(
        "no",
        "all x. ({noun}(x) -> not {other_noun}(x))",
        (
            "No {noun} is {other_noun.with_article}.",
            "{noun.plural} are never {other_noun.plural}.",
            "If someone is {noun.with_article}, then they are not {other_noun.with_article}.",
            "There is no {other_noun} among the {noun.plural}.",
        ),
    ),
    TranslationFamily(
        "some",
        "exists x. ({noun}(x) and {adjective}(x))",
        (
            "Some {noun} is {adjective}.",
            "There is {adjective.with_article} {noun}.",
            "At least one {noun} is {adjective}.",
        ),
    ),
    TranslationFamily(
        "some_not",
        "exists x. ({noun}(x) and not {adjective}(x))",
        (
            "Some {noun} is not {adjective}.",
            "There is {noun.with_article} that is not {adjective}.",
            "At least one {noun} is not {adjective}.",
        ),
    ),
    TranslationFamily(
        "both",
        "{noun}({name}) and {adjective}({name})",
        (
            "{name} is {noun.with_article} and {adjective}.",
            "{name} is both {adjective} and {noun.with_article}.",
            "{name} is {adjective.with_article} {noun}.",
        ),
    ),
    TranslationFamily(
        "exactly_one",
        "{noun}({name}) xor {other_noun}({name})",
        (
            "{name} is either {noun.with_article} or {other_noun.with_article}, but not both.",
            "{name} is exactly one of {noun.with_article} and {other_noun.with_article}.",
            "Either {name} is {noun.with_article} or {name} is {other_noun.with_article}, but not both.",
        ),
    ),
    TranslationFamily(
        "at_least_one",
        "{noun}({name}) or {adjective}({name})",
        (
            "{name} is {noun.with_article} or {adjective} or both.",
            "{name} is {adjective} or {noun.with_article} or both.",
            "{name} is at least one of {adjective} and {noun.with_article}.",
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
            "{name} is {adjective} if and only if {other_name} is {noun.with_article}.",
            "{other_name} is {noun.with_article} exactly when {name} is {adjective}.",
            "{name} is {adjective} just in case {other_name} is {noun.with_article}.",
        ),
    ),
    TranslationFamily(
        "every_relation",
        "all x. ({noun}(x) -> {verb}(x, {name}))",
        (
            "Every {noun} {verb} {name}.",
            "All {noun.plural} {verb.base} {name}.",
            "If someone is {noun.with_article}, then they {verb.base} {name}.",
            "{name} is someone that every {noun} {verb}.",
        ),
    ),
    TranslationFamily(
        "relation_some",
        "exists x. ({noun}(x) and {verb}({name}, x))",
        (
            "{name} {verb} some {noun}.",
            "There is {noun.with_article} that {name} {verb}.",
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
            "{noun.plural} are never {adjective}.",
            "If someone is {noun.with_article}, then they are not {adjective}.",
        ),
        held_out=True,
    ),
    TranslationFamily(
        "relation_every",
        "all x. ({noun}(x) -> {verb}({name}, x))",
        (
            "{name} {verb} every {noun}.",
            "{name} {verb} all {noun.plural}.",
            "If someone is {noun.with_article}, then {name} {verb} them.",
        ),
        held_out=True,
    ),
    TranslationFamily(
        "some_relation",
        "exists x. ({noun}(x) and {verb}(x, {name}))",
        (
            "Some {noun} {verb} {name}.",
            "There is {noun.with_article} that {verb} {name}.",
            "At least one {noun} {verb} {name}.",
        ),
        held_out=True,
    ),
    TranslationFamily(
        "one_not_other",
        "{adjective}({name}) and not {noun}({name})",
        (
            "{name} is {adjective} and not {noun.with_article}.",
            "{name} is {adjective}, but {name} is no {noun}.",
            "{name} is not {noun.with_article}, but {name} is {adjective}.",
        ),
        held_out=True,
    ),
    TranslationFamily(
        "two_of_them",
        "{noun}({name}) and {noun}({other_name})",
        (
            "{name} is {noun.with_article} and {other_name} is {noun.with_article}.",
            "{name} and {other_name} are both {noun.plural}.",
            "Both {name} and {other_name} are {noun.plural}.",
        ),
        held_out=True,
    ),
)

FAMILIES: dict[str, TranslationFamily] = {family.name: family for family in (*SEEN, *HELD_OUT)}
