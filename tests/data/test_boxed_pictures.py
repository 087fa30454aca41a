import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from lecture_models.data import boxed_pictures
from lecture_models.data.boxed_pictures import read_horses
from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.made_objects import CLASSES, make

HEADER = "file,split,width,height,xmin,ymin,xmax,ymax"
ROW = "horse{:03d},{},40,20,10,5,30,20"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(boxed_pictures, "SIDE", 8)


def write(folder, rows=None, header=HEADER, photo=None, mask=None):
    home = folder / "weizmann-horses"
    home.mkdir(parents=True, exist_ok=True)
    if rows is None:
        rows = [ROW.format(number, "test" if number > 20 else "train") for number in range(25)]
    (home / "horses.csv").write_text("\n".join([header, *rows]) + "\n")
    with tarfile.open(home / "pairs.tar.gz", "w:gz") as archive:
        for number in range(25):
            inside = Image.new("1", (40, 20))
            inside.paste(1, (10, 5, 30, 20))
            files = {
                f"images/horse{number:03d}.jpg": encoded(
                    Image.new("RGB", (40, 20), (10 * number, 0, 0))
                ),
                f"masks/horse{number:03d}.png": encoded(inside),
            }
            if number == 3:
                files["images/horse003.jpg"] = photo or files["images/horse003.jpg"]
                files["masks/horse003.png"] = mask or files["masks/horse003.png"]
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def encoded(image):
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def test_boxes_are_shares_of_the_sides(tmp_path):
    write(tmp_path)
    dataset = read_horses(tmp_path)
    assert [len(split) for split in dataset[:3]] == [19, 2, 4]
    np.testing.assert_allclose(dataset.test["boxes"][0], [0.25, 0.25, 1.0, 0.75])
    mask = dataset.test["masks"][0]
    np.testing.assert_array_equal(np.flatnonzero(mask[4]), [2, 3, 4, 5])
    np.testing.assert_array_equal(np.flatnonzero(mask[:, 3]), [2, 3, 4, 5, 6, 7])
    assert dataset.test["pixels"][:, 0, 0, 0].tolist() == [210, 220, 230, 240]
    assert dataset.validation["pixels"][:, 0, 0, 0].tolist() == [90, 190]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("horse000,train,40,20,30,5,10,20", "line 2: the box 30, 5, 10, 20 must have an area"),
        ("horse000,train,40,20,10,5,41,20", "lie in the picture of 40x20"),
        ("horse000,other,40,20,10,5,30,20", "'other' must be train or test"),
        ("horse000,train,40,20,ten,5,30,20", "line 2 has 'ten'; it must be a finite number"),
        ("horse099,train,40,20,10,5,30,20", "lacks images/horse099.jpg"),
    ],
)
def test_wrong_lines_are_refused(tmp_path, row, message):
    write(tmp_path, rows=[row])
    with pytest.raises(DataError, match=message):
        read_horses(tmp_path)


def test_wrong_files_are_refused(tmp_path):
    with pytest.raises(DataAbsentError, match="does not exist"):
        read_horses(tmp_path)
    write(tmp_path, header="a,b,c,d,e,f,g,h")
    with pytest.raises(DataError, match="must begin with the line file,split"):
        read_horses(tmp_path)
    write(tmp_path, photo=b"no picture")
    with pytest.raises(DataError, match="horse003.jpg cannot be decoded"):
        read_horses(tmp_path)
    write(tmp_path, mask=encoded(Image.new("L", (20, 20), 1)))
    with pytest.raises(DataError, match="horse003.png has 20x20 pixels; its picture has 40x20"):
        read_horses(tmp_path)
    write(tmp_path, mask=encoded(Image.new("L", (40, 20))))
    with pytest.raises(DataError, match="horse003.png has no object"):
        read_horses(tmp_path)


def test_the_box_of_a_made_shape_encloses_it():
    split = make().train
    for pixels, box, label in zip(
        split["pixels"][:30], split["boxes"][:30], split.labels, strict=False
    ):
        top, left, bottom, right = (64 * box).round().astype(int)
        bright = pixels.astype(int).sum(axis=-1) > 375
        inside = bright[top:bottom, left:right].mean()
        assert inside > 0.4 if CLASSES[label] != "square" else inside > 0.9
        outside = bright.sum() - bright[top:bottom, left:right].sum()
        assert outside < 0.01 * bright.size


def test_the_mask_of_a_made_shape_is_bright():
    split = make().train
    bright = split["pixels"].astype(int).sum(axis=-1) > 375
    assert ((split["masks"] > 0) == bright).mean() > 0.97
