import numpy as np
import pytest
import scipy.signal
import scipy.stats

from lecture_models.linear.feature_space import squared_distances, standardized
from lecture_models.linear.pca import fit_pca
from lecture_models.linear.window_distances import PatchSpace, correlate, window_distances

GENERATOR = np.random.default_rng(0)
IMAGE = GENERATOR.random((20, 17)).astype(np.float32)
REGION = np.ones((6, 5), bool)
REGION[0, 0] = False
PATCHES = GENERATOR.random((40, int(REGION.sum()))).astype(np.float32)


@pytest.mark.parametrize("least", [None, 1e-3], ids=["raw", "standardized"])
def test_correlations_give_what_a_sliding_window_gives(least):
    prepare = standardized if least else lambda rows: rows
    space = PatchSpace(fit_pca(prepare(PATCHES), 4), REGION, least)
    windows = np.lib.stride_tricks.sliding_window_view(IMAGE, (6, 5))[:, :, REGION]
    expected = squared_distances(space.pca, prepare(windows.reshape(-1, PATCHES.shape[1])))
    found = window_distances(IMAGE, space)
    assert found.shape == (15, 13)
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-4, atol=1e-4)


def test_with_noise_the_windows_are_compared_by_a_normal_density():
    pca, noise = fit_pca(standardized(PATCHES), 4), 0.3
    windows = np.lib.stride_tricks.sliding_window_view(IMAGE, (6, 5))[:, :, REGION]
    rows = standardized(windows.reshape(-1, PATCHES.shape[1]))
    inside = pca.components.astype(float)
    covariance = noise * (np.eye(len(inside)) - inside @ inside.T)
    covariance += (inside * pca.variances[None, :]) @ inside.T
    density = scipy.stats.multivariate_normal(pca.mean, covariance)
    expected = -2.0 * density.logpdf(rows) - len(inside) * np.log(2.0 * np.pi)
    found = window_distances(IMAGE, PatchSpace(pca, REGION, 1e-3, noise))
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-3, atol=1e-2)


def test_windows_without_contrast_are_infinitely_far():
    space = PatchSpace(fit_pca(standardized(PATCHES), 2), REGION, 0.05)
    assert np.isinf(window_distances(np.full((9, 9), 0.5), space)).all()


def test_the_correlation_is_that_of_scipy():
    kernels = GENERATOR.normal(size=(2, 6, 5))
    for found, kernel in zip(correlate(IMAGE, kernels), kernels, strict=True):
        np.testing.assert_allclose(
            found, scipy.signal.correlate(IMAGE.astype(float), kernel, "valid"), atol=1e-9
        )


def test_an_image_that_is_smaller_than_a_window_is_refused():
    space = PatchSpace(fit_pca(PATCHES, 2), REGION, None)
    with pytest.raises(ValueError, match="the image is 5x9; it must be at least 6x5"):
        window_distances(IMAGE[:5, :9], space)
