"""Notebooks heal as they are saved: what a chart shows is made good from the trail, nothing else is touched.

An output is left behind where its kernel died in mid-run, or where the page was loaded anew and the kernel's last word
did not find it any more. The file then gets the chart as the trail knows it; the page stays as it is.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from celltrail.capture.shield import shield
from celltrail.contract import MIME
from celltrail.panels.healing import healed, is_left_behind
from celltrail.panels.notebooks import WIDGET, outputs
from celltrail.server.trails import Trails

PATIENCE_S = 0.3  # for the whole notebook, as the server waits meanwhile; what takes longer heals with a later save


class Saving:
    """A hook for Jupyter's contents manager.

    Args:
        trails: where a chart's runs are looked for.
    """

    def __init__(self, trails: Trails) -> None:
        self._trails = trails
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="celltrail-saving")

    __name__ = "celltrail"  # Jupyter asks for it where a hook fails

    def __call__(self, model: Any, **_: Any) -> None:
        """Heal the outputs of the notebook that is about to be written; anything else passes as it is."""
        if not isinstance(model, dict) or model.get("type") != "notebook":
            return
        found = [output for _, output in outputs(model.get("content"))]
        for output in found:
            output["data"].pop(WIDGET, None)  # reopened, it would be an error in the place of the chart
        waiting = {id(output): self._ask(output) for output in found if is_left_behind(output["data"][MIME])}
        wait(waiting.values(), PATIENCE_S)
        for output in found:
            asked = waiting.get(id(output))
            if asked is not None and asked.done() and (bundle := asked.result()) is not None:
                output["data"] = bundle

    def _ask(self, output: dict[str, Any]) -> Future[Any]:
        return self._threads.submit(shield, self._heal, output["data"][MIME])

    def _heal(self, payload: dict[str, Any]) -> dict[str, Any] | None:
        store = self._trails.store(payload["trail"])
        return None if store is None else healed(payload, store)
