import gzip

import numpy as np
import pytest
from PIL import Image

from lecture_models.data import captioned_pictures
from lecture_models.data.captioned_pictures import read
from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.made_scenes import make


def write(folder, count=12, captions=5, header="image,caption", extra=""):
    home = folder / "flickr8k"
    (home / "images").mkdir(parents=True, exist_ok=True)
    lines = [header]
    for number in range(count):
        name = f"{number}.jpg"
        Image.new("RGB", (30, 20), (20 * number, 0, 0)).save(home / "images" / name)
        lines += [f'{name},"a dog, number {number}, caption {k} ."' for k in range(captions)]
    lines += [f"absent.jpg,not here {k}" for k in range(5)]
    text = "\n".join(lines) + "\n" + extra
    (home / "captions.txt.gz").write_bytes(gzip.compress(text.encode()))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(captioned_pictures, "SIDE", 8)


def test_pictures_have_their_own_captions_in_one_split(tmp_path):
    write(tmp_path)
    dataset = read(tmp_path)
    assert sum(len(split) for split in dataset[:3]) == 12
    seen = []
    for split in dataset[:3]:
        for pixels, captions in zip(split["pixels"], split["captions"], strict=True):
            number = round(float(pixels[..., 0].mean()) / 20)
            assert captions[0] == f"a dog, number {number}, caption 0 ."
            assert len(captions) == 5
            seen.append(number)
    assert sorted(seen) == list(range(12))


def test_the_split_hangs_on_the_names_alone(tmp_path):
    write(tmp_path)
    before = read(tmp_path).test["captions"]
    write(tmp_path, count=30)
    after = read(tmp_path).test["captions"]
    assert set(before) <= set(after)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 9}, "has 9 pictures that captions.txt.gz names; at least 10"),
        ({"captions": 4}, "has 4 captions of 0.jpg; it must have 5"),
        ({"header": "a,b"}, "line 1 is 'a,b'; it must be image,caption"),
        ({"extra": "0.jpg\n"}, "line 67 must have two cells"),
        ({"extra": '0.jpg,"open\n'}, "is not CSV"),
    ],
)
def test_damaged_tables_are_refused(tmp_path, options, message):
    write(tmp_path, **options)
    with pytest.raises(DataError, match=message):
        read(tmp_path)


def test_a_damaged_picture_is_named(tmp_path):
    write(tmp_path)
    (tmp_path / "flickr8k" / "images" / "3.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match="3.jpg"):
        read(tmp_path)


def test_without_the_table_the_data_are_absent(tmp_path):
    with pytest.raises(DataAbsentError, match="does not exist"):
        read(tmp_path)


def test_made_scenes_show_what_their_sentences_say():
    dataset = make()
    split = dataset.train
    for pixels, captions in zip(split["pixels"][:20], split["captions"][:20], strict=True):
        upper, lower = captions[0].removeprefix("a ").split(" above a ")
        for half, thing in ((pixels[:32], upper), (pixels[32:], lower)):
            color = np.array({"red": 0, "green": 1, "blue": 2}.get(thing.split()[0], 0))
            spread = half.max(axis=-1).astype(int) - half.min(axis=-1)
            assert half[spread > 40].mean(axis=0).argmax() == color
