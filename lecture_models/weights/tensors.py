"""Files of plain tensors, and no code: safetensors. Nothing is ever unpickled."""

import hashlib
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lecture_models.weights.error import WeightsError


def read(path: Path) -> dict[str, np.ndarray]:
    """Every tensor of a safetensors file by its key; float16 and float64 become float32.

    Raises WeightsError where the file cannot be read, is cut off, or is of another format.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            return {key: _as_float32(file.get_tensor(key)) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, ValueError, AttributeError) as error:
        # The last three are what types that NumPy lacks, such as bfloat16, end in.
        message = " ".join(str(error).split())
        raise WeightsError(f"{path} is no whole safetensors file ({message})") from error


def read_note(path: Path) -> str:
    """What `packed` was given as its note. Raises WeightsError for a file without one."""
    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata()["note"]
    except (SafetensorError, OSError, TypeError, KeyError) as error:
        raise WeightsError(f"{path} is no whole safetensors file with a note") from error


def packed(tensors: dict[str, np.ndarray], note: str) -> bytes:
    """A safetensors file, the same bytes every time: of several notes the order would vary."""
    return save(tensors, metadata={"note": note})


def sha256(path: Path) -> str:
    """Raises WeightsError where the file cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error


def _as_float32(tensor: np.ndarray) -> np.ndarray:
    return tensor.astype(np.float32) if np.issubdtype(tensor.dtype, np.floating) else tensor
