import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import Isomap

from lecture_models.linear.classical_scaling import classical_scaling
from lecture_models.linear.pca import fit_pca, project
from lecture_models.metrics import embedding

GENERATOR = np.random.default_rng(0)
LINE = np.linspace(0.0, 1.0, 40)


def test_an_embedding_that_keeps_all_is_trusted_and_continuous():
    points = np.stack([LINE, LINE**2], 1)
    assert embedding.trustworthiness(points, 3.0 * points, 5) == 1.0
    assert embedding.continuity(points, 3.0 * points, 5) == 1.0


def test_a_fold_is_not_trusted_and_a_tear_is_not_continuous():
    straight = LINE[:, None]
    folded = np.abs(LINE - 0.5)[:, None]
    torn = np.where(LINE < 0.5, LINE, LINE + 50.0)[:, None]
    torn[::2] += 200.0
    assert embedding.trustworthiness(straight, folded, 4) < 0.95
    assert embedding.continuity(straight, folded, 4) > embedding.trustworthiness(
        straight, folded, 4
    )
    assert embedding.continuity(straight, torn, 4) < 1.0


def test_nearest_and_farthest_come_close_in_many_dimensions():
    low, high = (embedding.nearest_to_farthest(GENERATOR.random((100, n))) for n in (2, 1_000))
    assert low < 0.15
    assert high > 0.8
    assert embedding.nearest_to_farthest(np.array([[0.0], [1.0], [3.0]])) == pytest.approx(
        (1 / 3 + 1 / 2 + 2 / 3) / 3
    )


def test_scaling_of_euclidean_distances_is_pca_up_to_signs():
    vectors = GENERATOR.normal(size=(30, 5)) * [5.0, 3.0, 1.0, 0.5, 0.2]
    points = np.asarray(classical_scaling(squareform(pdist(vectors)), 2))
    codes = np.asarray(project(fit_pca(vectors, 2), vectors))
    signs = np.sign((points * codes).sum(0))
    np.testing.assert_allclose(points * signs[None], codes, atol=1e-4)


def test_isomap_is_scaling_of_the_distances_along_its_graph():
    angles = np.linspace(0.0, 4.0, 50)
    arc = np.stack([np.cos(angles), np.sin(angles)], 1)
    isomap = Isomap(n_neighbors=4, n_components=1).fit(arc)
    ours = np.asarray(classical_scaling(isomap.dist_matrix_, 1))[:, 0]
    theirs = isomap.embedding_[:, 0]
    np.testing.assert_allclose(ours * np.sign(ours @ theirs), theirs, atol=1e-4)
    assert abs(np.corrcoef(ours, angles)[0, 1]) > 0.999


def test_scaling_needs_as_many_points_as_coordinates():
    with pytest.raises(ValueError, match="dim is 4; with 3 points it must be from 1 to 3"):
        classical_scaling(np.zeros((3, 3)), 4)
