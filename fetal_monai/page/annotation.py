"""What a person says of a frame, and what the model said of it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

from fetal_monai.biometry import Ellipse
from fetal_monai.biometry.pixel_size import PLAUSIBLE_PIXEL_SIZE_MM
from fetal_monai.data.anatomical_class import parse_labels

_SMALLEST_MM, _LARGEST_MM = PLAUSIBLE_PIXEL_SIZE_MM
_FARTHEST_PX = 1e6  # of the schema of ellipse labels

PixelSize: TypeAlias = Annotated[FiniteFloat, Field(ge=_SMALLEST_MM, le=_LARGEST_MM)]
Coordinate: TypeAlias = Annotated[FiniteFloat, Field(ge=-_FARTHEST_PX, le=_FARTHEST_PX)]
Length: TypeAlias = Annotated[FiniteFloat, Field(gt=0, le=_FARTHEST_PX)]


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EllipseValues(_Values):
    """An ellipse in px of the frame; the fields are those of `fetal_monai.biometry.Ellipse`."""

    center_x: Coordinate
    center_y: Coordinate
    semi_axis_a: Length
    semi_axis_b: Length
    angle_rad: FiniteFloat

    @model_validator(mode="after")
    def _check(self) -> EllipseValues:
        self.ellipse()  # raises ValueError
        return self

    def ellipse(self) -> Ellipse:
        """The ellipse, its angle between 0 and pi."""
        return Ellipse(**self.model_dump())

    @classmethod
    def of(cls, ellipse: Ellipse) -> EllipseValues:
        """The values of an ellipse."""
        return cls(**{name: getattr(ellipse, name) for name in cls.model_fields})


class Scale(_Values):
    """What a person knows of a frame's scale beside its file.

    Attributes:
        pixel_spacing_mm: (row, column) as calibrated on the page; None for that of the file.
        known_age_days: Gestational age from a dating scan; None for that of the table.
    """

    pixel_spacing_mm: tuple[PixelSize, PixelSize] | None = None
    known_age_days: Annotated[FiniteFloat, Field(gt=0, le=320)] | None = None


class Annotation(_Values):
    """What a person says of a frame.

    Attributes:
        ellipse: The head as the person leaves it; None if the person has drawn and accepted none.
        decision: "accepted", "skipped", or "" for a draft.
        reason: Why the frame is skipped.
        categories: What the frame shows, some of the seven classes.
        scale: What the person knows of its scale.
        person: Name or initials.
    """

    ellipse: EllipseValues | None = None
    decision: Literal["", "accepted", "skipped"] = ""
    reason: Annotated[str, Field(max_length=300)] = ""
    categories: tuple[str, ...] = ()
    scale: Scale = Scale()
    person: Annotated[str, Field(max_length=80)] = ""

    @field_validator("categories")
    @classmethod
    def _known(cls, categories: tuple[str, ...]) -> tuple[str, ...]:
        return parse_labels(",".join(categories)) if categories else ()

    @model_validator(mode="after")
    def _whole(self) -> Annotation:
        if self.decision == "accepted" and self.ellipse is None:
            raise ValueError("there is no ellipse to accept; draw one")
        if self.decision == "skipped" and not self.reason.strip():
            raise ValueError("give a reason for skipping the frame")
        return self


class ModelMeasurement(_Values):
    """What a network measured on the frame.

    Attributes:
        ellipse: The ellipse; None where the measurement failed.
        status: As in the table of measurements.
        reason: See there.
        head_circumference_mm: HC, None without a scale.
        bundle: The network's bundle.
        weights_sha256: Checksum of its weights.
        engine: Engine and precision.
    """

    ellipse: EllipseValues | None
    status: str
    reason: str
    head_circumference_mm: float | None
    bundle: str
    weights_sha256: str
    engine: str


class StoredAnnotation(Annotation):
    """An annotation as it is kept.

    Attributes:
        file: The frame's file, relative to the folder.
        frame: Its place in the loop, from 0.
        revision: How often it has been saved; 0 if never.
        time: When it was saved last.
        model: What the model said when the person decided.
    """

    file: str
    frame: int
    revision: int = 0
    time: AwareDatetime | None = None
    model: ModelMeasurement | None = None
