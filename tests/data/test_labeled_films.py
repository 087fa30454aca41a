import numpy as np
import pytest
from PIL import Image

from lecture_models.data.dataset import DataError, Provenance
from lecture_models.data.labeled_films import LabeledFilm, film_dataset
from lecture_models.data.lookup import Library
from lecture_models.data.moving_shapes import DIRECTIONS, make, move


def write_gif(path, levels, size=(80, 60)):
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = [Image.new("L", size, level) for level in levels]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50)


def own_films(folder):
    return Library(None, print).labeled_films("--films", str(folder))


def test_a_folder_of_actions_holds_a_film_of_each_person(tmp_path):
    for action, level in (("jump", 40), ("run", 90)):
        for person in ("ann", "bob", "cy10", "cy9"):
            write_gif(tmp_path / action / f"{person}.gif", [level, level + 30, level + 60])
    (tmp_path / "jump" / "notes.txt").write_text("not a film")
    dataset = own_films(tmp_path)
    assert dataset.classes == ("jump", "run")
    assert dataset.vocabularies["people"] == ("ann", "bob", "cy9", "cy10")
    assert [len(split) for split in dataset[:3]] == [4, 2, 2]
    first = dataset.train["frames"][0]
    assert first.shape == (3, 64, 64)
    assert np.abs(first.mean(axis=(1, 2)) - [40, 70, 100]).max() < 2
    assert len(dataset.provenance.files) == 8


def test_only_the_central_square_of_a_frame_is_seen(tmp_path):
    wide = np.full((32, 96), 250, np.uint8)
    wide[:, 32:64] = 100
    for action in ("a", "b"):
        for person in "xyz":
            folder = tmp_path / action / person
            folder.mkdir(parents=True)
            for number in range(2):
                Image.fromarray(wide).save(folder / f"{number}.png")
    frames = own_films(tmp_path).train["frames"].values
    assert frames[..., 8:56].max() <= 105


def test_folders_without_films_are_refused(tmp_path):
    with pytest.raises(DataError, match="--films=.* is not a folder; it must hold ACTION/PERSON"):
        own_films(tmp_path / "none")
    with pytest.raises(DataError, match="holds no films; each must lie in the sub-folder"):
        own_films(tmp_path)
    for person in "xy":
        write_gif(tmp_path / "jump" / f"{person}.gif", [0, 200])
        write_gif(tmp_path / "run" / f"{person}.gif", [0, 200])
    with pytest.raises(DataError, match="show 2 people and 2 actions; there must be at least 3"):
        own_films(tmp_path)


def test_people_are_in_the_order_of_their_numbers():
    frames = np.zeros((2, 8, 8), np.uint8)
    films = [LabeledFilm(action, str(person), frames) for action in "ab" for person in (10, 9, 1)]
    dataset = film_dataset(films, Provenance("toys", "made", ()))
    assert dataset.vocabularies["people"] == ("1", "9", "10")
    assert dataset.test["people"].tolist() == [2, 2]


def test_a_shape_moves_and_wraps_around():
    right, left = (move(np.random.default_rng(0), DIRECTIONS[name]) for name in ("right", "left"))
    assert right.shape == (20, 64, 64)

    def best_shift(film, time):
        first, later = film[0].astype(int), film[time].astype(int)
        return int(
            np.argmin([np.abs(np.roll(first, shift, 1) - later).mean() for shift in range(64)])
        )

    speed = best_shift(right, 1)
    assert 2 <= speed <= 4
    assert best_shift(left, 1) == 64 - speed
    assert best_shift(right, 19) == 19 * speed % 64  # Around the edge.


def test_made_films_are_the_same_for_a_seed_and_balanced():
    dataset = make()
    assert np.bincount(dataset.train.labels).tolist() == [24, 24, 24, 24]
    np.testing.assert_array_equal(dataset.test["frames"].values, make().test["frames"].values)
    assert (dataset.test["frames"].values != make(1).test["frames"].values).any()
