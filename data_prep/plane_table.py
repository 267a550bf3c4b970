"""Published sets of standard planes, whose tables of planes are converted to the seven classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fetal_monai.data.frame_files import natural_key
from fetal_monai.data.io.suffix import frame_suffix
from fetal_monai.data.preparation.inspection import Inspection
from fetal_monai.data.preparation.labelled_frame import LabelEntry, LabelledFrame, inspect_entries
from fetal_monai.data.preparation.problem import Problem
from fetal_monai.files.csv_table import read_csv_table
from fetal_monai.files.name_matching import listed_name


@dataclass(frozen=True, slots=True)
class PlaneTable:
    """Layout of a data set.

    Attributes:
        table_name: File name of the table, in the data set's folder.
        delimiter: Separates its columns.
        images_folder: Folder of the images, in the data set's folder.
        filename_column: Column with the image's file name.
        filename_suffix: Suffix of the files that the column omits.
        plane_column: Column with the plane.
        patient_column: Column with the patient.
        class_of_plane: The class of each plane.
        left_out: Reasons why the frames of a plane are left out, by plane.
        description: Facts about the data set for the data list.
    """

    table_name: str
    delimiter: str
    images_folder: str
    filename_column: str
    filename_suffix: str
    plane_column: str
    patient_column: str
    class_of_plane: Mapping[str, str]
    left_out: Mapping[str, str]
    description: Mapping[str, str]

    def inspect(self, source: Path) -> Inspection[LabelledFrame]:
        """Read the data set in the folder `source` and check it, see `inspect_entries`.

        Raises:
            FileNotFoundError: The folder of the images is missing.
            ValueError: The table lacks a column or is not such a table.
        """
        table, images = source / self.table_name, source / self.images_folder
        if not images.is_dir():
            raise FileNotFoundError(f"{images} does not exist; unpack the images of {table.name} there.")
        required = (self.filename_column, self.plane_column, self.patient_column)
        _, rows = read_csv_table(table, self.delimiter, required)
        entries: list[LabelEntry] = []
        problems: list[Problem] = []
        set_aside = set()
        for row in rows:
            name = listed_name(row[self.filename_column] + self.filename_suffix)
            plane = row[self.plane_column].lower()
            if plane in self.left_out:
                set_aside.add(name)
                problems.append(Problem("error", "plane", name, self.left_out[plane]))
            elif plane not in self.class_of_plane:
                set_aside.add(name)
                known = ", ".join([*self.class_of_plane, *self.left_out])
                reason = f"the plane '{row[self.plane_column]}' is unknown; expected one of {known}. Correct the table."
                problems.append(Problem("error", "plane", name, reason))
            else:
                entries.append(LabelEntry(name, self.class_of_plane[plane], row[self.patient_column]))
        filenames = (path.name for path in images.iterdir() if frame_suffix(path))
        wanted = sorted((name for name in filenames if listed_name(name) not in set_aside), key=natural_key)
        inspection = inspect_entries(images, entries, wanted)
        return Inspection(inspection.frames, problems + inspection.problems)


AFRICAN_PLANES = PlaneTable(
    table_name="planes.csv",
    delimiter=",",
    images_folder="images",
    filename_column="image",
    filename_suffix="",
    plane_column="plane",
    patient_column="patient",
    class_of_plane={"brain": "head", "femur": "limbs", "abdomen": "abdomen", "thorax": "thorax"},
    left_out={},
    description={
        "name": "Standard planes from five African centres",
        "description": "Standard planes with one class each, a selection; no boxes.",
        "licence": "CC BY 4.0",
        "reference": "Sendra-Balcells et al. 2023, https://doi.org/10.5281/zenodo.7540448",
    },
)

# Burgos-Artizzu et al., "Evaluation of deep convolutional neural networks for automatic classification of common
# maternal fetal ultrasound planes", Sci Rep 10:10200, 2020, https://doi.org/10.1038/s41598-020-67076-5.
# The cervix is maternal: none of the six fetal regions is meant to be visible, so these frames are background.
# "Other" is any plane except these five, such as spines, faces, arms and placentas. "Background" would be a wrong label
# for a spine or a placenta, so these frames are left out.
FETAL_PLANES_DB = PlaneTable(
    table_name="FETAL_PLANES_DB_data.csv",
    delimiter=";",
    images_folder="Images",
    filename_column="Image_name",
    filename_suffix=".png",
    plane_column="Plane",
    patient_column="Patient_num",
    class_of_plane={
        "fetal brain": "head",
        "fetal femur": "limbs",
        "fetal abdomen": "abdomen",
        "fetal thorax": "thorax",
        "maternal cervix": "background",
    },
    left_out={"other": "the plane 'Other' does not say which region is visible, so the frame is left out."},
    description={
        "name": "FETAL_PLANES_DB",
        "description": "Common maternal-fetal planes with one class each; the mother's cervix is background; no boxes.",
        "licence": "CC BY 4.0",
        "reference": "Burgos-Artizzu et al. 2020, https://doi.org/10.5281/zenodo.3904280",
    },
)

PLANE_TABLES = (AFRICAN_PLANES, FETAL_PLANES_DB)
