"""The times of the measurement of heads as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.interleaved import median_ratio

_FLOOR_STEPS = ("decode", "resize", "contour", "ellipse")


def tables(timings: Mapping[str, Any]) -> str:
    """Return all tables, medians and ratios, and what they were measured on."""
    milliseconds = timings["milliseconds"]
    return "\n\n".join(
        [
            _machine(timings),
            _one_by_one(timings),
            _in_batches(timings),
            _markdown(
                ["step", "ms a frame"], [[step, median(values)] for step, values in milliseconds["steps"].items()]
            ),
            _networks(milliseconds),
            _pairs("frames of", "size ", milliseconds),
            _pairs("number of frames", "number ", milliseconds),
        ]
    )


def floor_ms(milliseconds: Mapping[str, Mapping[str, list[float]]]) -> list[float]:
    """The least that a frame can take in each round: its steps, with the fastest network at its best batch size."""
    networks = [values for name, rows in milliseconds.items() if "at once" in name for values in rows.values()]
    parts = [min(networks, key=median), *(milliseconds["steps"][step] for step in _FLOOR_STEPS)]
    return [sum(in_round) for in_round in zip(*parts, strict=True)]


def _machine(timings: Mapping[str, Any]) -> str:
    installation = timings["installation"]
    cpu, engines = installation["cpu"], installation["engines"]
    lines = [
        f"{cpu['model']}, {timings['cores']} cores ({', '.join(cpu['flags'])}); "
        + ", ".join(f"{name}={value}" for name, value in timings["limits"].items()),
        f"torch {installation['packages']['torch']}, MONAI {installation['packages']['monai']}, "
        + ", ".join(f"{name} {version}" for name, version in engines.items() if version),
        f"{timings['bundle']}, {timings['frames']} frames of {timings['frame_size'][1]}x{timings['frame_size'][0]}, "
        f"median of {timings['rounds']} rounds; load average "
        + " to ".join(f"{timings['load_average'][when][0]:.1f}" for when in ("before", "after")),
        *(f"Left out: {name}: {reason}" for name, reason in timings["left_out"].items()),
    ]
    return "\n".join(f"- {line.removesuffix('; ')}" for line in lines)


def _one_by_one(timings: Mapping[str, Any]) -> str:
    times, floor = timings["milliseconds"]["one by one"], floor_ms(timings["milliseconds"])
    references = [name for name in times if name.startswith("bundle")]
    rows = [
        [
            name,
            median(values),
            *(median_ratio(times[reference], values) for reference in references),
            median_ratio(values, floor),
            timings["hc_difference_mm"].get(name),
        ]
        for name, values in times.items()
    ]
    headers = [
        "one by one",
        "ms a frame",
        *(f"faster than {reference}" for reference in references),
        f"x floor ({median(floor):.1f} ms)",
        "difference of HC mm",
    ]
    return _markdown(headers, rows)


def _in_batches(timings: Mapping[str, Any]) -> str:
    times, single = timings["milliseconds"]["in batches"], timings["milliseconds"]["one by one"]
    references = [name for name in single if name.startswith("bundle")]
    rows = [
        [
            name,
            median(values),
            1000 / median(values),
            *(median_ratio(single[reference], values) for reference in references),
        ]
        for name, values in times.items()
    ]
    headers = [
        f"in batches of {timings['batch_size']}",
        "ms a frame",
        "frames a second",
        *(f"faster than {name}" for name in references),
    ]
    return _markdown(headers, rows)


def _networks(milliseconds: Mapping[str, Mapping[str, list[float]]]) -> str:
    by_count = {name: rows for name, rows in milliseconds.items() if "at once" in name}
    engines = next(iter(by_count.values()))
    rows: list[list[str | float | None]]
    rows = [[engine, *(median(of[engine]) for of in by_count.values())] for engine in engines]
    return _markdown(["network alone, ms a frame", *(name.removeprefix("network, ") for name in by_count)], rows)


def _pairs(title: str, prefix: str, milliseconds: Mapping[str, Mapping[str, list[float]]]) -> str:
    rows: list[list[str | float | None]] = [
        [
            name.removeprefix(prefix),
            median(times["engine"]),
            median(times["bundle"]),
            median_ratio(times["bundle"], times["engine"]),
        ]
        for name, times in milliseconds.items()
        if name.startswith(prefix)
    ]
    return _markdown([title, "engine, ms a frame", "bundle, ms a frame", "ratio"], rows)


def _markdown(headers: list[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [headers, ["---"] * len(headers), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
