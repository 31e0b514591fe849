"""Names that a view may show in place of the true ones: a pool for training, and one that only the evaluation uses.

The pools share no word stem, and neither shares one with the functions that ship. A student that calls functions by the
evaluation's names has therefore read them in the prompt: it has seen no word of them before. Names are words, pairs of
words, and invented words that can be pronounced. None of them says what a function does.
"""

import keyword
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

from callwright.functions.toolbox import ANSWER

_MAX_NAMES = 20_000  # drawn and taken together; each pool has some hundred thousand, so that drawing ends soon
_STEM_CHARACTERS = 4
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_ENDS = ("", "l", "n", "r", "s")
_SHARE_OF_WORDS, _SHARE_OF_PAIRS, _SHARE_OF_INVENTED = 0.3, 0.35, 0.2  # the rest: a word and an invented word


@dataclass(frozen=True)
class NamePool:
    """Names of functions and of parameters.

    Attributes:
        words: the words that names are made of.
        invented: invented words.
        parameters: names of parameters, each a word.
    """

    words: Sequence[str]
    invented: Sequence[str]
    parameters: Sequence[str]

    def draw(self, rng: Random, count: int, taken: Collection[str] = ()) -> tuple[str, ...]:
        """Different names of functions: Python identifiers, no keywords, none of them `answer`.

        Equal states of `rng` give equal names.

        Args:
            taken: names that may not be drawn.

        Raises:
            ValueError: `count` and `taken` are more than 20,000 names together.

        >>> TRAINING_NAMES.draw(Random(1), 3)
        ('wash', 'debal', 'radish')
        """
        if count + len(taken) > _MAX_NAMES:
            raise ValueError(f"{count} names besides {len(taken)} taken names are too many: at most {_MAX_NAMES:,}")
        names: dict[str, None] = {}
        while len(names) < count:
            name = self._draw_name(rng)
            if is_usable(name) and name not in taken:
                names[name] = None
        return tuple(names)

    def draw_parameters(self, rng: Random, count: int, taken: Collection[str] = ()) -> tuple[str, ...]:
        """Different names for the parameters of one function.

        Raises:
            ValueError: the pool does not have so many besides those in `taken`.
        """
        free = [name for name in self.parameters if name not in taken]
        if count > len(free):
            raise ValueError(f"{count} names of parameters are too many: {len(free)} are free")
        return tuple(rng.sample(free, count))

    def stems(self) -> frozenset[str]:
        """The stems of all words in the pool."""
        return frozenset(map(stem_of, (*self.words, *self.invented, *self.parameters)))

    def _draw_name(self, rng: Random) -> str:
        kind = rng.random()
        if kind < _SHARE_OF_WORDS:
            return rng.choice(self.words)
        if kind < _SHARE_OF_WORDS + _SHARE_OF_PAIRS:
            return "_".join(rng.sample(self.words, 2))
        if kind < _SHARE_OF_WORDS + _SHARE_OF_PAIRS + _SHARE_OF_INVENTED:
            return rng.choice(self.invented)
        return f"{rng.choice(self.words)}_{rng.choice(self.invented)}"


def is_usable(name: str) -> bool:
    """Whether a function may be shown under this name."""
    reserved = keyword.iskeyword(name) or keyword.issoftkeyword(name) or name == ANSWER
    return name.isascii() and name.isidentifier() and not reserved


def stem_of(word: str) -> str:
    """The stem of a word, defined plainly: its first four letters in lower case. A shorter word is its own stem.

    >>> stem_of("garden"), stem_of("Gardening"), stem_of("cup")
    ('gard', 'gard', 'cup')
    """
    return word.lower()[:_STEM_CHARACTERS]


def share_stem(left: str, right: str) -> bool:
    """Whether two words share a stem: the stem of one begins with the stem of the other.

    >>> share_stem("gardener", "garden"), share_stem("cup", "cups"), share_stem("cup", "cat")
    (True, True, False)
    """
    shorter, longer = sorted((stem_of(left), stem_of(right)), key=len)
    return longer.startswith(shorter)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _invent(half: int, real_words: Sequence[str]) -> tuple[str, ...]:
    """Words of two syllables and an ending.

    Args:
        half: 0 or 1: which half of all syllables. One half has `ba` and `de`, the other `be` and `da`.
        real_words: words that share a stem with one of these are not used.
    """
    syllables = [
        consonant + vowel
        for (i, consonant), (j, vowel) in product(enumerate(_CONSONANTS), enumerate(_VOWELS))
        if (i + j) % 2 == half
    ]
    real_stems = {stem_of(word) for word in real_words}
    short_stems = tuple(stem for stem in real_stems if len(stem) < _STEM_CHARACTERS)
    return tuple(
        first + second + end
        for first, second, end in product(syllables, syllables, _ENDS)
        if first + second not in real_stems and not (first + second).startswith(short_stems)
    )


