"""Writes patches of pictures as sums of few atoms, and repairs pictures so."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32

from lecture_models.image_space.patches import patches as all_patches
from lecture_models.linear.pca import fit_pca
from lecture_models.linear.sparse_coding import matching_pursuit

_BATCH = 256
PENALTY = 0.1  # Of the lasso by which atoms are learned; white is 1.
_WHOLE_PENALTY = 0.5  # Likewise, of whole faces.
_WHOLE_PASSES = 30
_GAIN = 1.15  # Errors up to this multiple of the noise are left: Elad and Aharon, 2006.
_STRIDE = 2  # Between patches of a picture that is repaired.
_FIT = 0.02  # Deviation up to which the seen pixels are fitted; white is 1.

Patches = Float[np.ndarray, "patch pixel"]
Picture = Float32[np.ndarray, "height width"]


class Basis(NamedTuple):
    """Holds the atoms of a dictionary.

    Attributes:
        atoms: rows of length 1.
        is_leading: True if the first s atoms are used for all patches, as by PCA; False if each
            patch chooses its own s.
    """

    atoms: Float[np.ndarray, "atom pixel"]
    is_leading: bool


def draw_patches(
    pixels: Float32[np.ndarray, "picture height width"],
    side: int,
    count: int,
    generator: np.random.Generator,
) -> Patches:
    """Returns random patches as rows, each shifted to mean 0."""
    chosen = generator.integers(len(pixels), size=count)
    tops = generator.integers(pixels.shape[1] - side + 1, size=count)
    lefts = generator.integers(pixels.shape[2] - side + 1, size=count)
    rows = [
        pixels[picture, top : top + side, left : left + side].ravel()
        for picture, top, left in zip(chosen, tops, lefts, strict=True)
    ]
    vectors = np.stack(rows)
    return vectors - vectors.mean(axis=1, keepdims=True)


def fit_bases(train: Patches, atoms: int, iterations: int, seed: int) -> dict[str, Basis]:
    """Returns learned atoms (scikit-learn's online dictionary learning), PCA and DCT."""
    import scipy.fft

    learned = _learned_atoms(train, atoms, PENALTY, max(1, iterations * _BATCH // len(train)), seed)
    side = round(np.sqrt(train.shape[1]))
    principal = fit_pca(train, min(train.shape[1] - 1, len(train) - 1)).components.T
    rows = scipy.fft.dct(np.eye(side), norm="ortho", axis=0)
    cosines = np.kron(rows, rows)[1:]  # The first is constant, and patches have mean 0.
    return {
        "learned": Basis(learned, False),
        "pca_first": Basis(principal, True),
        "pca_chosen": Basis(principal, False),
        "dct": Basis(cosines.astype(np.float32), False),
    }


def _learned_atoms(
    train: Patches, count: int, penalty: float, passes: int, seed: int
) -> Float32[np.ndarray, "atom pixel"]:
    from sklearn.decomposition import MiniBatchDictionaryLearning

    learner = MiniBatchDictionaryLearning(
        count,
        alpha=penalty,
        max_iter=passes,
        batch_size=_BATCH,
        fit_algorithm="lars",
        random_state=seed,
    )
    learned = learner.fit(train).components_
    learned = learned / np.maximum(np.linalg.norm(learned, axis=1, keepdims=True), 1e-12)
    return learned.astype(np.float32)


def whole_errors(
    train: Patches, test: Patches, count: int, active: int, seed: int
) -> tuple[dict[str, float], Float32[np.ndarray, "atom pixel"]]:
    """Returns the mean squared errors of whole faces from atoms and from eigenfaces, and the atoms.

    Args:
        train: faces as rows.
        test: faces of other people.
        count: number of atoms and of eigenfaces.
        active: number of coefficients of a face.
        seed: of the learning.
    """
    pca = fit_pca(train, count)
    centered = test - pca.mean[None, :]
    atoms = _learned_atoms(train - pca.mean[None, :], count, _WHOLE_PENALTY, _WHOLE_PASSES, seed)
    components = pca.components.T
    bases = {
        "atoms": (Basis(atoms, False), active),
        "pca_few": (Basis(components, True), active),
        "pca_chosen": (Basis(components, False), active),
        "pca_all": (Basis(components, True), count),
    }
    errors = {
        name: float(((approximate(basis, centered, number) - centered) ** 2).mean())
        for name, (basis, number) in bases.items()
    }
    return errors, atoms


def approximate(basis: Basis, patches: Patches, count: int) -> Patches:
    """Returns the patches as sums of `count` atoms."""
    if basis.is_leading:
        first = basis.atoms[:count]
        return (patches @ first.T) @ first
    return matching_pursuit(basis.atoms, patches, count) @ basis.atoms


def inpaint(basis: Basis, face: Picture, visible: Bool[np.ndarray, "height width"], side: int):
    """Returns a picture whose missing pixels are those of sparse fits to the others."""
    rows = all_patches(face[..., None], side, _STRIDE)
    seen = all_patches(visible.astype(np.float32)[..., None], side, _STRIDE)
    means = (rows * seen).sum(axis=1, keepdims=True) / np.maximum(
        seen.sum(axis=1, keepdims=True), 1
    )
    codes = matching_pursuit(basis.atoms, rows - means, side**2 // 8, seen, _FIT)
    restored = _averaged(codes @ basis.atoms + means, face.shape, side)
    return np.where(visible, face, restored).astype(np.float32)


def denoise(basis: Basis, face: Picture, noise: float, side: int) -> Picture:
    """Returns the mean of overlapping patches, each with as few atoms as the noise allows."""
    rows = all_patches(face[..., None], side, _STRIDE)
    means = rows.mean(axis=1, keepdims=True)
    codes = matching_pursuit(basis.atoms, rows - means, side**2 // 4, None, _GAIN * noise)
    return _averaged(codes @ basis.atoms + means, face.shape, side)


def mean_psnr(images: np.ndarray, originals: np.ndarray) -> float:
    """Returns the mean peak signal-to-noise ratio in dB; white is 1."""
    errors = ((np.clip(images, 0.0, 1.0) - originals) ** 2).mean(axis=(1, 2))
    return float((-10.0 * np.log10(errors)).mean())


def _averaged(rows: Patches, shape: tuple[int, int], side: int) -> Picture:
    """Puts the patches of `all_patches` back, and averages where they overlap."""
    places = all_patches(
        np.arange(shape[0] * shape[1], dtype=np.float32).reshape(*shape, 1), side, _STRIDE
    )
    index = np.rint(places).astype(np.int64).ravel()
    total = np.bincount(index, np.asarray(rows).ravel(), shape[0] * shape[1])
    count = np.bincount(index, minlength=shape[0] * shape[1])
    return (total / count).reshape(shape).astype(np.float32)
