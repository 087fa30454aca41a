import hashlib
import shutil

import numpy as np
from PIL import Image

from lecture_models.data.folder import PictureOptions
from tests.data.small_pictures import (
    hashes,
    read,
    write_pictures,
)


def test_the_splits_are_about_80_10_and_10_percent(tmp_path):
    write_pictures(tmp_path, 400)
    counts = [len(split.labels) for split in read(tmp_path, PictureOptions(image_size=4))[:3]]
    assert sum(counts) == 400
    for count, share in zip(counts, (0.8, 0.1, 0.1), strict=True):
        assert abs(count - 400 * share) < 4 * (400 * share * (1 - share)) ** 0.5


def test_the_hash_of_the_file_decides_and_an_empty_split_gets_the_lowest(tmp_path):
    written, number = [], 0
    while len(written) < 12:
        write_pictures(tmp_path, 1, first=number)
        path = tmp_path / f"{number:04d}.bmp"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if int(digest, 16) % 10 >= 2:  # For training.
            written.append((digest, path))
        else:
            path.unlink()
        number += 1
    dataset = read(tmp_path)
    assert [len(split.labels) for split in dataset[:3]] == [10, 1, 1]
    by_digest = [at_eight(path) for _, path in sorted(written)]
    np.testing.assert_array_equal(dataset.validation.images[0], by_digest[0])
    np.testing.assert_array_equal(dataset.test.images[0], by_digest[1])
    np.testing.assert_array_equal(dataset.train.images, by_digest[2:])


def at_eight(path):
    square = Image.open(path).crop((1, 0, 11, 10)).resize((8, 8), Image.Resampling.BICUBIC)
    return np.asarray(square, np.float32)[..., None] / np.float32(127.5) - 1.0


def test_copies_under_other_names_share_a_split(tmp_path):
    write_pictures(tmp_path / "a", 40)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    parts = [{image.tobytes() for image in split.images} for split in read(tmp_path)[:3]]
    assert [len(part) for part in parts] == [len(s.labels) // 2 for s in read(tmp_path)[:3]]
    assert sum(len(part) for part in parts) == len(set.union(*parts)) == 40


def test_adding_pictures_leaves_the_others_where_they_were(tmp_path):
    write_pictures(tmp_path, 40)
    before = [{image.tobytes() for image in split.images} for split in read(tmp_path)[:3]]
    write_pictures(tmp_path, 40, first=40)
    after = [{image.tobytes() for image in split.images} for split in read(tmp_path)[:3]]
    assert all(one < other for one, other in zip(before, after, strict=True))


def test_names_and_places_of_files_change_nothing(tmp_path):
    write_pictures(tmp_path / "a" / "cat", 20)
    write_pictures(tmp_path / "b" / "cat" / "deep", 20)
    for path in (tmp_path / "b" / "cat" / "deep").iterdir():
        path.rename(path.with_stem(path.stem[::-1]))
    first, second = read(tmp_path / "a"), read(tmp_path / "b")
    assert hashes(first) == hashes(second) == hashes(read(tmp_path / "a"))
    assert first.provenance.files[0].sha256 == second.provenance.files[0].sha256


def test_the_digest_tells_size_content_and_classes_apart(tmp_path):
    write_pictures(tmp_path / "cat", 20)
    digests = [read(tmp_path).provenance.files[0].sha256]
    digests += [read(tmp_path, PictureOptions(image_size=4)).provenance.files[0].sha256]
    (tmp_path / "cat").rename(tmp_path / "owl")
    digests += [read(tmp_path).provenance.files[0].sha256]
    write_pictures(tmp_path / "owl", 1, first=20)
    digests += [read(tmp_path).provenance.files[0].sha256]
    assert len(set(digests)) == 4
