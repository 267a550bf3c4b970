"""What measured, as the reports state it."""

from __future__ import annotations

from dataclasses import dataclass

from highdicom import AlgorithmIdentificationSequence
from highdicom.sr import AlgorithmIdentification

from fetal_monai import __version__
from fetal_monai.dicom_report.codes import ARTIFICIAL_INTELLIGENCE
from fetal_monai.measurement import HeadMeasurer

MANUFACTURER = "The fetal_monai developers"
NOT_VERIFIED = "Measured by software (artificial intelligence). Not verified by a person."


@dataclass(frozen=True)
class Algorithm:
    """The software and the weights that measured.

    Attributes:
        bundle: Name of the bundle.
        weights_sha256: Checksum of its weights.
        runtime: Engine and precision, such as "openvino int8".
        version: Version of fetal_monai.
    """

    bundle: str
    weights_sha256: str
    runtime: str
    version: str = __version__

    @classmethod
    def of(cls, measurer: HeadMeasurer) -> Algorithm:
        """What a measurer measures with."""
        runtime = f"{measurer.runtime.engine} {measurer.runtime.precision}"
        return cls(measurer.bundle.root.name, measurer.bundle.weights_sha256, runtime)

    @property
    def name(self) -> str:
        """Package and bundle."""
        return f"fetal_monai {self.bundle}"

    @property
    def parameters(self) -> dict[str, str]:
        """What identifies it beside its name and version."""
        return {"weights sha256": self.weights_sha256, "engine": self.runtime}

    def content_items(self, **parameters: str) -> AlgorithmIdentification:
        """The algorithm in the tree of a structured report (TID 4019).

        Args:
            parameters: What else the measurement depends on.
        """
        stated = self.parameters | {name.replace("_", " "): value for name, value in parameters.items()}
        return AlgorithmIdentification(
            self.name,
            self.version,
            parameters=[f"{name}: {value}" for name, value in stated.items()],
            family=ARTIFICIAL_INTELLIGENCE,
            manufacturer=MANUFACTURER,
        )

    def sequence(self) -> AlgorithmIdentificationSequence:
        """The algorithm as an attribute of a segment."""
        return AlgorithmIdentificationSequence(
            self.name,
            family=ARTIFICIAL_INTELLIGENCE,
            version=self.version,
            source=MANUFACTURER,
            parameters=self.parameters,
        )
