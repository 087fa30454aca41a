"""Draws what the analyses of faces show: eigenfaces, reconstructions, boxes, maps, holes."""

import numpy as np
from jaxtyping import Float, Float32

from lecture_models.experiment import Animation, AnnotatedImages, Images, LabeledBox
from lecture_models.linear.pca import PCA, leading, project, reconstruct
from lecture_models.metrics.boxes import Box
from lecture_models.metrics.reconstruction import originals_above
from lecture_models.models.filters import filter_pictures
from lecture_models.plots.overlay import draw_overlay
from lecture_models.tasks.faces.location import Found
from lecture_models.tasks.faces.pictures import resized, shown
from lecture_models.tasks.faces.tracking import Film, Track

Picture = Float32[np.ndarray, "height width"]
_COLUMNS = 9


def eigenface_images(pca: PCA, shape: tuple[int, int]) -> Images:
    """Shows the mean face and the first eigenfaces."""
    mean = shown(pca.mean.reshape(1, *shape))
    faces = np.asarray(filter_pictures(pca.components[:, :17], (*shape, 1)))
    count = faces.shape[0]
    return Images(
        np.concatenate([mean, faces]),
        _COLUMNS,
        f"the mean face, then eigenfaces 1 to {count}; mid-gray is no change",
    )


def reconstruction_images(
    pca: PCA, vectors: Float[np.ndarray, "face pixel"], shape: tuple[int, int], counts: list[int]
) -> Images:
    """Shows faces, and below each its reconstructions from more and more eigenfaces."""
    rows = [vectors]
    for count in counts:
        few = leading(pca, count)
        rows.append(reconstruct(few, project(few, vectors)))
    images = [shown(row.reshape(-1, *shape)) for row in rows]
    return Images(
        originals_above(*images, columns=len(vectors)),
        len(vectors),
        f"held-out faces; below, from {', '.join(map(str, counts))} eigenfaces",
    )


def boxed(picture: Picture, boxes: dict[str, Box]) -> AnnotatedImages:
    """Shows a gray picture with labeled boxes."""
    return AnnotatedImages(shown(picture[None]), (_labeled(boxes),))


def map_picture(picture: Picture, found: Found) -> Picture:
    """Returns a map of face-likeness in the size of its picture: white is nearest to face space.

    The map covers the positions of a window's center; beyond them it is black.
    """
    likeness = brightness(found.faceness)
    top = round((found.box.bottom - found.box.top) / 2.0)
    left = round((found.box.right - found.box.left) / 2.0)
    canvas = np.zeros(picture.shape, np.float32)
    height, width = max(1, picture.shape[0] - 2 * top), max(1, picture.shape[1] - 2 * left)
    canvas[top : top + height, left : left + width] = resized(likeness, height, width).clip(0, 1)
    return canvas


def brightness(distances: Float[np.ndarray, "row column"]) -> Picture:
    """Returns 1 for the smallest distance of a map, falling to 0 at the median distance."""
    finite = distances[np.isfinite(distances)]
    if not len(finite):
        return np.zeros(distances.shape, np.float32)
    low, middle = finite.min(), np.median(finite)
    scaled = (middle - distances) / max(middle - low, 1e-12)
    return np.where(np.isfinite(distances), scaled, 0.0).clip(0.0, 1.0).astype(np.float32) ** 2


def located_images(pictures: list[Picture], found: list[Found], truths: list[Box]) -> Images:
    """Shows composites with the true and the found box, and beside each its map."""
    cells = []
    for picture, window, truth in zip(pictures, found, truths, strict=True):
        boxes = _labeled({"true": truth, "found": window.box})
        cells.append(draw_overlay(shown(picture[None]), (boxes,))[0])
        likeness = np.repeat(shown(map_picture(picture, window)[None])[0], 3, axis=-1)
        scale = cells[-1].shape[0] // likeness.shape[0]
        cells.append(likeness.repeat(scale, axis=0).repeat(scale, axis=1))
    return Images(
        np.stack(cells),
        4,
        "photos with a pasted face, the true and the found box; beside each, how face-like the "
        "windows of that size are: white is nearest to face space",
    )


def film(taken: Film, track: Track) -> Animation:
    """Shows the frames with the box that was found, and where the face truly is."""
    boxes = tuple(
        _labeled({"true": truth, "found": window.box})
        for truth, window in zip(taken.boxes, track.found, strict=True)
    )
    return Animation(
        draw_overlay(shown(taken.frames), boxes), 0.08, "a moving face: true and found boxes"
    )


def _labeled(boxes: dict[str, Box]) -> tuple[LabeledBox, ...]:
    return tuple(LabeledBox(*box, label=name) for name, box in boxes.items())
