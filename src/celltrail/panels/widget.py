"""What every live panel is: an anywidget with two traits, and intents that are always answered."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import anywidget
import traitlets

from celltrail.contract import Answer, Fault, FromPanel, PanelKind, SavedPanel
from celltrail.errors import CelltrailError

Reply = tuple[Answer, list[bytes]]

STATIC = Path(__file__).parent.parent / "static"


def bundle_of(kind: PanelKind) -> str:
    """The panel's JavaScript, built from ``js/``."""
    try:
        return (STATIC / f"{kind}.js").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise CelltrailError(
            f"the {kind} panel was not built into this checkout; run `make setup`, or install the wheel"
        ) from error


class Panel(anywidget.AnyWidget):
    """A live panel.

    ``state`` is the kernel's and only read by the front end, ``options`` the other way round. Intents come
    as messages and are answered exactly once, by an Answer or by a Fault with the sentence to show.
    """

    state = traitlets.Dict().tag(sync=True)
    options = traitlets.Dict().tag(sync=True)

    def __init__(self, kind: PanelKind, state: SavedPanel, options: Any) -> None:
        super().__init__(_esm=bundle_of(kind), state=cast("dict[str, Any]", state), options=options)
        self.state = {**self.state, "view": self.model_id}
        _answer_while_busy(self)
        self.on_msg(self._hear)

    def _hear(self, _: Any, intent: FromPanel, buffers: Sequence[memoryview]) -> None:
        """Answer one intent. A panel must never wait for an answer that does not come, so all is caught."""
        reply_to = intent.get("id") if isinstance(intent, dict) else None  # pyright: ignore[reportUnnecessaryIsInstance]
        try:
            answer = self.answers[intent["kind"]](intent)
        except CelltrailError as error:
            self.send(Fault(kind="fault", reply_to=reply_to, text=str(error)))
        except Exception as error:  # noqa: BLE001  the panel's shield: an exception here would be silence there
            text = f"celltrail could not answer ({type(error).__name__}: {error})"
            self.send(Fault(kind="fault", reply_to=reply_to, text=text))
        else:
            if isinstance(answer, tuple):
                self.send(*answer)
            elif answer is not None:
                self.send(answer)

    @property
    def answers(self) -> Mapping[str, Callable[[Any], Answer | Reply | None]]:
        """Intent kind -> what answers it, with buffers where it has some; None where it is a stream of its own."""
        return {}


def answer(reply_to: str, **parts: Any) -> Answer:
    """An answer with everything that is not given left empty."""
    empty: Answer = {
        "kind": "answer",
        "reply_to": reply_to,
        "content": None,
        "rows": None,
        "comparison": None,
        "parts": None,
        "marks": None,
        "comments": None,
        "said": None,
        "text": None,
        "proposals": None,
        "views": None,
        "drawn": None,
        "listing": None,
        "sums": None,
        "stale": None,
        "executions": None,
    }
    return cast("Answer", {**empty, **parts})


def hosts_widgets_only() -> bool:
    """Whether this front end shows widgets but has no place for celltrail's extension.

    In Jupyter the extension finds the widget by the id in our own MIME type, so that no widget view, which
    would be broken when reopened, gets into the file.
    """
    return "google.colab" in sys.modules or "VSCODE_PID" in os.environ or "VSCODE_CWD" in os.environ


def _answer_while_busy(panel: Panel) -> None:
    """Let intents be heard while a cell runs.

    ipykernel 7 routes replies to the subshell a comm was opened from, which for a comm opened by a cell is
    the busy main shell; the front end's own choice of a subshell is then ignored. Without this private
    attribute (other versions, other kernels) an intent simply waits for the cell to end.
    """
    comm = getattr(panel, "comm", None)
    if hasattr(comm, "_reply_subshell_for"):
        with contextlib.suppress(AttributeError):
            comm._reply_subshell_for = lambda data, default: default  # pyright: ignore
