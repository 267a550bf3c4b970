"""What a cohort's results come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

SUMMARY_COLUMNS = ("status", "reason", "head_circumference_mm", "known_gestational_age_days")
STATUSES = ("measured", "check", "unscaled", "failed")
_REASONS = 20
_CENTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True, eq=False)
class Summary:
    """Counts and sizes of a cohort.

    Attributes:
        counts: Number of frames by status; a file that failed as a whole counts as one.
        reasons: Number of failures by reason, the most frequent first.
        head_circumference_mm: Of the frames with the status "measured".
        known_age_days: Of the same frames; NaN where it is not known.
    """

    counts: Mapping[str, int]
    reasons: Mapping[str, int]
    head_circumference_mm: NDArray[np.float64]
    known_age_days: NDArray[np.float64]

    @classmethod
    def of(cls, table: pa.Table) -> Summary:
        """Summarise the rows of a table with `SUMMARY_COLUMNS`."""
        counts = _counts(table["status"])
        reasons = _counts(table.filter(pc.equal(table["status"], "failed"))["reason"])
        measured = table.filter(pc.equal(table["status"], "measured"))
        return cls(
            {status: counts.get(status, 0) for status in STATUSES},
            dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
            measured["head_circumference_mm"].to_numpy(),
            measured["known_gestational_age_days"].to_numpy(),
        )

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers by name, without those that do not exist."""
        sizes = self.head_circumference_mm
        metrics: dict[str, float] = {f"frames_{status}": count for status, count in self.counts.items()}
        if sizes.size:
            metrics |= {
                "head_circumference_mean_mm": float(sizes.mean()),
                "head_circumference_sd_mm": float(sizes.std()),
            }
            for centile in _CENTILES:
                metrics[f"head_circumference_centile_{centile}_mm"] = float(np.percentile(sizes, centile))
        return metrics

    def markdown(self, run: Mapping[str, object], picture: str) -> str:
        """Return the summary as a page.

        Args:
            run: What was measured, and how.
            picture: Name of the file with the charts.
        """
        total = sum(self.counts.values())
        lines = ["# Cohort", "", *_table(("status", "frames", "%"), self._shares(total)), ""]
        if self.reasons:
            shown = list(self.reasons.items())[:_REASONS]
            lines += ["## Failed", "", *_table(("reason", "frames"), shown)]
            if (more := len(self.reasons) - len(shown)) > 0:
                lines += ["", f"and {more} more reasons."]
            lines += [""]
        lines += ["## Head circumference", ""]
        if self.head_circumference_mm.size:
            sizes = [
                (name.removeprefix("head_circumference_").removesuffix("_mm").replace("_", " "), f"{value:.1f}")
                for name, value in self.metrics.items()
                if name.endswith("_mm")
            ]
            lines += [*_table(("of frames measured without doubt", "mm"), sizes), "", f"![charts]({picture})", ""]
        else:
            lines += ["No frame was measured without doubt and with a known pixel spacing.", ""]
        lines += ["## Run", "", *_table(("what", "value"), list(run.items())), ""]
        return "\n".join(lines)

    def _shares(self, total: int) -> list[tuple[str, int, str]]:
        return [(status, count, f"{100 * count / max(total, 1):.2f}") for status, count in self.counts.items()]


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    return {str(each["values"]): each["counts"] for each in pc.value_counts(column).to_pylist()}


def _table(headings: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> list[str]:
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in ([*headings], ["---"] * len(headings), *cells)]
