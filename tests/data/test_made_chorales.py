import numpy as np

from lecture_models.data.lookup import Library
from lecture_models.data.made_chorales import CHORDS, FOLLOWS, make, voiced
from lecture_models.data.musical_keys import find_key


def test_pieces_are_the_same_for_the_same_seed():
    first, again, other = make(0), make(0), make(1)
    assert (first.train["frames"].values == again.train["frames"].values).all()
    assert first.train["frames"].lengths.tolist() != other.train["frames"].lengths.tolist()


def test_every_frame_has_the_four_voices_of_one_chord():
    frames = make().test["frames"].values
    assert set(frames.sum(axis=1)) == {4}
    for frame in frames[:50]:
        assert len({(key + 21) % 12 for key in np.flatnonzero(frame)}) == 3


def test_a_chord_has_its_root_in_the_bass():
    keys = np.flatnonzero(voiced("V", 0))  # G major.
    assert keys[0] + 21 == 43
    assert sorted((keys[1:] + 21) % 12) == [2, 7, 11]


def test_the_chain_of_chords_is_a_distribution_without_repeats():
    table = np.array(FOLLOWS)
    assert table.shape == (len(CHORDS),) * 2
    assert np.allclose(table.sum(axis=1), 1.0)
    assert (np.diag(table) == 0.0).all()


def test_pieces_end_on_their_first_note():
    pieces = make().train["frames"]
    agreeing = [
        find_key(pieces[number]).tonic == (np.flatnonzero(pieces[number][-1])[0] + 21) % 12
        for number in range(40)
    ]
    assert np.mean(agreeing) > 0.8


def test_the_library_names_them_as_made(tmp_path):
    lines = []
    dataset = Library(tmp_path, lines.append).load("jsb_chorales,made_chorales")
    assert dataset.provenance.dataset == "made_chorales"
    assert "not real music; fallback: jsb_chorales is not available" in dataset.provenance.note
    assert len(lines) == 1
