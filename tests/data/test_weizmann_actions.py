import io

import numpy as np
import pytest
from PIL import Image

from lecture_models.data import weizmann_actions
from lecture_models.data.dataset import DataAbsentError, DataError
from tests.data.small_files import tar_gz

HEADER = "file,action,person,frames\n"


def sheet(frames):
    """Returns a JPEG whose frames are flat, and brighter by 5 from one to the next."""
    rows = -(-frames // 16)
    pixels = np.zeros((rows * 64, 16 * 64, 3), np.uint8)
    for frame in range(frames):
        top, left = 64 * (frame // 16), 64 * (frame % 16)
        pixels[top : top + 64, left : left + 64] = 20 + 5 * frame
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def write(data_dir, listing, files):
    folder = data_dir / weizmann_actions.FOLDER
    folder.mkdir(parents=True)
    (folder / "clips.csv").write_text(listing)
    (folder / "clips.tar.gz").write_bytes(tar_gz(files))


def test_frames_lie_row_by_row_and_the_last_people_are_held_out(tmp_path):
    lengths = {"bend/0": 3, "jack/0": 17, "bend/1": 2, "jack/1": 1, "bend/2": 20, "jack/2": 2}
    lines = [f"{name}.jpg,{name[:4]},{name[5]},{count}" for name, count in lengths.items()]
    files = {f"{name}.jpg": sheet(count) for name, count in lengths.items()}
    write(tmp_path, HEADER + "\n".join(lines), files)
    dataset = weizmann_actions.read(tmp_path)
    assert dataset.classes == ("bend", "jack")
    assert dataset.vocabularies["people"] == ("0", "1", "2")
    assert [split["people"].tolist() for split in dataset[:3]] == [[0, 0], [1, 1], [2, 2]]
    assert dataset.train["frames"].lengths.tolist() == [3, 17]
    film = dataset.train["frames"][1].astype(int)
    assert film.shape == (17, 64, 64)
    expected = 20 + 5 * np.arange(17)[:, None, None]
    assert np.abs(film - expected).max() <= 2  # The seventeenth lies in the second row.


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        ("name,action\n", "must begin with the line file,action,person,frames"),
        (HEADER, "names no clips"),
        (HEADER + "a.jpg,bend,0,many", "line 2: 'many' must be a number of frames"),
        (HEADER + "a.jpg,bend,0,0", "line 2: '0' must be a number of frames"),
        (HEADER + "b.jpg,bend,0,3", "lacks b.jpg, which clips.csv names"),
        (HEADER + "a.jpg,bend,0,17", r"a.jpg has the shape \(64, 1024, 3\)"),
        (HEADER + "a.jpg,bend,0,3", "show 1 people and 1 actions; there must be at least 3"),
    ],
)
def test_lists_that_do_not_fit_are_refused(tmp_path, listing, message):
    write(tmp_path, listing, {"a.jpg": sheet(3)})
    with pytest.raises(DataError, match=message):
        weizmann_actions.read(tmp_path)


def test_no_list_is_an_absence(tmp_path):
    with pytest.raises(DataAbsentError, match=r"weizmann-actions/clips\.csv does not exist"):
        weizmann_actions.read(tmp_path)


@pytest.mark.real_data
def test_the_real_clips_are_those_of_nine_people(real_data):
    dataset = weizmann_actions.read(real_data)
    assert [len(split) for split in dataset[:3]] == [28, 4, 4]
    assert dataset.classes == ("bend", "jack", "wave1", "wave2")
    frames = sum(len(split["frames"].values) for split in dataset[:3])
    assert frames == 2_645
    assert dataset.train["frames"].values.max() > 200
