"""Compiles what a test calls of a network as one program.

Called outside of a jitted function, `Module.init` and `Module.apply` compile every operation of
every shape by itself. That costs 10 to 20 ms each, and a network has hundreds: most of the time of
the tests of small networks. As one program they cost a tenth.
"""

import functools
from typing import Any

import jax
import numpy as np
from flax import linen as nn


def compile_whole(method: Any) -> Any:
    """Wraps `Module.init` or `Module.apply`: one program for equal settings and shapes.

    Args:
      method: the function of the class. Arrays among its arguments, which may be nested, become
        arguments of the program; all else is part of it.

    Returns:
      A function of the same arguments. It calls `method` as it is in a function that is being
      traced, for a network that cannot be a key of a dictionary, and where values of arrays decide
      what is computed.
    """
    programs: dict[Any, Any] = {}

    @functools.wraps(method)
    def compiled(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        leaves, structure = jax.tree.flatten((args, kwargs))
        arrays = [leaf for leaf in leaves if isinstance(leaf, (jax.Array, np.ndarray))]
        if not arrays or any(type(leaf).__name__ == "DynamicJaxprTracer" for leaf in arrays):
            return method(module, *args, **kwargs)  # Becomes part of the program being traced.
        settings = tuple(
            None if isinstance(leaf, (jax.Array, np.ndarray)) else (leaf,) for leaf in leaves
        )
        try:
            key = (module, structure, settings)
            program = programs.get(key)
        except TypeError:
            return method(module, *args, **kwargs)
        if program is None:

            @jax.jit
            def program(arrays):
                rest = iter(arrays)
                values = [next(rest) if each is None else each[0] for each in settings]
                args, kwargs = jax.tree.unflatten(structure, values)
                return method(module, *args, **kwargs)

            programs[key] = program
        try:
            return program(arrays)
        except jax.errors.ConcretizationTypeError:  # The method reads the value of an array.
            return method(module, *args, **kwargs)

    return compiled
