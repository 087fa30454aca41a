import numpy as np

from lecture_models.data import synthetic_faces
from lecture_models.metrics.label_agreement import label_agreement, nearest_others


def test_people_are_recognized_unless_the_light_changes():
    faces = synthetic_faces.read().train
    flat = faces.images.reshape(len(faces), -1)
    agreement = label_agreement(nearest_others(flat, 1), faces.labels)
    lights = [synthetic_faces.CONDITIONS.index(name) for name in ("leftlight", "rightlight")]
    from_the_side = np.isin(faces["conditions"], lights)
    assert agreement[~from_the_side].mean() > 0.8
    assert agreement[from_the_side].mean() < 0.5


def test_every_person_has_every_condition_and_six_two_two_pictures():
    dataset = synthetic_faces.read()
    assert [len(split) for split in dataset[:3]] == [120, 40, 40]
    for person in range(synthetic_faces.PEOPLE):
        seen = {int(name) for name in dataset.train["conditions"][dataset.train.labels == person]}
        assert len(seen) == len(synthetic_faces.CONDITIONS)


def test_the_light_comes_from_its_side():
    dataset = synthetic_faces.read()
    lights = dataset.train["conditions"]
    middle = synthetic_faces.WIDTH // 2
    left, right = (
        dataset.train.images[:, :, half] for half in (slice(middle), slice(-middle, None))
    )
    difference = left.mean(axis=(1, 2, 3)) - right.mean(axis=(1, 2, 3))
    assert (difference[lights == synthetic_faces.CONDITIONS.index("leftlight")] > 0.0).all()
    assert (difference[lights == synthetic_faces.CONDITIONS.index("rightlight")] < 0.0).all()


def test_patches_are_faces_and_others_in_turn_in_the_range_of_images():
    dataset = synthetic_faces.read_patches()
    assert dataset.train.labels[:4].tolist() == [1, 0, 1, 0]
    assert np.abs(dataset.train.images).max() <= 1.0
    assert dataset.train.images.shape == (240, 24, 24, 1)
