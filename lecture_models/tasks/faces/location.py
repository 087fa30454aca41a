"""Finds a face in a large picture: where the map of distances from face space is smallest."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from lecture_models.linear.feature_space import standardized
from lecture_models.linear.masked_projection import noise_variance
from lecture_models.linear.pca import fit_pca, leading
from lecture_models.linear.window_distances import PatchSpace, window_distances
from lecture_models.metrics.boxes import Box, center_distance, intersection_over_union
from lecture_models.tasks.faces.detection import cut_patches
from lecture_models.tasks.faces.pictures import Gray, resized

STEP = 1.2  # Ratio of neighboring sizes of the pyramid.
FEATHER = 0.15  # Width of the soft edge of a pasted face, as a share of its radius.
_LEAST_NOISE = 1e-3  # Of standardized pixels, where few faces leave none.
_WINDOWS = 30  # Windows of each photo and size that teach what photos look like.
_LEAST_CONTRAST = 0.5  # Of a window, as a share of the weakest contrast among the faces.

Picture = Float32[np.ndarray, "height width"]


class Found(NamedTuple):
    """Describes the most face-like window of a picture.

    Attributes:
        box: the window.
        distance: its score per pixel, such as its squared distance from face space; less is more
            like a face, and it is infinite if nothing was found.
        faceness: the map of scores at the window's size.
    """

    box: Box
    distance: float
    faceness: Float[np.ndarray, "row column"]


class Composite(NamedTuple):
    """Holds a photo into which a face was pasted, and where it lies."""

    picture: Picture
    box: Box


class Score(NamedTuple):
    """Says how well the faces of composites were found.

    Attributes:
        errors: distances of the centers in pixels.
        overlaps: intersections over unions, from 0 to 1.
    """

    errors: Float[np.ndarray, " composite"]
    overlaps: Float[np.ndarray, " composite"]


def oval(height: int, width: int, feather: float) -> Float[np.ndarray, "{height} {width}"]:
    """Returns 1 inside the ellipse that touches the four sides, 0 outside, with a soft edge.

    Args:
        height: height in pixels.
        width: width in pixels.
        feather: width of the edge inside the ellipse, as a share of the radius; above 0.
    """
    down = (np.arange(height) + 0.5) / height * 2.0 - 1.0
    right = (np.arange(width) + 0.5) / width * 2.0 - 1.0
    return ((1.0 - np.hypot(down[:, None], right[None, :])) / feather).clip(0.0, 1.0)


class Finder(NamedTuple):
    """Describes how a window is judged.

    Attributes:
        space: the face space.
        other: the space of windows of photos, or None. With it the score of a window is the
            logarithm of the ratio of both densities; without it, the distance from face space.
    """

    space: PatchSpace
    other: PatchSpace | None = None


def fit_face_space(
    faces: Gray,
    height: int,
    count: int,
    is_standardized: bool,
    is_density: bool = False,
    edge: float = FEATHER,
) -> PatchSpace:
    """Returns the face space of windows, of the pixels inside an oval.

    Args:
        faces: the faces; their mirror images are added.
        height: height of a window in pixels; its width follows from the faces.
        count: number of eigenfaces; 0 leaves the mean face alone.
        is_standardized: whether windows are standardized first.
        is_density: whether windows are compared by their density, not by their distance.
        edge: width of the oval's edge that does not count, as a share of the radius; a pasted
            face shows its photo there too.
    """
    width = round(height * faces.shape[2] / faces.shape[1])
    small = np.stack([resized(face, height, width) for face in faces])
    region = oval(height, width, max(edge, 1e-6)) > 0.999
    vectors = np.concatenate([small, small[:, :, ::-1]])[:, region]
    least = float(vectors.std(axis=1).min()) * _LEAST_CONTRAST if is_standardized else None
    return _fit(vectors, region, count, least, is_density)


def fit_photo_space(
    photos: Gray,
    like: PatchSpace,
    count: int,
    heights: tuple[float, float],
    generator: np.random.Generator,
) -> PatchSpace:
    """Returns the space of windows at random places of photos, in the sizes of faces.

    Args:
        photos: photos without faces.
        like: the face space, whose windows have the same region and contrast.
        count: number of components.
        heights: the smallest and the largest height of a face, in pixels.
        generator: draws the places.
    """
    height, size, cut = like.region.shape[0], heights[0], []
    while size <= heights[1] * 1.001:
        rows, columns = (max(round(side * height / size), height) for side in photos.shape[1:])
        small = np.stack([resized(photo, rows, columns) for photo in photos])
        windows = cut_patches(small, like.region.shape, _WINDOWS * len(photos), generator)
        cut.append(windows[:, like.region.ravel()])
        size *= STEP
    vectors = np.concatenate(cut)
    vectors = vectors[vectors.std(axis=1) >= like.least_deviation]
    return _fit(vectors, like.region, count, like.least_deviation, True)


def _fit(vectors, region, count: int, least: float | None, is_density: bool) -> PatchSpace:
    vectors = vectors if least is None else standardized(vectors)
    pca = fit_pca(vectors, max(count, 1))
    kept = leading(pca, count)
    noise = max(noise_variance(kept, vectors), _LEAST_NOISE) if is_density else None
    return PatchSpace(kept, region, least, noise)


def find_face(picture: Picture, finder: Finder, heights: tuple[float, float]) -> Found:
    """Returns the window of a picture with the smallest distance, over places and sizes.

    Args:
        picture: the gray levels.
        finder: judges the windows.
        heights: the smallest and the largest height of a face, in pixels.
    """
    height, width = finder.space.region.shape
    best = Found(Box(0.0, 0.0, float(height), float(width)), np.inf, np.zeros((1, 1)))
    size = heights[0]
    while size <= heights[1] * 1.001:
        rows, columns = (round(side * height / size) for side in picture.shape)
        if rows < height or columns < width:
            break
        distances = _scores(resized(picture, rows, columns), finder)
        row, column = np.unravel_index(np.argmin(distances), distances.shape)
        if distances[row, column] < best.distance:
            down, right = picture.shape[0] / rows, picture.shape[1] / columns
            box = Box(row * down, column * right, (row + height) * down, (column + width) * right)
            best = Found(box, float(distances[row, column]), distances)
        size *= STEP
    return best


def _scores(picture: Picture, finder: Finder) -> Float[np.ndarray, "row column"]:
    distances = window_distances(picture, finder.space)
    if finder.other is not None:
        # Both are infinite where there is no contrast.
        others = window_distances(picture, finder.other)
        distances = distances - np.where(np.isfinite(others), others, 0.0)
    return distances / int(finder.space.region.sum())


def paste(picture: Picture, face: Picture, top: int, left: int) -> Picture:
    """Returns a picture with a face in its oval, the edge of which is soft."""
    height, width = face.shape
    opacity, result = oval(height, width, FEATHER), np.array(picture)
    window = result[top : top + height, left : left + width]
    window[:] = opacity * face + (1.0 - opacity) * window
    return result


def draw_composites(
    faces: Gray,
    photos: Gray,
    count: int,
    heights: tuple[float, float],
    generator: np.random.Generator,
) -> list[Composite]:
    """Returns photos, each with a random face of a random size at a random place."""
    composites = []
    for _ in range(count):
        face, photo = faces[generator.integers(len(faces))], photos[generator.integers(len(photos))]
        height = round(generator.uniform(*heights))
        face = resized(face, height, round(height * face.shape[1] / face.shape[0]))
        top, left = (
            int(generator.integers(side - own + 1))
            for side, own in zip(photo.shape, face.shape, strict=True)
        )
        box = Box(top, left, top + face.shape[0], left + face.shape[1])
        composites.append(Composite(paste(photo, face, top, left), box))
    return composites


def score_composites(
    composites: list[Composite], finder: Finder, heights: tuple[float, float]
) -> tuple[Score, list[Found]]:
    """Returns how well the faces are found, and the windows that were found."""
    windows = [find_face(composite.picture, finder, heights) for composite in composites]
    pairs = [(window.box, one.box) for window, one in zip(windows, composites, strict=True)]
    errors = np.array([center_distance(*pair) for pair in pairs])
    return Score(errors, np.array([intersection_over_union(*pair) for pair in pairs])), windows


def within(score: Score, pixels: float) -> float:
    """Returns the share of faces whose center is found within a number of pixels."""
    return float((score.errors <= pixels).mean())
