import io

import numpy as np
import pytest
from scipy.io import savemat

from lecture_models.data import piano_rolls
from lecture_models.data.dataset import DataAbsentError, DataError
from lecture_models.data.lookup import Library
from lecture_models.data.piano_rolls import FILES, read


def cells(*pieces):
    row = np.empty((1, len(pieces)), object)
    for number, piece in enumerate(pieces):
        row[0, number] = piece
    return row


def piece(frames=3, keys=88, value=1):
    roll = np.zeros((frames, keys), np.uint8)
    roll[:, 40] = value
    return roll


def mat(path, **changes):
    parts = {
        "traindata": cells(piece(4), piece(2)),
        "validdata": cells(piece()),
        "testdata": cells(piece(5)),
    }
    parts = {name: part for name, part in (parts | changes).items() if part is not None}
    content = io.BytesIO()
    savemat(content, parts)
    path.write_bytes(content.getvalue())
    return path


def own(path):
    return Library(None, print).music("--music", str(path))


def test_the_pieces_of_all_parts_are_read(tmp_path):
    dataset = own(mat(tmp_path / "a.mat"))
    assert [split["frames"].lengths.tolist() for split in dataset[:3]] == [[4, 2], [3], [5]]
    assert dataset.train["frames"][1].dtype == np.uint8
    assert (dataset.train["frames"][0] == piece(4)).all()
    assert dataset.provenance.dataset == "a.mat"
    assert len(dataset.provenance.files[0].sha256) == 64


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"testdata": None}, "has no testdata; it has traindata, validdata"),
        ({"testdata": np.eye(3)}, r"testdata is an array of float64 and shape \(3, 3\); it must"),
        ({"testdata": cells(piece(), piece(3, 87))}, r"piece 2 of testdata .* shape \(3, 87\); it"),
        ({"traindata": cells(piece(0), piece())}, "piece 1 of traindata has 0 frames; it must"),
        ({"traindata": cells(piece(1), piece())}, "piece 1 of traindata has 1 frames; it must"),
        ({"validdata": cells(piece(value=3), piece())}, "has values from 0 to 3; they must be 0"),
    ],
)
def test_files_of_another_form_are_refused_in_one_line(tmp_path, changes, message):
    with pytest.raises(DataError, match=message) as caught:
        own(mat(tmp_path / "a.mat", **changes))
    assert "\n" not in str(caught.value)


def test_files_of_another_kind_are_refused_in_one_line(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.mat"
    with h5py.File(path, "w") as file:
        file["traindata"] = np.zeros(3)
    with pytest.raises(DataError, match=r"is a MATLAB file of version 7.3 \(HDF5\); save it again"):
        own(path)
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + path.read_bytes())
    with pytest.raises(DataError, match=r"is a MATLAB file of version 7.3 \(HDF5\); save it again"):
        own(path)
    path.write_bytes(b"X:1\nT:A tune\n" * 20)
    with pytest.raises(DataError, match="is not a MATLAB file; its first bytes are b'X:1"):
        own(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="is empty"):
        own(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_refused(tmp_path, share):
    path = mat(tmp_path / "a.mat")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match="is cut off or damaged|has no testdata|has no traindata"):
        own(path)


def test_another_file_in_the_place_of_a_published_one_is_refused(tmp_path):
    with pytest.raises(DataAbsentError, match="JSB_Chorales.mat does not exist in"):
        read("jsb_chorales", tmp_path)
    (tmp_path / piano_rolls.FOLDER).mkdir()
    mat(tmp_path / piano_rolls.FOLDER / "JSB_Chorales.mat")
    with pytest.raises(DataError, match="it must be ac0e60.*; delete it and fetch it again, or"):
        read("jsb_chorales", tmp_path)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "counts", "frames"),
    [
        ("jsb_chorales", (229, 76, 77), (13_807, 4_602, 4_725)),
        ("nottingham", (694, 173, 170), (176_561, 45_513, 44_463)),
        ("piano_midi", (87, 12, 25), (75_911, 8_540, 19_036)),
        ("muse_data", (524, 135, 124), (245_202, 82_755, 64_339)),
    ],
)
def test_the_published_files_have_the_published_numbers_of_pieces(real_data, name, counts, frames):
    if not (real_data / piano_rolls.FOLDER / FILES[name].name).is_file():
        pytest.skip(f"{FILES[name].name} is absent")
    dataset = read(name, real_data)
    assert tuple(len(split) for split in dataset[:3]) == counts
    assert tuple(len(split["frames"].values) for split in dataset[:3]) == frames
