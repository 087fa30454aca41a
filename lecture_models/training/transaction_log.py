"""Reads the file in which W&B keeps a run on the disk: records in LevelDB's log format.

W&B's Python package has no reader: its own is inside a compiled program. The format:
https://github.com/google/leveldb/blob/main/doc/log_format.md, after a header of W&B's own.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

_HEADER = struct.Struct("<4sHB")  # The letters ":W&B", a magic number, a version.
_PIECE = struct.Struct("<IHB")  # Checksum, length and kind of a piece of a record.
_BLOCK = 32_768  # Bytes; no piece crosses the end of a block.
_WHOLE, _FIRST, _MIDDLE, _LAST = range(1, 5)


def read_records(path: Path) -> Iterator[bytes]:
    """Yields the whole records of a file, each a protocol buffer `wandb_internal_pb2.Record`.

    A process that was killed leaves a file that is empty or ends in the middle of a record; nothing
    is yielded for that part.
    """
    content = path.read_bytes()
    if content[:4] != b":W&B":
        return
    place, partial = _HEADER.size, b""
    while place + _PIECE.size <= len(content):
        rest_of_block = _BLOCK - place % _BLOCK
        if rest_of_block < _PIECE.size:
            place += rest_of_block
            continue
        _, length, kind = _PIECE.unpack_from(content, place)
        place += _PIECE.size
        if kind not in (_WHOLE, _FIRST, _MIDDLE, _LAST) or place + length > len(content):
            return
        piece = content[place : place + length]
        place += length
        partial = piece if kind in (_WHOLE, _FIRST) else partial + piece
        if kind in (_WHOLE, _LAST):
            yield partial
            partial = b""
