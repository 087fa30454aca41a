import numpy as np
import pytest
from PIL import Image

from experiments import pca_faces as experiment
from lecture_models.data.dataset import DataError
from lecture_models.data.lookup import Library
from lecture_models.data.pixels import images_from_uint8
from lecture_models.metrics.boxes import Box, center_distance
from lecture_models.tasks.faces import finding, location, occlusion, recognition, tracking
from lecture_models.tasks.faces.pictures import collect_faces, everything, gray, labels_of


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
    finder = location.Finder(location.fit_face_space(faces, 24, 0, True, edge=0.0))
    photo = np.full((80, 70), 0.5, np.float32)
    picture = location.paste(photo, faces[0], 31, 22)
    found = location.find_face(picture, finder, (24.0, 30.0))
    assert found.box == (31.0, 22.0, 55.0, 46.0)
    nothing = location.find_face(photo, finder, (24.0, 30.0))
    assert np.isinf(nothing.distance)


def test_the_face_of_the_astronaut_is_where_the_cascade_of_scikit_image_finds_it(real_data):
    skimage_data = pytest.importorskip("skimage.data")
    feature = pytest.importorskip("skimage.feature")
    if not (real_data / "cbcl-faces").is_dir():
        pytest.skip("cbcl-faces is absent")
    library = Library(real_data, silent)
    photo = library.picture("sample:astronaut", 320)
    cascade = feature.Cascade(skimage_data.lbp_frontal_face_cascade_filename())
    (expected,) = cascade.detect_multi_scale(photo.pixels, 1.2, 1, (30, 30), (160, 160))
    top, left = expected["r"], expected["c"]
    box = Box(top, left, top + expected["height"], left + expected["width"])
    patches = library.load("cbcl_faces")
    faces = gray(everything(patches, "images"))[labels_of(patches) == 1]
    picture = gray(images_from_uint8(photo.pixels[None]))[0]
    found = finding.find_in_photo(picture, faces)
    # The cascade's box is the whole head, ours goes from brow to chin.
    assert center_distance(found.box, box) < 0.25 * expected["height"]


@pytest.mark.parametrize("is_known", [True, False], ids=["known people", "new people"])
def test_no_picture_is_in_two_parts(is_known):
    faces = collect_faces(Library(None, silent), (), "synthetic_faces", 32)
    photos = np.random.default_rng(0).random((10, 8, 8)).astype(np.float32)
    material = finding.divide(faces, photos, is_known, 0)
    parts = [{face.tobytes() for face in part} for part in material[:3]]
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(faces.pixels)
    people = [
        {
            person
            for face, person in zip(faces.pixels, faces.people, strict=True)
            if face.tobytes() in part
        }
        for part in parts
    ]
    assert bool(people[0] & people[2]) == is_known


def test_photos_that_are_too_few_are_refused():
    faces = collect_faces(Library(None, silent), (), "synthetic_faces", 32)
    with pytest.raises(DataError, match="2 photos without faces; at least 3"):
        finding.divide(faces, np.zeros((2, 8, 8), np.float32), True, 0)


def test_a_hole_is_restored_better_by_what_is_seen_than_by_the_mean():
    faces = collect_faces(Library(None, silent), (), "synthetic_faces", 32)
    train = recognition.draw_half(faces.people, np.random.default_rng(0))
    model = occlusion.fit_model(faces.vectors[train], 30)
    table = occlusion.table(
        model, faces.vectors[~train][:20], faces.shape, (0.25,), np.random.default_rng(1)
    )
    assert table.scores["masked, prior"][0] > table.scores["mean face"][0] + 1.0
    assert table.scores["whole face"][0] > table.scores["masked, prior"][0]
    assert len(table.shown) == 5


