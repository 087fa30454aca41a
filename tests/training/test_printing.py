import pytest

from lecture_models.training.printing import until_reader_leaves


def test_what_is_printed_is_out_when_the_block_ends(capsys):
    with until_reader_leaves():
        print("a line")
    assert capsys.readouterr().out == "a line\n"


def test_other_errors_are_not_swallowed():
    with pytest.raises(OSError, match="full"), until_reader_leaves():
        raise OSError("the disk is full")
