"""What is kept of what a cell showed: caps, states of a display, cuts; the oracle is the client's own copy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.capture.outputs import MOST_HELD, MOST_ITEM, MOST_ITEMS, Outputs
from celltrail.capture.outputs.states import MOST_BETWEEN
from celltrail.capture.outputs.streams import Cap, Piece
from celltrail.model import Output
from celltrail.query import StoredRun, find, runs
from celltrail.store import Store
from kernels import SETTLE, Kernel, Reply

MARKER = re.compile(r"\n?\[\.\.\. [\d,]+ of [\d,]+ bytes not kept \.\.\.\]\n")


class Client:
    """A front end that keeps outputs as JupyterLab does: consecutive text together, updates in place, clearing."""

    def __init__(self, reply: Reply) -> None:
        self.shown: list[list[Any]] = []  # kind, text or data, display id
        self.clear_next = False
        for message in reply.messages:
            self._hear(message["msg_type"], message["content"])

    def _hear(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "clear_output":
            self.clear_next = content["wait"]
            if not content["wait"]:
                self.shown.clear()
        elif kind == "update_display_data":
            for each in self.shown:
                if each[2] is not None and each[2] == content["transient"]["display_id"]:
                    each[1] = content["data"]
        elif kind in ("stream", "display_data", "execute_result", "error"):
            if self.clear_next:
                self.shown.clear()
                self.clear_next = False
            if kind == "stream" and self.shown and self.shown[-1][0] == content["name"]:
                self.shown[-1][1] += content["text"]
            elif kind == "stream":
                self.shown.append([content["name"], content["text"], None])
            else:
                name = {"display_data": "display", "execute_result": "result"}.get(kind, kind)
                shown = "\n".join(content["traceback"]) if kind == "error" else content["data"]
                self.shown.append([name, shown, content.get("transient", {}).get("display_id")])


class Notebook:
    """A kernel that records, and its trail."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / ".celltrail")
        self.kernel = Kernel(folder, {"CELLTRAIL_STORE": str(self.store.root), "XDG_CACHE_HOME": str(folder / "cache")})
        self.kernel.run("from celltrail.capture import Recorder\nrecorder = Recorder(get_ipython())\nrecorder.on()")
        self.kernel.run("import sys, time\nfrom IPython.display import clear_output, HTML, display")

    def run(self, body: str, line: str = "%%track") -> tuple[Client, StoredRun]:
        reply = self.kernel.run(f"{line} --no-watch\n{body}", timeout=120)
        self.kernel.run(SETTLE)
        return Client(reply), find(runs(store=self.store)[0].id, self.store)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    notebook = Notebook(tmp_path_factory.mktemp("outputs"))
    yield notebook
    notebook.kernel.stop()


BODIES = {
    "a bar and words": "for i in range(9):\n    print(f'\\r{i}', end='', flush=True)\nprint('done', file=sys.stderr)",
    "an update": "h = display('old', display_id=True)\nprint('between')\nh.update('new')",
    "an update after a pending clear": "h = display('old', display_id='x')\nclear_output(wait=True)\nh.update('new')",
    "and then something new": "h = display('old', display_id='y')\nclear_output(wait=True)\nh.update('new')\nprint(1)",
    "an update of what was cleared": "h = display('old', display_id='z')\nclear_output()\nh.update('new')\nprint(2)",
    "cleared at the end": "print('stays')\nclear_output(wait=True)",
    "cleared again and again": "for i in range(5):\n    clear_output(wait=True)\n    print('epoch', i)",
    "two displays of one id": "display('a', display_id='w')\ndisplay('b', display_id='w').update('c')",
    "cleared, then an error": "print('old')\nclear_output(wait=True)\n1 / 0",
    "both streams in turn": "for i in range(20):\n    print(i, flush=True)\n    print(-i, file=sys.stderr, flush=True)",
    "forms of one thing": "display(HTML('<b>x</b>'))\nHTML('<i>y</i>')",
    "signs": "print('\\U0001f600 é \\x00 \\x1b[31m \\\\ \" \\\\u00e9')",
}


