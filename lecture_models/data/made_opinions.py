"""Makes short sentences about things, whose opinion a negation turns around.

They stand in where no real texts are: "the film was not good" is negative, although each of its
words alone is neutral or positive.
"""

import numpy as np

from lecture_models.data.dataset import Dataset, Provenance
from lecture_models.data.labeled_texts import SENTIMENTS, labeled_texts

_THINGS = ("film", "plot", "cast", "ending", "music", "phone", "game", "song", "book", "food")
_GOOD = ("good", "great", "lovely", "brilliant", "fun", "charming", "smart", "touching")
_BAD = ("bad", "awful", "boring", "stupid", "dull", "ugly", "weak", "silly")
_FACTS = ("long", "new", "short", "on tonight", "in english", "two hours long", "here", "blue")
_DEGREES = ("", "very ", "really ", "so ")
_STARTS = ("", "well , ", "@user ", "i think ", "honestly , ")
_ENDS = ("", " .", " !", " today", " http")
_SIZES = (600, 100, 200)  # Of the three splits.
NEGATED = 0.4  # Share of opinions with a negation.


def make(seed: int = 0) -> Dataset:
    """Returns 900 sentences of three classes, the same for the same seed."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(len(SENTIMENTS), size=sum(_SIZES))
    split = labeled_texts([_sentence(generator, int(label)) for label in labels], labels)
    ends = np.cumsum(_SIZES)
    parts = (slice(0, ends[0]), slice(ends[0], ends[1]), slice(ends[1], ends[2]))
    note = "900 short made sentences"
    provenance = Provenance("made_opinions", "made by a rule", (), note)
    return Dataset(*(split.select(part) for part in parts), SENTIMENTS, provenance)


def _sentence(generator: np.random.Generator, label: int) -> str:
    negated = generator.random() < NEGATED
    if label == SENTIMENTS.index("neutral"):
        words = _FACTS
    else:
        words = _GOOD if (label == SENTIMENTS.index("positive")) != negated else _BAD
    start, thing, degree, word, end = (
        str(generator.choice(choices)) for choices in (_STARTS, _THINGS, _DEGREES, words, _ENDS)
    )
    degree = "" if word in _FACTS else degree
    return f"{start}the {thing} was {'not ' * negated}{degree}{word}{end}"
