"""Altair charts in a real kernel: which form they are shown in, and that the user's renderer stays the user's."""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import altair as alt
import nbformat
import pandas as pd
import pytest
from altair.vegalite.v6 import display

from celltrail.panels.vega import MIME, renderer
from kernels import Kernel

THEIRS = "vega-embed"  # what Altair's own page loads from the web


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("vega")
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(folder / ".celltrail"), "XDG_CACHE_HOME": str(folder / "cache")})
    kernel.run("%load_ext celltrail\nimport celltrail as ct, sys")
    kernel.run(
        "for rate in (0.001, 0.01, 0.1):\n"
        "    with ct.start(f'rate {rate}', {'lr': rate}) as run:\n"
        "        for step in range(5):\n"
        "            run.log({'val/acc': 1 - rate / (1 + step)}, step=step)"
    )
    yield kernel
    kernel.stop()


def shown(kernel: Kernel, code: str) -> dict[str, Any]:
    """The bundle a cell's last value is shown with."""
    reply = kernel.run(code)
    assert reply.status == "ok", reply.content
    return (reply.of("execute_result") or reply.of("display_data"))[-1]["data"]


def test_altair_is_not_loaded_before_it_is_needed(kernel: Kernel) -> None:
    """Loading celltrail into a shell loads no Altair; only the first chart does."""
    assert kernel.run("print('altair' in sys.modules)").text == "False\n"


@pytest.mark.parametrize(
    "code",
    [
        "ct.runs().chart('val/acc')",
        "ct.runs().chart('val/acc', x='params.lr')",
        "ct.runs().chart('val/acc').properties(title='mine').interactive()",
        "import altair as alt\nct.runs().chart('val/acc') + alt.Chart().mark_rule().encode(y=alt.datum(0.5))",
        "ct.runs().chart('val/acc') | ct.runs().chart('val/acc', x='params.lr')",
        "ct.runs().chart('val/acc').show()",
        "ct.runs().chart('val/acc').display(actions=False)",
    ],
)
def test_a_chart_of_runs_needs_no_network(kernel: Kernel, code: str) -> None:
    """Vega-Lite under a name nbformat accepts, HTML without scripts, and a sentence; no address of a library."""
    bundle = shown(kernel, code)
    assert bundle.keys() == {MIME, "text/html", "text/plain"}
    assert bundle[MIME]["$schema"].startswith("https://vega.github.io/schema/vega-lite/v6")
    for text in (bundle["text/html"], bundle["text/plain"]):
        assert "<script" not in text
        assert "http" not in text
    assert "val/acc" in bundle["text/plain"]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", bundle)])]
    )
    nbformat.validate(notebook)


def test_options_of_the_display_go_along(kernel: Kernel) -> None:
    """What chart.display() was told about the frame reaches the front end in the metadata."""
    reply = kernel.run("ct.runs().chart('val/acc').display(actions=False, scale_factor=3)")
    assert reply.of("display_data")[-1]["metadata"][MIME]["embed_options"]["actions"] is False


def test_other_charts_keep_their_look(kernel: Kernel) -> None:
    """A chart that is not of runs is shown by Altair's own renderer, before and after one of ours."""
    own = "import altair as alt\nalt.Chart(alt.Data(values=[{'a': 1}])).mark_bar().encode(x='a:Q')"
    assert THEIRS in shown(kernel, own)["text/html"]
    assert MIME in shown(kernel, "ct.runs().chart('val/acc')")
    assert THEIRS in shown(kernel, own)["text/html"]
    assert MIME not in shown(kernel, own)
    assert kernel.run("print(alt.renderers.active)").text == "default\n"


def test_a_chosen_renderer_is_left_alone(kernel: Kernel) -> None:
    """Who has enabled a renderer gets it, for charts of runs too."""
    kernel.run("import altair as alt\nbefore = alt.renderers.enable('mimetype')\nbefore.__enter__()")
    bundle = shown(kernel, "ct.runs().chart('val/acc')")
    assert bundle.keys() == {"application/vnd.vegalite.v6.json", "text/plain"}
    kernel.run("alt.renderers.enable('default')")


