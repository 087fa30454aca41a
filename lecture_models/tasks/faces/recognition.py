"""Recognizes people by eigenfaces and by Fisherfaces, as the protocols of the literature do."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from lecture_models.linear.feature_space import span_coordinates
from lecture_models.linear.pca import PCA, fit_pca, project
from lecture_models.metrics.neighbors import nearest_neighbors
from lecture_models.tasks.faces.pictures import Faces

Coordinates = Float[np.ndarray, "face coordinate"]
People = Int[np.ndarray, " face"]
# Maps training faces and their people to the codes of any faces.
Encoder = Callable[[Coordinates], Coordinates]
Fit = Callable[[Coordinates, People], Encoder]


def eigenfaces(count: int, omitted: int = 0) -> Fit:
    """Returns how to fit the projection on eigenfaces.

    Args:
        count: the number of eigenfaces; fewer where there are fewer faces.
        omitted: how many of the first ones are left out, because they show the light.
    """

    def fit(vectors: Coordinates, people: People) -> Encoder:
        pca = fit_pca(vectors, min(count + omitted, len(vectors) - 1, vectors.shape[1]))
        kept = PCA(pca.mean, pca.components[:, omitted:], pca.variances[omitted:])
        return lambda others: project(kept, others)

    return fit


def fisherfaces(shrinkage: float) -> Fit:
    """Returns how to fit Fisherfaces: PCA to n - c dimensions, then scikit-learn's LDA.

    Args:
        shrinkage: share of a multiple of the identity in the covariance within people, from 0 to 1.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    def fit(vectors: Coordinates, people: People) -> Encoder:
        classes = len(np.unique(people))
        pca = fit_pca(vectors, min(max(len(vectors) - classes, 1), vectors.shape[1]))
        lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=shrinkage)
        lda.fit(project(pca, vectors), people)
        return lambda others: lda.transform(project(pca, others))

    return fit


def accuracy(fit: Fit, coordinates: Coordinates, people: People, train: Bool[np.ndarray, " face"]):
    """Returns the share of the other faces whose nearest training face is of the same person."""
    encode = fit(coordinates[train], people[train])
    nearest = nearest_neighbors(encode(coordinates[~train]), encode(coordinates[train]))
    return float((people[train][nearest.indices] == people[~train]).mean())


def random_halves(
    fits: dict[str, Fit], faces: Faces, count: int, seed: int
) -> dict[str, Float64[np.ndarray, " draw"]]:
    """Returns the accuracies when a random half of each person's pictures is for training.

    Args:
        fits: the methods by name.
        faces: the faces.
        count: how many halves are drawn.
        seed: of the draws; all methods get the same ones.
    """
    coordinates, generator = span_coordinates(faces.vectors), np.random.default_rng(seed)
    draws = [draw_half(faces.people, generator) for _ in range(count)]
    return {
        name: np.array([accuracy(fit, coordinates, faces.people, train) for train in draws])
        for name, fit in fits.items()
    }


def draw_half(people: People, generator: np.random.Generator) -> Bool[np.ndarray, " face"]:
    """Marks a random half of each person's faces, at least one and not all."""
    train = np.zeros(len(people), bool)
    for person in np.unique(people):
        own = generator.permutation(np.flatnonzero(people == person))
        train[own[: len(own) // 2]] = True
    return train


def fixed_halves(fits: dict[str, Fit], faces: Faces) -> dict[str, tuple[float, float]]:
    """Returns the accuracies with the first half of each person for training, and with the last."""
    coordinates = span_coordinates(faces.vectors)
    counts = np.bincount(faces.people)[faces.people]
    first, last = faces.numbers < counts // 2, faces.numbers >= (counts + 1) // 2
    return {
        name: (
            accuracy(fit, coordinates, faces.people, first),
            accuracy(fit, coordinates, faces.people, last),
        )
        for name, fit in fits.items()
    }


def leave_one_out_errors(
    fits: dict[str, Fit], faces: Faces, most: int
) -> dict[str, Bool[np.ndarray, " face"]]:
    """Tells of each face whether it is not recognized when all the others are for training.

    Args:
        fits: the methods by name.
        faces: the faces.
        most: at most so many faces are left out in turn, the first ones.
    """
    coordinates = span_coordinates(faces.vectors)
    errors = {}
    for name, fit in fits.items():
        wrong = np.zeros(min(most, len(coordinates)), bool)
        for index in range(len(wrong)):
            train = np.arange(len(coordinates)) != index
            wrong[index] = accuracy(fit, coordinates, faces.people, train) < 1.0
        errors[name] = wrong
    return errors
