"""Tests the properties of a text and the search for cells that track them."""

import numpy as np
import pytest

from lecture_models.evaluators.text_cells import text_properties, tracking_cells

TEXT = "\n\nMENENIUS:\nHe said, \"Go.\"\nI 'tis 'Twas know 'Shall remain'!\n\nNext: done.\n"


def marked(name):
    return "".join(
        character
        for character, value in zip(TEXT, text_properties(TEXT)[name], strict=True)
        if value
    )


def test_quotations_are_found_and_apostrophes_are_not():
    assert marked("inside a quotation") == "\"Go.'Shall remain"


def test_a_speaker_opens_a_paragraph():
    assert marked("inside a speaker's name") == "MENENIUSNext"


def test_places_are_counted_from_the_last_end():
    assert text_properties("ab\nc d")["place in the line"].tolist() == [1, 2, 0, 1, 2, 3]
    assert text_properties("ab\nc d")["place in the word"].tolist() == [1, 2, 0, 1, 0, 1]


def test_a_planted_cell_is_found_and_reported_on_the_other_text():
    generator = np.random.default_rng(0)
    texts = ("one two\nthree four five\n" * 20, "six\nseven eight nine ten\n" * 20)
    states = [generator.normal(size=(len(text), 9)).astype(np.float32) for text in texts]
    for text, array in zip(texts, states, strict=True):
        array[:, 4] = np.tanh(-0.1 * text_properties(text)["place in the line"])
    cells = tracking_cells((states[0], texts[0]), (states[1], texts[1]))
    best = cells[0]
    assert (best.name, best.feature) == ("place in the line", 4)
    assert best.correlation < -0.95
    # No quotation and no speaker in these texts: nothing is reported of them.
    assert {cell.name for cell in cells} == {"place in the line", "place in the word"}
    word = cells[1]
    assert abs(word.correlation) < abs(word.chosen) or word.chosen == pytest.approx(0.0, abs=0.2)
