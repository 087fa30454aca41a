import numpy as np
import pytest
from PIL import Image

from experiments import pca_faces as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.tasks.faces import location, recognition
from lecture_models.tasks.faces.pictures import collect_faces


def silent(line):
    """Nothing is announced."""


def test_values_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match=r"--hidden is \(1\.5,\)"):
        experiment.Config(hidden=(1.5,))
    with pytest.raises(ValueError, match="--draws is 1; it must be at least 2"):
        experiment.Config(draws=1)


def test_one_person_and_a_folder_without_pictures_are_refused(tmp_path):
    (tmp_path / "ann").mkdir()
    library = Library(None, silent)
    with pytest.raises(DataError, match="holds no pictures"):
        collect_faces(library, (str(tmp_path),), "", 32)
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 256, (40, 30), np.uint8)
        Image.fromarray(noise).save(tmp_path / "ann" / f"{number}.png")
    with pytest.raises(DataError, match="at least 2 people with at least 2 pictures each"):
        collect_faces(library, (str(tmp_path),), "", 32)


def test_half_of_the_faces_of_each_person_are_for_training():
    people = np.repeat([0, 1, 2], [4, 5, 2])
    train = recognition.draw_half(people, np.random.default_rng(0))
    assert np.bincount(people[train]).tolist() == [2, 2, 1]


def test_a_face_that_is_pasted_into_an_even_photo_is_found():
    generator = np.random.default_rng(0)
    steps = np.linspace(0.0, 3.0, 24)
    # Symmetric, because mirror images are added to the faces.
    face = (0.5 + 0.4 * np.sin(steps[:, None] ** 2) * np.cos(steps - 1.5)[None]).astype(np.float32)
    faces = face[None] + 0.01 * generator.normal(size=(4, 24, 24)).astype(np.float32)
    finder = location.Finder(location.fit_face_space(faces, 24, 0, True))
    photo = np.full((80, 70), 0.5, np.float32)
    picture = location.paste(photo, faces[0], 31, 22)
    found = location.find_face(picture, finder, (24.0, 30.0))
    assert found.box == (31.0, 22.0, 55.0, 46.0)
    nothing = location.find_face(photo, finder, (24.0, 30.0))
    assert np.isinf(nothing.distance)
