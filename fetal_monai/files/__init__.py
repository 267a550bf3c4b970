"""Files of all kinds: atomic writes, CSV tables, hardened XML and the matching of file names."""

from fetal_monai.files.atomic import atomic_path
from fetal_monai.files.csv_table import append_to_csv_table, read_csv_table, write_csv_table

__all__ = ["append_to_csv_table", "atomic_path", "read_csv_table", "write_csv_table"]
