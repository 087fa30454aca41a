import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.made_digit_scenes import make
from lecture_models.data.many_boxes import many_boxes_split, read_bccd

HEADER = "file,split,class,xmin,ymin,xmax,ymax"
ROWS = [
    "a,train,RBC,0,0,160,120",
    "a,train,Platelets,300,200,320,240",
    "b,val,WBC,1.5,2,30,40",
    "c,test,RBC,10,20,30,40",
]


def write(folder, rows=ROWS, header=HEADER, size=(320, 240)):
    home = folder / "bccd"
    home.mkdir(exist_ok=True)
    (home / "boxes.csv").write_text("\n".join([header, *rows]) + "\n")
    content = io.BytesIO()
    Image.new("RGB", size, (200, 0, 0)).save(content, "JPEG")
    with tarfile.open(home / "images.tar.gz", "w:gz") as archive:
        for name in "abc":
            member = tarfile.TarInfo(f"images/{name}.jpg")
            member.size = len(content.getvalue())
            archive.addfile(member, io.BytesIO(content.getvalue()))


def test_boxes_are_shares_of_the_sides_with_their_classes(tmp_path):
    write(tmp_path)
    train = read_bccd(tmp_path).train
    np.testing.assert_allclose(train["boxes"][0][0], [0.0, 0.0, 0.5, 0.5])
    np.testing.assert_allclose(train["boxes"][0][1], [200 / 240, 300 / 320, 1.0, 1.0])
    assert train["box_labels"][0].tolist() == [0, 2]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,train,cell,0,0,10,10", "line 2: the class 'cell' must be one of RBC, WBC, Platelets"),
        ("a,train,RBC,10,0,10,10", "line 2: the box 10, 0, 10, 10 must have an area"),
        ("a,train,RBC,0,0,321,10", "lie in the photo of 320x240"),
        ("a,train,RBC,0,nan,20,10", "line 2 has 'nan'; it must be a finite number"),
        ("a,other,RBC,0,0,20,10", "'other' must be one of"),
        ("d,train,RBC,0,0,20,10", "lacks images/d.jpg"),
    ],
)
def test_wrong_lines_are_refused(tmp_path, row, message):
    write(tmp_path, [row, *ROWS])
    with pytest.raises(DataError, match=message):
        read_bccd(tmp_path)


def test_wrong_files_are_refused(tmp_path):
    with pytest.raises(DataAbsentError, match="does not exist"):
        read_bccd(tmp_path)
    write(tmp_path, header="a,b,c,d,e,f,g")
    with pytest.raises(DataError, match="must begin with the line file,split"):
        read_bccd(tmp_path)
    write(tmp_path, ROWS[:3])
    with pytest.raises(DataError, match="names no photo of the split test"):
        read_bccd(tmp_path)
    write(tmp_path, size=(160, 120))
    with pytest.raises(DataError, match="has the shape"):
        read_bccd(tmp_path)


def test_pictures_without_any_object_are_refused():
    with pytest.raises(DataError, match="none of 1 pictures has an object"):
        many_boxes_split(np.zeros((1, 2, 2, 3), np.uint8), [np.zeros((0, 4))], [np.zeros(0)])


def test_boxes_of_made_scenes_enclose_bright_ink():
    split = make().validation
    for number in range(20):
        gray = split["pixels"][number].astype(float).max(axis=2)
        ground = np.median(gray)
        outside = np.ones(gray.shape, bool)
        for box in split["boxes"][number]:
            top, left, bottom, right = (96 * box).round().astype(int)
            assert gray[top:bottom, left:right].max() > ground + 30
            outside[max(0, top - 3) : bottom + 3, max(0, left - 3) : right + 3] = False
        assert (gray[outside] > ground + 60).mean() < 0.01
    assert len(split["boxes"][0]) == len(split["box_labels"][0])
