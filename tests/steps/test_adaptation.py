import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lecture_models.losses.domains import domain_loss, reversal_strength
from lecture_models.nn.gradient_reversal import reverse_gradient
from lecture_models.steps.adaptation import (
    ADDA,
    DANN,
    SOURCE_ONLY,
    TARGET_TRAINED,
    Adaptation,
    Labeled,
    adda_step,
    adversarial_step,
    begin_adda,
    init_adaptation,
)
from lecture_models.steps.classifier import mean_cross_entropy

# Linear features of images with two pixels; the first pixel is the class, the second the domain.
ADAPTATION = Adaptation(
    features=lambda params, images: images[:, 0, :, 0] @ params["features"],
    classify=lambda params, features: features @ params["classes"],
    tell_domain=lambda params, features, strength: (
        reverse_gradient(features, strength) @ params["domain"]
    ),
    judge=lambda params, features: features @ params,
    optimizer=optax.sgd(0.1),
    adda_optimizer=optax.sgd(0.1),
    num_steps=10,
)
PARAMS = {
    "features": jnp.array([[1.0, 0.2], [0.5, -1.0]]),
    "classes": jnp.array([[1.0, -1.0], [0.0, 0.5]]),
    "domain": jnp.array([0.3, 2.0]),
}
SOURCE = Labeled(jnp.array([1.0, -1.0, -1.0, -1.0]).reshape(2, 1, 2, 1), jnp.array([0, 1]))
TARGET = Labeled(jnp.array([1.0, 1.0, -1.0, 1.0]).reshape(2, 1, 2, 1), jnp.array([1, 0]))


@pytest.fixture(scope="module")
def step():
    return jax.jit(lambda state, *domains: adversarial_step(ADAPTATION, state, *domains))


def begin():
    return init_adaptation(ADAPTATION, PARAMS, jnp.array([0.4, -0.3]))


def changed(before, after):
    return {
        name
        for name in before.networks
        if not all(
            np.array_equal(a, b)
            for a, b in zip(
                jax.tree.leaves(before.networks[name].params),
                jax.tree.leaves(after.networks[name].params),
                strict=True,
            )
        )
    }


def test_at_strength_zero_dann_learns_what_source_only_learns_bit_for_bit(step):
    state, metrics = step(begin(), SOURCE, TARGET)  # The strength of the first step is 0.
    for name in ("features", "classes"):
        np.testing.assert_array_equal(
            state.networks[DANN].params[name], state.networks[SOURCE_ONLY].params[name]
        )
    assert not np.array_equal(state.networks[DANN].params["domain"], PARAMS["domain"])
    assert set(metrics) == {"class_loss", "domain_loss"}


def test_every_network_but_addas_moves_and_only_the_upper_bound_reads_the_targets_labels(step):
    before = begin()
    after, _ = step(before, SOURCE, TARGET)
    assert changed(before, after) == {SOURCE_ONLY, DANN, TARGET_TRAINED}
    other, _ = step(before, SOURCE, TARGET._replace(labels=1 - TARGET.labels))
    assert changed(after, other) == {TARGET_TRAINED}


def test_features_descend_the_classes_loss_and_climb_the_domains(step):
    state, _ = step(begin()._replace(step=jnp.int32(5)), SOURCE, TARGET)  # Half of the steps.
    strength = reversal_strength(jnp.float32(0.5))

    def features_loss(sign):
        def loss(features):
            params = PARAMS | {"features": features}
            source, target = (ADAPTATION.features(params, part.images) for part in (SOURCE, TARGET))
            of_classes = mean_cross_entropy(ADAPTATION.classify(params, source), SOURCE.labels)
            of_domains = domain_loss(source @ params["domain"], target @ params["domain"])
            return of_classes + sign * strength * of_domains

        return loss

    gradient = jax.grad(features_loss(-1.0))(PARAMS["features"])
    assert not np.allclose(gradient, jax.grad(features_loss(0.0))(PARAMS["features"]), atol=0.01)
    expected = PARAMS["features"] - 0.1 * gradient
    np.testing.assert_allclose(state.networks[DANN].params["features"], expected, rtol=1e-5)


def test_adda_begins_with_the_source_and_never_moves_its_classes(step):
    state, _ = step(begin(), SOURCE, TARGET)
    state = begin_adda(ADAPTATION, state)
    assert (
        changed(
            state, state._replace(networks=state.networks | {ADDA: state.networks[SOURCE_ONLY]})
        )
        == set()
    )
    after, metrics = adda_step(ADAPTATION, state, SOURCE, TARGET)
    assert changed(state, after) == {ADDA}
    np.testing.assert_array_equal(
        after.networks[ADDA].params["classes"], state.networks[SOURCE_ONLY].params["classes"]
    )
    assert not np.array_equal(after.judge.params, state.judge.params)
    # Labels of the target are never read.
    other, _ = adda_step(ADAPTATION, state, SOURCE, TARGET._replace(labels=1 - TARGET.labels))
    assert changed(after, other) == set()
    assert set(metrics) == {"class_loss", "domain_loss"}
