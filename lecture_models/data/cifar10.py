"""Describes CIFAR-10: 50,000 + 10,000 color images of 32x32 in ten classes.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html ("binary version"). The files `data_batch_1.bin` to
`data_batch_5.bin` and `test_batch.bin`, or the same with `.gz`, are records of a label byte and
3,072 bytes of pixels; `cifar_records` reads them. A prepared TFDS data set has the same pixels.
"""

from lecture_models.data.cifar_records import CifarLayout

CIFAR10 = CifarLayout(
    name="cifar10",
    folders=("cifar10/cifar-10-batches-bin", "cifar-10-batches-bin"),
    files=(*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"),
    label_bytes=1,
    label=0,
    classes=(
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
    records=10_000,
)
