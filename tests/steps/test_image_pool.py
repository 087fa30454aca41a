import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.steps.image_pool import empty_pool, exchange


def numbered(numbers):
    return jnp.asarray(numbers, jnp.float32).reshape(-1, 1, 1, 1)


def test_without_places_images_pass_through():
    pool, shown = exchange(empty_pool(0, (1, 1, 1)), numbered([3, 4]), jax.random.key(0))
    assert shown.reshape(-1).tolist() == [3.0, 4.0]
    assert pool.images.shape == (0, 1, 1, 1)


def test_until_it_is_full_all_images_are_kept_and_returned():
    pool, shown = exchange(empty_pool(3, (1, 1, 1)), numbered([1, 2, 3]), jax.random.key(0))
    assert shown.reshape(-1).tolist() == [1.0, 2.0, 3.0]
    assert pool.images.reshape(-1).tolist() == [1.0, 2.0, 3.0]
    assert int(pool.count) == 3


def test_then_half_are_returned_at_once_and_half_take_the_place_of_an_old_one():
    count, size = 4_000, 10
    pool, _ = exchange(empty_pool(size, (1, 1, 1)), numbered(range(size)), jax.random.key(0))
    arrivals = numbered(range(size, size + count))
    after, shown = jax.jit(exchange)(pool, arrivals, jax.random.key(1))
    shown, new = np.asarray(shown).reshape(-1), np.asarray(arrivals).reshape(-1)
    at_once = shown == new
    assert abs(at_once.mean() - 0.5) < 0.03
    # Nothing is lost or doubled: what was put in is what was returned or is still there.
    kept = np.asarray(after.images).reshape(-1)
    everything = np.concatenate([np.arange(size), new])
    assert sorted([*shown, *kept]) == sorted(everything)
    # Old ones are drawn evenly: an image stays for 20 arrivals in the mean.
    stayed = (new - shown)[~at_once]
    assert abs(stayed.mean() - 2 * size) < 2.0


def test_the_same_key_gives_the_same_exchange():
    pool, _ = exchange(empty_pool(2, (1, 1, 1)), numbered([1, 2]), jax.random.key(0))
    first, second = (exchange(pool, numbered([3, 4, 5]), jax.random.key(2)) for _ in range(2))
    np.testing.assert_array_equal(first[1], second[1])
    np.testing.assert_array_equal(first[0].images, second[0].images)
