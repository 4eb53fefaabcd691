"""What a run showed, read back: as text, in a notebook, in a terminal, by a search."""

from __future__ import annotations

import base64

import pytest

from celltrail.cli import main, terminal
from celltrail.errors import BadValue
from celltrail.model import Execution, Output, new_id
from celltrail.query import StoredRun, find
from celltrail.query.search import search
from celltrail.run import start
from celltrail.store import Store

BAR = "".join(f"\r{n}%|{'#' * n}" for n in range(101)) + "\ntrained\n"
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")
FIGURE = {"text/plain": "<Figure size 640x480>", "image/png": PIXEL}


def shown(store: Store, *outputs: tuple[str, dict[str, str | bytes]], truncated: bool = False) -> StoredRun:
    """A run whose cell showed this."""
    kept = [
        Output(
            number,
            kind,  # pyright: ignore[reportArgumentType]
            sum(map(len, data.values())),
            truncated,
            data={media: store.blobs.put(each) for media, each in data.items()},
        )
        for number, (kind, data) in enumerate(outputs)
    ]
    execution = Execution(new_id(), 1, "cell", "ok", 0, 1, outputs=tuple(kept))
    with start("showing", store=store, executions=(execution,)) as run:
        pass
    return find(run.id, store)


def test_a_bar_is_the_line_that_was_left(store: Store) -> None:
    """Pieces read as they stood in the end; the bytes are those that came, control characters and all."""
    run = shown(store, ("stdout", {"text/plain": BAR}), ("display", FIGURE), ("error", {"text/plain": "\x1b[31mNo"}))
    bar, figure, error = run.shown()
    assert bar.text == f"100%|{'#' * 100}\ntrained\n"
    assert bar.bytes("text/plain") == BAR.encode()
    assert (figure.text, figure.media, figure.bytes("image/png")) == (
        "<Figure size 640x480>",
        ["image/png", "text/plain"],
        PIXEL,
    )
    assert (error.text, error.folded(colour=True)) == ("No", "\x1b[31mNo\x1b[0m")
    assert run.shown().text == f"{bar.text}<Figure size 640x480>\nNo\n"
    assert repr(figure) == f"<display · {len(PIXEL) + 21} B · image/png {len(PIXEL)} B>"
    with pytest.raises(BadValue, match=r"no 'image/svg'; did you mean 'image/png'\?"):
        figure.bytes("image/svg")


def test_a_notebook_shows_it_again(store: Store) -> None:
    """A picture as a picture, text as text; nothing of a run becomes markup of the page."""
    run = shown(store, ("display", FIGURE), ("result", {"text/html": "<script>", "text/plain": "<b>", "a/json": "[1]"}))
    figure, result = run.shown()
    assert figure._repr_mimebundle_()["image/png"] == base64.b64encode(PIXEL).decode()
    assert result._repr_mimebundle_() == {"text/plain": "<b>", "text/html": "<script>", "a/json": [1]}
    html = run.shown()._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "src='data:image/png;base64," in html


def test_what_is_gone_is_said(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A lost blob costs its piece, said in a sentence, and nothing else."""
    run = shown(store, ("stdout", {"text/plain": "lost"}), ("stdout", {"text/plain": "kept"}))
    store.blobs._path(run.outputs[0].data["text/plain"]).unlink()
    lost, kept = run.shown()
    assert "no blob" in lost._repr_mimebundle_()["text/plain"]
    assert kept.text == "kept"
    assert "no blob" in run.shown()._repr_html_()
    assert main(["show", "showing"]) == 0
    assert "kept" in capsys.readouterr().out


def test_show_has_a_block_of_outputs(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """The first and last lines, sizes of displays, what is missing; all or none on request; nothing to obey."""
    lines = "".join(f"line {number}\n" for number in range(100))
    shown(
        store,
        ("stdout", {"text/plain": BAR + lines + "\x07\x1b]0;evil\x07\x1b[5mend"}),
        ("display", FIGURE),
        truncated=True,
    )
    assert main(["show", "showing"]) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "\x07" not in text
    block = text[text.index("\noutputs\n") :]
    assert f"  100%|{'#' * 100}\n  trained\n  line 0\n" in block
    assert "\n  line 99\n  end\n" in block
    assert "line 50" not in block
    assert "… 91 lines more; --outputs all shows them" in block
    assert "stdout · " in block
    assert "· not all kept" in block
    assert f"display · image/png {len(PIXEL)} B" in block
    assert main(["show", "showing", "--outputs", "all"]) == 0
    assert "line 50" in capsys.readouterr().out
    assert main(["show", "showing", "--outputs", "none"]) == 0
    assert "line" not in capsys.readouterr().out


def test_show_says_how_many_pieces_it_leaves_out(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A cell that showed a hundred things gets a dozen of them."""
    shown(store, *(("display", {"text/plain": f"thing {number}."}) for number in range(100)))
    assert main(["show", "showing"]) == 0
    text = capsys.readouterr().out
    assert "… 88 more; --outputs all shows them" in text
    assert [f"thing {number}." in text for number in (0, 5, 6, 93, 94, 99)] == [True, True, False, False, True, True]


def test_colours_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are colours those of the text stay, and nothing else that a terminal would obey."""
    line = "\x1b[31mred\x1b[0m \x1b[2J \x9b"
    assert terminal.harmless(line) == "·[31mred·[0m ·[2J ·"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert terminal.harmless(line) == "\x1b[31mred\x1b[0m ·[2J ·"


def test_a_search_reads_what_was_shown(store: Store) -> None:
    """Words that were written over are not found, those that stood there in the end are; the snippet reads well."""
    shown(store, ("stderr", {"text/plain": "loading\rtrained\x1b[31m wel\x1b[0ml\n"}))
    assert not len(search("loading", store=store))
    (hit,) = search("trained well", store=store)
    assert (hit.kind, hit.snippet.strip()) == ("output", "trained well")


def test_a_search_gets_past_a_long_bar(store: Store) -> None:
    """What stands behind 400 kB of a bar's updates is found, too."""
    shown(store, ("stderr", {"text/plain": "".join(f"\r{n:6}|{'#' * 60}" for n in range(6000)) + "\nconverged\n"}))
    (hit,) = search("converged", store=store)
    assert hit.kind == "output"
