"""The names that layers have in public files, beside theirs in the models here."""

from lecture_models.weights.conversion import Layout

# Stage and layer, up to conv5_1.
_DISTILLED = [
    (stage, index)
    for stage, convolutions in enumerate((2, 2, 4, 4, 1), 1)
    for index in range(1, convolutions + 1)
]


def torchvision_vgg(stages: tuple[int, ...], classifier: bool = True) -> Layout:
    """`features.N`, then `classifier.N`, or `pre_logits` and `head.fc` in timm's copies.

    `stages` has the number of convolutions of each; a rectifier takes a number as well, and so
    does the pooling at the end of a stage.
    """
    names, number = {}, 0
    for stage, convolutions in enumerate(stages, 1):
        for index in range(1, convolutions + 1):
            names[f"conv{stage}_{index}"] = (f"features.{number}",)
            number += 2
        number += 1
    if not classifier:
        return Layout(names, aside=("classifier.", "pre_logits.", "head."))
    dense = {
        "fc6": ("classifier.0", "pre_logits.fc1"),
        "fc7": ("classifier.3", "pre_logits.fc2"),
        "fc8": ("classifier.6", "head.fc"),
    }
    return Layout(names | dense, maps={"fc6": (7, 7, 512)})


def distilled_vgg() -> Layout:
    """`convSL`; `convSL_aux` map onto the channels of the teacher, VGG-19."""
    layers = {f"conv{stage}_{index}": (f"conv{stage}{index}",) for stage, index in _DISTILLED}
    return Layout(layers, aside=tuple(f"{name}_aux" for (name,) in layers.values()))


def caffe() -> Layout:
    """Layers have the same names in the file and here."""
    return Layout({})


def torchvision_squeezenet() -> Layout:
    """SqueezeNet 1.1, whose numbers count rectifiers and poolings."""
    names = {"conv1": ("features.0",), "conv10": ("classifier.1",)}
    for fire, number in enumerate((3, 4, 6, 7, 9, 10, 11, 12), 2):
        names[f"fire{fire}/squeeze1x1"] = (f"features.{number}.squeeze",)
        for part in ("expand1x1", "expand3x3"):
            names[f"fire{fire}/{part}"] = (f"features.{number}.{part}",)
    return Layout(names)


def torchvision_mobilenet_v2() -> Layout:
    """MobileNetV2 with batch normalization folded into the convolutions."""
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
    """`layerS.B.convN` and `bnN`; `downsample.0` and `.1` are the projection of a shortcut."""
    names = {}
    for stage, blocks in enumerate(stages, 1):
        for block in range(blocks):
            here, there = f"block{stage}_{block + 1}", f"layer{stage}.{block}"
            for index in (1, 2, 3):
                for part in ("conv", "bn"):
                    names[f"{here}/{part}{index}"] = (f"{there}.{part}{index}",)
            names[f"{here}/shortcut_conv"] = (f"{there}.downsample.0",)
            names[f"{here}/shortcut_bn"] = (f"{there}.downsample.1",)
    return Layout(names)
