"""U-Net whose encoder sees further by dilated convolutions."""

import math
from collections.abc import Sequence

import torch
from monai.networks.blocks import Convolution
from torch import nn

_POOLINGS = 5


class DoubleConvolution(nn.Sequential):
    """Two 3x3 convolutions, each with bias and ReLU, of one dilation rate each; the size stays."""

    def __init__(self, in_channels: int, out_channels: int, dilation: tuple[int, int] = (1, 1)) -> None:
        first, second = dilation
        super().__init__(_conv_relu(in_channels, out_channels, first), _conv_relu(out_channels, out_channels, second))


class Decoder(nn.Module):
    """Doubles the size by a 2x2 transposed convolution, joins the skipped features, and convolves twice."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, in_channels // 2, kernel_size=2, stride=2)
        self.convolutions = DoubleConvolution(in_channels, in_channels // 2)

    def forward(self, features: torch.Tensor, skipped: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w) and (B, C/2, 2h, 2w) -> (B, C/2, 2h, 2w)."""
        return self.convolutions(torch.cat([skipped, self.up(features)], dim=1))


class DilatedUNet(nn.Module):
    """U-Net (Ronneberger et al., doi:10.1007/978-3-319-24574-4_28) with dilated convolutions in the encoder.

    Five 2x2 poolings (256 -> 8) and channels that double from `base_channels` on; each level has two 3x3 convolutions,
    in the encoder with the rates of `dilation`. At rates (1, 2) the two together see 7x7 px instead of 5x5, at the
    same 31,093,921 parameters (base 32). The plain U-Net that the paper compares with has rates (1, 1).

    The network takes gray values as they are and standardises them itself: mean and standard deviation of the data
    set are buffers, so they are part of every checkpoint and export, and inference cannot use others. They are 0
    and 1 until `set_intensity` sets them. The rates are extra state of every checkpoint:
    weights of other rates have the same shapes, and are refused.

    Args:
        in_channels: Channels of the image.
        out_channels: Channels of the logits; one for a sigmoid.
        base_channels: Channels of the first level.
        dilation: Rates of an encoder level's two convolutions.

    Shapes:
        (B, in_channels, H, W) -> logits (B, out_channels, H, W); H and W multiples of 32.

    Raises:
        ValueError: If an argument is out of its range, (in `forward`) a side is no multiple of 32, or (in
            `load_state_dict`) the weights have other rates.
    """

    intensity_mean: torch.Tensor
    intensity_std: torch.Tensor

    def __init__(
        self,
        in_channels: int = 1,
        *,
        out_channels: int = 1,
        base_channels: int = 32,
        dilation: Sequence[int] = (1, 2),
    ) -> None:
        super().__init__()
        if min(in_channels, out_channels, base_channels) < 1:
            raise ValueError(
                "in_channels, out_channels and base_channels must be at least 1, got "
                f"{in_channels}, {out_channels} and {base_channels}."
            )
        if len(dilation) != 2 or min(dilation) < 1:
            raise ValueError(
                f"dilation must be two rates of at least 1, one for each convolution of a level, got {list(dilation)}."
            )
        first, second = dilation
        widths = [base_channels * 2**level for level in range(_POOLINGS + 1)]
        self.register_buffer("intensity_mean", torch.tensor(0.0))
        self.register_buffer("intensity_std", torch.tensor(1.0))
        self.dilation = [first, second]
        self.reduction = 2**_POOLINGS
        self.pool = nn.MaxPool2d(2)
        self.encoders = nn.ModuleList(
            DoubleConvolution(before, width, (first, second))
            for before, width in zip([in_channels, *widths], widths, strict=False)
        )
        self.decoders = nn.ModuleList(Decoder(width) for width in reversed(widths[1:]))
        self.classify = nn.Conv2d(base_channels, out_channels, kernel_size=1)
        # With no normalisation, PyTorch's own initialisation fades from layer to layer until nothing is learnt.
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def set_intensity(self, mean: float, std: float) -> "DilatedUNet":
        """Set, in place, the gray values' mean and standard deviation in the training frames; return the network.

        Raises:
            ValueError: If they are not finite, or the standard deviation is not positive.
        """
        if not (math.isfinite(mean) and math.isfinite(std) and std > 0):
            raise ValueError(f"Expected a finite mean and a positive standard deviation, got {mean} and {std}.")
        self.intensity_mean.fill_(mean)
        self.intensity_std.fill_(std)
        return self

    def get_extra_state(self) -> torch.Tensor:
        """Extra state of a checkpoint: the rates, which do not show in the shapes of the weights."""
        return torch.tensor(self.dilation)

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Check the rates of a checkpoint that is being loaded.

        Raises:
            ValueError: If they are others than this network's.
        """
        if state.tolist() != self.dilation:
            raise ValueError(f"The weights have dilation {state.tolist()}, this network {self.dilation}.")

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Segment a batch of images; see the class for the shapes."""
        if image.shape[2] % self.reduction != 0 or image.shape[3] % self.reduction != 0:
            raise ValueError(
                f"DilatedUNet pools its input several times: rows and columns must be multiples of {self.reduction}, "
                f"got {image.shape[2]} and {image.shape[3]}. Choose another spatial_size."
            )
        features = (image - self.intensity_mean) / self.intensity_std
        skipped: list[torch.Tensor] = []
        for encoder in self.encoders:
            if len(skipped) > 0:
                features = self.pool(features)
            features = encoder(features)
            skipped.append(features)
        for level, decoder in enumerate(self.decoders):
            features = decoder(features, skipped[-2 - level])
        return self.classify(features)


def _conv_relu(in_channels: int, out_channels: int, dilation: int) -> Convolution:
    # The padding that MONAI chooses is the rate, so the size stays.
    return Convolution(
        spatial_dims=2,
        in_channels=in_channels,
        out_channels=out_channels,
        kernel_size=3,
        dilation=dilation,
        norm=None,
        act="relu",
    )