@pytest.mark.parametrize("name", BODIES)
def test_kept_is_what_the_client_has(notebook: Notebook, name: str) -> None:
    """Updates happen in place and do not clear; what is added after a pending clear does; sizes are those received."""
    client, run = notebook.run(BODIES[name])
    found = []
    for piece in run.shown():
        text = {media: piece.bytes(media).decode() for media in piece.media}
        is_bundle = piece.kind in ("display", "result")
        found.append([piece.kind, text if is_bundle else text["text/plain"], piece.output.display_id])
        if piece.kind in ("stdout", "stderr"):
            assert piece.output.size == len(text["text/plain"].encode())
    assert found == client.shown
    assert not any(output.truncated for output in run.outputs)


def test_a_flood_keeps_both_ends(notebook: Notebook) -> None:
    """Of 30 MB in each of two streams taking turns, the first and the last megabyte of each stay, and the true size."""
    body = (
        "line = 'x' * 97\nfor i in range(30):\n    for stream in (sys.stdout, sys.stderr):\n"
        "        print('\\n'.join(f'{i:02d}{line}' for _ in range(10_000)), file=stream, flush=True)"
    )
    client, run = notebook.run(body)
    for kind in ("stdout", "stderr"):
        received = "".join(text for name, text, _ in client.shown if name == kind)
        kept = [piece for piece in run.shown() if piece.kind == kind]
        assert sum(piece.output.size for piece in kept) == len(received) == 30_000_000
        text = "".join(piece.bytes("text/plain").decode() for piece in kept)
        parts = MARKER.split(text)
        assert parts[0] == received[: len(parts[0])]
        assert parts[-1] == received[-len(parts[-1]) :]
        assert (len(parts[0]), len(parts[-1])) == (pytest.approx(1e6, rel=0.03), pytest.approx(1e6, rel=0.03))
        assert all(piece.truncated == bool(MARKER.search(piece.bytes("text/plain").decode())) for piece in kept)


def test_one_message_beyond_the_cap(notebook: Notebook) -> None:
    """A message larger than all that is kept loses its middle."""
    client, run = notebook.run("_ = sys.stdout.write('é' * 4_000_000)", "%%track --max-output 100kB")
    (output,) = run.outputs
    text = run.shown()[0].bytes("text/plain").decode()
    assert output.size == 8_000_000 == len(client.shown[0][1].encode())
    assert output.truncated
    assert set(MARKER.sub("", text)) == {"é"}
    assert 90_000 < len(text.encode()) < 210_000


def test_a_bar_in_a_display_keeps_some_of_its_states(notebook: Notebook) -> None:
    """The first state, the last one, and at most twenty between them, evenly spread."""
    client, run = notebook.run(
        "h = display(HTML('0'), display_id='bar')\nfor i in range(1, 500):\n    h.update(HTML(str(i)))"
    )
    (output,) = run.outputs
    states = [int(notebook.store.blobs.text(state["text/html"])) for state in (*output.earlier, output.data)]
    assert states[0] == 0
    assert states[-1] == 499 == int(client.shown[0][1]["text/html"])
    assert 10 <= len(states) - 2 <= MOST_BETWEEN
    assert len({b - a for a, b in pairwise(states[1:-1])}) == 1


def test_large_displays(notebook: Notebook) -> None:
    """A form beyond ten megabytes is not kept, its true size is; plain text keeps both its ends."""
    body = (
        "display({'text/html': 'h' * 11_000_000, 'text/plain': 'small'}, raw=True)\n"
        "display({'text/plain': 'p' * 11_000_000}, raw=True)"
    )
    _, run = notebook.run(body)
    first, second = run.shown()
    assert (first.media, first.text, first.truncated) == (["text/plain"], "small", True)
    assert first.output.size > 11_000_000
    assert second.truncated
    assert re.fullmatch(r"p+\n\[\.\.\. 10,000,000 of 11,000,000 bytes not kept \.\.\.\]\np+", second.text)


def test_many_displays(notebook: Notebook) -> None:
    """Of more than a thousand displays the first and the newest half stay, and how many are between."""
    _, run = notebook.run(f"for i in range({MOST_ITEMS + 500}):\n    display({{'text/plain': str(i)}}, raw=True)")
    texts = [piece.text for piece in run.shown()]
    assert texts[:2] + texts[-2:] == ["0", "1", "1498", "1499"]
    (gap,) = [piece for piece in run.shown() if piece.truncated]
    assert gap.text.startswith("[... 500 outputs, ")
    assert len(texts) == MOST_ITEMS + 1


