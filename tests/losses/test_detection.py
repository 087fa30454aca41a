import jax
import jax.numpy as jnp
import numpy as np
import optax

from lecture_models.losses.detection import box_loss, focal_loss

LABELS = jnp.array([[0, -1, -1]])
FIRST = jnp.array([[1.0, 0.0, 0.0]])
OTHERS = 1.0 - FIRST


def test_an_undecided_anchor_at_known_points():
    loss = focal_loss(jnp.zeros((1, 1, 1)), jnp.array([[0]]), FIRST[:, :1], OTHERS[:, :1])
    np.testing.assert_allclose(loss, 0.25 * np.log(2.0) / 4.0, rtol=1e-6)
    loss = focal_loss(jnp.zeros((1, 3, 1)), LABELS, FIRST, OTHERS)
    np.testing.assert_allclose(loss, (0.25 + 2 * 0.75) * np.log(2.0) / 4.0, rtol=1e-6)


def test_without_focus_it_is_half_the_cross_entropy():
    logits = jax.random.normal(jax.random.key(0), (1, 3, 2))
    nats = optax.sigmoid_binary_cross_entropy(logits, jax.nn.one_hot(LABELS, 2)).sum()
    np.testing.assert_allclose(
        focal_loss(logits, LABELS, FIRST, OTHERS, 0.5, 0.0), 0.5 * nats, rtol=1e-5
    )


def test_what_is_sure_and_right_costs_nothing_and_anchors_without_a_weight_do_not_count():
    sure = jnp.array([[[20.0], [-20.0], [20.0]]])
    assert focal_loss(sure, LABELS, FIRST, OTHERS)[0] > 1.0
    np.testing.assert_allclose(
        focal_loss(sure, LABELS, FIRST, OTHERS.at[0, 2].set(0.0)), 0.0, atol=1e-6
    )


def test_only_anchors_with_an_object_have_a_box_to_fit():
    overlaps = jnp.array([[1.0, 0.5, 1.0]])
    weights = jnp.array([[1.0, 0.0, 0.0]])
    np.testing.assert_allclose(box_loss(overlaps, weights), 0.0, atol=1e-6)
    np.testing.assert_allclose(box_loss(overlaps, 1.0 - weights), 0.25, rtol=1e-5)
    assert box_loss(overlaps, 0.0 * weights)[0] == 0.0


def test_an_object_with_many_anchors_counts_as_one_with_one():
    logits = jnp.array([[[3.0], [3.0], [-1.0]]])
    weights = jnp.array([[0.5, 0.5, 1.0]])
    labels = jnp.zeros((1, 3), jnp.int32)
    one, none = FIRST[:, :1], OTHERS[:, :1]
    each = [focal_loss(logits[:, n : n + 1], labels[:, :1], one, none) for n in (0, 2)]
    both = focal_loss(logits, labels, weights, jnp.zeros((1, 3)))
    np.testing.assert_allclose(both, sum(each) / 2, rtol=1e-5)
