import numpy as np
import pytest
from sklearn.linear_model import orthogonal_mp

from lecture_models.linear.sparse_coding import matching_pursuit

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
