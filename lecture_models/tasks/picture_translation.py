"""Evaluates networks that translate pictures between two domains."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Key, UInt8

from lecture_models.data.pixels import images_from_uint8, uint8_from_images
from lecture_models.experiment import DataTable, Evaluation, Images
from lecture_models.metrics.classification import batched_apply
from lecture_models.metrics.frechet import frechet_distance
from lecture_models.metrics.kernel_distance import kernel_distance
from lecture_models.metrics.reconstruction import psnr
from lecture_models.steps.cyclegan import TO_A, TO_B, CycleGAN, CycleState
from lecture_models.tasks.picture_domains import Domain, Domains

Pixels = Float[np.ndarray, "picture side side 3"]
Encode = Callable[[UInt8[np.ndarray, "picture side side 3"]], Float[np.ndarray, "picture feature"]]

BATCH_SIZE = 25
SHOWN = 8  # Pictures of each sheet.
BLUR = 0.7  # Standard deviation of the slight blur, in pixels.


class Direction(NamedTuple):
    """Says which way pictures are translated.

    Attributes:
        name: of its metrics, "a_to_b" or "b_to_a".
        there: the player that translates.
        back: the player that translates back.
        source: the domain of the pictures.
        target: the domain that they are translated to.
    """

    name: str
    there: str
    back: str
    source: Domain
    target: Domain


class Translated(NamedTuple):
    """Holds test pictures in [-1, 1], what became of them, and what came back."""

    pictures: Pixels
    there: Pixels
    back: Pixels


def make_evaluate(
    game: CycleGAN, domains: Domains, encode: Encode | None, words: str, num_shown: int = SHOWN
) -> Callable[[CycleState, Key[Array, ""]], Evaluation]:
    """Returns a function that evaluates both generators on the test pictures.

    Args:
        game: the game.
        domains: both domains.
        encode: returns features of pictures, in which domains are compared; None for none.
        words: what the features are.
        num_shown: the number of pictures of each sheet.

    Returns:
        A function of (state, key). It returns, for each direction, how well pictures come back; of
        pairs, how close a picture comes to its partner, beside the picture itself; of others, the
        Frechet and kernel distances to the target domain, beside those of the untranslated
        pictures; and sheets.
    """
    generate = jax.jit(game.generate)
    directions = (
        Direction("a_to_b", TO_B, TO_A, domains.a, domains.b),
        Direction("b_to_a", TO_A, TO_B, domains.b, domains.a),
    )

    def apply(state: CycleState, player: str, pixels: Pixels) -> Pixels:
        params = state.players[player].params
        size = min(BATCH_SIZE, len(pixels))
        return batched_apply(lambda images: generate(params, images), pixels, size)

    def evaluate(state, key):
        results: Evaluation = {}
        rows = []
        for direction in directions:
            pixels = images_from_uint8(direction.source.test)
            there = apply(state, direction.there, pixels)
            found = Translated(pixels, there, apply(state, direction.back, there))

            def come_back(pictures, direction=direction):
                return apply(state, direction.back, pictures)

            numbers = _cycle(found, come_back)
            if domains.is_paired:
                numbers |= _pairs(found, direction)
            if encode is not None:
                numbers |= _distances(found, direction, encode)
            rows += [(direction.source.name, name, value) for name, value in numbers.items()]
            results |= {f"{direction.name}_{name}": value for name, value in numbers.items()}
            results |= _pictures(found, direction, num_shown, domains.is_paired)
            results[f"alarm_{direction.name}"] = _alarm(found, direction)
        caption = f"test pictures; features: {words}" if words else "test pictures"
        return results | {
            "comparison": DataTable(("pictures of", "measure", "value"), tuple(rows), caption)
        }

    return evaluate


def _ratio(found: Pixels, truth: Pixels) -> float:
    """Returns the mean peak signal-to-noise ratio in dB; at most 100 for equal pictures."""
    values = psnr((np.clip(found, -1.0, 1.0) + 1.0) / 2.0, (truth + 1.0) / 2.0)
    return float(np.minimum(np.asarray(values), 100.0).mean())


def _cycle(found: Translated, come_back: Callable[[Pixels], Pixels]) -> dict[str, float]:
    """Returns how well pictures come back, also when what hides in noise is taken away.

    A generator can hide the picture in noise that nobody sees. Rounding to bytes and a slight blur
    leave a translation as it looks, but not what is hidden. Chu et al., 2017.
    """
    from scipy.ndimage import gaussian_filter

    rounded = images_from_uint8(uint8_from_images(found.there))
    blurred = gaussian_filter(found.there, (0, BLUR, BLUR, 0))
    own = gaussian_filter(found.pictures, (0, BLUR, BLUR, 0))
    return {
        "cycle_psnr": _ratio(found.back, found.pictures),
        "cycle_psnr_after_rounding": _ratio(come_back(rounded), found.pictures),
        "cycle_psnr_after_blur": _ratio(come_back(blurred), found.pictures),
        "blurred_input_psnr": _ratio(own, found.pictures),
    }


def _pairs(found: Translated, direction: Direction) -> dict[str, float]:
    """Returns how close pictures come to their partners, and whether digits stay what they are."""
    partners = images_from_uint8(direction.target.test)
    numbers = {
        "partner_psnr": _ratio(found.there, partners),
        "input_psnr": _ratio(found.pictures, partners),
    }
    if direction.target.digits is not None and direction.source.digits is not None:
        numbers["digit_accuracy"] = _digit_accuracy(found, direction)
    return numbers


def _digit_accuracy(found: Translated, direction: Direction) -> float:
    """Returns the share of translated digits that a classifier of the target domain recognizes.

    It is scikit-learn's nearest neighbors, three of them, among the target's training pictures.
    """
    from sklearn.neighbors import KNeighborsClassifier

    known = direction.target.train.reshape(len(direction.target.train), -1).astype(np.float32)
    classifier = KNeighborsClassifier(3).fit(known, direction.target.digits[0])
    pictures = uint8_from_images(found.there).reshape(len(found.there), -1).astype(np.float32)
    return 100.0 * float(classifier.score(pictures, direction.source.digits[1]))


def _distances(found: Translated, direction: Direction, encode: Encode) -> dict[str, float]:
    """Returns the distances of pictures to the target's test pictures, before and after."""
    target = encode(direction.target.test)
    before, after = encode(direction.source.test), encode(uint8_from_images(found.there))
    return {
        "frechet_before": frechet_distance(before, target),
        "frechet_after": frechet_distance(after, target),
        "kernel_before": kernel_distance(before, target),
        "kernel_after": kernel_distance(after, target),
    }


