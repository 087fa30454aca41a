"""Computes the sections on finding a face: in photos with a pasted face, and in films."""

from typing import NamedTuple

import numpy as np

from lecture_models.data.dataset import DataError
from lecture_models.experiment import Evaluation, Images
from lecture_models.tasks.faces import face_pictures, location, tracking
from lecture_models.tasks.faces.location import Composite, Finder, Found
from lecture_models.tasks.faces.pictures import Faces, Gray, shown
from lecture_models.tasks.faces.recognition import draw_half

WINDOW = 24  # Height in pixels at which windows are compared.
HEIGHTS = (28.0, 56.0)  # Of pasted faces, in pixels.
PHOTO_HEIGHTS = (32.0, 160.0)  # Of the face that is looked for in a photo.
NEAR, ABOUT = 4.0, 8.0  # Pixels within which a center counts as found.
DISTANCES = (0, 1, 3)  # Numbers of eigenfaces among which the distance is chosen.
# Numbers of eigenfaces and of components of photos, likewise.
DENSITIES = ((6, 12), (12, 12), (24, 12))
PHOTO_COMPONENTS = 0  # Eigenfaces with which a face is looked for in a photo: the mean alone.
FILM_HEIGHT = 40  # Of the face in a film, in pixels.
SHOWN = 8  # Photos that are shown.


class Material(NamedTuple):
    """Holds faces and photos; no picture and no photo is in two parts.

    Attributes:
        train_faces: half of the faces: they span the space.
        chosen_faces: a quarter, pasted into photos on which a space is chosen.
        test_faces: a quarter, pasted into photos that are looked at once.
        train_photos: two fifths of the photos: they teach what a window of a photo looks like.
        chosen_photos: a fifth.
        test_photos: two fifths.
    """

    train_faces: Gray
    chosen_faces: Gray
    test_faces: Gray
    train_photos: Gray
    chosen_photos: Gray
    test_photos: Gray


