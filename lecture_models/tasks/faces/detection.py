"""Decides whether a patch is a face by its distance from the space of faces."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int

from lecture_models.linear.feature_space import LEAST_DEVIATION, squared_distances, standardized
from lecture_models.linear.pca import PCA, fit_pca, leading

Vectors = Float[np.ndarray, "patch pixel"]
# "raw" leaves patches as they are.
PREPARATIONS = {"raw": lambda vectors: vectors, "standardized": standardized}


class Patches(NamedTuple):
    """Holds the patches of one experiment, as rows of gray levels in [0, 1].

    Attributes:
        train: faces that span the space.
        chosen_faces: faces on which the number of eigenfaces and the threshold are chosen.
        chosen_others: what is not a face, likewise.
        test_faces: faces that are looked at once.
        test_others: what is not a face, likewise.
        photos: patches of photos, none of which was chosen by its likeness to a face.
    """

    train: Vectors
    chosen_faces: Vectors
    chosen_others: Vectors
    test_faces: Vectors
    test_others: Vectors
    photos: Vectors


class Detector(NamedTuple):
    """Describes a detector.

    Attributes:
        pca: the face space.
        preparation: the name of the preparation.
        threshold: patches that are nearer than this squared distance are faces.
    """

    pca: PCA
    preparation: str
    threshold: float


def divide(
    pixels: Float32[np.ndarray, "patch height width"],
    labels: Int[np.ndarray, " patch"],
    photos: Float32[np.ndarray, "photo height width"],
    seed: int,
) -> Patches:
    """Divides patches at random: half of the faces train, a quarter chooses, a quarter tests.

    Of what is not a face, half chooses and half tests. As many patches are cut from the photos, at
    random places, as there are patches that are not faces.

    Args:
        pixels: the patches.
        labels: 1 for a face, 0 for another patch.
        photos: photos without faces.
        seed: of the division.
    """
    generator = np.random.default_rng(seed)
    vectors = pixels.reshape(len(pixels), -1)
    faces = vectors[generator.permutation(np.flatnonzero(labels == 1))]
    others = vectors[generator.permutation(np.flatnonzero(labels == 0))]
    half, middle = len(faces) // 2, len(others) // 2
    quarter = half + (len(faces) - half) // 2
    return Patches(
        faces[:half],
        faces[half:quarter],
        others[:middle],
        faces[quarter:],
        others[middle:],
        cut_patches(photos, pixels.shape[1:], len(others), generator),
    )


def cut_patches(
    photos: Float32[np.ndarray, "photo height width"],
    shape: tuple[int, int],
    count: int,
    generator: np.random.Generator,
) -> Vectors:
    """Returns windows of a shape at random places of random photos, as rows."""
    chosen = generator.integers(len(photos), size=count)
    tops = generator.integers(photos.shape[1] - shape[0] + 1, size=count)
    lefts = generator.integers(photos.shape[2] - shape[1] + 1, size=count)
    cut = [
        photos[photo, top : top + shape[0], left : left + shape[1]].ravel()
        for photo, top, left in zip(chosen, tops, lefts, strict=True)
    ]
    return np.stack(cut)


def area_under_curve(faces: Float[np.ndarray, " face"], others: Float[np.ndarray, " other"]):
    """Returns the probability that a random face is nearer to face space than a random other."""
    from sklearn.metrics import roc_auc_score

    truth = np.repeat([0, 1], [len(faces), len(others)])
    return float(roc_auc_score(truth, np.concatenate([faces, others])))


def curve(patches: Patches, preparation: str, counts: tuple[int, ...]) -> dict[str, list[float]]:
    """Returns the area under the ROC curve for each number of eigenfaces.

    Returns:
        By the name of the others: `chosen`, those on which the number is chosen; `held_out`, all
        held-out faces against all patches that are not faces; `photos`, the same faces against
        patches of photos; and `test`, of what was not used to choose.
    """
    prepare = PREPARATIONS[preparation]
    pca = fit_pca(prepare(patches.train), max(counts))
    rows: dict[str, list[float]] = {"chosen": [], "held_out": [], "photos": [], "test": []}
    prepared = Patches(*(prepare(vectors) for vectors in patches))
    for count in counts:
        far = Patches(*(squared_distances(leading(pca, count), vectors) for vectors in prepared))
        faces = np.concatenate([far.chosen_faces, far.test_faces])
        others = np.concatenate([far.chosen_others, far.test_others])
        rows["chosen"].append(area_under_curve(far.chosen_faces, far.chosen_others))
        rows["test"].append(area_under_curve(far.test_faces, far.test_others))
        rows["held_out"].append(area_under_curve(faces, others))
        rows["photos"].append(area_under_curve(faces, far.photos))
    return rows


def fit_detector(patches: Patches, preparation: str, count: int) -> Detector:
    """Returns a detector whose threshold has the largest mean accuracy of both kinds of patches."""
    from sklearn.metrics import roc_curve

    prepare = PREPARATIONS[preparation]
    pca = fit_pca(prepare(patches.train), count)
    faces, others = (
        squared_distances(pca, prepare(vectors))
        for vectors in (patches.chosen_faces, patches.chosen_others)
    )
    truth = np.repeat([1, 0], [len(faces), len(others)])
    false, true, thresholds = roc_curve(truth, -np.concatenate([faces, others]))
    return Detector(pca, preparation, float(-thresholds[np.argmax(true - false)]))


def distances(detector: Detector, vectors: Vectors) -> Float[np.ndarray, " patch"]:
    """Returns the squared distance of each patch from the detector's face space."""
    return squared_distances(detector.pca, PREPARATIONS[detector.preparation](vectors))


def verdict(detector: Detector, patch: Float[np.ndarray, " pixel"]) -> str:
    """Returns the detector's answer for one patch; a patch of one gray level is not a face."""
    if patch.std() < LEAST_DEVIATION:
        return "not a face"
    distance = float(distances(detector, patch[None])[0])
    return "face" if distance <= detector.threshold else "not a face"
