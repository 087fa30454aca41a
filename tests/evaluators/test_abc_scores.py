import pytest

from lecture_models.evaluators.abc_scores import first_tune, score_tunes

HEAD = "X:1\nT:Test\nM:4/4\nL:1/8\nK:C\n"


def test_tunes_and_bars_are_counted():
    found = score_tunes([HEAD + "A2|B8|c8|d7|e8|", HEAD + "A8|B8|", HEAD + "A?", "", "no tune"])
    assert (found.texts, found.valid) == (5, 2)
    assert (found.bars, found.full) == (5, 4)
    assert found.valid_percent == pytest.approx(40.0)
    assert found.full_percent == pytest.approx(80.0)
    assert found.reasons == {
        "a character has no meaning": 1,
        "the end is missing": 1,
        "a tune must begin with the field X:": 1,
    }


def test_nothing_has_no_shares():
    assert score_tunes([]).valid_percent == 0.0
    assert score_tunes([HEAD + "A|"]).full_percent == 0.0


def test_a_tune_ends_at_its_first_empty_line():
    assert first_tune("X:1\nA\n\nX:2\nB\n\n") == "X:1\nA"
    assert first_tune("X:1\nA\n") == ""
