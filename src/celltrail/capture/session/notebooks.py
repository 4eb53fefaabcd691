"""A new notebook file from cells: nothing in it but what is handed in."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable

from celltrail.model import Json


def notebook(cells: Iterable[dict[str, Json]]) -> str:
    """The text of a notebook of these cells, without outputs.

    Format: https://nbformat.readthedocs.io/en/latest/format_description.html

    >>> json.loads(notebook([code("x = 1", ran_as=3)]))["cells"][0]["metadata"]
    {'celltrail': {'ran_as': 3}}
    """
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": [*cells], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def code(source: str, **about: Json) -> dict[str, Json]:
    """A code cell, with what celltrail has to say about it in its metadata."""
    metadata = {"celltrail": about}
    return {**_cell("code", source, metadata), "execution_count": None, "outputs": []}


def words(source: str) -> dict[str, Json]:
    """A cell of text."""
    return _cell("markdown", source, {})


def _cell(kind: str, source: str, metadata: dict[str, Json]) -> dict[str, Json]:
    lines = source.splitlines(keepends=True)
    return {"cell_type": kind, "id": secrets.token_hex(4), "metadata": metadata, "source": lines}
