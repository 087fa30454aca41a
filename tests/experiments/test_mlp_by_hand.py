import jax
import numpy as np
import pytest

from experiments import mlp_by_hand as experiment
from lecture_models.data.lookup import Library

SMALL = experiment.Config(
    **experiment.SMOKE | {"num_steps": 60, "batch_size": 50, "learning_rate": 0.05}
)


@pytest.fixture(scope="module")
def evaluation():
    """The evaluation after all steps of a small run."""
    built = experiment.build(SMALL, Library(None, print))
    state, step = built.init(jax.random.key(0)), jax.jit(built.step)
    for _, batch in zip(range(SMALL.num_steps), built.batches(0), strict=False):
        state, _ = step(state, batch, None)
    return built.evaluate(state, None)


def test_every_hand_gradient_is_that_of_autodiff_and_of_central_differences(evaluation):
    rows = evaluation["gradients"].rows
    assert len(rows) == 4 * 2 * 4
    assert evaluation["gradient_difference_autodiff"] < 1e-12
    assert evaluation["gradient_difference_central"] < 1e-6
    assert evaluation["alarm_gradient"] == ""


def test_the_products_of_the_slide_are_the_gradient(evaluation):
    rows = evaluation["chain_rule"].rows
    assert [row[0] for row in rows] == ["w2_1", "w2_2", "w1_11", "w1_12", "w1_21", "w1_22"]
    products, references = np.array([row[-2:] for row in rows]).T
    np.testing.assert_allclose(products, references, rtol=1e-10)
    assert np.abs(products).min() > 1e-6


def test_both_networks_learn_alike(evaluation):
    assert evaluation["early_loss_difference"] < 1e-5
    assert evaluation["alarm_curve"] == ""
    assert evaluation["test_accuracy_percent"] > 30.0
    assert evaluation["autodiff_test_accuracy_percent"] == evaluation["test_accuracy_percent"]


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="--activation is 'softsign'; allowed: identity"):
        experiment.Config(activation="softsign")
