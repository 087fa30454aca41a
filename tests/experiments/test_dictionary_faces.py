import numpy as np
import pytest

from experiments import dictionary_faces as experiment
from lecture_models.tasks.faces import sparse_patches


def test_values_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="none above 64"):
        experiment.Config(sparsities=(65,))
    with pytest.raises(ValueError, match=r"--missing is 1\.0"):
        experiment.Config(missing=1.0)


def test_patches_that_overlap_are_put_back_where_they_were():
    picture = np.random.default_rng(0).random((11, 9)).astype(np.float32)
    rows = sparse_patches.all_patches(picture[..., None], 4, 2)
    np.testing.assert_allclose(sparse_patches._averaged(rows, (11, 9), 4), picture, rtol=1e-6)


def test_a_complete_basis_approximates_exactly_and_the_seen_pixels_stay():
    basis = sparse_patches.Basis(np.eye(16, dtype=np.float32), False)
    patches = np.random.default_rng(1).normal(size=(5, 16)).astype(np.float32)
    np.testing.assert_allclose(sparse_patches.approximate(basis, patches, 16), patches, atol=1e-6)
    face = np.random.default_rng(2).random((8, 8)).astype(np.float32)
    visible = face > 0.3
    filled = sparse_patches.inpaint(basis, face, visible, 4)
    np.testing.assert_array_equal(filled[visible], face[visible])
