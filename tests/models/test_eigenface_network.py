import numpy as np

from lecture_models.linear.pca import fit_pca, project
from lecture_models.models.eigenface_network import EigenfaceNetwork, eigenface_weights


def test_the_network_computes_what_the_matrices_do():
    generator = np.random.default_rng(0)
    stored = generator.random((6, 30)).astype(np.float32)
    people = np.array([0, 0, 1, 1, 2, 2])
    pca = fit_pca(stored, 3)
    patterns = project(pca, stored)
    faces = stored[::-1] + 0.05 * generator.normal(size=stored.shape).astype(np.float32)
    weights = eigenface_weights(pca.mean, pca.components, patterns, people, 3)
    votes, activations = EigenfaceNetwork(3, 6, 3).apply(weights, faces)
    codes = project(pca, faces)
    distances = ((codes[:, None] - patterns[None]) ** 2).sum(-1)
    np.testing.assert_allclose(activations["pattern"], codes, atol=1e-5)
    np.testing.assert_allclose(activations["distance"], distances, atol=1e-5)
    np.testing.assert_array_equal(votes.argmax(1), people[distances.argmin(1)])
    assert votes.sum() == 6.0
