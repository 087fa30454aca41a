"""Gives attribution maps the names of their pictures and classes, and shows them."""

import re
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from lecture_models.data.picture import PictureFile, shown
from lecture_models.experiment import ArrayFile, Evaluation, Images
from lecture_models.tasks.attribution.functions import AttributionInputs
from lecture_models.tasks.attribution.methods import METHODS, AttributionMaps
from lecture_models.tasks.attribution.sheet import (
    contact_sheet,
    method_scales,
    scale_words,
    scales_text,
)
from lecture_models.tasks.class_judge import first_name
from lecture_models.weights.network import Pretrained


class Explained(NamedTuple):
    """Describes one picture and the class that it is explained for.

    Attributes:
        picture: number of the picture, from 1.
        file: its file.
        target: index of the class.
        class_name: the first name of the class.
        probability: the probability of the class.
        is_only: whether the picture is explained for no other class.
    """

    picture: int
    file: PictureFile
    target: int
    class_name: str
    probability: float
    is_only: bool

    @property
    def label(self) -> str:
        """Returns the picture and the class, for people."""
        return f"{shown(self.file.path.name)}: {self.class_name} {self.probability:.1%}"

    @property
    def sheet_name(self) -> str:
        """Returns the name of the contact sheet."""
        name = f"picture_{self.picture:04d}"
        return name if self.is_only else f"{name}_{self.target}_{_word(self.class_name)}"

    def map_name(self, method: str) -> str:
        """Returns the name of the file of a map: picture, class and method."""
        stem = _word(self.file.path.stem)
        return f"{self.picture:04d}_{stem}_{self.target}_{_word(self.class_name)}_{method}"


def _word(text: str) -> str:
    """Returns a text as a part of a file name: letters, digits, dashes and underscores."""
    return re.sub(r"[^\w-]+", "_", text).strip("_")[:40] or "unnamed"


def explained_pictures(
    network: Pretrained,
    pictures: list[PictureFile],
    targets: tuple[int, ...],
    probabilities: Float[np.ndarray, "image class"],
) -> list[Explained]:
    """Returns each picture with each of its classes: `targets`, or else its most probable one."""
    return [
        Explained(
            index + 1,
            picture,
            target,
            first_name(network.classes[target]),
            float(probabilities[index, target]),
            len(targets) <= 1,
        )
        for index, picture in enumerate(pictures)
        for target in (targets or (int(probabilities[index].argmax()),))
    ]


def shown_results(
    inputs: AttributionInputs,
    found: AttributionMaps,
    explained: list[Explained],
    count: int,
    raw_maps: bool,
    note: str,
) -> Evaluation:
    """Returns the contact sheets of the first pictures, and the scale of each method.

    Args:
        inputs: images and targets that the maps were computed for.
        found: the maps.
        explained: the picture and the class of each map.
        count: number of pictures.
        raw_maps: whether to return the maps of these pictures too, as arrays.
        note: is put behind the caption of each sheet.
    """
    scales = method_scales(found)
    results: Evaluation = {"scales": scales_text(scales)}
    for index, pair in enumerate(explained):
        if pair.picture > count:
            continue
        title = (pair.class_name, f"{pair.probability:.1%}")
        sheet = contact_sheet(inputs.images[index], found, scales, index, title)
        results[pair.sheet_name] = Images(sheet, 1, f"{pair.label}{note}")
        if raw_maps:
            results |= {
                pair.map_name(name): ArrayFile(
                    raw[index],
                    f"{pair.label}; {METHODS[name].title}, drawn from "
                    f"{scale_words(name, scales[name])}",
                )
                for name, raw in found.raw.items()
            }
    return results
