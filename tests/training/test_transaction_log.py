"""Tests the reader of W&B's files on files that the test writes by the published format."""

import struct

import pytest

from lecture_models.training.transaction_log import read_records

BLOCK = 32_768


def written(path, records):
    """Writes records in LevelDB's log format, after W&B's header."""
    content = bytearray(struct.pack("<4sHB", b":W&B", 0xBEE1, 0))
    for record in records:
        rest, is_first = record, True
        while True:
            room = BLOCK - len(content) % BLOCK
            if room < 7:
                content += bytes(room)
                continue
            piece, rest = rest[: room - 7], rest[room - 7 :]
            kind = {(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}
            content += struct.pack("<IHB", 0, len(piece), kind[is_first, not rest]) + piece
            is_first = False
            if not rest:
                break
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("sizes", [(), (0, 5), (40_000, 3, 100_000), (BLOCK - 7 - 7 - 3, 9)])
def test_records_of_every_size_are_read_back(tmp_path, sizes):
    records = [bytes([index]) * size for index, size in enumerate(sizes, start=1)]
    assert list(read_records(written(tmp_path / "a.wandb", records))) == records


def test_a_file_that_ends_in_the_middle_gives_its_whole_records(tmp_path):
    path = written(tmp_path / "a.wandb", [b"one", b"two" * 20_000])
    content = path.read_bytes()
    for length in (len(content) - 1, BLOCK, 30, 20):
        path.write_bytes(content[:length])
        assert list(read_records(path)) == [b"one"]


@pytest.mark.parametrize("content", [b"", b":W", b"something else entirely", b":W&B\xe1\xbe\x00"])
def test_a_file_without_records_gives_none(tmp_path, content):
    path = tmp_path / "a.wandb"
    path.write_bytes(content)
    assert list(read_records(path)) == []
