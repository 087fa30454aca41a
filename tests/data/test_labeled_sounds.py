import gzip
import shutil

import numpy as np
import pytest

from lecture_models.data import fsdd
from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.lookup import Library
from tests.data.small_files import tar_gz
from tests.data.small_sounds import tone, wav

TAKES = (0, 4, 5, 9, 10, 11)


def recordings(words=("0", "1", "10"), speakers=("ann", "bob_b")):
    """Returns files whose durations tell the take: 10 ms for each."""
    return {
        f"{word}_{speaker}_{take}.wav": wav(tone(300.0, seconds=0.02 + 0.01 * take))
        for word in words
        for speaker in speakers
        for take in TAKES
    }


def write(folder, files):
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def read(path):
    return Library(None, print).labeled_sounds("--sounds", str(path))


def test_a_folder_is_read_in_the_official_split(tmp_path):
    dataset = read(write(tmp_path / "own", recordings() | {"README.md": b"text"}))
    assert dataset.classes == ("0", "1", "10")
    assert dataset.vocabularies["speakers"] == ("ann", "bob_b")
    assert [sorted(set(split["takes"].tolist())) for split in dataset[:3]] == [
        [10, 11],
        [5, 9],
        [0, 4],
    ]
    assert [len(split) for split in dataset[:3]] == [12, 12, 12]
    lengths = dataset.train["samples"].lengths
    np.testing.assert_array_equal(lengths, 160 + 80 * dataset.train["takes"])
    assert dataset.train["samples"].values.dtype == np.float32


def test_a_folder_of_folders_and_an_archive_give_the_same_sounds(tmp_path):
    files = recordings()
    folder = write(tmp_path / "own" / "recordings", files).parent
    packed = tmp_path / "own.tar.gz"
    packed.write_bytes(tar_gz({f"recordings/{name}": content for name, content in files.items()}))
    plain = tmp_path / "own.tar"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    first, *others = (read(path) for path in (folder, packed, plain))
    for other in others:
        for split, same in zip(first[:3], other[:3], strict=True):
            for name in split.arrays:
                values = (getattr(part[name], "values", part[name]) for part in (split, same))
                np.testing.assert_array_equal(*values)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no WAV files"),
        ({"0_ann_0.mp3": b"ID3"}, "0_ann_0.mp3 is not a WAV file; convert it, as by ffmpeg"),
        ({"hello.wav": wav(tone())}, "hello.wav must be named WORD_SPEAKER_TAKE.wav"),
        ({"0_ann.wav": wav(tone())}, "must be named WORD_SPEAKER_TAKE.wav"),
        ({"0_ann_x.wav": wav(tone())}, "must be named WORD_SPEAKER_TAKE.wav"),
        ({"0_ann_0.wav": wav(tone())[:50]}, "0_ann_0.wav is cut off"),
        ({"0_ann_0.wav": b""}, "0_ann_0.wav is empty"),
        ({"0_ann_0.wav": wav(np.zeros(9, np.int16))}, "0_ann_0.wav is silent"),
        (recordings(words=("0",)), "have 1 words; there must be at least 2"),
        (
            {name: content for name, content in recordings().items() if name[-5] in "04"},
            "has no training sounds: takes 0 to 4 test.* it has takes 0 to 10",
        ),
    ],
)
def test_folders_that_do_not_fit_are_refused(tmp_path, files, message):
    if message.startswith("has no training"):
        files = {name: content for name, content in files.items() if "_10" not in name}
        message = message.replace("takes 0 to 10", "takes 0 to 4")
    folder = write(tmp_path / "own", files)
    with pytest.raises(DataError, match=message) as raised:
        read(folder)
    assert "\n" not in str(raised.value)


def test_a_path_without_anything_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"--sounds=.*absent does not exist; it must be a folder"):
        read(tmp_path / "absent")


def test_the_digits_are_found_packed_or_unpacked(tmp_path):
    with pytest.raises(DataAbsentError, match=r"fsdd/recordings\.tar\.gz does not exist"):
        fsdd.read(tmp_path)
    files = recordings(words=("0", "1"))
    (tmp_path / "fsdd").mkdir()
    packed = tmp_path / "fsdd" / "recordings.tar.gz"
    packed.write_bytes(tar_gz({f"recordings/{name}": content for name, content in files.items()}))
    dataset = fsdd.read(tmp_path)
    assert dataset.provenance.note == "24 of the 3,000 recordings"
    assert [file.path for file in dataset.provenance.files] == [packed]
    packed.write_bytes(packed.read_bytes()[:-40])
    with pytest.raises(DataError, match="cut off|damaged"):
        fsdd.read(tmp_path)
    shutil.rmtree(tmp_path / "fsdd")
    write(tmp_path / "fsdd" / "recordings", files)
    assert len(fsdd.read(tmp_path).train) == len(dataset.train)


@pytest.mark.slow
@pytest.mark.real_data
def test_the_real_digits_are_300_to_test_and_2700_to_train(real_data):
    dataset = fsdd.read(real_data)
    assert [len(split) for split in dataset[:3]] == [2_400, 300, 300]
    assert dataset.classes == tuple("0123456789")
    names = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
    assert dataset.vocabularies["speakers"] == names
    assert np.bincount(dataset.test.labels).tolist() == [30] * 10
    assert dataset.provenance.note == ""
