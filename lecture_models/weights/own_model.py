"""Makes a network of the user's own: `--model=FILE.py:FUNCTION`, and an `OwnModel` from Python.

FUNCTION takes nothing and returns an `OwnModel`: a Flax module with its parameters, or without
them where a safetensors file has them (`--weights`), and what it expects of a picture.
"""

import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn

from lecture_models.config import did_you_mean
from lecture_models.data.dataset import DataFile, Provenance
from lecture_models.files import PathError, local_path
from lecture_models.models.plain_network import PlainNetwork, quiet_arguments
from lecture_models.weights import tensors
from lecture_models.weights.conversion import Layout
from lecture_models.weights.error import WeightsError
from lecture_models.weights.network import Pretrained
from lecture_models.weights.own_tensors import read_variables
from lecture_models.weights.preprocessing import Preprocessing

_NAME = re.compile(r"(?P<file>.+?\.py)(?::(?P<function>[^:@]*))?(?:@(?P<weights>.*))?")
_FORM = "FILE.py:FUNCTION, or FILE.py:FUNCTION@FILE.safetensors"


class OwnModel(NamedTuple):
    """Describes a network of one's own.

    Attributes:
        network: the Flax module. It takes images, (batch, height, width, channel), and returns
            logits, (batch, class), or (logits, activations): a dict of arrays by name. Activations
            are also named after the submodules that compute them.
        variables: what `network.init` returned, or training made of it; None if a file of weights
            has it.
        size: height and width in pixels of the pictures that it was trained on.
        classes: the names of the logits; () if it has features only.
        mean: is subtracted from each channel, whose values are from 0 to `white`: three numbers for
            RGB, one for a network of gray pictures.
        std: divides each channel after that.
        white: the level of white; 1 for values from 0 to 1, 255 for bytes.
        bgr: True if the channels are blue, green and red.
        shorter_side: length to which a picture's shorter side is resized before the central square
            is cut out; 0 means `size`.
        layout: names of the layers in a file of weights that PyTorch wrote, and the (height, width,
            channel) of maps that a dense layer reads; None for a file with Flax's names and shapes.
    """

    network: nn.Module
    variables: Any = None
    size: int = 224
    classes: tuple[str, ...] = ()
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    white: float = 1.0
    bgr: bool = False
    shorter_side: int = 0
    layout: Layout | None = None


def is_own(name: str) -> bool:
    """Tells whether a name of a network means a function in a Python file."""
    return _NAME.fullmatch(name) is not None


def with_weights(name: str, weights: str) -> str:
    """Returns the name of the same network with the parameters of a file."""
    return f"{name.partition('@')[0]}@{weights}"


def load(name: str) -> Pretrained:
    """Returns the network that a function in a Python file makes.

    Args:
        name: `FILE.py:FUNCTION`, with `@FILE.safetensors` for parameters from a file.

    Raises:
        WeightsError: in one line, what is wrong with the file, the function, what it returns or
            the parameters.
    """
    parts = _NAME.fullmatch(name)
    path = _path(name, parts["file"])
    for part, word in (("function", "function"), ("weights", "file after @")):
        if parts[part] == "" or (part == "function" and parts[part] is None):
            raise WeightsError(f"--model is {name}, which names no {word}; write {_FORM}")
    own = _made(path, parts["function"])
    weights = None if parts["weights"] is None else _path(name, parts["weights"])
    return pretrained(own, name, weights, (path,))


def pretrained(
    own: OwnModel, name: str, weights: Path | None = None, sources: tuple[Path, ...] = ()
) -> Pretrained:
    """Returns a network of one's own as one of this project's.

    Args:
        own: the network.
        name: its name, for messages and records.
        weights: the safetensors file with its parameters; None for those of `own`.
        sources: files that it was made from, for the record.

    Raises:
        WeightsError: in one line, the first thing that is wrong with it.
    """
    _check(own, name)
    channels = len(own.mean)
    images = jax.ShapeDtypeStruct((1, own.size, own.size, channels), jnp.float32)
    if weights is not None:
        expected = _expected(own, name, images)
        variables = read_variables(weights, expected, own.layout)
    elif own.variables is None:
        raise WeightsError(
            f"{name} has no parameters; give them as OwnModel(variables=...), or name a file with "
            "--weights=FILE.safetensors"
        )
    else:
        variables = jax.tree.map(jnp.asarray, dict(own.variables))
    model = _adapted(own, name, variables, images)
    files = tuple(path for path in (*sources, weights) if path is not None)
    return Pretrained(
        name,
        model,
        variables,
        _preprocessing(own),
        tuple(own.classes),
        Provenance(
            f"weights {name}",
            f"{type(own.network).__name__}, a network of the user's own",
            tuple(DataFile(path.resolve(), tensors.sha256(path)) for path in files),
        ),
    )


