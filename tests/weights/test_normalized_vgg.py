import jax
import jax.numpy as jnp
import numpy as np

from lecture_models.models.vgg import VGG
from lecture_models.weights.normalized_vgg import normalize


def test_every_map_has_a_mean_of_one_and_is_otherwise_the_same():
    model = VGG(stages=((4, (3, 3)),), num_classes=0)
    keys = jax.random.split(jax.random.key(0))
    images = jax.random.normal(keys[0], (4, 8, 8, 3))
    variables = jax.jit(model.init)(keys[1], images)
    apply = jax.jit(model.apply)
    _, before = apply(variables, images)
    layers = ["1_1", "1_2"]
    means = {f"conv{each}": np.asarray(before[f"relu{each}"].mean((0, 1, 2))) for each in layers}
    _, after = apply(normalize(variables, means), images)
    for each in layers:
        np.testing.assert_allclose(after[f"relu{each}"].mean((0, 1, 2)), 1.0, rtol=1e-4)
        scaled = before[f"relu{each}"] / jnp.asarray(means[f"conv{each}"]).reshape(1, 1, 1, -1)
        np.testing.assert_allclose(after[f"relu{each}"], scaled, rtol=1e-3, atol=1e-4)
