"""Describes CIFAR-100: 50,000 + 10,000 color images of 32x32 in 100 classes, or in 20 of these.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html ("binary version"). The files `train.bin` and
`test.bin`, or the same with `.gz`, are records of a coarse label, a fine label and 3,072 bytes of
pixels; `cifar_records` reads them. A prepared TFDS data set has the same pixels.
"""

from lecture_models.data.cifar_records import CifarLayout

FINE = tuple(
    """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab
    crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
    keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse
    mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy
    porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper
    snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television
    tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
    """.split()  # noqa: SIM905 - one literal of words reads better than a list of strings.
)
COARSE = (
    "aquatic_mammals",
    "fish",
    "flowers",
    "food_containers",
    "fruit_and_vegetables",
    "household_electrical_devices",
    "household_furniture",
    "insects",
    "large_carnivores",
    "large_man-made_outdoor_things",
    "large_natural_outdoor_scenes",
    "large_omnivores_and_herbivores",
    "medium_mammals",
    "non-insect_invertebrates",
    "people",
    "reptiles",
    "small_mammals",
    "trees",
    "vehicles_1",
    "vehicles_2",
)

CIFAR100 = CifarLayout(
    name="cifar100",
    folders=("cifar100/cifar-100-binary", "cifar-100-binary"),
    files=("train", "test"),
    label_bytes=2,
    label=1,
    classes=FINE,
    records=50_000,
)
CIFAR100_COARSE = CIFAR100._replace(name="cifar100_coarse", label=0, classes=COARSE)
