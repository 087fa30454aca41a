"""Tests that what nobody can read does not end a process."""

import os
import subprocess
import sys

import pytest

from lecture_models.training.standard_streams import ForgivingStream, forgiving_standard_error

PRINT = """
import os, sys
sys.path.insert(0, {root!r})
from lecture_models.training.standard_streams import forgiving_standard_error
with forgiving_standard_error():
    for _ in range(3):
        print("a message", file=sys.stderr, flush=True)
    opened = open(os.devnull)
    print(opened.fileno() > 2)
"""


def broken_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


def test_a_pipe_without_reader_is_lost_and_does_not_fail():
    with broken_pipe() as pipe:
        stream = ForgivingStream(pipe)
        print("a line", file=stream, flush=True)
        assert stream.lost
        assert not stream.isatty()
        assert print("another", file=stream, flush=True) is None
        pipe.write("what C++ writes to the descriptor")
        pipe.flush()


def test_a_closed_stream_is_lost():
    pipe = broken_pipe()
    pipe.close()
    stream = ForgivingStream(pipe)
    assert stream.write("four") == 4
    assert stream.lost


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux")  # noqa: PTH110
def test_a_full_disk_drops_lines_and_may_have_room_again():
    full = open("/dev/full", "w")  # noqa: SIM115, PTH123
    stream = ForgivingStream(full)
    print("a line", file=stream, flush=True)
    assert not stream.lost
    with open(os.devnull, "w") as room:  # noqa: PTH123
        os.dup2(room.fileno(), full.fileno())
    full.close()


def test_other_code_finds_what_a_stream_has(capfd):
    with forgiving_standard_error():
        assert sys.stderr.encoding.lower() == "utf-8"
        assert sys.stderr.fileno() >= 0
        print("heard", file=sys.stderr)
    assert capfd.readouterr().err == "heard\n"
    assert not isinstance(sys.stderr, ForgivingStream)


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "2>&- <&-"])
def test_a_process_ends_well_whatever_its_standard_error_is(root, redirection):
    command = f'exec "$0" -c "$1" {redirection}'
    finished = subprocess.run(
        ["bash", "-c", command, sys.executable, PRINT.format(root=str(root))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stdout) == (0, "True\n")
