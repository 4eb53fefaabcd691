"""Docstring examples run against a trail in a temporary folder; not part of the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _trail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doctest_namespace: dict[str, Any]) -> None:
    monkeypatch.setenv("CELLTRAIL_STORE", str(tmp_path / ".celltrail"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    doctest_namespace["np"] = np
