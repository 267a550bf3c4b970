from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fetal_monai.cohort.charts import charts_png
from fetal_monai.cohort.schema import parquet_table
from fetal_monai.cohort.summary import Summary


def summary(sizes: list[float], ages: list[float | None]) -> Summary:
    rows = [
        {"file": "a.png", "status": "measured", "head_circumference_mm": size, "known_gestational_age_days": age}
        for size, age in zip(sizes, ages, strict=True)
    ]
    rows += [{"file": "b.png", "status": "failed", "reason": reason} for reason in ("empty", "a | b", "empty")]
    rows += [{"file": "c.png", "status": "check", "reason": "check by eye", "head_circumference_mm": 1000.0}]
    return Summary.of(parquet_table(rows))


def test_doubtful_sizes_are_counted_and_left_out_of_the_distribution() -> None:
    of = summary([100.0, 200.0, 300.0], [None, 150, None])
    assert of.counts == {"measured": 3, "check": 1, "unscaled": 0, "failed": 3}
    assert list(of.reasons.items()) == [("empty", 2), ("a | b", 1)]
    assert of.metrics["head_circumference_mean_mm"] == 200
    assert of.metrics["head_circumference_centile_50_mm"] == 200
    assert of.metrics["head_circumference_sd_mm"] == pytest.approx(np.std([100, 200, 300]))
    page = of.markdown({"engine": "torch"}, "charts.png")
    assert "| failed | 3 | 42.86 |" in page and "| a \\| b | 1 |" in page and "![charts](charts.png)" in page


def test_a_cohort_without_a_size() -> None:
    of = summary([], [])
    assert "No frame was measured without doubt" in of.markdown({}, "charts.png")
    assert not any(name.endswith("_mm") for name in of.metrics)
    assert charts_png(of).startswith(b"\x89PNG")


def test_growth_is_drawn_where_ages_are_known() -> None:
    ages_of: list[list[float | None]] = [[None, None], [150, None]]
    widths = [Image.open(io.BytesIO(charts_png(summary([150.0, 250.0], ages)))).width for ages in ages_of]
    assert widths[1] == 2 * widths[0]
