"""Altair charts over runs: plain `alt.Chart` objects with small data inside, for the user to restyle."""

from celltrail.query.figure.style import drawn_from_runs

__all__ = ["drawn_from_runs"]
