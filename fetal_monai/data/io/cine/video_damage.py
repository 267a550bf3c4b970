"""Find the intact pictures of a video: damage affects every picture that is predicted from a damaged one."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from fetal_monai.data.io.cine.packets import DecodedPacket


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of a video, in the order in which they are shown.

    Attributes:
        place: Position of its packet in the file.
        time_s: Time at which it is shown, or None.
        problem: Reason why it is not intact, or "".
    """

    place: int
    time_s: float | None
    problem: str


def survey(packets: Iterable[DecodedPacket]) -> list[Shown]:
    """Determine which pictures are intact.

    A picture is rejected if the decoder found damage in it or in an earlier picture of the file, back to the last key
    picture, from which all following pictures are predicted.
    """
    shown: list[int] = []
    keys: list[int] = []
    discarded: set[int] = set()
    time_s_of: dict[int, float] = {}
    problems: dict[int, str] = {}
    for packet in packets:
        shown += packet.frames
        time_s_of[packet.place] = packet.time_s
        for place, problem in packet.problems.items():
            problems.setdefault(place, problem)
        if packet.is_key:
            keys.append(packet.place)
        if packet.is_discarded:
            discarded.add(packet.place)

    # These could not be decoded at all. MP4 states when they are shown, AVI at least the order in which they are
    # stored.
    for place in sorted(problems.keys() - set(shown) - discarded):
        later = (index for index, other in enumerate(shown) if time_s_of[other] > time_s_of[place])
        shown.insert(next(later, len(shown)), place)

    damaged = sorted(problems)
    times = _times_s([time_s_of[place] for place in shown])
    pictures, seen = [], set()
    for place, time_s in zip(shown, times, strict=True):
        seen.add(place)
        cause = bisect_left(damaged, _predicted_since(place, keys, seen))
        is_damaged = cause < len(damaged) and damaged[cause] <= place
        pictures.append(Shown(place, time_s, problems[damaged[cause]] if is_damaged else ""))
    return pictures


def _predicted_since(place: int, keys: list[int], seen: set[int]) -> int:
    """Position of the first packet that a picture may be predicted from."""
    before = bisect_right(keys, place)
    # A picture that is stored after a key picture and shown before it is predicted from both sides.
    if before and keys[before - 1] not in seen:
        before -= 1
    return keys[before - 1] if before else 0


def _times_s(stated: list[float]) -> list[float | None]:
    """Sorted times, from 0: AVI states them in the order of the file."""
    times = sorted(stated)
    return [time_s - times[0] if math.isfinite(time_s) else None for time_s in times]
