import numpy as np
import pytest

from lecture_models.evaluators import components


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    return random.normal(size=(60, 6)) * np.array([5.0, 3.0, 2.0, 1.0, 0.5, 0.2]) + 4.0


def test_statements_about_components_hold_to_rounding(rows):
    found = components.pca_statements(rows, 3, 200, 0)
    assert len(found) == 8
    assert max(found.values()) < 1e-12


def test_statements_about_components_notice_an_analysis_that_is_off(rows, monkeypatch):
    def tilted(vectors):
        right = moments(vectors)
        return right._replace(covariance=right.covariance + 0.1 * np.ones_like(right.covariance))

    moments = components.moments
    monkeypatch.setattr(components, "moments", tilted)
    found = components.pca_statements(rows, 3, 200, 0)
    held = [name for name, value in found.items() if value < 1e-3]
    # What the covariance has no part in, or what is true of any orthonormal basis.
    assert held == [
        "no random direction of 200 has more variance than the first component",
        "components are orthonormal",
        "fewer examples than dimensions: X X^T has the eigenvalues of X^T X",
    ]


def test_statements_about_discriminants_hold_and_two_classes_have_one(rows):
    labels = np.arange(60) % 3
    shifted = rows + 2.0 * np.eye(6)[labels]
    found = components.lda_statements(shifted, labels, 200, 0)
    assert "only 2 ratios are not 0: one fewer than classes" in found
    assert max(found.values()) < 1e-9
    two = components.lda_statements(shifted[labels < 2], labels[labels < 2], 200, 0)
    assert "only 1 ratios are not 0: one fewer than classes" in two


def test_few_components_hold_the_variance_of_a_known_spectrum():
    # Four points on the axes at the distances 3, 3, 1 and 1: shares of 0.9 and 0.1.
    rows = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    assert components.components_for(rows, (0.5, 0.89, 0.91, 1.0)) == [1, 1, 2, 2]


def test_without_centering_the_first_direction_is_the_mean_or_the_largest_square():
    along = np.array([[10.0, 0.1], [10.0, -0.1]])
    assert components.uncentered_angle(along) == pytest.approx(0.0, abs=1e-6)
    across = np.array([[0.1, 10.0], [0.1, -10.0]])
    assert components.uncentered_angle(across) == pytest.approx(90.0, abs=1e-6)


def test_neighbors_vote_in_percent():
    train = (np.array([[0.0], [0.1], [0.2], [5.0]]), np.array([0, 0, 0, 1]))
    test = (np.array([[0.05], [4.9]]), np.array([0, 1]))
    assert components.projected_accuracy(train, test, 3) == 50.0
    assert components.projected_accuracy(train, test, 1) == 100.0


def test_the_plane_of_components_is_that_of_the_first_rows(rows):
    train, other = components.plane_of_components(rows[:40], rows[40:])
    assert train.shape == (40, 2)
    assert other.shape == (20, 2)
    np.testing.assert_allclose(train.mean(axis=0), 0.0, atol=1e-5)
    assert abs(other.mean()) > 1e-3  # Centered by the mean of the first rows, not by their own.
