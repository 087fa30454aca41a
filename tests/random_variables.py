"""Variables of a network made from their shapes alone: nothing of it is compiled."""

import math

import jax
import numpy as np


def random_variables(model, *images, seed=0):
    """As `model.init` gives them: kernels scaled by their fan-in, other values near 1 or 0."""
    generator = np.random.default_rng(seed)

    def fill(path, leaf):
        name = path[-1].key
        noise = generator.standard_normal(leaf.shape).astype(np.float32)
        if name == "kernel":
            return noise * math.sqrt(2.0 / math.prod(leaf.shape[:-1]))
        return 0.1 * noise if name in ("bias", "mean") else np.exp(0.2 * noise)

    shapes = jax.eval_shape(model.init, jax.random.key(0), *images)
    return jax.tree.map(jax.numpy.asarray, jax.tree_util.tree_map_with_path(fill, shapes))
