"""What the panel of a run does about its code, in JupyterLab: it is replayed, and comes back as new cells."""

from __future__ import annotations

import psutil

from browser.screen import Screen

CELLS = [
    "%load_ext celltrail\nimport random, time\nimport celltrail as ct",
    "%%track slow --no-chart\nfor step in range(4):\n    time.sleep(0.25)\n    loss = random.random() / (step + 1)",
    "run = ct.run('slow')\nrun",
    "time.sleep(300)",
]


def replays_of(run: str) -> list[psutil.Process]:
    """The processes that replay a run."""
    every = psutil.process_iter(["cmdline"])
    return [process for process in every if {"replay", run} <= set(process.info["cmdline"] or ())]


def test_replay_and_restore(screen: Screen, folder: str) -> None:
    """A replay stops while the kernel is busy, is begun by one click of two, ends with its kernel; cells come back."""
    screen.open(screen.server.write(folder, "replay", CELLS))
    for index in range(3):
        screen.run(index)
    panel = screen.panel(2, "detail")
    start, stop = (panel.get_by_role("button", name=name, exact=True) for name in ("replay", "stop"))
    said = panel.locator(".ct-replays")
    run = next(word for word in screen.outputs(2)[0]["data"]["text/plain"].split() if len(word) == 26)

    start.click()
    screen.until("the last cell is replayed", lambda: "cell 2 of 2" in said.inner_text(), 60)
    assert "for step in range(4):" in said.inner_text()
    screen.run(3, wait=None)
    stop.click()
    screen.until("it is stopped", lambda: "the replay was stopped" in said.inner_text())
    screen.until("its process is gone", lambda: not replays_of(run))
    assert screen.running(3), "the cell of the user goes on"
    screen.interrupt()
    screen.until("the kernel is free", lambda: screen.kernel_status() == "idle")

    start.dblclick()
    stop.wait_for()
    verdict = panel.locator(".ct-replayed")
    verdict.wait_for(timeout=60_000)
    assert "reproduced: every point is identical" in verdict.inner_text()

    panel.get_by_role("tab", name="lineage").click()
    panel.get_by_role("button", name="restore 2 cells").click()
    back = screen.save()["cells"][3:5]
    assert ["".join(cell["source"]) for cell in back] == CELLS[:2]
    assert all(len(cell["metadata"]["celltrail"]["restored_from"]) == 26 for cell in back)

    start.click()
    screen.until("it is replayed", lambda: replays_of(run))
    screen.kill_kernel()
    start.wait_for()
    assert "the kernel that it was asked of is gone, and the replay with it" in said.inner_text()
    screen.until("its process is gone", lambda: not replays_of(run))
    screen.assert_quiet()
