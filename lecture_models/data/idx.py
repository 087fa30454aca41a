"""Reads and writes the idx format of MNIST's files.

A file holds two zero bytes, a byte for the type, a byte for the number of dimensions, each
dimension as a big-endian 32-bit integer, and the values, of which the last dimension varies
fastest. Only type 0x08, the unsigned byte, is read. The format has no checksum.

Source: http://yann.lecun.com/exdb/mnist/, "The IDX file format".
"""

import math
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from lecture_models.data.dataset import DataError

_UNSIGNED_BYTE = 0x08


def parse(content: bytes, rank: int, path: Path) -> UInt8[np.ndarray, "..."]:
    """Returns the array of an idx file.

    Args:
        content: the bytes of the file.
        rank: the number of dimensions that it must have.
        path: the file that error messages name.

    Raises:
        DataError: the magic number is not 2048 + rank, or the number of bytes does not fit the
            dimensions.
    """
    magic, expected = int.from_bytes(content[:4], "big"), 256 * _UNSIGNED_BYTE + rank
    if len(content) < 4 or magic != expected:
        raise DataError(
            f"{path} begins with {content[:4].hex(' ') or 'nothing'} (magic number {magic}); an "
            f"idx file of {rank} dimension(s) has magic number {expected}; delete it and fetch it "
            "again"
        )
    header = 4 + 4 * rank
    if len(content) < header:
        raise DataError(f"{path} ends within its header; delete it and fetch it again")
    shape = tuple(int.from_bytes(content[k : k + 4], "big") for k in range(4, header, 4))
    size, expected_size = len(content) - header, math.prod(shape)
    if size != expected_size:
        raise DataError(
            f"{path} holds {size:,} bytes after its header; its shape {shape} needs "
            f"{expected_size:,} bytes; delete it and fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def serialize(array: UInt8[np.ndarray, "..."]) -> bytes:
    """Returns the idx file of an array, which `parse` reads."""
    header = (256 * _UNSIGNED_BYTE + array.ndim).to_bytes(4, "big")
    return header + np.array(array.shape, ">u4").tobytes() + array.tobytes()
