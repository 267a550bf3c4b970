"""Names and shapes of torchvision's ResNet-50 and ResNet-101 without classifier, written down from their definition."""

BLOCKS = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}
# torchvision's published parameter counts, with the classifier's 2048 x 1000 weights and 1000 biases.
PARAMETERS = {"resnet50": 25_557_032, "resnet101": 44_549_160}


def resnet_layout(depth: str) -> dict[str, tuple[int, ...]]:
    layout: dict[str, tuple[int, ...]] = {}

    def convolution_and_norm(convolution: str, norm: str, shape: tuple[int, int, int, int]) -> None:
        layout[f"{convolution}.weight"] = shape
        layout.update({f"{norm}.{name}": shape[:1] for name in ("weight", "bias", "running_mean", "running_var")})
        layout[f"{norm}.num_batches_tracked"] = ()

    convolution_and_norm("conv1", "bn1", (64, 3, 7, 7))
    before = 64
    for stage, blocks in enumerate(BLOCKS[depth], start=1):
        width = 32 * 2**stage
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            convolution_and_norm(f"{name}.conv1", f"{name}.bn1", (width, before, 1, 1))
            convolution_and_norm(f"{name}.conv2", f"{name}.bn2", (width, width, 3, 3))
            convolution_and_norm(f"{name}.conv3", f"{name}.bn3", (4 * width, width, 1, 1))
            if block == 0:
                convolution_and_norm(f"{name}.downsample.0", f"{name}.downsample.1", (4 * width, before, 1, 1))
            before = 4 * width
    return layout
