import numpy as np
import pytest

from lecture_models.linear.fisher import fisher_ratio, fit_discriminant, scatter_of


def labeled_rows(seed=0, count=90, dim=4, classes=3):
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    means = 3.0 * random.normal(size=(classes, dim))
    return means[labels] + random.normal(size=(count, dim)) @ random.normal(size=(dim, dim)), labels


def test_covariances_within_and_between_add_up_to_the_covariance():
    rows, labels = labeled_rows()
    scatter = scatter_of(rows[:-7], labels[:-7])  # Classes of unequal size.
    expected = np.cov(rows[:-7].T, bias=True)
    np.testing.assert_allclose(scatter.within + scatter.between, expected, atol=1e-12)


def test_covariances_of_two_points_a_class_are_those_by_hand():
    rows = np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 6.0], [6.0, 6.0]])
    scatter = scatter_of(rows, np.array([5, 5, 9, 9]))
    np.testing.assert_array_equal(scatter.within, [[1.0, 0.0], [0.0, 0.0]])
    np.testing.assert_array_equal(scatter.between, [[4.0, 6.0], [6.0, 9.0]])


def test_the_first_direction_has_the_largest_ratio_and_ratios_are_those_of_their_directions():
    rows, labels = labeled_rows()
    scatter = scatter_of(rows, labels)
    directions, ratios = fit_discriminant(scatter, 3)
    np.testing.assert_allclose(fisher_ratio(directions, scatter), ratios, atol=1e-12)
    assert ratios[0] > ratios[1] > 1e-3
    assert abs(ratios[2]) < 1e-12  # Three classes span a plane.
    drawn = np.random.default_rng(1).normal(size=(4, 500))
    assert fisher_ratio(drawn, scatter).max() <= ratios[0]
    nudged = directions[:, :1] + 1e-3 * drawn
    assert fisher_ratio(nudged, scatter).max() <= ratios[0] * (1.0 + 1e-12)


def test_codes_have_unit_variance_within_classes():
    rows, labels = labeled_rows()
    directions, _ = fit_discriminant(scatter_of(rows, labels), 2)
    within = scatter_of(rows @ directions, labels).within
    np.testing.assert_allclose(within, np.eye(2), atol=1e-12)


def test_two_classes_have_the_direction_of_the_closed_form():
    rows, labels = labeled_rows(classes=2)
    scatter = scatter_of(rows, labels)
    found = fit_discriminant(scatter, 1)[0][:, 0]
    closed = np.linalg.solve(
        scatter.within, rows[labels == 0].mean(axis=0) - rows[labels == 1].mean(axis=0)
    )
    cosine = abs(found @ closed) / np.linalg.norm(found) / np.linalg.norm(closed)
    assert cosine == pytest.approx(1.0, abs=1e-12)


def test_full_shrinkage_gives_the_directions_of_the_means():
    rows, labels = labeled_rows()
    scatter = scatter_of(rows, labels)
    found = fit_discriminant(scatter, 1, shrinkage=1.0)[0][:, 0]
    first = np.linalg.eigh(scatter.between)[1][:, -1]
    assert abs(found @ first) / np.linalg.norm(found) == pytest.approx(1.0, abs=1e-9)


def test_one_class_too_many_directions_and_a_singular_covariance_are_refused():
    rows, labels = labeled_rows()
    with pytest.raises(ValueError, match="there is 1 class; a discriminant needs at least 2"):
        scatter_of(rows, np.zeros_like(labels))
    scatter = scatter_of(rows, labels)
    with pytest.raises(ValueError, match="5 directions are asked for; there can be 1 to 4"):
        fit_discriminant(scatter, 5)
    flat = scatter_of(np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0], [6.0, 0.0]]), labels[:4] % 2)
    with pytest.raises(ValueError, match="singular in 2 dimensions"):
        fit_discriminant(flat, 1)
    assert np.isfinite(fit_discriminant(flat, 1, shrinkage=0.1)[0]).all()
