"""The words a researcher types: ``%load_ext celltrail``, ``%%track``, ``%track``, ``%runs``, ``%%scratch``."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import Any

from IPython.core.error import UsageError

from celltrail import panels
from celltrail.capture import Notice, Recorder, arguments
from celltrail.capture.autolog import autolog_unless_told, stop_autolog
from celltrail.capture.outputs import SAYING
from celltrail.errors import CelltrailError
from celltrail.magic import telling, words
from celltrail.panels.notice import already_bundle, caption_bundle
from celltrail.query import RunSet, runs
from celltrail.query.completion import complete
from celltrail.run import Run
from celltrail.store import Store, locate

_VIEW = re.compile(r"""--view(?:=|\s+)(?:"(?P<a>[^"]*)"|'(?P<b>[^']*)'|(?P<c>\S+))\s*(?P<where>.*)""", re.DOTALL)
_loaded: dict[int, Extension] = {}


class Extension:
    """What ``%load_ext celltrail`` puts into one shell; ``off`` leaves the shell as it was found."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.recorder = Recorder(shell, self._notice)
        self._shown: panels.Shown | None = None
        self._before: dict[tuple[str, str], Any] = {}
        self._completed_before: Any = None

    def on(self) -> None:
        """Hook into the shell. The recorder comes first: its runs have ended when the panels look at them."""
        self.recorder.on()
        self._shown = panels.install(self.shell)
        self._register("cell", "track", self._track_cell)
        self._register("cell", "scratch", self._scratch_cell)
        self._register("line", "track", self._track_line)
        self._register("line", "runs", self._runs_line)
        completers = self.shell.strdispatchers["complete_command"]
        self._completed_before = completers.strs.pop("%runs", None)
        completers.add_s("%runs", self._complete_runs)
        autolog_unless_told()

    def off(self) -> None:
        """Put everything back."""
        for (kind, name), before in self._before.items():
            magics = self.shell.magics_manager.magics[kind]
            magics.pop(name, None)
            if before is not None:
                magics[name] = before
        self._before.clear()
        completers = self.shell.strdispatchers["complete_command"].strs
        completers.pop("%runs", None)
        if self._completed_before is not None:
            completers["%runs"] = self._completed_before
        stop_autolog()
        panels.uninstall(self.shell)
        self.recorder.off()

    def _register(self, kind: str, name: str, function: Any) -> None:
        self._before[kind, name] = self.shell.magics_manager.magics[kind].get(name)
        self.shell.register_magic_function(function, kind, name)

    def _notice(self, notice: Notice) -> None:
        if notice.kind == "run" and self._shown:
            self._place_chart(notice.data["run"], notice.data["chart"])
        elif notice.kind == "stale":
            if self._shown:
                self._shown.live.mark(notice.data["run"], notice.text)
        elif notice.kind == "complete":
            self.shell.display_pub.publish(
                data=caption_bundle(notice.text),
                metadata={SAYING: notice.kind},
                transient={"display_id": f"celltrail-complete-{notice.data['run']}"},
                update=not notice.data["is_new"],
            )
        elif notice.kind == "already":
            self.shell.display_pub.publish(
                data=already_bundle(notice.text, notice.data), metadata={SAYING: notice.kind}
            )
        elif notice.text:
            print(f"celltrail: {notice.text}", file=sys.stderr)  # noqa: T201

    def _place_chart(self, run: Run, chart: bool | None) -> None:
        """At once where points will come, never where unwanted, otherwise with the first point."""
        if self._shown and chart is False:
            self._shown.live.mute(run)
        elif self._shown and chart:
            self._shown.live.show(run)

    def _track_cell(self, line: str, cell: str) -> None:
        self.shell.run_cell(f"%%track {line}\n{cell}")

    def _scratch_cell(self, line: str, cell: str) -> None:
        self.shell.run_cell(f"%%scratch {line}\n{cell}")

    def _track_line(self, line: str) -> None:
        try:
            print(words.answer(line, self.shell, self.recorder))  # noqa: T201
        except CelltrailError as error:
            raise UsageError(f"%track: {error}") from None

    def _complete_runs(self, event: Any) -> list[str]:
        """What IPython puts in place of ``event.symbol``, the last word before the cursor."""
        line = event.text_until_cursor
        expression = line.partition("%runs")[2]
        begins = len(expression) - len(event.symbol)
        with contextlib.suppress(CelltrailError, OSError):
            found = complete(expression, len(expression), Store(locate()).names)
            texts = [expression[: each.start] + each.text for each in found]
            return [text[begins:] for text in texts if text[:begins] == expression[:begins]]
        return []

    def _runs_line(self, line: str) -> RunSet:
        try:
            view = _VIEW.match(line.strip())
            found = runs(view["where"], view=view["a"] or view["b"] or view["c"]) if view else runs(line.strip())
            len(found)  # read the expression now: an error belongs under this cell, as one sentence
        except CelltrailError as error:
            raise UsageError(f"%runs: {error}") from None
        return found


Extension._track_cell.__doc__ = arguments.usage()
Extension._scratch_cell.__doc__ = (
    "%%scratch: run the cell and record nothing of it: no code, output, random state or value. "
    "IPython's own history (%history, its database) still has the cell."
)
Extension._track_line.__doc__ = words.usage()
Extension._runs_line.__doc__ = (
    "%runs [--view NAME] [EXPRESSION]: show the runs that match, or a saved view, as a table; %runs alone shows all."
)


def load(shell: Any) -> None:
    """``%load_ext celltrail``; a second call changes nothing.

    It is loaded under ``CELLTRAIL_OFF=1`` too: ``%%track`` must go on being understood, only nothing is recorded.
    """
    if id(shell) in _loaded:
        return
    _loaded[id(shell)] = Extension(shell)
    _loaded[id(shell)].on()
    if os.environ.get("CELLTRAIL_QUIET") != "1":
        print(telling.welcome())  # noqa: T201


def unload(shell: Any) -> None:
    """``%unload_ext celltrail``."""
    if extension := _loaded.pop(id(shell), None):
        extension.off()
