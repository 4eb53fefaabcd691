"""Items: what is no number is kept whole, read back as what it was, and shown without harm."""

from __future__ import annotations

import base64
import io
import os
import warnings
from pathlib import Path
from typing import Any

import altair
import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from celltrail.cli import main
from celltrail.errors import BadValue, CelltrailError, Damaged
from celltrail.query import find
from celltrail.query.items import Item
from celltrail.run import Run, start
from celltrail.store import Store
from kernels import Kernel
from recovery.seals import aged, drop_logs

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ONE_OF_EACH = {
    "text": "<script>alert('x')</script> ünïcode \N{SNOWMAN}",
    "image": np.arange(48, dtype=np.uint8).reshape(4, 4, 3),
    "audio": (np.linspace(-1, 1, 8000), 8000),
    "video": b"\x00\x00\x00\x18ftypmp42" + bytes(3000),
    "table": pd.DataFrame({"a": [1, 2], "b": ["<b>x</b>", None]}),
    "histogram": np.array([0.0, 1.0, np.nan, np.inf]),
}


@pytest.fixture
def kept(store: Store) -> Run:
    """A finished run with an item of each kind, at step 7."""
    with start("kept", store=store) as run:
        run.log({"loss": 1.0}, step=7)
        for kind, value in ONE_OF_EACH.items():
            getattr(run, f"log_{kind}")(f"my/{kind}", value)
    return run


def only(run: Run, kind: str) -> Item:
    (found,) = find(run.id, run.store).items(kind=kind)
    return found


def test_each_kind_comes_back_as_what_it_was(kept: Run) -> None:
    """Text as text, an array as the array, a frame as the frame; at the step of the last log call."""
    assert [(item.kind, item.step) for item in find(kept.id).items()] == [(kind, 7) for kind in ONE_OF_EACH]
    assert only(kept, "text").value == ONE_OF_EACH["text"]
    assert np.array_equal(only(kept, "image").value, ONE_OF_EACH["image"])
    assert only(kept, "image").facts == {"width": 4, "height": 4}
    assert only(kept, "audio").facts == {"rate": 8000, "channels": 1, "seconds": 1.0}
    assert only(kept, "video").value == ONE_OF_EACH["video"]
    pd.testing.assert_frame_equal(only(kept, "table").value, ONE_OF_EACH["table"])
    counts, edges = only(kept, "histogram").value
    assert (counts.sum(), edges[0], edges[-1], len(counts)) == (2, 0.0, 1.0, 64)
    assert only(kept, "histogram").facts == {"values": 4, "min": 0.0, "max": 1.0, "nan": 1, "inf": 1}
    assert find(kept.id).items("my/text")[0].kind == "text"
    assert find(kept.id).items("nothing") == []


def test_items_are_the_same_once_the_run_is_sealed(kept: Run, store: Store) -> None:
    """Sealing changes nothing of what is read, and history knows only numbers."""
    before = [(repr(item), item.time, item.bytes) for item in find(kept.id).items()]
    aged(store, kept.id)
    assert store.seal(kept.id)
    drop_logs(store, kept.id)
    assert [(repr(item), item.time, item.bytes) for item in find(kept.id).items()] == before
    assert list(find(kept.id).history().columns) == ["step", "time", "loss"]


