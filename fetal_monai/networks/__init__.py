"""Networks that MONAI does not provide, one per file, and the cost of a network."""

from fetal_monai.networks.bisenet import BiSeNet
from fetal_monai.networks.complexity import Complexity, complexity
from fetal_monai.networks.deeplab import DeepLabV2
from fetal_monai.networks.dilated_unet import DilatedUNet
from fetal_monai.networks.discriminator import FullyConvolutionalDiscriminator
from fetal_monai.networks.soft_proposal import SoftProposal
from fetal_monai.networks.soft_proposal_network import ClassResponse, SoftProposalNetwork
from fetal_monai.networks.vgg import VGG

__all__ = [
    "VGG",
    "BiSeNet",
    "ClassResponse",
    "Complexity",
    "DeepLabV2",
    "DilatedUNet",
    "FullyConvolutionalDiscriminator",
    "SoftProposal",
    "SoftProposalNetwork",
    "complexity",
]
