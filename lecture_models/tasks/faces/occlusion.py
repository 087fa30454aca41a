"""Restores hidden parts of faces from the parts that are seen."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float

from lecture_models.linear.masked_projection import masked_codes, noise_variance, robust_codes
from lecture_models.linear.pca import PCA, fit_pca, project, reconstruct

Vectors = Float[Array | np.ndarray, "face pixel"]
Mask = Bool[np.ndarray, "face pixel"]
LEAST_NOISE = 1e-6  # Variance of a pixel; a quarter of a gray level, squared.
# Below this weight a pixel is taken for hidden.
BELIEVED = 0.5


class Restored(NamedTuple):
    """Holds what each method makes of partly hidden faces.

    Attributes:
        faces: the faces by the name of the method.
        weights: how far the robust fit believed each pixel, from 0 to 1.
    """

    faces: dict[str, Vectors]
    weights: Vectors


class FaceModel(NamedTuple):
    """Holds the eigenfaces and the variance of a pixel about their space."""

    pca: PCA
    noise: float


def fit_model(vectors: Vectors, count: int) -> FaceModel:
    """Returns the model of faces with so many eigenfaces, or one fewer than there are faces."""
    pca = fit_pca(vectors, min(count, len(vectors) - 1))
    return FaceModel(pca, max(noise_variance(pca, vectors), LEAST_NOISE))


def hide_squares(
    count: int, shape: tuple[int, int], share: float, generator: np.random.Generator
) -> Mask:
    """Returns for each face which pixels are seen, when a rectangle at a random place is hidden.

    Args:
        count: number of faces.
        shape: height and width of a face.
        share: share of the area that is hidden; the rectangle has the picture's proportions.
        generator: draws the places.
    """
    visible = np.ones((count, *shape), bool)
    height, width = (max(1, round(side * np.sqrt(share))) for side in shape)
    for mask in visible:
        top, left = (
            int(generator.integers(side - own + 1))
            for side, own in zip(shape, (height, width), strict=True)
        )
        mask[top : top + height, left : left + width] = False
    return visible.reshape(count, -1)


def restore(model: FaceModel, vectors: Vectors, seen: Vectors, visible: Mask) -> Restored:
    """Returns the faces that each method makes of what is seen.

    Args:
        model: the eigenfaces.
        vectors: the whole faces, for the bound that projects them.
        seen: the faces with the occluder in place of the hidden pixels.
        visible: the pixels that are not hidden.
    """
    pca, noise = model
    filled = np.where(visible, vectors, pca.mean[None, :])
    robust = robust_codes(pca, seen, noise)
    codes = {
        "plain": project(pca, seen),
        "mean filled in": project(pca, filled),
        "masked": masked_codes(pca, vectors, visible),
        "masked, prior": masked_codes(pca, vectors, visible, noise),
        "robust": robust.codes,
        "whole face": project(pca, vectors),
    }
    faces = {name: np.asarray(reconstruct(pca, code)) for name, code in codes.items()}
    mean = np.broadcast_to(pca.mean[None, :], vectors.shape)
    return Restored({"mean face": mean} | faces, np.asarray(robust.weights))


def hole_psnr(restored: Vectors, vectors: Vectors, visible: Mask) -> Float[np.ndarray, " face"]:
    """Returns the peak signal-to-noise ratio of each face inside its hole, in dB; white is 1."""
    errors = np.where(visible, 0.0, (np.asarray(restored).clip(0.0, 1.0) - vectors) ** 2)
    return -10.0 * np.log10(errors.sum(axis=1) / (~visible).sum(axis=1))


def mask_overlap(weights: Vectors, visible: Mask) -> Float[np.ndarray, " face"]:
    """Returns how well the robust fit finds the hidden pixels: intersection over union."""
    hidden = ~visible
    doubted = np.asarray(weights) < BELIEVED
    return (hidden & doubted).sum(axis=1) / (hidden | doubted).sum(axis=1)


class Table(NamedTuple):
    """Holds how well holes of several sizes are restored.

    Attributes:
        scores: mean PSNR in the hole of each size, by the name of the method.
        overlaps: how well the robust fit finds the hidden pixels, for each size.
        shown: faces, hidden and restored, at the size that is nearest to a quarter.
    """

    scores: dict[str, list[float]]
    overlaps: list[float]
    shown: tuple[Vectors, ...]


def table(
    model: FaceModel,
    vectors: Vectors,
    shape: tuple[int, int],
    shares: tuple[float, ...],
    generator: np.random.Generator,
) -> Table:
    """Hides a rectangle of each face and restores it by each method, for each hidden share."""
    scores: dict[str, list[float]] = {}
    overlaps, rows = [], ()
    nearest = min(shares, key=lambda share: abs(share - 0.25))
    for share in shares:
        visible = hide_squares(len(vectors), shape, share, generator)
        seen = np.where(visible, vectors, np.float32(0.0))
        restored = restore(model, vectors, seen, visible)
        overlaps.append(float(mask_overlap(restored.weights, visible).mean()))
        for name, images in restored.faces.items():
            value = float(hole_psnr(images, vectors, visible).mean())
            scores.setdefault(name, []).append(value)
        if share == nearest:
            methods = ("mean filled in", "masked, prior", "robust")
            rows = (vectors, seen, *(restored.faces[name] for name in methods))
    return Table(scores, overlaps, rows)
