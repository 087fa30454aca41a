import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax.typing import DTypeLike

from lecture_models.nn.classifier_head import linear_classifier


class Net(nn.Module):
    """Applies a head alone."""

    num_classes: int
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, x):
        return linear_classifier(x, self.num_classes, self.dtype)


def test_logits_are_linear_in_the_features():
    features = jax.random.normal(jax.random.key(0), (3, 4))
    logits, variables = Net(5).init_with_output(jax.random.key(1), features)
    kernel = np.asarray(variables["params"]["fc"]["kernel"])
    np.testing.assert_allclose(logits, np.asarray(features) @ kernel, rtol=1e-5)


def test_no_classes_means_no_layer():
    logits, variables = Net(0).init_with_output(jax.random.key(1), jnp.ones((3, 4)))
    assert logits.shape == (3, 0)
    assert "params" not in variables


def test_logits_of_bfloat16_features_are_float32():
    logits, variables = Net(2, jnp.bfloat16).init_with_output(jax.random.key(1), jnp.ones((3, 4)))
    assert logits.dtype == variables["params"]["fc"]["kernel"].dtype == jnp.float32