def test_what_a_run_keeps_no_clean_up_takes(kept: Run, store: Store) -> None:
    """The blob of an item is referred to by its run."""
    for path in (store.root / "blobs").rglob("*"):
        if path.is_file():
            os.utime(path, (0, 0))
    store.gc()
    assert only(kept, "video").bytes == ONE_OF_EACH["video"]
    assert only(kept, "audio").bytes[:4] == b"RIFF"


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (5, 3, 1), (5, 3, 3), (5, 3, 4)])
def test_arrays_become_png_that_others_read(shape: tuple[int, ...], store: Store) -> None:
    """PIL, which knows nothing of us, reads the same pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with start(store=store) as run:
        run.log_image("x", pixels)
        run.log_image("x", pixels / 255)
    for item in find(run.id).items("x"):
        assert np.array_equal(
            np.asarray(Image.open(io.BytesIO(item.bytes))), pixels.squeeze() if shape == (5, 3, 1) else pixels
        )
        assert np.array_equal(item.value, pixels.reshape(item.value.shape))


def test_images_of_every_form(store: Store, tmp_path: Path) -> None:
    """PIL images, files and bytes; the media type is by content, never by name."""
    picture = Image.new("RGB", (6, 2), "red")
    picture.save(tmp_path / "wrong.name", format="JPEG")
    with start(store=store) as run:
        run.log_image("pil", picture)
        run.log_image("file", tmp_path / "wrong.name")
        run.log_image("text path", str(tmp_path / "wrong.name"))
        run.log_image("svg", SVG)
        run.log_image("nan", np.array([[np.nan, 1.0], [np.inf, 0.0]]))
        run.log_image("bool", np.eye(3, dtype=bool))
    found = {item.name: item for item in find(run.id).items(kind="image")}
    assert [item.media for item in found.values()] == [
        "image/png", "image/jpeg", "image/jpeg", "image/svg+xml", "image/png", "image/png",
    ]  # fmt: skip
    assert found["pil"].value.tolist() == [[[255, 0, 0]] * 6] * 2
    assert found["file"].bytes == (tmp_path / "wrong.name").read_bytes()
    assert found["nan"].value.tolist() == [[0, 255], [0, 0]]
    assert found["nan"].facts["not_finite"] == 2


def test_figures(store: Store) -> None:
    """matplotlib as PNG, also by its axes; Altair as the JSON that draws it."""
    drawn = matplotlib.figure.Figure()
    axes = drawn.subplots()
    axes.plot([1, 2])
    chart = altair.Chart(pd.DataFrame({"x": [1, 2]})).mark_point().encode(x="x")
    with start(store=store) as run:
        run.log_figure("figure", drawn)
        run.log_figure("axes", axes)
        run.log_figure("chart", chart)
    first, second, third = find(run.id).items(kind="figure")
    assert first.media == second.media == "image/png"
    assert third.media.startswith("application/vnd.vegalite.v")
    assert third._repr_mimebundle_()[third.media]["mark"] == {"type": "point"}


def test_a_figure_is_kept_as_a_notebook_shows_it(store: Store) -> None:
    """A label that does not fit into the figure's own size is there all the same."""
    from PIL import Image

    drawn = matplotlib.figure.Figure(figsize=(2, 1), dpi=50)
    drawn.subplots().set_xlabel("far below the figure", labelpad=60)
    with start(store=store) as run:
        run.log_figure("figure", drawn)
    picture = Image.open(io.BytesIO(find(run.id).items(kind="figure")[0].bytes)).convert("L")
    assert picture.height > 50
    last = np.array(picture)[-15:]
    assert (last < 128).any(), "the label is not drawn"


def test_histograms_of_odd_values(store: Store) -> None:
    """One value, all NaN, the whole range of floats, neighbours among floats, whole numbers, counts and edges."""
    given = (np.array([1, 2]), np.array([0.0, 1.0, 5.0]))
    odd = [[5.0], [np.nan], [-1.7e308, 1.7e308], [1.0, np.nextafter(1.0, 2)], [True, False], given, [2**53, -(2**53)]]
    with start(store=store) as run:
        for value in odd:
            run.log_histogram("h", value)
    found = find(run.id).items("h")
    assert [int(item.value[0].sum()) for item in found] == [1, 0, 2, 2, 2, 3, 2]
    for item in found:
        assert np.isfinite(item.value[1]).all()
        assert "<svg" in item._repr_mimebundle_()["text/html"]
    assert found[5].value[1].tolist() == [0.0, 1.0, 5.0]


