"""What a run that goes on was asked to by way of its trail, and which numbers of it may be changed."""

from __future__ import annotations

from typing import Any, Literal

from celltrail.contract import Knob
from celltrail.query import StoredRun
from celltrail.store import control


def asked_to(run: StoredRun) -> Literal["", "stop", "pause"]:
    """What it was asked to; whether it does so by now, its process knows."""
    asked: Literal["", "stop", "pause"] = ""
    for _, wish in control.told(run.store.root, run.id) if run.status == "running" else ():
        if wish.get("do") in ("stop", "pause", "resume"):
            asked = "" if wish["do"] == "resume" else wish["do"]
    return asked


def is_held(run: StoredRun) -> bool:
    """Whether its code waits just now, as its log tells."""
    if run.status != "running":
        return False
    events: list[dict[str, Any]] = run.store.events(run.id)
    told = (event for event in reversed(events) if event.get("kind") in ("held", "intervention"))
    last = next((event for event in told if event["kind"] == "held" or event.get("do") == "pause"), None)
    return last is not None and last["kind"] == "held"


def knobs(run: StoredRun) -> list[Knob]:
    """The numbers that its code lets people change: as the code was given them last, and what was asked for since."""
    if run.status != "running":
        return []
    found: dict[str, Knob] = {}
    turned: dict[str, int] = {}  # when, in microseconds
    events: list[dict[str, Any]] = run.store.events(run.id)
    for event in events:
        name = str(event.get("name"))
        if event.get("kind") == "knob":
            found[name] = {
                "name": name,
                "value": event["value"],
                "wanted": None,
                "low": event["low"],
                "high": event["high"],
                "whole": isinstance(event["value"], int),
            }
        elif event.get("kind") == "intervention" and event.get("do") == "knob" and name in found:
            found[name]["value"] = event["value"]
            turned[name] = event["t"]
    for asked_us, wish in control.told(run.store.root, run.id) if found else ():
        knob = found.get(wish.get("knob", ""))
        if knob is not None and wish.get("do") == "turn" and asked_us > turned.get(knob["name"], 0):
            knob["wanted"] = wish["value"] if wish["value"] != knob["value"] else None
    return list(found.values())