def _path(name: str, text: str) -> Path:
    try:
        path = local_path("--model", text)
    except PathError as error:
        raise WeightsError(str(error)) from error
    if path.is_file():
        return path
    if path.is_dir():
        raise WeightsError(f"--model is {name}, but {path} is a folder")
    near = [other.name for other in path.parent.glob(f"*{path.suffix}")]
    raise WeightsError(
        f"--model is {name}, but {path.absolute()} does not exist{did_you_mean(path.name, near)}"
    )


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Lets a file import the modules that lie beside it."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _made(path: Path, function: str) -> OwnModel:
    spec = importlib.util.spec_from_file_location(f"own_model_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    with _beside(path.resolve().parent):
        _called(f"{path} cannot be imported", path, lambda: spec.loader.exec_module(module))
        make = getattr(module, function, None)
        if not callable(make):
            known = [key for key, value in vars(module).items() if _is_own_function(value, module)]
            listed = f" It has: {', '.join(known)}" if known else ""
            raise WeightsError(
                f"{path} has no function {function!r}{did_you_mean(function, known)}{listed}"
            )
        made = _called(f"{function} of {path} failed", path, make)
    if not isinstance(made, OwnModel):
        raise WeightsError(
            f"{function} of {path} returned {_kind(made)}; it must return an OwnModel "
            "(lecture_models.weights.own_model)"
        )
    return made


def _called(title: str, path: Path, call: Callable[[], Any]) -> Any:
    """Calls what the user wrote; an exception becomes one line that names the line of the file."""
    try:
        return call()
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        is_syntax = isinstance(error, SyntaxError)
        here = (path, path.resolve())
        lines = [frame.lineno for frame in frames if Path(frame.filename) in here]
        lines += [error.lineno] if is_syntax else []
        place = f" (line {lines[-1]})" if lines else ""
        message = " ".join(str(error.msg if is_syntax else error).split())
        raise WeightsError(f"{title}: {type(error).__name__}: {message}{place}") from error


def _is_own_function(value: Any, module: Any) -> bool:
    is_class = isinstance(value, type)
    return callable(value) and not is_class and getattr(value, "__module__", "") == module.__name__


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _check(own: OwnModel, name: str) -> None:
    """Raises WeightsError for the first field that cannot be right."""
    if isinstance(own.network, type):
        title = own.network.__name__
        raise WeightsError(f"{name}: network is the class {title}; it must be a module: {title}()")
    if not isinstance(own.network, nn.Module):
        raise WeightsError(
            f"{name}: network is {_kind(own.network)}; it must be a module of flax.linen"
        )
    if not isinstance(own.size, int) or own.size < 1:
        raise WeightsError(f"{name}: size is {own.size}; it must be a number of pixels, at least 1")
    if len(own.mean) not in (1, 3) or len(own.std) != len(own.mean) or 0 in own.std:
        raise WeightsError(
            f"{name}: mean is {own.mean} and std {own.std}; both must have 3 numbers, or 1 for a "
            "network of gray pictures, and std must not be 0"
        )
    if isinstance(own.classes, str) or not all(isinstance(label, str) for label in own.classes):
        raise WeightsError(f"{name}: classes is {own.classes!r}; it must be a tuple of names")
    if own.variables is not None and not hasattr(own.variables, "keys"):
        raise WeightsError(
            f"{name}: variables is {_kind(own.variables)}; it must be a dict such as "
            "{'params': ...}, as network.init returns it"
        )


def _preprocessing(own: OwnModel) -> Preprocessing:
    side = own.shorter_side or own.size
    mean, std = map(float, own.mean), map(float, own.std)
    return Preprocessing(tuple(mean), tuple(std), own.white, own.bgr, own.size, side)


def _expected(own: OwnModel, name: str, images: jax.ShapeDtypeStruct) -> Any:
    """Returns the shapes of the network's variables, without computing them."""

    def initial(images):
        keys = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
        return own.network.init(keys, images, **quiet_arguments(own.network))

    return _reading(name, images, lambda: jax.eval_shape(initial, images))


def _reading(name: str, images: jax.ShapeDtypeStruct, call: Callable[[], Any]) -> Any:
    """Calls the network; whatever it raises becomes one line."""
    _, height, width, channels = images.shape
    try:
        return call()
    except Exception as error:
        message = " ".join(str(error).split()).partition(" (https://")[0]
        raise WeightsError(
            f"{name} cannot read an image of {height}x{width}x{channels}: "
            f"{type(error).__name__}: {message}"
        ) from error


def _adapted(own: OwnModel, name: str, variables: Any, images: jax.ShapeDtypeStruct) -> nn.Module:
    """Returns the network in this project's form; see `PlainNetwork`."""

    def applied(variables, images):
        return own.network.apply(variables, images, **quiet_arguments(own.network))

    output = _reading(name, images, lambda: jax.eval_shape(applied, variables, images))
    logits = output[0] if isinstance(output, tuple) and len(output) == 2 else output
    named = output[1] if isinstance(output, tuple) and len(output) == 2 else {}
    if not hasattr(logits, "shape") or not isinstance(named, dict):
        raise WeightsError(
            f"{name} returns {_kind(output)}; it must return logits, or (logits, activations) with "
            "a dict of arrays"
        )
    count = len(own.classes)
    if count and logits.shape != (1, count):
        raise WeightsError(
            f"{name} returns logits of shape {logits.shape} for one image; for the {count} names "
            f"in classes it must be (1, {count})"
        )
    if isinstance(output, tuple) and hasattr(own.network, "num_classes"):
        return own.network  # It has the form of the networks here.
    return PlainNetwork(own.network, count, getattr(own.network, "nonlinearity", None))