def _alarm(found: Translated, direction: Direction) -> str:
    """Returns a warning where bright became dark although no pair says so, else an empty text."""
    luminances = [pictures.mean(axis=-1).reshape(-1) for pictures in (found.pictures, found.there)]
    if min(part.std() for part in luminances) < 1e-6:
        return f"all pictures translated from {direction.source.name} are of one color"
    correlation = float(np.corrcoef(*luminances)[0, 1])
    if correlation >= 0.0 or direction.source.digits is not None:
        return ""
    return (
        f"bright and dark are exchanged in pictures translated from {direction.source.name} "
        f"(correlation {correlation:.2f}); a larger --identity_weight keeps them"
    )


def _pictures(found: Translated, direction: Direction, count: int, is_paired: bool) -> Evaluation:
    """Returns a sheet of first pictures, and one of those that come back worst."""
    source, target = direction.source.name, direction.target.name
    chosen = np.linspace(0, len(found.pictures) - 1, min(count, len(found.pictures))).astype(int)
    errors = np.abs(found.back - found.pictures).mean((1, 2, 3))
    worst = np.argsort(-errors)[:count]
    partners = [images_from_uint8(direction.target.test)] if is_paired else []
    rows = [*found, *partners]
    caption = f"{source}, above; translated to {target}; and back"
    return {
        direction.name: Images(
            np.concatenate([row[chosen] for row in rows]),
            len(chosen),
            caption + ("; the true partners, below" if is_paired else ""),
        ),
        f"{direction.name}_worst": Images(
            np.concatenate([row[worst] for row in found]),
            len(worst),
            f"those of {caption[0].lower()}{caption[1:]}: the largest errors",
        ),
    }
