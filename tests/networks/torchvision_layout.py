"""Names and shapes of torchvision's backbones without classifier, written down from their definition."""

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}
BOTTLENECKS = ("resnet50", "resnet101")
# Widths of the convolutions; "M" is a pooling. Each convolution is followed by a batch norm and a ReLU.
VGG_PLANS = {
    "vgg13_bn": "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M",
    "vgg16_bn": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
}
# torchvision's published parameter counts, with the classifier's weights and biases.
PARAMETERS = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
}
Layout = dict[str, tuple[int, ...]]


def _norm(name: str, channels: int) -> Layout:
    values: Layout = {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}
    return {**values, f"{name}.num_batches_tracked": ()}


def resnet_layout(depth: str, in_channels: int = 3) -> Layout:
    layout: Layout = {}

    def convolution_and_norm(convolution: str, norm: str, shape: tuple[int, int, int, int]) -> None:
        layout[f"{convolution}.weight"] = shape
        layout.update(_norm(norm, shape[0]))

    convolution_and_norm("conv1", "bn1", (64, in_channels, 7, 7))
    expansion = 4 if depth in BOTTLENECKS else 1
    before = 64
    for stage, blocks in enumerate(BLOCKS[depth], start=1):
        width = 32 * 2**stage
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            if depth in BOTTLENECKS:
                convolution_and_norm(f"{name}.conv1", f"{name}.bn1", (width, before, 1, 1))
                convolution_and_norm(f"{name}.conv2", f"{name}.bn2", (width, width, 3, 3))
                convolution_and_norm(f"{name}.conv3", f"{name}.bn3", (4 * width, width, 1, 1))
            else:
                convolution_and_norm(f"{name}.conv1", f"{name}.bn1", (width, before, 3, 3))
                convolution_and_norm(f"{name}.conv2", f"{name}.bn2", (width, width, 3, 3))
            if before != expansion * width:
                convolution_and_norm(f"{name}.downsample.0", f"{name}.downsample.1", (expansion * width, before, 1, 1))
            before = expansion * width
    return layout


def vgg_layout(depth: str, in_channels: int = 3) -> Layout:
    layout: Layout = {}
    place, before = 0, in_channels
    for step in VGG_PLANS[depth].split():
        if step == "M":
            place += 1
            continue
        width = int(step)
        layout[f"features.{place}.weight"] = (width, before, 3, 3)
        layout[f"features.{place}.bias"] = (width,)
        layout.update(_norm(f"features.{place + 1}", width))
        place, before = place + 3, width
    return layout
