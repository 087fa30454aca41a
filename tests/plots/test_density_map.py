import numpy as np

from lecture_models.plots.density_map import density_map


def test_dense_places_are_darker_and_points_are_drawn():
    density = np.zeros((4, 4))
    density[:2] = 1.0  # The lower half.
    none = np.zeros((0, 2))
    image = density_map(density, none, (0.0, 0.0), (1.0, 1.0), 1.0)
    assert image.shape == (640, 640, 3)
    assert image[420, 320].mean() < image[200, 320].mean() - 0.5
    dotted = density_map(density, np.full((1, 2), 0.5), (0.0, 0.0), (1.0, 1.0), 1.0)
    assert 0 < (np.abs(dotted - image).max(axis=2) > 0.1).sum() < 200
