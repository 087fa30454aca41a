import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import decomposition

from lecture_models.data import mnist
from lecture_models.linear import pca as pcas
from lecture_models.nn.pixel_values import flatten_to_unit_range


def vectors(count, dim, seed=0):
    """Returns correlated vectors with a mean that is not 0, and with decreasing variances."""
    generator = np.random.default_rng(seed)
    mixing = generator.normal(size=(dim, dim)) * 0.8 ** np.arange(dim)[:, None]
    return (generator.normal(size=(count, dim)) @ mixing + 3.0).astype(np.float32)


TALL, WIDE = vectors(9_000, 12), vectors(20, 50)  # More than one chunk; singular values.
both = pytest.mark.parametrize("rows", [TALL, WIDE], ids=["tall", "wide"])


@both
def test_components_and_variances_are_those_of_scikit_learn(rows):
    found, reference = pcas.fit_pca(rows, 5), decomposition.PCA(5, svd_solver="full").fit(rows)
    signs = np.sign(np.sum(found.components * reference.components_.T, axis=0))
    np.testing.assert_allclose(
        found.components * signs[None, :], reference.components_.T, atol=1e-4
    )
    # Ours divides by n, theirs by n - 1.
    expected = reference.explained_variance_ * (len(rows) - 1) / len(rows)
    np.testing.assert_allclose(found.variances, expected, rtol=1e-4)
    np.testing.assert_allclose(found.mean, reference.mean_, rtol=1e-5)
    codes = pcas.project(found, rows) * signs[None, :]
    np.testing.assert_allclose(codes, reference.transform(rows), atol=1e-3)


@both
def test_components_are_orthonormal_and_decrease_in_variance(rows):
    found = pcas.fit_pca(rows, 8)
    np.testing.assert_allclose(found.components.T @ found.components, np.eye(8), atol=1e-5)
    assert (np.diff(found.variances) < 0.0).all()


@both
def test_the_omitted_variance_is_the_squared_error(rows):
    whole, few = pcas.fit_pca(rows, min(rows.shape)), pcas.fit_pca(rows, 4)
    errors = rows - pcas.reconstruct(few, pcas.project(few, rows))
    left_out = whole.variances[4:].sum()
    assert (errors**2).sum(axis=1).mean() == pytest.approx(left_out, rel=1e-3)


def test_all_components_reconstruct_everything():
    found = pcas.fit_pca(TALL, 12)
    again = pcas.reconstruct(found, pcas.project(found, TALL))
    np.testing.assert_allclose(again, TALL, atol=1e-3)


def test_fewer_components_are_the_first_ones():
    few, same = pcas.fit_pca(TALL, 3), pcas.leading(pcas.fit_pca(TALL, 9), 3)
    for one, other in zip(few, same, strict=True):
        np.testing.assert_array_equal(one, other)


def test_moments_are_those_of_numpy():
    found = pcas.moments(TALL)
    np.testing.assert_allclose(found.mean, TALL.mean(0, dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(
        found.covariance, np.cov(TALL.astype(np.float64), rowvar=False, bias=True), rtol=1e-9
    )


def test_projection_runs_under_jit():
    found = pcas.fit_pca(TALL, 3)
    codes = jax.jit(lambda rows: pcas.project(found, rows))(jnp.asarray(TALL[:5]))
    np.testing.assert_allclose(codes, pcas.project(found, TALL[:5]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("wanted", [0, 21])
def test_more_components_than_there_can_be_are_refused(wanted):
    with pytest.raises(
        ValueError, match="20 examples of 50 dimensions; the number must be from 1 to 20"
    ):
        pcas.fit_pca(WIDE, wanted)
    with pytest.raises(ValueError, match="12 dimensions; the number must be from 1 to 12"):
        pcas.principal_components(pcas.moments(TALL), 13)


def turned(angle):
    """Returns the plane of the first two of five axes, and this plane rotated about the first."""
    plane = np.eye(5)[:, :2]
    other = plane.copy()
    other[1, 1], other[2, 1] = np.cos(angle), np.sin(angle)
    return plane, other


@pytest.mark.parametrize("angle", [1e-9, 1e-4, 0.3, np.pi / 4, 1.2, np.pi / 2 - 1e-9])
def test_a_turned_plane_has_the_angle_it_was_turned_by(angle):
    first, second = turned(angle)
    mixed = second @ np.array([[2.0, 1.0], [-0.5, 3.0]])  # Another basis of the same plane.
    found = pcas.principal_angles(first, mixed)
    np.testing.assert_allclose(found, [0.0, angle], rtol=1e-6, atol=1e-15)


def test_angles_do_not_depend_on_the_order():
    first, second = TALL[:12, :3].copy(), WIDE[:12, :3].copy()
    np.testing.assert_allclose(
        pcas.principal_angles(first, second), pcas.principal_angles(second, first), rtol=1e-9
    )


def test_orthogonal_subspaces_are_a_right_angle_apart():
    axes = np.eye(6)
    found = pcas.principal_angles(axes[:, :3], axes[:, 3:])
    np.testing.assert_allclose(found, np.pi / 2, rtol=1e-12)


def test_angles_between_spaces_of_different_dimension_are_refused():
    with pytest.raises(ValueError, match=r"\(6, 2\) and \(6, 3\); they must be equal"):
        pcas.principal_angles(np.eye(6)[:, :2], np.eye(6)[:, :3])


@pytest.mark.slow
@pytest.mark.real_data
def test_thirty_components_leave_the_published_error_of_mnist(real_data):
    dataset = mnist.read(mnist.MNIST, real_data)
    training = np.concatenate([dataset.train.images, dataset.validation.images])
    found = pcas.fit_pca(flatten_to_unit_range(training), 30)
    test = flatten_to_unit_range(dataset.test.images)
    errors = test - pcas.reconstruct(found, pcas.project(found, test))
    # Hinton and Salakhutdinov, 2006, supporting text: 13.87.
    assert (errors**2).sum(axis=1).mean() == pytest.approx(13.87, abs=0.01)


def test_values_that_are_not_finite_are_refused():
    rows = np.ones((5, 3), np.float32)
    rows[1, 2], rows[4, 0] = np.nan, np.inf
    with pytest.raises(ValueError, match="2 of 15 values are NaN or infinite"):
        pcas.fit_pca(rows, 1)
