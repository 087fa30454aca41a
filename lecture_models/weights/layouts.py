"""Defines the layouts of public files: their names of the layers of this project's models."""

from lecture_models.weights.conversion import Layout

# Stage and layer, up to conv5_1.
_DISTILLED = [
    (stage, index)
    for stage, convolutions in enumerate((2, 2, 4, 4, 1), 1)
    for index in range(1, convolutions + 1)
]


def torchvision_vgg(stages: tuple[int, ...], classifier: bool = True) -> Layout:
    """Returns the layout of VGG: `features.N`, then `classifier.N`.

    timm's copies have `pre_logits` and `head.fc` for `classifier.N`.

    Args:
        stages: number of convolutions of each stage. A rectifier also takes a number, and so does
            the pooling at the end of a stage.
        classifier: False for a model without the dense layers, which are then ignored.
    """
    names, number = {}, 0
    for stage, convolutions in enumerate(stages, 1):
        for index in range(1, convolutions + 1):
            names[f"conv{stage}_{index}"] = (f"features.{number}",)
            number += 2
        number += 1
    if not classifier:
        return Layout(names, ignored=("classifier.", "pre_logits.", "head."))
    dense = {
        "fc6": ("classifier.0", "pre_logits.fc1"),
        "fc7": ("classifier.3", "pre_logits.fc2"),
        "fc8": ("classifier.6", "head.fc"),
    }
    return Layout(names | dense, maps={"fc6": (7, 7, 512)})


def distilled_vgg() -> Layout:
    """Returns the layout of the distilled VGG-19: `convSL` for stage S and layer L.

    `convSL_aux`, which maps onto the channels of the teacher, is ignored.
    """
    layers = {f"conv{stage}_{index}": (f"conv{stage}{index}",) for stage, index in _DISTILLED}
    return Layout(layers, ignored=tuple(f"{name}_aux" for (name,) in layers.values()))


def caffe() -> Layout:
    """Returns the layout of a file that has the model's own names."""
    return Layout({})


def torchvision_squeezenet() -> Layout:
    """Returns the layout of SqueezeNet 1.1, whose numbers count rectifiers and poolings too."""
    names = {"conv1": ("features.0",), "conv10": ("classifier.1",)}
    for fire, number in enumerate((3, 4, 6, 7, 9, 10, 11, 12), 2):
        names[f"fire{fire}/squeeze1x1"] = (f"features.{number}.squeeze",)
        for part in ("expand1x1", "expand3x3"):
            names[f"fire{fire}/{part}"] = (f"features.{number}.{part}",)
    return Layout(names)


def torchvision_mobilenet_v2() -> Layout:
    """Returns the layout of MobileNetV2 with batch normalization folded into convolutions."""
    names = {
        "conv1/conv": ("features.0.0",),
        "block1/depthwise/conv": ("features.1.conv.0.0",),
        "block1/project/conv": ("features.1.conv.1",),
        "conv2/conv": ("features.18.0",),
        "classifier": ("classifier.1",),
    }
    for block in range(2, 18):
        for part, number in (("expand", "0.0"), ("depthwise", "1.0"), ("project", "2")):
            names[f"block{block}/{part}/conv"] = (f"features.{block}.conv.{number}",)
    return Layout(names)


def torchvision_resnet(stages: tuple[int, ...]) -> Layout:
    """Returns the layout of ResNet: `layerS.B.convN` and `bnN`.

    `downsample.0` and `.1` are the projection of a shortcut. `stages` has the number of blocks of
    each stage.
    """
    names = {}
    for stage, blocks in enumerate(stages, 1):
        for block in range(blocks):
            own, public = f"block{stage}_{block + 1}", f"layer{stage}.{block}"
            for index in (1, 2, 3):
                for part in ("conv", "bn"):
                    names[f"{own}/{part}{index}"] = (f"{public}.{part}{index}",)
            names[f"{own}/shortcut_conv"] = (f"{public}.downsample.0",)
            names[f"{own}/shortcut_bn"] = (f"{public}.downsample.1",)
    return Layout(names)