_SHIPPED_WORDS = _words(
    "for name numeral remainder roman"
)  # of shipped functions, with which an invented word could begin
_TRAINING_WORDS = _words(
    "acorn amber anchor apple april arrow autumn badge bakery balloon banjo barrel basket beacon bench berry bicycle "
    "blanket blossom bottle bracelet branch brick bridge bronze bucket butter button cabin camel candle canyon carpet "
    "castle cedar chalk cherry circus cloud clover cobalt coffee copper coral cotton crayon cricket crystal curtain "
    "daisy desert dolphin donkey dragon drum eagle echo elbow ember engine falcon feather fiddle flannel flute "
    "fountain galaxy garden ginger glacier glove granite guitar hammer harbor helmet hollow honey island ivory jacket "
    "jungle kettle kitten ladder lamp lantern laptop lemon lily lobster lotus magnet maple marble meadow "
    "melon mirror mitten monkey mosaic muffin needle notebook oasis olive onion orchid otter oyster paddle panda "
    "parrot pebble pencil pepper pickle pigeon pillow plum pocket pony puzzle quartz quilt rabbit radish raven "
    "ribbon river rocket saddle salmon sandal scarf shadow shovel silver sketch spider sponge squirrel stable sugar "
    "summer sunset swan table tango temple thunder tiger timber tomato trumpet tulip tunnel turtle umbrella valley "
    "vanilla velvet violin volcano waffle walnut willow window winter wizard yellow zebra build catch check choose "
    "clean collect cook dance dig drive fetch gather grow hold jump keep launch lift listen mend open pack "
    "polish pour press push ride rinse roll sail scatter sew shake sing sleep stir sweep swim throw travel "
    "twist visit wake walk wash wave weave wrap"
)
_HELD_OUT_WORDS = _words(
    "almond antler armor atlas bamboo beetle bishop bonnet boulder breeze bugle bundle cactus canoe chimney cinnamon "
    "clarinet cocoa comet compass crane crow daffodil dinner dove eel elm fern ferry finch flamingo fog fox gazelle "
    "geyser goblet goose gravel grove hazel hedge heron hornet igloo iris jasmine jigsaw juniper kayak kiwi koala "
    "lagoon lava leopard lilac lizard llama lynx mango mare mustard napkin nutmeg oak oboe ocean orbit oven owl "
    "papaya pasture peacock peony piano pier pine pluto poppy prairie puppet quail quiver rattle reef rhubarb robin "
    "rooster rose saffron sapphire satin seal shark shell sled slipper snail snow sofa sparrow spruce starling stork "
    "sunday surf syrup teapot thistle thorn toast toad trout tundra twig unicorn vase vulture wagon wasp whale wolf "
    "yacht yogurt zinnia blend blink borrow bounce brush carve climb crawl draw drift feed float glide grind hike hop "
    "hum juggle kneel knit lean march melt nudge ponder rake shine skate slide spin sprinkle stack stretch tickle "
    "trim tumble unfold wander whisper wipe yawn"
)
_TRAINING_PARAMETERS = _words(
    "item thing piece entry source given extra main side field slot content detail object chunk record block "
    "cell gamma omega kind label token symbol signal"
)
_HELD_OUT_PARAMETERS = _words(
    "article element unit data subject material stuff portion matter bit bead chip core delta sigma theta kappa "
    "marker node payload sample specimen topic"
)

_ALL_WORDS = (*_TRAINING_WORDS, *_HELD_OUT_WORDS, *_TRAINING_PARAMETERS, *_HELD_OUT_PARAMETERS, *_SHIPPED_WORDS)

TRAINING_NAMES = NamePool(_TRAINING_WORDS, _invent(0, _ALL_WORDS), _TRAINING_PARAMETERS)
"""For the embedded student's lessons, rollouts and training."""

HELD_OUT_NAMES = NamePool(_HELD_OUT_WORDS, _invent(1, _ALL_WORDS), _HELD_OUT_PARAMETERS)
"""For the evaluation only: no training may show them."""
