"""The evaluation panel in a plain page: real evaluations, rows from the panel's own Python, axe, the keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page
from sklearn import datasets
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

import celltrail as ct
from browser.test_media_page import SHOW
from browser.test_panels_page import COLOURS, NAMES, STATIC, is_narrow, violations
from celltrail.panels.evaluation import OPTIONS, EvaluationPanel


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1000, "height": 1400})
    page.set_default_timeout(10_000)
    yield page
    page.close()


@pytest.fixture
def evaluation(page: Page, trail: Path) -> Callable[[str, str], Locator]:
    """The panel of the runs that a question finds, in this theme: two classifiers of wine, a regression of diabetes."""
    seen, held, seen_y, held_y = train_test_split(*datasets.load_wine(return_X_y=True), test_size=0.5, random_state=0)
    for name, model in (("tree", DecisionTreeClassifier(max_depth=2)), ("linear", LogisticRegression(max_iter=5000))):
        with ct.start(name) as run:
            run.evaluate(held_y, model.fit(seen, seen_y).predict_proba(held))
    seen, held, seen_y, held_y = train_test_split(*datasets.load_diabetes(return_X_y=True), random_state=0)
    with ct.start("ridge") as run:
        run.evaluate(held_y, Ridge().fit(seen, seen_y).predict(held))
    shown: list[EvaluationPanel] = []

    def answered(asked: Any) -> list[Any]:
        heard: list[Any] = []
        shown[-1].send = lambda content, buffers=None: heard.append([content, ""])
        shown[-1]._hear(None, asked, [])
        return heard[0]

    page.expose_function("answered", answered)

    def opened(question: str, theme: str) -> Locator:
        shown.append(EvaluationPanel(ct.runs(question).evaluation()))
        body = "".join(f"--jp-{name}:{value};" for name, value in zip(NAMES, COLOURS[theme], strict=False))
        body += f"--jp-brand-color0:{COLOURS[theme][-1]};background:{COLOURS[theme][0]};color:{COLOURS[theme][3]}"
        page.set_content(
            f'<!doctype html><html lang="en"><title>panel</title><body style="{body}" '
            f'data-jp-theme-light="{json.dumps(theme == "light")}"><main><h1>Output</h1><div id="output"></div></main>'
        )
        page.evaluate(SHOW, [(STATIC / "evaluation.js").read_text(), shown[-1].state, dict(OPTIONS)])
        return page.locator(".celltrail[data-kind=evaluation]")

    return opened


def test_rows_behind_what_is_chosen(page: Page, evaluation: Callable[[str, str], Locator]) -> None:
    """A cell by mouse, its neighbour and a dot by keys, a bar of residuals; axe finds nothing in either theme."""
    question = "name in ['tree', 'linear']"
    for theme in ("dark", "light"):
        shown = evaluation(question, theme)
        shown.locator(".confusion").nth(1).wait_for()
        assert shown.locator(".picked tbody tr").count() > 0
        assert violations(page) == [], theme
    assert is_narrow(page)
    tree = shown.get_by_label("confusion matrix of tree")
    first = tree.locator("button").first
    count = int(first.inner_text())
    first.click()
    shown.get_by_text("truth 0, predicted 0, of tree").wait_for()
    assert shown.locator(".picked tbody tr").count() == count
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    shown.get_by_text("truth 1, predicted 1, of tree").wait_for()
    shown.get_by_label("label of the curves").select_option("2")
    dot = shown.get_by_role("button", name="linear: predicted 0.9 to 1")
    dot.focus()
    page.keyboard.press("Enter")
    shown.get_by_text("predicted 0.9 to 1 for 2, of linear").wait_for()
    said = dot.get_attribute("aria-label") or ""
    assert f"of {shown.locator('.picked tbody tr').count()} rows" in said
    shown.locator("figure", has_text="ROC").locator(".spot").nth(4).focus()
    page.keyboard.press("Enter")
    shown.get_by_text("wrongly taken for it").wait_for()
    assert shown.locator('.spot[aria-pressed="true"]').count() == 2
    shown.get_by_label("shares of a row").check()
    assert tree.locator("button").first.inner_text().endswith("%")
    shown = evaluation("name == 'ridge'", "light")
    around = shown.locator("figure", has_text="predicted over true").locator(".spot").nth(8)
    around.click()
    shown.get_by_text("of ridge").last.wait_for()
    count = shown.locator(".picked tbody tr").count()
    assert f": {count} row" in (around.get_attribute("aria-label") or "")
    bar = shown.locator("figure", has_text="residuals of ridge").locator(".spot").nth(8)
    bar.click()
    assert violations(page) == []
    assert is_narrow(page)
    rows = shown.locator(".picked tbody tr")
    shown.get_by_text("predicted minus true", exact=False).last.wait_for()
    assert (bar.get_attribute("aria-label") or "").endswith(f": {rows.count()} rows")
