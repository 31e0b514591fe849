"""A family of sentences: its formula and its wordings. And the words that they use."""

from dataclasses import dataclass
from typing import Literal

WordClass = Literal["noun", "adjective", "name", "verb"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word in the forms that wordings and formulas need.

    Attributes:
        text: such as `dog`, `kind`, `Ann` or `likes`.
        index: in WORDS.
    """

    text: str
    word_class: WordClass
    index: int

    def __str__(self) -> str:
        return self.text

    @property
    def with_article(self) -> str:
        """A noun or an adjective with its article: `a dog`, `an actor`."""
        return f"{'an' if self.text[0] in 'aeiou' else 'a'} {self.text}"

    @property
    def plural(self) -> str:
        """A noun's plural."""
        return f"{self.text}s"

    @property
    def base(self) -> str:
        """A verb's form after a plural, as in `all dogs like`."""
        return self.text.removesuffix("s")

    @property
    def symbol(self) -> str:
        """A name's constant (`ann`), another word's predicate (`Dog`, `Likes`)."""
        return self.text.lower() if self.word_class == "name" else self.text.capitalize()


_WORD_TEXTS: dict[WordClass, str] = {
    "noun": "actor artist baker cat cook dancer doctor dog driver farmer guard horse king nurse painter parrot pilot "
    "poet robot sailor singer student teacher tiger",
    "adjective": "brave calm clever fast gentle happy kind loud proud quiet rich strong",
    "name": "Ann Ben Carl Dora Emma Fred Gina Hugo Ivan Jack Kate Leo Mary Nora Paul Rosa",
    "verb": "follows helps knows likes sees trusts",
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
    **dict.fromkeys(("name", "other_name"), "name"),
    "verb": "verb",
}


@dataclass(frozen=True, eq=False)
class TranslationFamily:
    """One formula in several wordings.

    Attributes:
        formula: with the symbols of words in its {slots} (keys of SLOTS).
        wordings: sentences with the same slots in the forms of `Word`, such as {noun}, {noun.plural}, {verb.base}.
        held_out: whether the family occurs in the test split only.
    """

    name: str
    formula: str
    wordings: tuple[str, ...]
    held_out: bool = False

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots of the formula."""
        return tuple(slot for slot in SLOTS if f"{{{slot}}}" in self.formula)