def write_person(folder, sizes, mode="L", level=None):
    folder.mkdir(parents=True)
    for number, (width, height) in enumerate(sizes):
        shape = (height, width) if mode == "L" else (height, width, 3)
        noise = np.random.default_rng(number).integers(0, 256, shape, np.uint8)
        pixels = noise if level is None else np.full(shape, level, np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")


def test_faces_of_different_sizes_and_in_color_are_brought_to_one_size_and_to_gray(tmp_path):
    write_person(tmp_path / "ann", [(30, 40), (50, 35)])
    write_person(tmp_path / "bob", [(64, 64), (33, 70)], "RGB")
    faces = collect_faces(Library(None, silent), (str(tmp_path),), "", 32)
    assert faces.pixels.shape == (4, 32, 32)
    assert faces.names == ("ann", "bob")


@pytest.mark.parametrize(
    ("sizes", "level", "message"),
    [
        ([(40, 40)], None, "fewest pictures: 1, of bob"),
        ([(40, 40), (40, 40)], 128, "2 pictures have only one gray level"),
    ],
    ids=["one picture", "constant pictures"],
)
def test_people_from_whom_nothing_is_learned_are_refused(tmp_path, sizes, level, message):
    write_person(tmp_path / "ann", [(40, 40), (40, 40)])
    write_person(tmp_path / "bob", sizes, level=level)
    with pytest.raises(DataError, match=message):
        collect_faces(Library(None, silent), (str(tmp_path),), "", 32)


def test_more_eigenfaces_than_faces_for_training_are_refused():
    config = experiment.Config(**experiment.SMOKE | {"counts": (500,)})
    with pytest.raises(DataError, match=r"--counts is \(500,\); with 100 faces for training"):
        experiment.build(config, Library(None, silent))
    config = experiment.Config(**experiment.SMOKE | {"components": 100})
    with pytest.raises(DataError, match="--components is 100; with 100 faces for training"):
        experiment.build(config, Library(None, silent))


def test_a_moving_face_is_followed_through_noise_and_light():
    faces = collect_faces(Library(None, silent), (), "synthetic_faces", 32).pixels[:10]
    finder = location.Finder(location.fit_face_space(faces, 24, 0, True))
    photo = np.linspace(0.2, 0.6, 150, dtype=np.float32)[:, None].repeat(140, axis=1)
    film = tracking.make_film(photo, faces[:1], 40, 40, 0)
    path = tracking.follow(film, finder, 40, film.boxes[0])
    assert len(path.found) == 40
    assert not path.lost.any()
    assert np.median(path.errors) < 2.0
    moved = {(box.top, box.left) for box in film.boxes}
    assert len(moved) > 30


def test_the_ratio_of_densities_tells_faces_from_windows_of_photos():
    library = Library(None, silent)
    faces = collect_faces(library, (), "synthetic_faces", 32)
    photos = gray(everything(library.load("sample_crops"), "images"))
    material = finding.divide(faces, photos, True, 0)
    finder = finding.density_finder(material, (6, 6), 0)
    finder_of_distance = finding.distance_finder(material, 0)
    assert finder.space.noise > 0.0
    assert finder.other.noise > 0.0
    assert finder_of_distance.other is None
    composites = location.draw_composites(
        material.test_faces, material.test_photos, 6, (36.0, 48.0), np.random.default_rng(0)
    )
    score, found = location.score_composites(composites, finder, (36.0, 48.0))
    assert location.within(score, 4.0) >= 0.5
    # A window that is found is more likely to be a face than a window of a photo.
    assert np.mean([window.distance < 0.0 for window in found]) > 0.5


def test_numbers_of_eigenfaces_that_few_faces_do_not_allow_are_left_out():
    assert experiment.allowed_counts((1, 50, 100, 200), 100, 576) == (1, 50)
    assert experiment.allowed_counts((1, 50, 100, 200), 1_000, 576) == (1, 50, 100, 200)


def test_as_many_eigenfaces_as_few_faces_allow_still_leave_some_noise():
    vectors = np.random.default_rng(0).random((4, 60)).astype(np.float32)
    model = occlusion.fit_model(vectors, 100)
    assert model.pca.components.shape == (60, 3)
    table = occlusion.table(model, vectors, (10, 6), (0.25,), np.random.default_rng(1))
    assert all(np.isfinite(values).all() for values in table.scores.values())
