import itertools

import numpy as np
import pytest

from lecture_models.linear.left_to_right import best_paths, even_paths, stay_probabilities


def score_of(path, emissions, stay):
    """Returns the logarithm of the probability of one path, by its definition."""
    total = emissions[0, path[0]]
    for frame in range(1, len(path)):
        before, after = path[frame - 1], path[frame]
        total += np.log(stay[before] if after == before else 1.0 - stay[before])
        total += emissions[frame, after]
    return total


def every_path(frames, states):
    for path in itertools.product(range(states), repeat=frames):
        steps = np.diff(path)
        if path[0] == 0 and path[-1] == states - 1 and set(steps.tolist()) <= {0, 1}:
            yield path


@pytest.mark.parametrize(("frames", "states"), [(5, 3), (4, 2), (3, 3)])
def test_the_path_is_the_best_of_all(frames, states):
    random = np.random.default_rng(frames)
    emissions, stay = random.normal(size=(4, frames, states)), random.uniform(0.2, 0.9, states)
    found = best_paths(emissions, np.full(4, frames), stay)
    for sound in range(4):
        expected = max(
            every_path(frames, states), key=lambda path: score_of(path, emissions[sound], stay)
        )
        assert tuple(found.paths[sound]) == expected
        assert found.scores[sound] == pytest.approx(score_of(expected, emissions[sound], stay))


def test_frames_after_the_end_do_not_matter():
    emissions = np.random.default_rng(0).normal(size=(1, 6, 2))
    stay = np.array([0.5, 0.7])
    short = best_paths(emissions[:, :4], np.array([4]), stay)
    emissions[:, 4:] = 99.0
    padded = best_paths(emissions, np.array([4]), stay)
    assert padded.scores.tolist() == short.scores.tolist()
    assert padded.paths[0].tolist() == [*short.paths[0].tolist(), -1, -1]


def test_fewer_frames_than_states_are_impossible():
    found = best_paths(np.zeros((2, 3, 3)), np.array([2, 3]), np.full(3, 0.5))
    assert np.isneginf(found.scores[0])
    assert np.isfinite(found.scores[1])


def test_even_paths_share_the_frames():
    paths = even_paths(np.array([6, 4]), 6, 3)
    assert paths.tolist() == [[0, 0, 1, 1, 2, 2], [0, 0, 1, 2, -1, -1]]


def test_the_chance_of_staying_follows_from_the_mean_duration():
    paths = np.array([[0, 0, 0, 0, 1, -1], [0, 0, 1, 1, 1, 1]])
    # State 0 lasts 3 frames in the mean, state 1 lasts 2.5.
    np.testing.assert_allclose(stay_probabilities(paths, 2), [1 - 1 / 3, 1 - 1 / 2.5])
    assert stay_probabilities(np.array([[0, 1]]), 2).tolist() == [0.05, 0.05]
