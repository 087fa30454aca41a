import numpy as np
import pytest
from sklearn.linear_model import Lasso, orthogonal_mp

from lecture_models.linear.sparse_coding import (
    lasso,
    lasso_objective,
    learn_dictionary,
    matching_pursuit,
)

GENERATOR = np.random.default_rng(0)
ATOMS = GENERATOR.normal(size=(30, 16))
ATOMS /= np.linalg.norm(ATOMS, axis=1, keepdims=True)
VECTORS = GENERATOR.normal(size=(7, 16))


def test_codes_are_those_of_scikit_learn():
    expected = orthogonal_mp(ATOMS.T, VECTORS.T, n_nonzero_coefs=4).T
    np.testing.assert_allclose(matching_pursuit(ATOMS, VECTORS, 4), expected, atol=1e-6)


def test_an_orthonormal_dictionary_gives_the_largest_products():
    basis = np.linalg.qr(GENERATOR.normal(size=(16, 16))).Q
    products = VECTORS @ basis.T
    codes = matching_pursuit(basis, VECTORS, 5)
    for code, product in zip(codes, products, strict=True):
        largest = np.argsort(-np.abs(product))[:5]
        assert set(np.flatnonzero(code)) == set(largest)
        np.testing.assert_allclose(code[largest], product[largest], rtol=1e-6)


def test_missing_values_have_no_effect_and_are_filled_in():
    codes = np.zeros((1, 30))
    codes[0, [3, 17]] = 2.0, -1.0
    whole = codes @ ATOMS
    seen = np.ones(whole.shape)
    seen[0, :4] = 0.0
    damaged = np.where(seen > 0.0, whole, 77.0)
    found = matching_pursuit(ATOMS, damaged, 4, seen, 1e-6) @ ATOMS
    np.testing.assert_allclose(found, whole, atol=1e-5)


def test_no_more_atoms_are_taken_than_the_noise_asks_for():
    codes = matching_pursuit(ATOMS, VECTORS, 10, None, 0.5)
    left = np.sqrt(((VECTORS - codes @ ATOMS) ** 2).mean(axis=1))
    assert (left <= 0.5).all()
    assert (codes != 0.0).sum(axis=1).max() < 10


def test_more_atoms_than_there_are_are_refused():
    with pytest.raises(ValueError, match="count is 31; with 30 atoms"):
        matching_pursuit(ATOMS, VECTORS, 31)


def test_an_orthonormal_dictionary_is_exact_with_as_many_atoms_as_were_used():
    basis = np.linalg.qr(GENERATOR.normal(size=(16, 16))).Q
    codes = np.zeros((3, 16))
    codes[:, [2, 7, 11]] = GENERATOR.normal(size=(3, 3)) + 3.0
    np.testing.assert_allclose(matching_pursuit(basis, codes @ basis, 3), codes, atol=1e-8)


def test_ista_gives_the_lasso_of_scikit_learn():
    penalty = 0.3
    model = Lasso(penalty / VECTORS.shape[1], fit_intercept=False, tol=1e-10, max_iter=100_000)
    expected = model.fit(ATOMS.T, VECTORS.T).coef_
    assert 0 < (expected != 0.0).sum() < expected.size
    found = lasso(ATOMS.astype(np.float32), VECTORS.astype(np.float32), penalty, 20_000)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_the_objective_of_ista_never_rises():
    rows = VECTORS.astype(np.float32)
    atoms = ATOMS.astype(np.float32)
    values = [
        float(lasso_objective(atoms, rows, lasso(atoms, rows, 0.3, steps), 0.3).sum())
        for steps in range(12)
    ]
    assert (np.diff(values) <= 1e-6).all()
    assert values[-1] < 0.9 * values[0]


def test_without_a_penalty_ista_is_least_squares():
    atoms = ATOMS[:8].astype(np.float32)
    expected = np.linalg.lstsq(ATOMS[:8].T, VECTORS.T, rcond=None)[0].T
    found = lasso(atoms, VECTORS.astype(np.float32), 0.0, 5_000)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_the_objective_never_rises_while_atoms_are_learned_and_atoms_have_length_1():
    codes = np.where(GENERATOR.random((200, 30)) < 0.1, GENERATOR.normal(size=(200, 30)), 0.0)
    learned = learn_dictionary(codes @ ATOMS, 20, 0.05, 25, 0)
    assert (np.diff(learned.objectives) <= 1e-6).all()
    assert learned.objectives[-1] < 0.75 * learned.objectives[0]
    np.testing.assert_allclose(np.linalg.norm(learned.atoms, axis=1), 1.0, rtol=1e-9)


def test_more_atoms_than_vectors_and_a_negative_penalty_are_refused():
    with pytest.raises(ValueError, match="count is 8; with 7 vectors"):
        learn_dictionary(VECTORS, 8, 0.1, 1, 0)
    with pytest.raises(ValueError, match="penalty is -1.0"):
        lasso(ATOMS, VECTORS, -1.0, 1)
