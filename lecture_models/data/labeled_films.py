"""Holds films with an action and a person each, and reads the user's own from a folder."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from lecture_models.data.dataset import DataError, Dataset, Provenance, Split
from lecture_models.data.film import is_film, natural_order, read_film
from lecture_models.data.picture import shown
from lecture_models.data.ragged import Ragged
from lecture_models.files import local_path

OWN_SIDE = 64  # Pixels to which the user's frames are resized.


class LabeledFilm(NamedTuple):
    """Holds the frames of a film, the action it shows, and who acts.

    Attributes:
        action: the name of the class.
        person: the name of the person, or of another group that is left out as a whole.
        frames: gray values.
    """

    action: str
    person: str
    frames: UInt8[np.ndarray, "frame side side"]


def film_dataset(films: Sequence[LabeledFilm], provenance: Provenance) -> Dataset:
    """Returns films as a data set; the last two people are for validation and test.

    Args:
        films: the films, whose frames have one size.
        provenance: their source.

    Returns:
        Splits with `frames`, `labels` and `people`.

    Raises:
        DataError: there are fewer than three people or than two actions.
    """
    actions = sorted({film.action for film in films})
    people = sorted({film.person for film in films}, key=natural_order)
    if len(people) < 3 or len(actions) < 2:
        raise DataError(
            f"the films of {provenance.dataset} show {len(people)} people and {len(actions)} "
            "actions; there must be at least 3 people and 2 actions"
        )
    everything = Split(
        {
            "frames": Ragged.from_sequences([film.frames for film in films]),
            "labels": np.array([actions.index(film.action) for film in films], np.int32),
            "people": np.array([people.index(film.person) for film in films], np.int32),
        }
    )
    own = everything["people"]
    return Dataset(
        everything.select(own < len(people) - 2),
        everything.select(own == len(people) - 2),
        everything.select(own == len(people) - 1),
        tuple(actions),
        provenance,
        {"people": tuple(people)},
    )


def read_labeled_films(flag: str, name: str) -> Dataset:
    """Returns the films of a folder: ACTION/PERSON, each an animation, a video or a folder.

    Frames are turned gray, cropped to their central square and resized to 64x64 pixels.

    Args:
        flag: the flag that names the folder, for messages.
        name: the path of the folder.

    Returns:
        The data set.

    Raises:
        DataError: there is no such folder, a film cannot be read, or there are too few people or
            actions.
    """
    folder = local_path(flag, name)
    if not folder.is_dir():
        raise DataError(f"{flag}={shown(folder)} is not a folder; it must hold ACTION/PERSON.gif")
    films, files = [], []
    for action in sorted(path for path in folder.iterdir() if path.is_dir()):
        for path in sorted(action.iterdir(), key=lambda path: natural_order(path.name)):
            if path.name.startswith(".") or not is_film(path):
                continue
            film = read_film(path, OWN_SIDE)
            frames = np.stack([_central_square(frame) for frame in film.frames])
            films.append(LabeledFilm(action.name, path.stem, frames))
            files += film.files
    if not films:
        raise DataError(
            f"{flag}={shown(folder)} holds no films; each must lie in the sub-folder of its action"
        )
    return film_dataset(films, Provenance("own films", shown(folder), tuple(files)))


def _central_square(frame: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "64 64"]:
    image = Image.fromarray(frame).convert("L")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((OWN_SIDE, OWN_SIDE), Image.Resampling.BOX, box))
