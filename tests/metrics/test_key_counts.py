import numpy as np
import pytest

from lecture_models.metrics.key_counts import counted_nats, held_shares, key_shares

FRAMES = np.array([[1, 0], [1, 0], [1, 1], [0, 1]])


def test_shares_are_counted_with_one_half_in_advance():
    np.testing.assert_allclose(key_shares(FRAMES), [3.5 / 5, 2.5 / 5])
    np.testing.assert_allclose(key_shares(FRAMES[:0]), [0.5, 0.5])


def test_a_key_is_counted_after_each_of_its_states():
    shares = held_shares(FRAMES[:-1], FRAMES[1:])
    # The first key was never up before a frame; after down it stayed down twice of three times.
    np.testing.assert_allclose(shares[:, 0], [0.5, 2.5 / 4])
    # The second was up twice, then up and down; once down, then down.
    np.testing.assert_allclose(shares[:, 1], [1.5 / 3, 1.5 / 2])


def test_even_chances_cost_ln_2_per_key():
    np.testing.assert_allclose(counted_nats(np.full(2, 0.5), FRAMES), 2 * np.log(2))


def test_nats_are_those_of_each_frame():
    nats = counted_nats(np.array([[0.9, 0.2], [0.5, 0.5]]), FRAMES[:2])
    assert nats == pytest.approx([-np.log(0.9 * 0.8), 2 * np.log(2)])


def test_counted_shares_cost_least_on_what_was_counted():
    generator = np.random.default_rng(0)
    frames = (generator.random((400, 5)) < [0.1, 0.3, 0.5, 0.7, 0.9]).astype(int)
    best = counted_nats(key_shares(frames), frames).sum()
    for change in (-0.05, 0.05):
        assert counted_nats(np.clip(key_shares(frames) + change, 0.01, 0.99), frames).sum() > best
