import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.nn.maxout import Maxout


def test_a_unit_is_the_largest_of_its_pieces():
    layer = Maxout(features=3, pieces=4)
    x = jax.random.normal(jax.random.key(1), (5, 2))
    variables = layer.init(jax.random.key(0), x)
    dense = variables["params"]["Dense_0"]
    pieces = np.asarray(x @ dense["kernel"] + dense["bias"][None]).reshape(5, 3, 4)
    np.testing.assert_allclose(layer.apply(variables, x), pieces.max(-1), rtol=1e-6)


def test_two_opposite_pieces_are_an_absolute_value():
    layer = Maxout(features=1, pieces=2)
    params = {"params": {"Dense_0": {"kernel": jnp.array([[1.0, -1.0]]), "bias": jnp.zeros(2)}}}
    x = jnp.array([[-3.0], [2.0]])
    assert layer.apply(params, x)[:, 0].tolist() == [3.0, 2.0]
