"""What one server works on: a folder, its scales, its annotations and a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fetal_monai.biometry import Ellipse
from fetal_monai.data.frame_scale import FrameScale, FrameScales
from fetal_monai.data.frame_source import FrameSource
from fetal_monai.data.io.cine.suffix import VIDEO_SUFFIXES
from fetal_monai.data.unusable_names import unusable_names
from fetal_monai.measurement import HeadMeasurer, HeadResult
from fetal_monai.page.annotation import Annotation, EllipseValues, Scale, StoredAnnotation
from fetal_monai.page.folder import FrameFolder
from fetal_monai.page.measuring import Measuring, frame_shape, known_scale, measure_ellipse
from fetal_monai.page.opened_file import OpenedFile, OpenedFiles, Pixels
from fetal_monai.page.store import AnnotationStore


class Workspace:
    """A folder of frames, what is known of them, and the network that measures them.

    Args:
        root: The folder; it is created if it does not exist.
        load: Loads the network; called in another thread.
        pixel_spacing_mm: See `FrameScales`.
        table: See there.

    Raises:
        FolderInUseError: Another process works on the folder.
        FileNotFoundError: See `FrameScales`.
        ValueError: See there.
    """

    def __init__(
        self,
        root: Path,
        load: Callable[[], HeadMeasurer],
        *,
        pixel_spacing_mm: float | Sequence[float] | None = None,
        table: Path | None = None,
    ) -> None:
        self._scales = FrameScales(pixel_spacing_mm=pixel_spacing_mm, table=table)
        self.folder = FrameFolder(root)
        self.store = AnnotationStore(self.folder.state)
        self.measuring = Measuring(load)
        self.load = load
        self.refresh()

    def refresh(self) -> None:
        """List the folder again, and match the table with it."""
        self.folder.refresh()
        files = list(self.folder.files.values())
        self._scales.match(files, self.folder.root)
        unusable = unusable_names(files, self.folder.root)
        self._opened = OpenedFiles(FrameSource(files, self.folder.root, self._scales, unusable=unusable))

    def add(self, name: str, content: Path) -> str:
        """Move a file into the folder and list it; see `FrameFolder.add`."""
        identifier = self.folder.add(name, content)
        self.refresh()
        return identifier

    def work_list(self) -> list[dict[str, Any]]:
        """The files in natural order, each with its name and what has been decided of its frames."""
        of_file: dict[str, list[StoredAnnotation]] = {}
        for (identifier, _), annotation in sorted(self.store.all().items(), key=lambda each: each[0]):
            of_file.setdefault(identifier, []).append(annotation)
        return [
            {
                "id": identifier,
                "name": self.folder.name(path),
                "video": path.suffix.lower() in VIDEO_SUFFIXES,
                "frames": {each.frame: _brief(each) for each in of_file.get(identifier, ())},
            }
            for identifier, path in self.folder.files.items()
        ]

    def open(self, identifier: str) -> OpenedFile:
        """Open a file of the folder.

        Raises:
            UnknownFileError: There is no such file.
            FrameError: It cannot be read.
        """
        return self._opened.open(self.folder.file(identifier))

    def first_frame(self, identifier: str) -> Pixels:
        """The first frame of a file, without the others; raises as `open`."""
        return self._opened.first(self.folder.file(identifier))

    def annotation(self, identifier: str, index: int) -> StoredAnnotation:
        """The annotation of a frame.

        Raises:
            UnknownFileError: There is no such file.
        """
        return self.store.get((identifier, index), self.folder.name(self.folder.file(identifier)))

    def model(self, identifier: str, index: int) -> HeadResult:
        """What the network measures on a frame, at the scale that the person knows.

        Raises:
            UnknownFileError: There is no such file.
            FrameError: It cannot be read.
            IndexError: It has no such frame.
        """
        file = self.open(identifier)
        file.pixels(index)
        scale = self.scale(identifier, file, self.annotation(identifier, index).scale)
        return self.measuring.results(file, scale, [index])[0]

    def drawn(self, identifier: str, index: int, ellipse: Ellipse, said: Scale) -> HeadResult:
        """What an ellipse measures on a frame; raises as `model`."""
        file = self.open(identifier)
        return measure_ellipse(ellipse, frame_shape(file.pixels(index)), self.scale(identifier, file, said))

    def reported(self, identifier: str, index: int) -> HeadResult:
        """What counts on a frame: the person's ellipse, else the network's; raises as `model`."""
        kept = self.annotation(identifier, index)
        if kept.ellipse is None:
            return self.model(identifier, index)
        return self.drawn(identifier, index, kept.ellipse.ellipse(), kept.scale)

    def scale(self, identifier: str, file: OpenedFile, said: Scale) -> FrameScale:
        """The scale of a frame: what the person said of it, else of another frame of its loop, else the file's.

        Args:
            identifier: The file.
            file: The same, open.
            said: What the person said of the frame.
        """
        spacing, age = said.pixel_spacing_mm, said.known_age_days
        for (of_file, _), annotation in self.store.all().items():
            if of_file == identifier:
                spacing = spacing or annotation.scale.pixel_spacing_mm
                age = age or annotation.scale.known_age_days
        return known_scale(file.scale, spacing, age)

    def annotate(self, identifier: str, index: int, annotation: Annotation, revision: int) -> StoredAnnotation:
        """Keep what a person says of a frame, and what the network says of it.

        Raises:
            StaleRevisionError: Someone else has saved it since the person has seen it.
            UnknownFileError: See `model`, also for the other errors.
        """
        name = self.folder.name(self.folder.file(identifier))
        said = None
        if annotation.decision == "accepted":
            said = self.measuring.said(self.model(identifier, index))
        return self.store.save((identifier, index), name, annotation, revision, said)

    def close(self) -> None:
        """End the threads and let another process have the folder."""
        self.measuring.close()
        self.store.close()


def _brief(annotation: StoredAnnotation) -> dict[str, Any]:
    drawn = annotation.ellipse is not None
    return {"decision": annotation.decision, "drawn": drawn, "categories": annotation.categories}


def described(result: HeadResult) -> dict[str, Any]:
    """A measurement as the page shows it: the values of the table's row, and the ellipse."""
    ellipse = result.ellipse_px
    return {
        "row": result.row,
        "ellipse": None if ellipse is None else EllipseValues.of(ellipse).model_dump(),
        "perimeter_px": None if ellipse is None else ellipse.perimeter,
    }
