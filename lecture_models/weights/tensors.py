"""Reads and writes safetensors files, which hold tensors and no code; nothing is unpickled."""

import hashlib
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lecture_models.weights.error import WeightsError


def read(path: Path) -> dict[str, np.ndarray]:
    """Returns the tensors of a safetensors file by key; float16 and float64 become float32.

    Raises:
        WeightsError: the file cannot be read, is cut off, or has another format.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            return {key: _as_float32(file.get_tensor(key)) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, ValueError, AttributeError) as error:
        # The last three are raised for types that NumPy lacks, such as bfloat16.
        message = " ".join(str(error).split())
        raise WeightsError(f"{path} is cut off or not a safetensors file ({message})") from error


def read_note(path: Path) -> str:
    """Returns the note that `packed` wrote. Raises WeightsError if there is none."""
    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata()["note"]
    except (SafetensorError, OSError, TypeError, KeyError) as error:
        raise WeightsError(f"{path} is cut off or not a safetensors file with a note") from error


def packed(tensors: dict[str, np.ndarray], note: str, **more_notes: str) -> bytes:
    """Returns a safetensors file with a note, and perhaps more notes.

    Without more notes, equal arguments give equal bytes. The order of several notes in a file
    varies.
    """
    return save(tensors, metadata={"note": note} | more_notes)


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file. Raises WeightsError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error


def _as_float32(tensor: np.ndarray) -> np.ndarray:
    return tensor.astype(np.float32) if np.issubdtype(tensor.dtype, np.floating) else tensor
