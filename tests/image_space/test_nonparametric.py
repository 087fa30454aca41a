import numpy as np
import pytest

from lecture_models.image_space.nonparametric import _SourceWindows, grow_texture


def noise(height=14, width=12):
    values = np.random.default_rng(0).uniform(-1.0, 1.0, (height, width, 3))
    return values.astype(np.float32)


def checks(side, square=2):
    rows, columns = np.indices((side, side)) // square
    values = np.where((rows + columns) % 2, 1.0, -1.0).astype(np.float32)
    return np.repeat(values[..., None], 3, axis=2)


def test_every_pixel_is_copied_from_the_place_that_is_named():
    source = noise()
    grown = grow_texture(source, (17, 21), 5, seed=0)
    assert grown.image.shape == (17, 21, 3)
    rows, columns = grown.origin[..., 0], grown.origin[..., 1]
    np.testing.assert_array_equal(grown.image, source[rows, columns])
    colors = {tuple(pixel) for pixel in source.reshape(-1, 3)}
    assert {tuple(pixel) for pixel in grown.image.reshape(-1, 3)} <= colors


def test_a_chessboard_goes_on_as_a_chessboard():
    grown = grow_texture(checks(16), (24, 24), 7, seed=1).image
    assert np.square(grown[2:] + grown[:-2]).max() == 0.0
    assert np.square(grown[:, 2:] + grown[:, :-2]).max() == 0.0


def test_without_tolerance_noise_is_copied_in_one_piece():
    """Every window is unlike all others, so only its own neighbors fit, up to the edge."""
    source = noise(40, 40)
    grown = grow_texture(source, (9, 9), 5, seed=0, tolerance=0.0)
    steps = np.diff(grown.origin, axis=1)
    assert (steps == [0, 1]).all(-1).mean() > 0.8


@pytest.mark.parametrize("tolerance", [0.0, 10.0, 1e6])
def test_windows_within_the_tolerance_of_the_best_are_drawn(tolerance):
    source, random = noise(), np.random.default_rng(0)
    origin = np.full((5, 5, 2), -1)
    origin[1, 1], origin[1, 2] = (0, 0), (9, 5)  # Not neighbors in the source: no window fits.
    seen = source[0, 0], source[9, 5]
    # Of the windows of 3x3 around a place, the corner and the pixel above the place are compared.
    weights = np.exp(-0.5 * np.array([2.0, 1.0]) / (3 / 6.4) ** 2)
    distances = {
        (row, column): sum(
            weight * np.square(source[row - 1, column - 1 + along] - pixel).sum()
            for along, (weight, pixel) in enumerate(zip(weights, seen, strict=True))
        )
        for row in range(1, source.shape[0] - 1)
        for column in range(1, source.shape[1] - 1)
    }
    bound = min(distances.values()) * (1.0 + tolerance)
    allowed = {place for place, distance in distances.items() if distance <= bound * (1.0 + 1e-5)}
    windows, place = _SourceWindows(source, 3), np.array([[2, 2]])
    drawn = {tuple(windows.draw(origin, place, tolerance, random)[0]) for _ in range(1_500)}
    assert drawn == allowed
    assert len(allowed) == {0.0: 1, 10.0: 11, 1e6: 12 * 10}[tolerance]


def test_the_same_seed_gives_the_same_texture_and_another_another():
    first, again, other = [grow_texture(noise(), (9, 9), 5, seed).image for seed in (0, 0, 1)]
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.0


@pytest.mark.parametrize("neighborhood", [1, 4, 13])
def test_a_neighborhood_that_cannot_be_is_refused(neighborhood):
    with pytest.raises(ValueError, match=f"the neighborhood is {neighborhood}"):
        grow_texture(noise(), (9, 9), neighborhood, 0)


def test_a_size_below_the_seed_patch_is_refused():
    with pytest.raises(ValueError, match="the size is 2x9"):
        grow_texture(noise(), (2, 9), 5, 0)