def test_unloading_puts_back_what_was_found(tmp_path: Path) -> None:
    """After %unload_ext Altair shows all charts itself, or by the formatter that was there before celltrail."""
    kernel = Kernel(tmp_path)
    try:
        kernel.run(
            "%load_ext celltrail\nimport celltrail as ct\n"
            "with ct.start('one') as run:\n    run.log({'loss': 1.0})\nchart = ct.runs().chart('loss')"
        )
        assert MIME in shown(kernel, "chart")
        kernel.run("%unload_ext celltrail")
        assert THEIRS in shown(kernel, "chart")["text/html"]
        kernel.run(
            "formatter = get_ipython().display_formatter.mimebundle_formatter\n"
            "name = ('altair.vegalite.v6.api', 'TopLevelMixin')\n"
            "_ = formatter.for_type_by_name(*name, lambda chart, **_: {'text/plain': 'the one before'})"
        )
        assert shown(kernel, "chart") == {"text/plain": "the one before"}
        kernel.run("%load_ext celltrail")
        assert MIME in shown(kernel, "chart")
        kernel.run("%unload_ext celltrail")
        assert shown(kernel, "chart") == {"text/plain": "the one before"}
    finally:
        kernel.stop()


def test_front_ends_that_draw_altair_are_left_alone(tmp_path: Path) -> None:
    """In VS Code and Colab Altair's own form stays, and unloading takes nothing away that is not celltrail's."""
    kernel = Kernel(tmp_path, {"VSCODE_PID": "1"})
    try:
        kernel.run(
            "import celltrail as ct\nwith ct.start('one') as run:\n    run.log({'loss': 1.0})\n"
            "chart = ct.runs().chart('loss')\n%load_ext celltrail"
        )
        assert THEIRS in shown(kernel, "chart")["text/html"]
        kernel.run(
            "formatter = get_ipython().display_formatter.mimebundle_formatter\n"
            "name = ('altair.vegalite.v6.api', 'TopLevelMixin')\n"
            "_ = formatter.for_type_by_name(*name, lambda chart, **_: {'text/plain': 'theirs'})\n"
            "%unload_ext celltrail"
        )
        assert shown(kernel, "chart") == {"text/plain": "theirs"}
    finally:
        kernel.stop()


def test_altair_can_find_the_renderer() -> None:
    """The entry point stands in the group that Altair looks into, and leads to the renderer."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    [(name, place)] = project["entry-points"][display.ENTRY_POINT_GROUP].items()
    assert name == "celltrail"
    assert EntryPoint(name, place, display.ENTRY_POINT_GROUP).load() is renderer


def test_curves_are_a_picture_for_other_readers(kernel: Kernel) -> None:
    """Where celltrail's extension is missing, lines are drawn still and points are told in a table."""
    curves = shown(kernel, "ct.runs().chart('val/acc').properties(width=200)")["text/html"]
    source = base64.b64decode(curves.split("base64,")[1].split('"')[0]).decode()
    assert source.startswith("<svg")
    for name in ("rate 0.001", "rate 0.01", "rate 0.1"):
        assert f">{name}<" in source
    points = shown(kernel, "ct.runs().chart('val/acc', x='params.lr')")["text/html"]
    assert points.count("<tr>") == 4


def test_names_from_the_data_are_no_markup() -> None:
    """Text of the user's in the table and its caption is escaped."""
    hostile = "<img src=x onerror=alert(1)>"
    data = pd.DataFrame({hostile: [1.0, 2.0], "run": [hostile, "b"]})
    chart = alt.Chart(data, title=hostile).mark_point().encode(x=alt.X("run:N"), y=alt.Y("run:N"))
    bundle, _ = renderer(chart.to_dict())
    assert "<img" not in bundle["text/html"]
    assert bundle["text/html"].count("&lt;img") == 3
    json.dumps(bundle)
