"""The idx format of MNIST: two zero bytes, type, number of dimensions, dimensions, then bytes.

Each dimension is a big-endian 32-bit integer, the last dimension varies fastest. Only type 0x08,
the unsigned byte, is read. Source: http://yann.lecun.com/exdb/mnist/ ("The IDX file format").
"""

import math
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from lecture_models.data.dataset import DataError

_UNSIGNED_BYTE = 0x08


def parse(content: bytes, rank: int, path: Path) -> UInt8[np.ndarray, "..."]:
    """The array of an idx file's content; `path` is what the errors name.

    Raises DataError where the magic number is not 2048 + rank, or where the bytes are fewer or
    more than the dimensions ask for.
    """
    magic, expected = int.from_bytes(content[:4], "big"), 256 * _UNSIGNED_BYTE + rank
    if len(content) < 4 or magic != expected:
        raise DataError(
            f"{path} begins with {content[:4].hex(' ') or 'nothing'} (magic number {magic}), an "
            f"idx file of {rank} dimension(s) with magic number {expected}; delete it and fetch "
            "it again"
        )
    header = 4 + 4 * rank
    if len(content) < header:
        raise DataError(f"{path} ends within its header; delete it and fetch it again")
    shape = tuple(int.from_bytes(content[k : k + 4], "big") for k in range(4, header, 4))
    found, wanted = len(content) - header, math.prod(shape)
    if found != wanted:
        raise DataError(
            f"{path} holds {found:,} bytes after its header, which gives the shape {shape} and so "
            f"{wanted:,} bytes; delete it and fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def serialize(array: UInt8[np.ndarray, "..."]) -> bytes:
    """The idx file of an array: what `parse` reads."""
    header = (256 * _UNSIGNED_BYTE + array.ndim).to_bytes(4, "big")
    return header + np.array(array.shape, ">u4").tobytes() + array.tobytes()
