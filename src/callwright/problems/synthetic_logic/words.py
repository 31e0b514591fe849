"""The closed list of words that synthetic sentences are made of. All inflect regularly.

Every pool uses the whole list, which a small model can learn; what keeps the splits apart is that no family's choice of
words occurs in two pools.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["noun", "adjective", "name", "verb"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word in the forms that wordings and formulas need.

    Its text is `dog`, `kind`, `Ann` or `likes`; `place` is its place in the list.
    """

    text: str
    kind: Kind
    place: int

    def __str__(self) -> str:
        return self.text

    @property
    def one(self) -> str:
        """A noun or an adjective with its article: `a dog`, `an actor`."""
        return f"{'an' if self.text[0] in 'aeiou' else 'a'} {self.text}"

    @property
    def many(self) -> str:
        """A noun's plural."""
        return f"{self.text}s"

    @property
    def base(self) -> str:
        """A verb as it stands after `all dogs`: `like`."""
        return self.text.removesuffix("s")

    @property
    def symbol(self) -> str:
        """A name's constant (`ann`), another word's predicate (`Dog`, `Likes`)."""
        return self.text.lower() if self.kind == "name" else self.text.capitalize()


_TEXTS: dict[Kind, str] = {
    "noun": "actor artist baker cat cook dancer doctor dog driver farmer guard horse king nurse painter parrot pilot "
    "poet robot sailor singer student teacher tiger",
    "adjective": "brave calm clever fast gentle happy kind loud proud quiet rich strong",
    "name": "Ann Ben Carl Dora Emma Fred Gina Hugo Ivan Jack Kate Leo Mary Nora Paul Rosa",
    "verb": "follows helps knows likes sees trusts",
}
WORDS: tuple[Word, ...] = tuple(
    Word(text, kind, place)
    for place, (text, kind) in enumerate((text, kind) for kind, texts in _TEXTS.items() for text in texts.split())
)
BY_KIND: dict[Kind, tuple[Word, ...]] = {kind: tuple(word for word in WORDS if word.kind == kind) for kind in _TEXTS}
