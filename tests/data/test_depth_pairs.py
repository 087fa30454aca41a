import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.depth_pairs import read_nyu
from lecture_models.data.made_rooms import make

LINES = ["index,split", "0001,train", "0002,val", "0003,test"]


def write(folder, lines=LINES, depth=None):
    home = folder / "nyu-depth"
    home.mkdir(exist_ok=True)
    (home / "split.csv").write_text("\n".join(lines) + "\n")
    with tarfile.open(home / "pairs.tar.gz", "w:gz") as archive:
        for number in (1, 2, 3):
            photo = encoded(Image.new("RGB", (160, 120), (40 * number, 0, 0)), "JPEG")
            values = encoded(Image.new("L", (160, 120), 51 * number), "PNG")
            depths = depth if depth is not None and number == 2 else values
            for name, data in (("images/%04d.jpg", photo), ("depths/%04d.png", depths)):
                member = tarfile.TarInfo(name % number)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def encoded(image, kind):
    content = io.BytesIO()
    image.save(content, kind)
    return content.getvalue()


def test_depths_are_in_meters(tmp_path):
    write(tmp_path)
    dataset = read_nyu(tmp_path)
    assert [len(split) for split in dataset[:3]] == [1, 1, 1]
    np.testing.assert_allclose(dataset.test["depths"], 6.0, rtol=1e-6)
    assert dataset.validation["pixels"].shape == (1, 120, 160, 3)


@pytest.mark.parametrize(
    ("lines", "depth", "message"),
    [
        (["a,b"], None, "must begin with the line index,split"),
        ([*LINES, "0004,train"], None, "lacks images/0004.jpg"),
        ([*LINES, "0001,other"], None, "'other' must be one of"),
        (LINES[:3], None, "names no pair of the split test"),
        (LINES, encoded(Image.new("L", (160, 120)), "PNG"), "19200 pixels without a depth"),
        (LINES, encoded(Image.new("L", (80, 120), 9), "PNG"), "has 80x120 pixels"),
        (LINES, encoded(Image.new("I;16", (160, 120), 9), "PNG"), "16-bit maps"),
    ],
)
def test_wrong_files_are_refused(tmp_path, lines, depth, message):
    write(tmp_path, lines, depth)
    with pytest.raises(DataError, match=message):
        read_nyu(tmp_path)


def test_no_files_are_absent(tmp_path):
    with pytest.raises(DataAbsentError, match="does not exist"):
        read_nyu(tmp_path)


def test_made_rooms_have_exact_depths():
    first, again = make().validation, make().validation
    np.testing.assert_array_equal(first["depths"], again["depths"])
    depths = first["depths"]
    assert np.isfinite(depths).all()
    assert depths.min() > 0.0
    assert depths.max() < 9.0
    # The floor comes nearer from the middle to the lower edge.
    assert (depths[:, -1, 32] <= depths[:, 28, 32] + 1e-5).all()
