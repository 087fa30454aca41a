import numpy as np
import pytest

from lecture_models.data import joined_words, made_speech, sentence_sounds
from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.lookup import Library
from tests.data.small_files import tar_gz
from tests.data.small_sounds import tone, wav


def read(folder, files):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Library(None, print).sentences("--sentences", str(folder))


def test_the_names_of_files_are_their_words(tmp_path):
    files = {f"open_the_door-{take}.wav": wav(tone(200.0 + take)) for take in range(4)}
    files |= {f"the_door-{take}.wav": wav(tone(200.0 + take)) for take in range(4)}
    names = sorted(files)
    # Open sentences come first by name, and the others still have no word of their own.
    assert names[0].startswith("open")
    dataset = read(tmp_path / "own", files)
    assert dataset.vocabularies["words"] == ("door", "open", "the")
    assert [len(split) for split in dataset[:3]] == [3, 1, 4]
    assert dataset.train["words"][0].tolist() == [1, 2, 0]
    assert dataset.test["words"][0].tolist() == [2, 0]
    assert dataset.test["samples"].lengths.tolist() == [400] * 4


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a_b.wav": wav(tone())}, "has 1 sentences and 2 words in the first half"),
        (
            {f"a-{take}.wav": wav(tone()) for take in range(6)} | {"b.wav": wav(tone())},
            "has 7 sentences and 1 words",
        ),
        (
            {f"a_b-{take}.wav": wav(tone()) for take in range(6)} | {"z.wav": wav(tone())},
            "the word 'z' is in a test sentence, but in none of the first 4, which train",
        ),
        ({"-2.wav": wav(tone())}, "the name of -2.wav has no words"),
        ({"a_b.flac": b"fLaC"}, "a_b.flac is not a WAV file"),
    ],
)
def test_sentences_that_do_not_fit_are_refused(tmp_path, files, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path / "own", files)


def write_yesno(data_dir, names):
    folder = data_dir / "yesno"
    folder.mkdir(parents=True)
    files = {f"waves_yesno/{name}.wav": wav(tone()) for name in names}
    (folder / "waves_yesno.tar.gz").write_bytes(tar_gz(files))


def test_yes_and_no_are_the_digits_of_the_names(tmp_path):
    write_yesno(tmp_path, ["0_0_1", "0_1_0", "0_1_1", "1_0_0", "1_0_1", "1_1_0"])
    dataset = sentence_sounds.read_yesno(tmp_path)
    assert dataset.vocabularies["words"] == ("no", "yes")
    assert dataset.train["words"].values.tolist() == [0, 0, 1, 0, 1, 0]
    assert [len(split) for split in dataset[:3]] == [2, 1, 3]
    assert dataset.provenance.note == "6 of the 60 sentences"


def test_other_names_and_no_archive_are_told(tmp_path):
    with pytest.raises(DataAbsentError, match=r"yesno/waves_yesno\.tar\.gz does not exist"):
        sentence_sounds.read_yesno(tmp_path)
    write_yesno(tmp_path, ["0_1", "2_0"])
    with pytest.raises(DataError, match=r"2_0\.wav must be named by 0 and 1"):
        sentence_sounds.read_yesno(tmp_path)


@pytest.mark.real_data
def test_the_real_sentences_have_eight_words_and_kaldis_split(real_data):
    dataset = sentence_sounds.read_yesno(real_data)
    assert len(dataset.train) + len(dataset.validation) == 31
    assert len(dataset.test) == 29
    assert dataset.test["words"].lengths.tolist() == [8] * 29
    assert {int(words[0]) for words in map(dataset.test["words"].__getitem__, range(29))} == {1}


def test_each_recording_is_in_one_string_of_its_split():
    words = made_speech.make()
    joined = joined_words.join_words(words, "strings", words=3, rounds=2)
    for split, own, rounds in zip(joined[:3], words[:3], (2, 1, 1), strict=True):
        assert len(split) == rounds * 3 * (len(own) // 9)  # Of three speakers; the rest is left.
        counts = np.bincount(split["words"].values, minlength=4)
        assert (counts <= rounds * np.bincount(own.labels)).all()
    string = joined.test["samples"][0]
    recordings = [words.test["samples"][number] for number in range(len(words.test))]
    found = sum(
        any(
            np.array_equal(recording, string[begin : begin + len(recording)])
            for begin in np.flatnonzero(string == recording[0])
        )
        for recording in recordings
    )
    assert found == 3


def test_too_few_recordings_cannot_be_joined(monkeypatch):
    monkeypatch.setattr(made_speech, "WORDS", ("ia", "ai"))
    with pytest.raises(DataError, match="no speaker of made_words has 999 recordings"):
        joined_words.join_words(made_speech.make(), "strings", words=999, rounds=1)


def test_made_words_are_the_same_for_the_same_seed_and_told_as_synthetic(monkeypatch):
    monkeypatch.setattr(made_speech, "WORDS", ("ia", "ai"))
    first, same, other = made_speech.make(0), made_speech.make(0), made_speech.make(1)
    assert first.provenance.note == "synthetic vowels, not speech"
    np.testing.assert_array_equal(first.train["samples"].values, same.train["samples"].values)
    assert not np.array_equal(first.train["samples"].lengths, other.train["samples"].lengths)
    assert np.abs(first.train["samples"].values).max() <= 1.0


def test_a_made_vowel_has_its_resonances():
    def power(word, hertz):
        """Returns the share of a word's power within 150 Hz of a frequency."""
        sound = made_speech.speak(np.random.default_rng(0), word, 100.0, 1.0)
        powers = np.abs(np.fft.rfft(sound)) ** 2
        near = np.abs(np.fft.rfftfreq(len(sound), 1.0 / 8_000) - hertz) < 150
        return powers[near].sum() / powers.sum()

    for hertz, has, lacks in ((2_290, "ii", "uu"), (1_090, "aa", "ii"), (730, "aa", "ii")):
        assert power(has, hertz) > 3 * power(lacks, hertz)
