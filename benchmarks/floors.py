"""What celltrail's store is to reach, and what it reached: the limits are its design's, not chosen afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tables import markdown

Of = Callable[[Mapping[str, Any]], float]


class Floor(NamedTuple):
    """One limit; at most, unless said otherwise."""

    row: str
    words: str
    limit: float
    reached: Of
    shape: str = "{:,.2f}"
    is_least: bool = False
    why: Callable[[Mapping[str, Any]], str] = lambda own: ""  # what was measured of what stands in the way


def _key(key: str, scale: float = 1) -> Of:
    return lambda own: own[key] * scale


def _yard(size: int) -> Of:
    return lambda own: own[f"p50_{size}"] / own[f"yard_p50_{size}"]


def _of_runs(own: Mapping[str, Any]) -> str:
    race = 8_000 / own["yard"]["per_s"]
    return (
        f"begin and end of 8 runs without a point {own['bare_s'] * 1e3:,.0f} ms, all of JSON lines {race * 1e3:,.0f} ms"
    )


def _of_packs(own: Mapping[str, Any]) -> str:
    looks, decodes = own["sealed_looking"] * 1e3, own["sealed_decoding"] * 1e3
    return f"to stat the folders of 1,000 runs {looks:,.1f} ms, pyarrow alone {decodes:,.1f} ms"


FLOORS = [
    Floor("append", "log() of 1 metric, p50 against a JSON line", 0.8, _yard(1)),
    Floor("append", "log() of 50 metrics, p50 against a JSON line", 0.25, _yard(50)),
    Floor("append", "log() of 50 metrics, p50, us", 10, _key("p50_50"), "{:,.1f}"),
    Floor("append", "log() of 50 metrics, p99, us", 90, _key("p99_50"), "{:,.0f}"),
    Floor("kill", "points lost by kill -9", 0, _key("lost"), "{:,.0f}"),
    Floor("kill", "processes left behind", 0, _key("left"), "{:,.0f}"),
    Floor("processes", "8 processes at once: failed", 0, _key("failed"), "{:,.0f}"),
    Floor("processes", "8 processes at once: points lost", 0, _key("lost"), "{:,.0f}"),
    Floor(
        "processes",
        "points/s against JSON lines",
        1,
        lambda own: own["per_s"] / own["yard"]["per_s"],
        is_least=True,
        why=_of_runs,
    ),
    Floor(
        "processes",
        "the same in runs of 50,000 points",
        1,
        lambda own: own["long_per_s"] / own["yard"]["long_per_s"],
        is_least=True,
    ),
    Floor("starting", "import, ms of CPU", 50, _key("load_cpu", 1000), "{:,.0f}"),
    Floor("starting", "start of a run, ms", 8, _key("begin", 1000), "{:,.1f}"),
    Floor("memory", "memory after start, MB", 33, _key("began"), "{:,.0f}"),
    Floor("size", "bytes a point live, 50 a call", 10, _key("live_50"), "{:,.1f}"),
    Floor("size", "bytes a point sealed, 50 a call", 8, _key("sealed_50"), "{:,.1f}"),
    Floor("reading", "1M points, log to arrays, ms", 400, _key("arrays", 1000), "{:,.0f}"),
    Floor("reading", "1M points, Parquet to pandas, ms", 100, _key("sealed_seconds", 1000), "{:,.0f}"),
    Floor("reading", "history of a run into pandas, us a point", 0.12, _key("us")),
    Floor("reading", "one metric of a sealed run of 1M points, warm, ms", 5, _key("sealed_warm", 1000), "{:,.1f}"),
    Floor("thinning", "10M sealed points to 1,000, warm, ms", 600, _key("sealed_again", 1000), "{:,.0f}"),
    Floor("runs", "filter, sort, first 50 of 10,000 runs, ms", 10, _key("warm_10000", 1000), "{:,.1f}"),
    Floor("runs", "filter, sort, first 50 of 100,000 runs, ms", 75, _key("warm_100000", 1000), "{:,.1f}"),
    Floor("runs", "first use of a field, 100,000 runs, ms", 2000, _key("other_100000", 1000), "{:,.0f}"),
    Floor("runs", "asked again after one change, 100,000 runs, ms", 80, _key("changed_100000", 1000), "{:,.1f}"),
    Floor("runs", "index of 100,000 runs, first question, s", 22, _key("first_100000"), "{:,.1f}"),
    Floor(
        "one_metric",
        "one metric of 1,000 runs, sealed, asked again, ms",
        20,
        _key("sealed_again", 1000),
        "{:,.0f}",
        why=_of_packs,
    ),
    Floor(
        "one_metric",
        "another metric of 1,000 runs, sealed, ms",
        20,
        _key("sealed_another", 1000),
        "{:,.0f}",
        why=_of_packs,
    ),
]


def table(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Every limit whose row was measured, and why it was missed; ``figures`` is row -> contestant -> figures."""
    lines = []
    for floor in FLOORS:
        own = figures.get(floor.row, {}).get("celltrail", {})
        try:
            reached = floor.reached(own)
        except KeyError:
            continue  # not measured, or only in the quick form
        met = reached >= floor.limit if floor.is_least else reached <= floor.limit
        limit = f"{'>=' if floor.is_least else '<='} {floor.limit:,g}"
        lines.append([floor.words, limit, floor.shape.format(reached), "yes" if met else _missed(floor, own)])
    return markdown(["celltrail", "to reach", "measured", "reached"], lines) if lines else ""


def _missed(floor: Floor, own: Mapping[str, Any]) -> str:
    try:
        return f"**no** {floor.why(own)}".rstrip()
    except KeyError:
        return "**no**"  # kept from before it was measured why