@pytest.mark.parametrize(
    "value",
    [
        [{"a": 1}, {"a": 2, "b": "x"}],
        {"a": [1, 2], "b": [None, "x"]},
    ],
)
def test_tables_of_rows_and_columns(value: object, store: Store) -> None:
    """A row may lack a column that a later one has."""
    with start(store=store) as run:
        run.log_table("t", value)
    frame = find(run.id).items()[0].value
    assert frame["a"].tolist() == [1, 2]
    assert frame["b"].tolist()[1] == "x"
    assert find(run.id).items()[0].facts == {"rows": 2, "columns": 2}


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("text", 5, "an int"),
        ("image", np.zeros((0, 4), np.uint8), "empty"),
        ("image", np.zeros((3, 8, 8)), "np.moveaxis"),
        ("image", np.array([[0.0, 255.0]]), "divide by 255"),
        ("image", np.zeros((2, 2), np.int64), "uint8"),
        ("image", np.array([[object()]]), "real numbers"),
        ("image", "nowhere.png", "nowhere.png"),
        ("image", b"hello", "first bytes"),
        ("image", [[1]], "np.asarray"),
        ("figure", 5, "no figure"),
        ("figure", pd.DataFrame({"a": [1]}), "no figure"),
        ("audio", (np.zeros(5), 0), "no rate"),
        ("audio", (np.array([3.0]), 8000), "as loud as 3"),
        ("audio", (np.zeros((2, 80)), 8000), "transpose"),
        ("video", SVG, "image/svg"),
        ("table", {"a": [1, 2], "b": [1]}, "no table"),
        ("table", pd.DataFrame({"a": [1, "x", object()]}), "astype"),
        ("table", [], "no table"),
        ("histogram", [], "empty"),
        ("histogram", ["a"], "real numbers"),
        ("histogram", ([1, 2], [0.0, 1.0]), "edges"),
        ("histogram", ([1], [1.0, 1.0]), "rising"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_else_is_lost(kind: str, value: object, said: str, store: Store) -> None:
    """The sentence names the key, what is allowed and what to do; the run goes on."""
    with start(store=store) as run:
        run.log(x=1)
        with pytest.raises(BadValue, match=said) as raised:
            getattr(run, f"log_{kind}")("my key", value)
        assert "'my key'" in str(raised.value)
        assert "allowed" in str(raised.value)
        run.log(x=2)
    assert store.series(run.id)["x"].value.tolist() == [1, 2]
    assert find(run.id).items() == []


def test_names_steps_and_ended_runs(store: Store) -> None:
    """An item's name is a name, its step a step, and a run that has ended takes no more."""
    with start(store=store) as run:
        run.log_text("before", "x")
        with pytest.raises(BadValue, match="item name"):
            run.log_text("", "x")
        with pytest.raises(BadValue, match="step"):
            run.log_text("a", "x", step=1.5)  # pyright: ignore
        run.log_text("a", "x", step=-3)
        run.log(x=1)
        assert run.step == 0  # items do not count
    with pytest.raises(CelltrailError, match="already finished"):
        run.log_text("a", "x")
    assert [item.step for item in find(run.id).items()] == [0, -3]
    with pytest.raises(BadValue, match="did you mean 'image'"):
        find(run.id).items(kind="imge")


def test_nothing_that_was_logged_is_live_html(kept: Run, store: Store) -> None:
    """Text is escaped, cells are escaped, an SVG is an image, and names are escaped."""
    with start(store=store) as run:
        run.log_image('"><script>', SVG)
        run.log_histogram("<script>", [1.0])
    for item in [*find(kept.id).items(), *find(run.id).items()]:
        shown = item._repr_mimebundle_()
        assert "<script" not in shown.get("text/html", "")
        assert "<b>" not in shown.get("text/html", "")
    assert 'src="data:image/svg+xml;base64,' in only(run, "image")._repr_mimebundle_()["text/html"]
    assert "&lt;script&gt;" in only(kept, "text")._repr_mimebundle_()["text/html"]
    assert "<audio controls" in only(kept, "audio")._repr_mimebundle_()["text/html"]
    assert "<video controls" in only(kept, "video")._repr_mimebundle_()["text/html"]


def test_a_damaged_item_says_so(kept: Run, store: Store) -> None:
    """Its display is a sentence; the others of the run are as they were."""
    digest = only(kept, "audio")._record["blob"]
    path = store.root / "blobs" / digest[:2] / digest
    path.chmod(0o644)
    path.write_bytes(b"rubbish")
    assert "does not hold what was put" in only(kept, "audio")._repr_mimebundle_()["text/html"]
    path.unlink()
    with pytest.raises(Damaged, match="missing"):
        _ = only(kept, "audio").bytes
    assert "missing" in only(kept, "audio")._repr_mimebundle_()["text/plain"]
    assert only(kept, "video").bytes == ONE_OF_EACH["video"]


def test_a_failing_disk_never_reaches_the_cell(store: Store) -> None:
    """One warning for all of it; the items are there and say that their bytes are not."""
    with start(store=store) as run:
        (store.root / "blobs").write_text("no folder")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            for size in (5000, 6000):
                run.log_image("x", np.random.default_rng(0).integers(0, 256, (size // 50, 50), dtype=np.uint8))
        run.log_text("small", "still kept")
        (store.root / "blobs").unlink()
    assert len(told) == 1
    assert "bytes of an item" in str(told[0].message)
    assert any("bytes of an item" in problem for problem in find(run.id).record.problems)
    assert "never written" in find(run.id).items("x")[0]._repr_mimebundle_()["text/plain"]
    assert find(run.id).items("small")[0].value == "still kept"


def test_large_and_many(store: Store, tmp_path: Path) -> None:
    """A hundred megabytes of pixels, a film of 70 MB from a file, ten thousand texts."""
    pixels = np.tile(np.arange(256, dtype=np.uint8), (10_000, 40))
    film = tmp_path / "film.webm"
    film.write_bytes(b"\x1a\x45\xdf\xa3" + os.urandom(70 << 20))
    with start(store=store) as run:
        run.log_image("large", pixels)
        run.log_video("film", film)
        film.unlink()
        for step in range(10_000):
            run.log_text("many", f"line {step}", step=step)
    stored = find(run.id)
    assert np.array_equal(stored.items("large")[0].value, pixels)
    assert "too large" in stored.items("film")[0]._repr_mimebundle_()["text/html"]
    stored.items("film")[0].save(tmp_path / "again.webm")
    assert (tmp_path / "again.webm").stat().st_size == 4 + (70 << 20)
    assert [item.value for item in stored.items("many")] == [f"line {step}" for step in range(10_000)]
    assert len(list((store.root / "blobs").rglob("*"))) < 200


def test_counts_are_told(kept: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The run and ``celltrail show`` say how many items there are of each kind."""
    assert "1 text, 1 image" in repr(kept)
    assert main(["show", "kept"]) == 0
    assert "1 text, 1 image, 1 audio, 1 video, 1 table, 1 histogram" in capsys.readouterr().out


def test_a_note_at_a_place_is_a_mark(store: Store) -> None:
    """``run.note`` with a metric and a step is what people's verb makes as well."""
    with start(store=store) as run:
        run.note("diverged here", metric="loss", step=3)
    assert find(run.id).marks == [{"text": "diverged here", "metric": "loss", "step": 3}]


def test_in_a_kernel(tmp_path: Path) -> None:
    """The display of an item holds image/png or text/html, in a tracked cell and afterwards."""
    kernel = Kernel(tmp_path)
    try:
        code = (
            "%%track\nimport numpy as np\nrun = ct.current()\nrun.log_image('i', np.eye(9))\n"
            "run.log_table('t', {'a': [1]})\nrun.log_text('x', '<i>')\nrun_id = run.id"
        )
        assert kernel.run("%load_ext celltrail\nimport celltrail as ct").status == "ok"
        assert kernel.run(code).status == "ok"
        data = [
            kernel.run(f"ct.run(run_id).items({name!r})[0]").of("execute_result")[0]["data"] for name in ("i", "t", "x")
        ]
        assert base64.b64decode(data[0]["image/png"]).startswith(b"\x89PNG")
        assert "<table" in data[1]["text/html"]
        assert "&lt;i&gt;" in data[2]["text/html"]
    finally:
        kernel.stop()


@pytest.mark.parametrize(
    ("value", "verb"),
    [
        (matplotlib.figure.Figure(), "log_figure"),
        (pd.DataFrame({"a": [1, 2]}), "log_table"),
        ("once upon a time", "log_text"),
        (np.zeros((2, 2)), "log_histogram"),
    ],
)
def test_what_is_given_for_a_number_names_the_verb_that_keeps_it(store: Store, value: Any, verb: str) -> None:
    """Whoever logs a figure as a metric is told how it is kept, and that sentence holds."""
    with start("wrong verb", store=store) as run:
        with pytest.raises(BadValue, match=rf"run\.{verb}\('sample', ...\)"):
            run.log({"sample": value})
        getattr(run, verb)("sample", value, 0)
    assert len(find(run.id, store).items("sample")) == 1