def test_the_same_outputs_again_take_no_room(notebook: Notebook) -> None:
    """A hundred runs that show the same picture and text keep them once: the blobs grow by less than a tenth.

    What each adds to the trail besides is its own record, and that does not grow with the runs before it.
    """
    body = "display({'image/png': 'QUJD' * 50_000, 'text/plain': 'x' * 100_000}, raw=True)\nprint('y' * 100_000)"

    def size(part: str = "blobs") -> int:
        return sum(path.stat().st_size for path in (notebook.store.root / part).rglob("*") if path.is_file())

    def again(times: int) -> int:
        before = size("")
        for _ in range(times):
            notebook.kernel.run(f"%%track --no-watch\n{body}")
        notebook.kernel.run(SETTLE)
        notebook.kernel.run("recorder.session.wait(5)")
        return size("") - before

    before = size()
    notebook.run(body)
    once = size() - before
    assert once > 300_000
    assert again(9) > 0
    early, late = again(45), again(45)
    assert size() - before < 1.1 * once
    assert late < 1.1 * early
    kept = [find(each.id, notebook.store).outputs for each in list(runs(store=notebook.store))[:100]]
    digests = [{digest for output in outputs for digest in output.data.values()} for outputs in kept]
    assert all(found == digests[0] for found in digests)


def records(outputs: Outputs) -> tuple[list[Output], list[str]]:
    """The records, and all that was put away."""
    put: list[str] = []

    def keep(data: bytes | str) -> str:
        put.append(data if isinstance(data, str) else data.decode("utf-8", "replace"))
        return f"{len(put)}"

    return list(outputs.records(keep, lambda text: text)), put


def test_displays_do_not_fill_the_memory() -> None:
    """All displays of a cell together wait in memory up to a bound; what comes then is only counted."""
    outputs = Outputs(1000)
    content = {"data": {"text/html": "x"}}
    for _ in range(30):
        outputs.display("display", content, MOST_ITEM)
    found, _ = records(outputs)
    assert [output.truncated for output in found] == [False] * 20 + [True] * 10
    assert MOST_HELD == 20 * MOST_ITEM
    assert all(output.size == MOST_ITEM for output in found)


def test_counted_only_from_now_on() -> None:
    """After `count_only` nothing more is kept, and everything is still counted."""
    outputs = Outputs(2000)
    outputs.stream("stdout", "kept\n")
    outputs.count_only = True
    outputs.stream("stdout", "x" * 5000)
    outputs.stream("stderr", "y" * 10)
    outputs.display("display", {"data": {"text/html": "z"}}, 7)
    found, put = records(outputs)
    assert [(output.size, output.truncated) for output in found] == [(5005, True), (10, True), (7, True)]
    assert put == ["kept\n[... 5,000 of 5,005 bytes not kept ...]\n", "[... 10 of 10 bytes not kept ...]\n"]


SIGNS = st.lists(
    st.sampled_from(
        ["a", "é", "\U0001f600", "\\", '"', "\n", "\x1b[31m", "\x1b[0m", "\x1b[38;5;1m", "u00", "\\u00e9", "\x00"]
    )
)


@given(
    SIGNS.map("".join), st.lists(st.integers(0, 9), max_size=6), st.integers(2, 100), st.sampled_from([json, orjson])
)
@settings(max_examples=300)
def test_a_cut_leaves_no_half_of_anything(text: str, cuts: list[int], cap: int, writer: Any) -> None:
    """Wherever messages end and the cap falls: a beginning and an end of the text, with no escape cut in two."""
    piece = Piece("stdout", Cap(cap))
    # no two cuts in one escape: a message that is part of one and nothing else is not what programs print
    places = [0, *sorted({min(10 * cut, len(text)) for cut in cuts}), len(text)]
    for start, end in pairwise(places):
        content = {"name": "stdout", "text": text[start:end]}
        packed = json.dumps(content, ensure_ascii=False).encode() if writer is json else orjson.dumps(content)
        piece.add(packed)
    kept, truncated = piece.text()
    assert piece.size == len(text.encode())
    if not truncated:
        assert kept == text
        return
    head, tail = MARKER.split(kept) if MARKER.search(kept) else ("", "")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert not re.search(r"\x1b(\[[0-9;]*)?$", head)
    before = text[: len(text) - len(tail)]
    assert not re.search(r"\x1b(\[[0-9;]*)?$", before[-20:]) or not tail
