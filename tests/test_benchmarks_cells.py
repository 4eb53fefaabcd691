"""What a cell costs does not grow with the cells before it, and README says what was measured."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))
import cell_overhead

from kernels import SETTLE, Kernel

ROOT = Path(__file__).parent.parent
FIRST = 40  # by then as many runs are looked after for stale marks as ever will be
SAMPLES = 8
APART = 128  # twice the executions that one blob of the full list holds, so that the rest is as long in both
COUNTING = """
import gc, os, sys, threading
from collections import Counter
recorder = next(each for each in gc.get_objects() if type(each).__name__ == "Recorder")
counted, asked, instructions = Counter(), Counter(), Counter()
is_looking = [False]
def count_calls(frame, event, argument):
    if event in ("call", "c_call"):
        counted[threading.current_thread().name] += 1
        if argument is os.getcwd:
            asked["getcwd"] += threading.current_thread() is threading.main_thread()
def count_instructions(frame, event, argument):
    if is_looking[0]:
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return one_more
def one_more(frame, event, argument):
    if event == "opcode":
        instructions[threading.current_thread().name] += 1
    return one_more
def begin_counting(*_):
    sys.setprofile(count_calls)
    sys.settrace(count_instructions)
def end_counting(*_):
    sys.setprofile(None)
    sys.settrace(None)
recorder._worker.put(begin_counting)
get_ipython().events.callbacks["pre_run_cell"].insert(0, begin_counting)
get_ipython().events.register("post_run_cell", end_counting)
"""
CELL = """{line}
scale = {number} / 100
means = {{name: frame[name].mean() * scale for name in names}}
best = max([scale])"""
TOLD = f"""
{SETTLE}
recorder.session.wait(60)
is_looking[0] = False
print(json.dumps([dict(counted), dict(asked), dict(instructions)]))
gc.enable()
gc.collect()
if {{looks}}:
    gc.disable()  # the remains of dozens of cells would be counted where they happen to be taken away
for counter in (counted, asked, instructions):
    counter.clear()
is_looking[0] = {{looks}}
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    made = Kernel(tmp_path, {"CELLTRAIL_STORE": str(tmp_path / ".celltrail"), "XDG_CACHE_HOME": str(tmp_path)})
    made.run("%load_ext celltrail")
    made.run(
        "import json\nimport pandas as pd\nframe = pd.DataFrame({'a': range(9), 'b': range(9)})\nnames = ['a', 'b']"
    )
    yield made
    made.stop()


def counted(kernel: Kernel, line: str, number: int) -> list[dict[str, int]]:
    """Around one cell, body and all: calls by thread, what the main thread asked for, and instructions by thread."""
    kernel.run(f"# no track\n{TOLD.format(looks=True)}")
    time.sleep(0.2)  # else now the one thread and now the other follows what that cell did
    reply = kernel.run(CELL.format(line=line, number=number))
    assert reply.status == "ok", reply.content
    return json.loads(kernel.run(f"# no track\n{TOLD.format(looks=False)}").text)


@pytest.mark.calm
@pytest.mark.parametrize("line", ["%%track --no-chart", "# untracked"])
def test_a_cell_costs_as_much_after_many_cells_as_after_few(kernel: Kernel, line: str) -> None:
    """Counted in calls and in instructions of Python: a loop over all earlier cells need not call anything."""
    kernel.run(COUNTING)
    seen: list[dict[str, float]] = []
    for start in (FIRST, FIRST + APART):
        for number in range(len(seen) and FIRST + SAMPLES, start):
            assert kernel.run(CELL.format(line=line, number=number)).status == "ok"
        few = [counted(kernel, line, start + each) for each in range(SAMPLES)]
        # what is done now and then, by the clock, falls into some of them; on a busy machine into most
        seen.append(
            {
                f"{what} of {thread}": statistics.median(each[at].get(thread, 0) for each in few)
                for at, what in ((0, "calls"), (2, "instructions"))
                for thread in few[0][0]
            }
        )
    early, late = seen
    for what in ("calls", "instructions"):
        for thread in ("MainThread", "celltrail-recorder"):
            key = f"{what} of {thread}"
            assert 200 < late[key] <= 1.03 * early[key], (key, early, late)


def test_what_stays_the_same_within_a_cell_is_not_asked_for_again_and_again(kernel: Kernel) -> None:
    """The working folder, on the main thread."""
    kernel.run(COUNTING)
    for number in range(3):
        kernel.run(CELL.format(line="%%track --no-chart", number=number))
    _, asked, _ = counted(kernel, "%%track --no-chart", 9)
    assert 0 < asked["getcwd"] <= 5, asked


def test_the_readmes_table_of_cells_is_what_the_kept_results_print() -> None:
    """What stands between the two comments cannot drift from the figures that were kept."""
    before, _, rest = (ROOT / "README.md").read_text().partition(f"{cell_overhead.OPENING}\n")
    block, _, after = rest.partition(cell_overhead.CLOSING)
    assert before
    assert after
    command = [sys.executable, str(ROOT / "benchmarks" / "cell_overhead.py"), "--render", str(cell_overhead.RESULTS)]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert block == printed
    assert len([line for line in printed.splitlines() if line.startswith("| ")]) == 1 + len(cell_overhead.ROWS)
