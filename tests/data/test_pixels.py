import numpy as np

from lecture_models.data.pixels import images_from_uint8, uint8_from_images


def test_every_byte_comes_back_and_values_outside_are_clipped():
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    np.testing.assert_array_equal(uint8_from_images(images_from_uint8(every)), every)
    assert uint8_from_images(np.array([-1.5, 0.0, 3.0])).tolist() == [0, 128, 255]