def divide(faces: Faces, photos: Gray, is_known: bool, seed: int) -> Material:
    """Divides faces and photos at random.

    Args:
        faces: the faces of two people at least.
        photos: three photos at least.
        is_known: True if the space is learned from other pictures of the people who are looked
            for, False if from other people.
        seed: of the division.

    Raises:
        DataError: there are fewer than three photos.
    """
    if len(photos) < 3:
        raise DataError(f"there are {len(photos)} photos without faces; at least 3 are needed")
    generator = np.random.default_rng((seed, int(is_known)))
    people = generator.permutation(len(faces.names))
    half = len(people) // 2
    known = draw_half(faces.people, generator)
    train = known if is_known else np.isin(faces.people, people[:half])
    if is_known or len(people) - half < 2:
        rest = generator.permutation(np.flatnonzero(~train))
        chosen, test = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    else:
        middle = half + (len(people) - half) // 2
        chosen, test = (
            np.isin(faces.people, own) for own in (people[half:middle], people[middle:])
        )
    photos = photos[generator.permutation(len(photos))]
    first, second = max(1, len(photos) * 2 // 5), max(2, len(photos) * 3 // 5)
    return Material(
        *(faces.pixels[part] for part in (train, chosen, test)),
        photos[:first],
        photos[first:second],
        photos[second:],
    )


def distance_finder(material: Material, count: int, is_standardized: bool = True) -> Finder:
    """Returns the paper's finder: the distance from face space."""
    return Finder(location.fit_face_space(material.train_faces, WINDOW, count, is_standardized))


def density_finder(material: Material, counts: tuple[int, int], seed: int) -> Finder:
    """Returns the finder by the ratio of the densities of faces and of windows of photos."""
    space = location.fit_face_space(material.train_faces, WINDOW, counts[0], True, True)
    generator = np.random.default_rng(seed)
    other = location.fit_photo_space(material.train_photos, space, counts[1], HEIGHTS, generator)
    return Finder(space, other)


def choose(finders: list[Finder], composites: list[Composite]) -> int:
    """Returns which finder places most faces within 4 pixels; the first one of equals."""
    shares = [
        location.within(location.score_composites(composites, finder, HEIGHTS)[0], NEAR)
        for finder in finders
    ]
    return int(np.argmax(shares))


def chosen_finders(material: Material, count: int, seed: int) -> dict[str, tuple[Finder, str]]:
    """Returns the finders by name, each with its numbers of components in words."""
    composites = location.draw_composites(
        material.chosen_faces,
        material.chosen_photos,
        max(2, count // 5),
        HEIGHTS,
        np.random.default_rng(seed),
    )
    most = 2 * len(material.train_faces) - 1
    numbers = [min(number, most) for number in DISTANCES]
    pairs = [(min(faces, most), photos) for faces, photos in DENSITIES]
    distances = [distance_finder(material, number) for number in numbers]
    densities = [density_finder(material, pair, seed) for pair in pairs]
    distance, density = choose(distances, composites), choose(densities, composites)
    faces, photos = pairs[density]
    return {
        "raw": (distance_finder(material, min(10, most), False), f"{min(10, most)} eigenfaces"),
        "standardized": (distances[distance], f"{numbers[distance]} eigenfaces"),
        "density": (densities[density], f"{faces} eigenfaces, {photos} components of photos"),
    }


def locate(
    name: str, material: Material, finders: dict[str, tuple[Finder, str]], count: int, seed: int
) -> Evaluation:
    """Finds pasted faces in photos.

    Args:
        name: `known` or `new` people; the first part of the names of the results.
        material: faces and photos.
        finders: of `chosen_finders`.
        count: number of photos with a pasted face.
        seed: of the places.
    """
    test = location.draw_composites(
        material.test_faces,
        material.test_photos,
        count,
        HEIGHTS,
        np.random.default_rng((seed, 1)),
    )
    results: Evaluation = {}
    lines = [f"{count} pasted faces, {name} people: share of centers within pixels, mean IoU"]
    found = []
    for kind, (finder, words) in finders.items():
        score, found = location.score_composites(test, finder, HEIGHTS)
        near, about = location.within(score, NEAR), location.within(score, ABOUT)
        results |= {
            f"located_{name}_{kind}_within_4": near,
            f"located_{name}_{kind}_within_8": about,
            f"located_{name}_{kind}_median_error": float(np.median(score.errors)),
            f"located_{name}_{kind}_iou": float(score.overlaps.mean()),
        }
        lines.append(
            f"{kind:13} 4 pixels {near:.1%}, 8 pixels {about:.1%}, IoU {score.overlaps.mean():.2f} "
            f"({words})"
        )
    top = test[:SHOWN]
    return results | {
        f"location_{name}": "\n".join(lines),
        f"located_{name}": face_pictures.located_images(
            [one.picture for one in top], found[: len(top)], [one.box for one in top]
        ),
    }


def find_in_photo(picture: np.ndarray, faces: Gray) -> Found:
    """Returns the window of a photo that is nearest to the space of faces which fill their patch.

    Args:
        picture: the photo.
        faces: faces from brow to chin.
    """
    space = location.fit_face_space(faces, faces.shape[1], PHOTO_COMPONENTS, True, edge=0.0)
    return location.find_face(picture, Finder(space), PHOTO_HEIGHTS)


def look(picture: np.ndarray, faces: Gray) -> Evaluation:
    """Shows where a face is found in a photo, and the map of distances from face space."""
    window = find_in_photo(picture, faces)
    return {
        "photo": face_pictures.boxed(picture, {"most like a face": window.box}),
        "photo_map": Images(
            shown(face_pictures.map_picture(picture, window)[None]), 1, "face-likeness in the photo"
        ),
    }


def track(material: Material, finder: Finder, frames: int, films: int, seed: int) -> Evaluation:
    """Follows a face through films, each of one picture of a person over a photo."""
    generator = np.random.default_rng((seed, 2))
    paths, first = [], None
    for number in range(films):
        photo = material.test_photos[generator.integers(len(material.test_photos))]
        face = material.test_faces[generator.integers(len(material.test_faces))]
        film = tracking.make_film(photo, face[None], frames, FILM_HEIGHT, seed + number)
        paths.append(tracking.follow(film, finder, FILM_HEIGHT, film.boxes[0]))
        first = first or face_pictures.film(film, paths[0])
    errors = np.concatenate([path.errors for path in paths])
    lost = float(np.concatenate([path.lost for path in paths]).mean())
    return {
        "track_median_error": float(np.median(errors)),
        "track_largest_error": float(errors.max()),
        "track_lost": lost,
        "tracking": f"a moving face, {films} films of {frames} frames: median error "
        f"{np.median(errors):.2f} pixels, lost {lost:.1%}",
        "track": first,
    }
