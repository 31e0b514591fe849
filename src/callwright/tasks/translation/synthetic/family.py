"""A family of sentences: a frame, such as `every`, and the condition in it, such as `and`. And the words that they use.

All sentences of a family have the same formula, up to its words, in several wordings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

WordClass = Literal["noun", "adjective", "name", "verb"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word in the forms that wordings and formulas need.

    Attributes:
        text: such as `doctor`, `kind`, `Ann` or `likes`.
        index: in WORDS.
    """

    text: str
    word_class: WordClass
    index: int

    def __str__(self) -> str:
        return self.text

    @property
    def with_article(self) -> str:
        """A noun with its article: `a doctor`, `an actor`."""
        return f"{'an' if self.text[0] in 'aeiou' else 'a'} {self.text}"

    @property
    def plural(self) -> str:
        """A noun's plural."""
        return f"{self.text}s"

    @property
    def base(self) -> str:
        """A verb's form after a plural or `does not`, as in `all doctors like`."""
        return self.text.removesuffix("s")

    @property
    def symbol(self) -> str:
        """A name's constant (`ann`), another word's predicate (`Doctor`, `Likes`)."""
        return self.text.lower() if self.word_class == "name" else self.text.capitalize()


_WORD_TEXTS: dict[WordClass, str] = {
    "noun": "actor artist baker clerk cook dancer doctor driver farmer guard hunter judge king miner nurse painter "
    "pilot poet sailor singer student tailor teacher writer",
    "adjective": "brave calm clever fast gentle happy kind loud polite proud quiet rich shy strong tall young",
    "name": "Ann Ben Carl Dora Emma Fred Gina Hugo Ivan Jack Kate Leo Mary Nora Paul Rosa",
    "verb": "admires follows helps knows likes sees thanks trusts",
}
_TEXTS_AND_CLASSES = [(text, word_class) for word_class, texts in _WORD_TEXTS.items() for text in texts.split()]
WORDS: tuple[Word, ...] = tuple(
    Word(text, word_class, index) for index, (text, word_class) in enumerate(_TEXTS_AND_CLASSES)
)
WORDS_BY_CLASS: dict[WordClass, tuple[Word, ...]] = {
    word_class: tuple(word for word in WORDS if word.word_class == word_class) for word_class in _WORD_TEXTS
}
SLOTS: dict[str, WordClass] = {
    **dict.fromkeys(("noun", "other_noun"), "noun"),
    **dict.fromkeys(("adjective", "other_adjective"), "adjective"),
    **dict.fromkeys(("name", "other_name", "object"), "name"),
    "verb": "verb",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """What a sentence says of its subject.

    Attributes:
        formula: with the symbols of words in its {slots} (keys of SLOTS), and the subject's term as {subject}.
        wordings: verb phrases with the same slots. {is}, {does}, {verb_form} and {noun_form} agree with the subject.
    """

    formula: str
    wordings: tuple[str, ...]

    def phrases(self, wording: int, words: Mapping[str, Word]) -> dict[str, str]:
        """A wording after a singular subject ("condition": `likes Ann`) and after a plural one ("conditions")."""
        singular, plural = {"is": "is", "does": "does"}, {"is": "are", "does": "do"}
        if "verb" in words:
            singular["verb_form"], plural["verb_form"] = words["verb"].text, words["verb"].base
        if "other_noun" in words:
            singular["noun_form"], plural["noun_form"] = words["other_noun"].with_article, words["other_noun"].plural
        forms = {"condition": singular, "conditions": plural}
        return {form: self.wordings[wording].format_map({**words, **agreeing}) for form, agreeing in forms.items()}


@dataclass(frozen=True, slots=True)
class Frame:
    """A sentence around a condition.

    Attributes:
        formula: with the symbols of words in its {slots}, and the condition's formula as {condition}.
        wordings: sentences with the same slots, and the condition as {condition} or, after a plural, {conditions}.
        subject: the condition's subject: the variable x, or the slot of a name.
    """

    formula: str
    wordings: tuple[str, ...]
    subject: Literal["x", "name"] = "x"


@dataclass(frozen=True, eq=False)
class TranslationFamily:
    """One condition in one frame.

    Attributes:
        held_out: whether the family occurs in the test split only.
    """

    name: str
    frame: Frame
    condition: Condition
    held_out: bool = False

    @property
    def formula(self) -> str:
        """With the symbols of words in its {slots}."""
        subject = self.frame.subject if self.frame.subject == "x" else f"{{{self.frame.subject}}}"
        condition = self.condition.formula.replace("{subject}", subject)
        return self.frame.formula.replace("{condition}", condition)

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots of the formula."""
        return tuple(slot for slot in SLOTS if f"{{{slot}}}" in self.formula)
