import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.data.dataset import Split
from lecture_models.data.ragged import Ragged
from lecture_models.tasks import film_windows as fw


@pytest.fixture
def split():
    """Holds films of 7 and 3 frames of 4x4 pixels; each pixel tells its frame."""
    frames = [np.full((count, 4, 4), 0, np.uint8) for count in (7, 3)]
    for film in frames:
        film += np.arange(len(film), dtype=np.uint8)[:, None, None] * 10
    return Split(
        {
            "frames": Ragged.from_sequences(frames),
            "labels": np.array([1, 0], np.int32),
            "people": np.array([2, 5], np.int32),
        }
    )


def numbered(count, time=4):
    """Returns windows whose pixels are the number of their frame."""
    return jnp.broadcast_to(
        jnp.arange(time, dtype=jnp.float32)[None, :, None, None, None], (count, time, 2, 2, 1)
    )


def test_windows_overlap_end_with_the_film_and_pad_short_films(split):
    windows = fw.cut_windows(split, 4, 4, 2)
    assert windows.frames[:, :, 0, 0].tolist() == [
        [0, 10, 20, 30],
        [20, 30, 40, 50],
        [30, 40, 50, 60],
        [0, 10, 20, 0],
    ]
    assert windows.lengths.tolist() == [4, 4, 4, 3]
    assert windows.labels.tolist() == [1, 1, 1, 0]
    assert windows.people.tolist() == [2, 2, 2, 5]
    assert windows.films.tolist() == [0, 0, 0, 1]


def test_smaller_frames_are_averages(split):
    frames = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)
    small = fw.shrink(Ragged.from_sequences([frames]), 2)
    np.testing.assert_array_equal(small.values[0], np.rint([[2.5, 4.5], [10.5, 12.5]]))
    with pytest.raises(ValueError, match="frames of 4 pixels cannot be reduced to 3"):
        fw.shrink(split["frames"], 3)


def test_gray_values_become_floats_from_minus_1_to_1():
    frames = np.array([[[[0, 255]]]], np.uint8)
    np.testing.assert_array_equal(fw.to_films(frames)[0, 0, 0, :, 0], [-1.0, 1.0])


def test_all_frames_of_a_window_are_shifted_alike_and_windows_differ():
    films = jnp.tile(jnp.arange(64.0).reshape(1, 1, 8, 8, 1), (6, 3, 1, 1, 1))
    moved = np.asarray(fw.rolled(jax.random.key(0), films, 2))
    assert (moved == moved[:, :1]).all()
    assert len({tuple(window.ravel()) for window in moved}) > 2
    assert (np.sort(moved.reshape(6, 3, 64), axis=2) == np.arange(64.0)).all()
    np.testing.assert_array_equal(fw.rolled(jax.random.key(0), films, 0), films)


def test_shuffling_and_reversal_move_real_frames_only():
    films, mask = numbered(40), jnp.arange(4)[None] < jnp.array([3] * 40)[:, None]
    mixed = np.asarray(fw.shuffled(jax.random.key(0), films, mask))[..., 0, 0, 0]
    assert (mixed[:, 3] == 3.0).all()
    assert len({tuple(row) for row in mixed}) == 6
    backward = np.asarray(fw.reversed_in_time(films, mask))[..., 0, 0, 0]
    assert backward[0].tolist() == [2.0, 1.0, 0.0, 3.0]


def test_motion_is_the_change_since_the_frame_before():
    films = numbered(1) ** 2
    assert np.asarray(fw.motion(films))[0, :, 0, 0, 0].tolist() == [0.0, 1.0, 3.0, 5.0]


def test_windows_vote_by_the_sum_of_log_probabilities():
    # One window is sure of class 1, two lean to class 0.
    logs = np.log([[0.01, 0.99], [0.6, 0.4], [0.6, 0.4], [0.7, 0.3]]).astype(np.float32)
    assert fw.vote(logs, np.array([4, 4, 4, 9])) == {4: 1, 9: 0}
