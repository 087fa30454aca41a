import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_models.image_space.lbfgs import lbfgs
from lecture_models.image_space.objectives import (
    channel_mean,
    class_log_probability,
    class_logit,
    feature_match,
    layer_energy,
    neuron,
    total_variation,
)
from lecture_models.image_space.optimizers import normalized_gradient
from lecture_models.image_space.parameterizations import pixels
from lecture_models.image_space.step import image_loss, image_step, init_image
from lecture_models.image_space.terms import Term, negated
from lecture_models.image_space.transforms import jitter

IMAGE = jax.random.uniform(jax.random.key(0), (1, 6, 6, 3), minval=-0.5, maxval=0.5)
WEIGHTS = jax.random.normal(jax.random.key(1), (3, 4))


def network(variables, images):
    """A 1x1 convolution, a rectifier, and the means as scores."""
    features = jnp.maximum(images @ variables, 0.0)
    return features.mean((1, 2)), {"relu": features}


def run(terms, optimizer, steps, transform=None, limited=True):
    form = pixels(limited)
    extra = () if transform is None else (transform,)
    step = jax.jit(image_step(network, form, terms, optimizer, *extra))
    state, found = init_image(form, optimizer, IMAGE), []
    targets = tuple(term.target for term in terms)
    for number in range(steps):
        state, metrics = step(state, WEIGHTS, targets, jax.random.key(number))
        found.append(metrics)
    return state, found


@pytest.mark.parametrize(
    "objective",
    [
        layer_energy("relu"),
        channel_mean("relu", 1),
        neuron("relu", 2, 2, 1),
        class_logit(1),
        class_log_probability(1),
    ],
)
def test_what_is_to_grow_rises_in_a_few_steps(objective):
    terms = (Term("grown", negated(objective)),)
    _, found = run(terms, normalized_gradient(0.02), 5)
    values = [-float(each["grown"]) for each in found]
    assert values == sorted(values)
    assert values[-1] > values[0]


def test_metrics_are_the_loss_and_every_term_by_name():
    terms = (
        Term("content", feature_match("relu"), 2.0, jnp.zeros((1, 6, 6, 4))),
        Term("variation", total_variation(), 0.5),
    )
    _, (metrics,) = run(terms, normalized_gradient(0.1), 1)
    assert set(metrics) == {"loss", "content", "variation"}
    expected = 2.0 * metrics["content"] + 0.5 * metrics["variation"]
    np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-6)


def test_a_picture_is_found_again_from_features_near_to_its_own():
    """Far ones may be behind a rectifier, where there is no gradient."""
    _, wanted = network(WEIGHTS, 1.2 * IMAGE)
    terms = (Term("content", feature_match("relu"), 1.0, wanted["relu"]),)
    _, found = run(terms, lbfgs(5), 40, limited=False)
    assert found[-1]["content"] < 1e-3 * found[0]["content"]


def test_limited_pixels_stay_in_range_and_can_come_back():
    state, _ = run((Term("score", negated(class_logit(0))),), normalized_gradient(1.0), 3)
    assert float(jnp.abs(state.params).max()) == 1.0
    gradient = jax.grad(
        lambda x: image_loss(network, pixels(), (Term("s", class_logit(0)),), x, WEIGHTS, ((),))[0]
    )(state.params)
    assert gradient[jnp.abs(state.params) == 1.0].any()


def test_terms_of_pixels_see_the_image_before_its_transform():
    terms = (Term("variation", total_variation()),)
    _, (still,) = run(terms, normalized_gradient(0.1), 1)
    _, (moved,) = run(terms, normalized_gradient(0.1), 1, transform=jitter(3))
    np.testing.assert_allclose(moved["variation"], still["variation"], rtol=1e-6)
