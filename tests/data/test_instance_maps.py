import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.instance_maps import instance_split, read_nuclei

LINES = ["file,split,nuclei", "a,train,2", "b,val,2", "c,test,2"]


def write(folder, lines=LINES, label=None):
    home = folder / "dsb2018-nuclei"
    home.mkdir(exist_ok=True)
    (home / "split.csv").write_text("\n".join(lines) + "\n")
    labels = np.zeros((256, 256), np.uint8)
    labels[:9, :9], labels[20:40, 20:40] = 1, 2
    with tarfile.open(home / "pairs.tar.gz", "w:gz") as archive:
        for name in "abc":
            own = label if label is not None and name == "b" else labels
            files = {
                f"images/{name}.jpg": encoded(np.full((256, 256), 90, np.uint8), "JPEG"),
                f"labels/{name}.png": encoded(own, "PNG"),
            }
            for member_name, data in files.items():
                member = tarfile.TarInfo(member_name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def encoded(array, kind):
    content = io.BytesIO()
    Image.fromarray(array).save(content, kind)
    return content.getvalue()


def test_pictures_are_gray_in_three_channels_with_numbered_nuclei(tmp_path):
    write(tmp_path)
    dataset = read_nuclei(tmp_path)
    assert [len(split) for split in dataset[:3]] == [1, 1, 1]
    assert dataset.test["pixels"].shape == (1, 256, 256, 3)
    assert np.unique(dataset.test["masks"]).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("lines", "label", "message"),
    [
        (["x"], None, "must begin with the line file,split,nuclei"),
        ([*LINES, "d,train,1"], None, "lacks images/d.jpg"),
        ([*LINES, "a,other,2"], None, "'other' must be one of"),
        (LINES[:3], None, "names no picture of the split test"),
        (
            [LINES[0], "a,train,3", *LINES[2:]],
            None,
            "the labels 1 to 2, not all of them or not the 3",
        ),
        (LINES, np.zeros((256, 256), np.uint16), "16-bit maps"),
        (LINES, np.zeros((128, 256), np.uint8), "has 256x128 pixels; its picture has 256x256"),
    ],
)
def test_wrong_files_are_refused(tmp_path, lines, label, message):
    write(tmp_path, lines, label)
    with pytest.raises(DataError, match=message):
        read_nuclei(tmp_path)


def test_no_files_are_absent_and_no_objects_are_refused(tmp_path):
    with pytest.raises(DataAbsentError, match="does not exist"):
        read_nuclei(tmp_path)
    with pytest.raises(DataError, match="none of 1 pictures has an object"):
        instance_split(np.zeros((1, 4, 4, 3), np.uint8), np.zeros((1, 4, 4), np.uint8))
