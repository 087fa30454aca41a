"""Makes images for units of a network, a sheet per layer, and compares them with photos.

A unit is a channel, a neuron, or a direction in the space of a layer's channels. All images of all
sheets are optimized together; each part of the network sees the images of its layer only.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from lecture_models.data.pixels import images_from_uint8
from lecture_models.image_space.objectives import gram_similarity
from lecture_models.image_space.step import Network
from lecture_models.image_space.terms import Objective, Term, View
from lecture_models.tasks.image_optimization import resized

Pictures = Float[Array, "image height width 3"]
Responses = Float[np.ndarray, "image unit"]
# (unit, view of the unit's images, target) -> one value per image.
OfUnit = Callable[["Unit", View, Any], Float[Array, " image"]]

_BATCH = 20  # Photos at once.
_LEAST_SPREAD = 1e-3  # As a share of the mean spread of the layer's units.


class Unit(NamedTuple):
    """Describes what images are made for.

    Attributes:
        name: its name in captions and tables.
        objective: the activation of the unit, from the features of its layer.
        target: the target of the objective; () for none.
        sign: 1 to maximize the activation, -1 to minimize it.
    """

    name: str
    objective: Objective
    target: Any = ()
    sign: float = 1.0

    @property
    def negative(self) -> "Unit":
        """Returns the unit whose images minimize the activation."""
        return self._replace(name=f"{self.name}, negative", sign=-self.sign)


class Sheet(NamedTuple):
    """Holds the units of one layer.

    Attributes:
        layer: name of the layer.
        units: the units; each has `images_per_unit` images, one after the other.
        images_per_unit: number of images of a unit.
        first: index of the first image among those of all sheets.
    """

    layer: str
    units: tuple[Unit, ...]
    images_per_unit: int
    first: int

    @property
    def stop(self) -> int:
        """Returns the index after the last image among those of all sheets."""
        return self.first + len(self.units) * self.images_per_unit

    @property
    def label(self) -> str:
        """Returns the layer's name without slashes, as file names need it."""
        return self.layer.replace("/", "_")

    @property
    def unit_indices(self) -> np.ndarray:
        """Returns the index of the unit of each image of this sheet."""
        return np.repeat(np.arange(len(self.units)), self.images_per_unit)

    def of(self, images: Any) -> Any:
        """Returns the images of this sheet among those of all sheets."""
        return images[self.first : self.stop]


class PhotoResponses(NamedTuple):
    """Holds what the units of a sheet respond to photos.

    Attributes:
        values: the response of each unit to each photo, with the unit's sign.
        mean: the mean over the photos, (unit,).
        spread: the standard deviation over the photos, above 0, (unit,).
    """

    values: Responses
    mean: Float[np.ndarray, " unit"]
    spread: Float[np.ndarray, " unit"]


def sheets_network(apply: Network, sheets: Sequence[Sheet]) -> Network:
    """Returns a network that computes each sheet's layer, of that sheet's images alone."""

    def network(variables, images):
        activations = {
            sheet.layer: apply(variables, sheet.of(images))[1][sheet.layer] for sheet in sheets
        }
        return jnp.zeros((len(images), 0)), activations

    return network


def make_photo_responses(
    apply: Network,
    variables: Any,
    sheet: Sheet,
    pixels: UInt8[np.ndarray, "photo h w 3"],
    side: int,
) -> PhotoResponses:
    """Returns the responses of a sheet's units to photos, resized to `side` pixels."""
    respond = make_respond(apply, sheet)
    parts = np.array_split(pixels, -(-len(pixels) // _BATCH))
    photos = (resized(jnp.asarray(images_from_uint8(part)), (side, side)) for part in parts)
    values = np.concatenate([respond(variables, part) for part in photos])
    spread = values.std(0)
    least = max(_LEAST_SPREAD * float(spread.mean()), 1e-6)
    return PhotoResponses(values, values.mean(0), np.maximum(spread, least))


def make_respond(apply: Network, sheet: Sheet) -> Callable[[Any, Pictures], Responses]:
    """Returns the function of variables and images that computes every unit's response to each."""

    @jax.jit
    def respond(variables, images):
        features = {sheet.layer: apply(variables, images)[1][sheet.layer]}
        view = View(images, jnp.zeros((len(images), 0)), features)
        return jnp.stack([unit.sign * unit.objective(view, unit.target) for unit in sheet.units], 1)

    return lambda variables, images: np.asarray(respond(variables, images))


def sheet_terms(
    sheet: Sheet, photos: PhotoResponses, total: int, diversity: float
) -> tuple[Term, ...]:
    """Returns the loss terms of a sheet.

    The first term is the response in standard deviations above the mean photo, so that units of all
    layers are alike to the optimizer; the second one, which exists if a unit has several images, is
    the similarity of their features.

    Args:
        sheet: the units of a layer.
        photos: their responses to photos.
        total: number of images of all sheets.
        diversity: weight of the similarity.
    """

    def response(unit, view, target):
        own, mean, spread = target
        return (unit.sign * unit.objective(view, own) - mean) / spread

    similarity = gram_similarity(sheet.layer)
    targets = tuple(
        (unit.target, jnp.asarray(mean), jnp.asarray(spread))
        for unit, mean, spread in zip(sheet.units, photos.mean, photos.spread, strict=True)
    )
    terms = [Term(sheet.label, _of_units(sheet, total, response), -1.0, targets)]
    if sheet.images_per_unit > 1 and diversity:
        among = _of_units(sheet, total, lambda unit, view, target: similarity(view, target))
        terms.append(Term(f"{sheet.label}_similarity", among, diversity, targets))
    return tuple(terms)


def _of_units(sheet: Sheet, total: int, value: OfUnit) -> Objective:
    """Returns the objective of all images that is `value` for the images of a sheet's units.

    It is 0 for the images of other sheets. What is logged is its mean over all images; a factor
    makes that the mean over the images of this sheet.
    """
    count = sheet.images_per_unit

    def objective(view: View, targets):
        parts = []
        for index, (unit, target) in enumerate(zip(sheet.units, targets, strict=True)):
            own = slice(index * count, (index + 1) * count)
            features = {sheet.layer: view.activations[sheet.layer][own]}
            seen = View(sheet.of(view.images)[own], sheet.of(view.logits)[own], features)
            parts.append(value(unit, seen, target))
        others = (sheet.first, total - sheet.stop)
        return jnp.pad(jnp.concatenate(parts), others) * (total / (sheet.stop - sheet.first))

    return objective
