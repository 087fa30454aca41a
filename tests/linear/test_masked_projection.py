import numpy as np
import pytest

from lecture_models.linear.masked_projection import masked_codes, noise_variance, robust_codes
from lecture_models.linear.pca import fit_pca, project

GENERATOR = np.random.default_rng(0)
BASIS = GENERATOR.normal(size=(3, 60))
ROWS = (GENERATOR.normal(size=(50, 3)) @ BASIS + 1.0).astype(np.float32)
NOISY = ROWS + 0.05 * GENERATOR.normal(size=ROWS.shape).astype(np.float32)
PCA = fit_pca(NOISY, 3)
VISIBLE = GENERATOR.random(ROWS.shape) > 0.4


def test_with_everything_visible_it_is_the_projection():
    codes = masked_codes(PCA, NOISY, np.ones(ROWS.shape, bool))
    np.testing.assert_allclose(codes, project(PCA, NOISY), rtol=1e-3, atol=1e-3)


def test_it_is_the_least_squares_of_numpy_on_the_visible_values():
    codes = np.asarray(masked_codes(PCA, NOISY, VISIBLE))
    for row, seen, code in zip(NOISY[:5], VISIBLE[:5], codes[:5], strict=True):
        expected = np.linalg.lstsq(PCA.components[seen], (row - PCA.mean)[seen], rcond=None)[0]
        np.testing.assert_allclose(code, expected, rtol=1e-2, atol=1e-2)


def test_hidden_values_have_no_effect():
    other = np.where(VISIBLE, NOISY, np.float32(99.0))
    for noise in (0.0, 0.01):
        np.testing.assert_allclose(
            masked_codes(PCA, other, VISIBLE, noise), masked_codes(PCA, NOISY, VISIBLE, noise)
        )


def test_a_large_noise_leaves_the_mean():
    assert np.abs(masked_codes(PCA, NOISY, VISIBLE, 1e9)).max() < 1e-3


def test_the_noise_variance_is_that_of_the_noise():
    assert noise_variance(PCA, NOISY) == pytest.approx(0.05**2, rel=0.2)
    with pytest.raises(ValueError, match="60 components of 60 dimensions leave no noise"):
        noise_variance(PCA._replace(components=np.eye(60, dtype=np.float32)), NOISY)


def test_the_robust_fit_finds_which_values_are_wrong():
    wrong = np.zeros(ROWS.shape, bool)
    wrong[:, 10:18] = True
    fit = robust_codes(PCA, np.where(wrong, NOISY + np.float32(20.0), NOISY), 1e-3)
    assert np.asarray(fit.weights)[wrong].mean() < 0.05
    assert np.asarray(fit.weights)[~wrong].mean() > 0.6
    truth = project(PCA, NOISY)
    assert np.abs(fit.codes - truth).mean() < 0.1 * np.abs(truth).mean()


def test_the_robust_fit_is_not_misled_by_many_wrong_values_of_one_kind():
    basis = np.linalg.qr(GENERATOR.normal(size=(200, 12))).Q * np.geomspace(8.0, 1.0, 12)[None]
    rows = GENERATOR.normal(size=(300, 12)) @ basis.T
    rows = (rows + 0.05 * GENERATOR.normal(size=rows.shape)).astype(np.float32)
    pca, truth = fit_pca(rows[:200], 12), rows[200:]
    hidden = np.arange(200) < 70
    damaged = np.where(hidden[None], np.float32(1.5), truth)
    fit = robust_codes(pca, damaged, noise_variance(pca, rows[:200]))
    error = np.abs(fit.codes - project(pca, truth)).mean()
    assert error < 0.25 * np.abs(project(pca, damaged) - project(pca, truth)).mean()
    assert np.asarray(fit.weights)[:, hidden].mean() < 0.2


def test_a_robust_fit_without_noise_is_refused():
    with pytest.raises(ValueError, match="noise is 0.0; it must be above 0"):
        robust_codes(PCA, NOISY, 0.0)


def test_a_vector_that_is_wholly_hidden_is_refused():
    with pytest.raises(ValueError, match="all values of 1 vectors are hidden"):
        masked_codes(PCA, NOISY[:2], np.arange(2)[:, None] == np.zeros((1, 60)))
