"""Cells of every kind in a real kernel: tracked they do what they do untracked, and the run says what it was."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celltrail.model import RunRecord
from celltrail.store import Store
from kernels import SETTLE, Kernel, Reply

ON = """
from celltrail.capture import Recorder
recorder = Recorder(get_ipython())
recorder.on()
"""
SHOWN = ("stream", "display_data", "update_display_data", "execute_result", "error")


class Notebook:
    """Two kernels in two folders, one that records and one without celltrail."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / ".celltrail")
        cache = {"XDG_CACHE_HOME": str(folder / "cache"), "CELLTRAIL_STORE": str(self.store.root)}
        (folder / "a").mkdir()
        (folder / "b").mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("PYTEST_CURRENT_TEST")  # with it a kernel does not look at its descriptors
            self.recorded, self.plain = Kernel(folder / "a", cache), Kernel(folder / "b")
        for kernel in (self.recorded, self.plain):
            kernel.run("import random, os, sys, time, math, asyncio, subprocess\nimport numpy as np")
        assert self.recorded.run(ON).status == "ok"
        self.plain.run("pass")  # so that both count alike
        self._seen: set[str] = set()

    def both(self, body: str, line: str = "%%track") -> tuple[Reply, Reply, RunRecord | None]:
        """The body tracked in one kernel and as it is in the other, and the run it became."""
        tracked = self.recorded.run(f"{line}\n{body}")
        plain = self.plain.run(body if body.startswith("%%") else f"# {line}\n{body}")
        return tracked, plain, self.newest()

    def newest(self) -> RunRecord | None:
        """The run that was not there before."""
        self.recorded.run(SETTLE)
        new = [record for record in self.store.records() if record.id not in self._seen]
        self._seen.update(record.id for record in new)
        assert len(new) <= 1, f"one cell became {len(new)} runs"
        return new[0] if new else None

    def run(self, cell: str) -> tuple[Reply, RunRecord | None]:
        """A cell in the recording kernel only."""
        return self.recorded.run(cell), self.newest()

    def shown(self, record: RunRecord) -> list[tuple[str, str]]:
        """What the record says was shown, with its text."""
        blobs = self.store.blobs
        return [
            (output.kind, blobs.text(output.data["text/plain"]) if "text/plain" in output.data else "")
            for output in record.executions[0].outputs
        ]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    notebook = Notebook(tmp_path_factory.mktemp("cells"))
    yield notebook
    notebook.recorded.stop()
    notebook.plain.stop()


def seen(reply: Reply) -> list[tuple[str, str]]:
    """What the client got, consecutive text of one stream together; colours, numbers and addresses left out."""
    found: list[tuple[str, str]] = []
    for message in reply.messages:
        content, kind = message["content"], message["msg_type"]
        if kind == "stream":
            if found and found[-1][0] == content["name"]:
                found[-1] = (content["name"], found[-1][1] + content["text"])
            else:
                found.append((content["name"], content["text"]))
        elif kind == "error":
            found.append(("error", "\n".join(content["traceback"])))
        elif kind in SHOWN:
            found.append((kind, content["data"].get("text/plain", "")))
    return [(kind, neutral(text)) for kind, text in found]


def neutral(text: str) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", text).replace("# %%track", "%%track")
    text = re.sub(r"In ?\[\d+\]", "In[n]", text)
    text = re.sub(r"\S*\b\d{7,}\.py", "cell.py", text)
    return re.sub(r"0x[0-9a-f]+|(?:CPU times|Wall time):.*|\d+(?:\.\d+)? [mμn]?s\b", "-", text)


SAME = {
    "ok": ("x = 1\nprint('hello', x)\nx + 1", "finished"),
    "error": ("x = 1\n\nraise ValueError('no')", "failed"),
    "error in a function": (
        "def f(n):\n    loss = n\n    return n / 0\n\n\nfor i in range(2):\n    loss = f(i)",
        "failed",
    ),
    "SyntaxError": ("x = 1\nif x\n    y", "failed"),
    "await": ("await asyncio.sleep(0.01)\nprint('slept')\n'done'", "finished"),
    "await and fail": ("await asyncio.sleep(0.01)\nloss = 1\nraise KeyError('k')", "failed"),
    "time below": ("%%time\ny = 2\nprint(y)", "finished"),
    "time below, error": ("%%time\ny = 2\n1 / 0", "failed"),
    "capture below, error": ("%%capture out\nv = 1\n1 / 0", "failed"),
    "capture below": ("%%capture out\nprint('inside')", "finished"),
    "run": ("%run -i script.py", "finished"),
    "nested": ("get_ipython().run_cell('print(1)\\nz = 3')\nprint(z)", "finished"),
    "exit": ("import sys\nsys.exit(3)", "failed"),
    "command": ("!echo from the shell", "finished"),
    "bash": ("%%bash\necho from bash", "finished"),
    "return": ("return 3", "failed"),
    "warning": ("import warnings\nwarnings.warn('careful')", "finished"),
    "interrupt by code": ("raise KeyboardInterrupt", "interrupted"),
    "cancelled": ("import asyncio\nraise asyncio.CancelledError", "interrupted"),
    "while with walrus": ("n = 3\nwhile (loss := n) > 0:\n    n -= 1\nprint(loss)", "finished"),
    "del of a loop variable": ("for i in range(3):\n    del i\n    loss = 2\nprint(loss)", "finished"),
    "property that raises": (
        "class P:\n    @property\n    def loss(self):\n        raise RuntimeError\n"
        "    @loss.setter\n    def loss(self, v):\n"
        "        pass\np = P()\nfor i in range(2):\n    p.loss = i\nprint('through')",
        "finished",
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_a_tracked_cell_does_what_it_does_untracked(notebook: Notebook, name: str) -> None:
    """Principle 1: reply, exception, traceback, outputs and `_` are those of the cell without celltrail."""
    body, status = SAME[name]
    for kernel in ("a", "b"):
        (notebook.store.root.parent / kernel / "script.py").write_text("print('in a script')\n")
    tracked, plain, record = notebook.both(body)
    assert tracked.status == plain.status
    assert tracked.content.get("ename") == plain.content.get("ename")
    assert neutral(tracked.content.get("evalue", "")) == neutral(plain.content.get("evalue", ""))
    assert seen(tracked) == seen(plain)
    after = [kernel.run("print(repr(_)[:80])").text for kernel in (notebook.recorded, notebook.plain)]
    assert after[0] == after[1]
    assert record is not None
    assert record.status == status
    assert record.executions[0].status == {"finished": "ok", "failed": "error", "interrupted": "interrupted"}[status]
    assert record.problems == ()
    if status == "failed" and record.error is not None and tracked.status == "error":
        assert record.error.ename == tracked.content["ename"]


def test_what_a_magic_keeps_to_itself(notebook: Notebook) -> None:
    """An exception that %%capture or %%time of an old IPython shows and forgets is the run's; one handled is not."""
    _, record = notebook.run("%%track\n%%capture out\nv = 1\nraise OSError('no disk')")
    assert record is not None
    assert (record.status, record.error and record.error.evalue) == ("failed", "no disk")
    assert "OSError" in notebook.store.blobs.text(record.error.traceback)  # pyright: ignore[reportOptionalMemberAccess]
    _, record = notebook.run("%%track\n%%time\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    pass")
    assert record is not None
    assert (record.status, record.error) == ("finished", None)
    notebook.recorded.run("%%capture out\nraise OSError('untracked')")
    assert notebook.recorded.run("print(list(recorder.session)[-2].status)").text == "error\n"


@pytest.mark.parametrize(
    "cell", ["%%time\n%%track both\nv = 1", "\n\n%%track both\n%%time\nv = 1", "%%capture\n%%track both\nv=1"]
)
def test_track_stands_anywhere_among_the_first_magics(notebook: Notebook, cell: str) -> None:
    """Both orders of magics are tracked, never silently untracked, and lines are counted from the cell's first."""
    reply, record = notebook.run(cell)
    assert reply.status == "ok"
    assert record is not None
    assert (record.name, record.params["v"].line) == ("both", cell.count("\n") + 1)


def test_bad_arguments_refuse_before_the_body(notebook: Notebook) -> None:
    """A wrong word on the line is one sentence with the nearest right one; the body does not run."""
    reply, record = notebook.run("%%track --wacth loss\nran = True")
    assert reply.status == "error"
    assert reply.content["ename"] == "UsageError"
    assert reply.complaints == "UsageError: %%track: no option '--wacth'; did you mean '--watch'? see %%track?\n"
    assert record is None
    assert notebook.recorded.run("print('ran' in dir())").text == "False\n"


@pytest.mark.parametrize(
    "cell", ["%%scratch\nmarker = 'xyzzy-4711'\nprint(marker)", "%%track --off\nmarker = 'xyzzy-4711'", "%%track"]
)
def test_scratch_off_and_empty_cells_leave_nothing(notebook: Notebook, cell: str) -> None:
    """%%scratch and --off run the cell and write not a byte about it; an empty cell is no run."""
    reply, record = notebook.run(cell)
    assert reply.status == "ok"
    assert record is None
    assert not any(b"xyzzy-4711" in path.read_bytes() for path in notebook.store.root.rglob("*") if path.is_file())


def test_silent_and_completeness_requests_are_left_alone(notebook: Notebook) -> None:
    """What a console asks while one types is answered, and is no run."""
    client = notebook.recorded.client
    client.is_complete("%%track --wacth\nx")
    assert client.get_shell_msg(timeout=10)["content"]["status"] in ("complete", "incomplete")
    client.is_complete("%%track name")
    assert client.get_shell_msg(timeout=10)["content"]["status"] == "incomplete"
    notebook.recorded.run("%%track silent\n1", silent=True)
    assert notebook.newest() is None


@pytest.mark.parametrize(
    "body",
    [
        "for i in range(10**9):\n    loss = i\n    time.sleep(0.02)",
        "while True:\n    loss = 1\n    await asyncio.sleep(0.02)",
    ],
)
def test_interrupted_in_the_middle(notebook: Notebook, body: str) -> None:
    """An interrupt, sync or async, is status interrupted, and every value that was bound is there."""
    notebook.newest()
    sent = notebook.recorded.client.execute(f"%%track stopped --watch loss\n{body}")
    time.sleep(0.8)
    notebook.recorded.manager.interrupt_kernel()
    reply = notebook.recorded.collect(sent)
    record = notebook.newest()
    assert reply.status == "error"
    assert record is not None
    assert (record.status, record.error and record.error.ename) == ("interrupted", reply.content["ename"])
    assert record.metrics["loss"].count >= 10
    assert record.metrics["loss"].count == record.metrics["loss"].last_step + 1  # pyright: ignore[reportOptionalOperand]


SHOWS = {
    "streams": "print('a')\nsys.stdout.flush()\nprint('b', file=sys.stderr)\nsys.stderr.flush()\nprint('c')",
    "progress": "for i in range(3):\n    print(f'\\r{i}/3', end='', flush=True)\n    time.sleep(0.01)",
    "display": "display('shown')\nprint('between')\nsys.stdout.flush()\ndisplay({'a': 1})",
    "result": "print('first')\n41 + 1",
    "error": "print('before')\nraise ValueError('late')",
    "os.write": "os.write(1, b'straight to the descriptor\\n')\ntime.sleep(0.3)",
    "subprocess": "subprocess.run(['echo', 'from a child'])\ntime.sleep(0.3)",
    "fork": "sys.stdout.flush()\npid = os.fork()\n"
    "if pid == 0:\n    print('in the child', flush=True)\n    os._exit(0)\n"
    "os.waitpid(pid, 0)\ntime.sleep(0.3)",
    "pool": "import multiprocessing\nsys.stdout.flush()\n"
    "with multiprocessing.get_context('fork').Pool(2) as pool:\n"
    "    pool.map(print, ['of the first', 'of the second'])\n    pool.close()\n    pool.join()\ntime.sleep(0.3)",
    "time": "%%time\nprint('timed')",
    "run": "print('before', flush=True)\n%run -i shown.py\nprint('after')",
}


@pytest.mark.parametrize("name", SHOWS)
def test_outputs_are_what_the_client_got_in_its_order(notebook: Notebook, name: str) -> None:
    """The record of outputs equals the client's own copy: kind, order and text."""
    (notebook.store.root.parent / "a" / "shown.py").write_text("print('in a script')\ndisplay('shown there')\n")
    reply, record = notebook.run("%%track\n" + SHOWS[name])
    kinds = {"display_data": "display", "execute_result": "result"}
    client = [(kinds.get(kind, kind), text) for kind, text in seen(reply)]
    assert record is not None
    assert [(kind, neutral(text)) for kind, text in notebook.shown(record)] == client
    assert client


def test_text_of_a_thread_that_outlives_its_cell_is_where_the_client_has_it(notebook: Notebook) -> None:
    """Newer ipykernels send it to the cell that runs then, older ones to the cell that began the thread."""
    begin = "import threading\ngo = threading.Event()\n"
    begin += "def late():\n    go.wait(20)\n    print('from the thread', flush=True)\n"
    _, one = notebook.run(f"%%track\n{begin}thread = threading.Thread(target=late)\nthread.start()")
    second, two = notebook.run("%%track\nprint('here', flush=True)\ngo.set()\nthread.join()\nprint('there')")
    assert one is not None
    assert two is not None
    assert notebook.shown(two) == seen(second)
    assert ("from the thread" in str(notebook.shown(two))) is ("from the thread" in second.text)
    assert "from the thread" in second.text or "from the thread" in str(second.late("stream"))


def test_updates_and_clearing(notebook: Notebook) -> None:
    """A display is kept as it was last; what was cleared is gone, as in the saved notebook."""
    body = "from IPython.display import clear_output\nh = display('old', display_id='bar')\nh.update('new')\n"
    _, record = notebook.run("%%track\n" + body)
    assert record is not None
    assert notebook.shown(record) == [("display", "'new'")]
    assert record.executions[0].outputs[0].display_id == "bar"
    _, record = notebook.run("%%track\n" + body + "clear_output(wait=True)\nprint('only this')")
    assert record is not None
    assert notebook.shown(record) == [("stdout", "only this\n")]


def test_pictures_are_kept_as_bytes(notebook: Notebook) -> None:
    """A figure is a PNG in the trail, not base64 of one, and cell text beside it stays in order."""
    body = (
        "import base64\nfrom IPython.display import Image\n"
        "display(Image(base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
        "awAAAABJRU5ErkJggg==')))"
    )
    _, record = notebook.run("%%track\n" + body)
    assert record is not None
    (output,) = record.executions[0].outputs
    assert notebook.store.blobs.get(output.data["image/png"]).startswith(b"\x89PNG")


def test_much_text_is_cut_in_the_middle(notebook: Notebook) -> None:
    """Beyond its cap a stream keeps its first and last part and says how much is missing."""
    body = "for i in range(30_000):\n    print(f'line {i:06d} ' + 'x' * 20)\nprint('y' * 300_000)"
    _, record = notebook.run("%%track --max-output 100kB\n" + body)
    assert record is not None
    (output,) = record.executions[0].outputs
    text = notebook.store.blobs.text(output.data["text/plain"])
    assert output.truncated
    assert output.size == 30_000 * 33 + 300_001
    assert text.startswith("line 000000 ")
    assert text.endswith("y" * 100 + "\n")
    assert re.search(r"\n\[\.\.\. [\d,]+ of [\d,]+ bytes not kept \.\.\.\]\n", text)
    assert len(text) < 110_000


def test_no_output_keeps_none(notebook: Notebook) -> None:
    """--no-output: the run is there, what the cell showed is not."""
    _, record = notebook.run("%%track --no-output\nprint('not kept')")
    assert record is not None
    assert record.status == "finished"
    assert record.executions[0].outputs == ()


def test_what_the_run_knows(notebook: Notebook) -> None:
    """Code, name, tags, note, project, seed, generators, environment and hardware are on the run; cells have ids."""
    notebook.recorded.run("size = 7")
    line = "%%track net-$size -p digits -t a b --note 'with {size:03d}' --group g --seed 5"
    cell = f"{line}\nlr = 0.1\nprint(random.random())"
    message = notebook.recorded.client.session.msg(
        "execute_request",
        {"code": cell, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True},
        metadata={"cellId": "3f2a9c"},
    )
    notebook.recorded.client.shell_channel.send(message)
    reply = notebook.recorded.collect(message["header"]["msg_id"])
    record = notebook.newest()
    assert record is not None
    assert (record.name, record.project, record.tags, record.notes, record.group, record.cell_id) == (
        "net-7", "digits", ("a", "b"), ("with 007",), "g", "3f2a9c",
    )  # fmt: skip
    assert notebook.store.blobs.text(record.code) == cell
    import random

    assert reply.text == f"{random.Random(5).random()}\n"
    environment = record.environment
    assert environment["seeds"] == {"random": 5, "numpy": 5}
    assert environment["env"]["python"].count(".") == 2
    assert {"cpu", "cores", "memory_gb"} <= environment["hardware"].keys()
    from celltrail.capture import rng

    library, state = rng.unpack(notebook.store.blobs.get(environment["rng"]["random"]))
    generator = random.Random()
    generator.setstate(state)
    assert (library, generator.random()) == ("random", random.Random(5).random())
    assert record.executions[0].count == reply.content["execution_count"]


def test_names_by_default(notebook: Notebook) -> None:
    """Without a name the cell's first comment names the run."""
    _, record = notebook.run("%%track\n# Small network, no dropout\nx = 1")
    assert record is not None
    assert record.name == "Small network, no dropout"


def test_the_generators_are_not_touched(notebook: Notebook) -> None:
    """Recording reads the states of generators and draws nothing: the numbers are those of an untracked cell."""
    for kernel in (notebook.recorded, notebook.plain):
        kernel.run("random.seed(1); np.random.seed(1)")
    tracked, plain, _ = notebook.both("print(random.random(), np.random.rand(3), np.random.normal())")
    assert tracked.text == plain.text


def test_ct_inside_a_tracked_cell(notebook: Notebook) -> None:
    """ct.log in a tracked cell, in a task and after awaiting, finds the cell's run."""
    body = "import celltrail as ct\nasync def work():\n    ct.log({'loss2': 1.5})\n"
    body += "await asyncio.create_task(work())\nct.log(loss2=2.5)"
    _, record = notebook.run("%%track --no-chart\n" + body)
    assert record is not None
    assert (record.metrics["loss2"].count, record.metrics["loss2"].last) == (2, 2.5)


def test_nothing_of_ours_shows_in_the_namespace(notebook: Notebook) -> None:
    """%who and the namespace hold what the cell bound; the hook is hidden and survives its cell."""
    notebook.recorded.run("get_ipython().kept = recorder\n%reset -f\nimport time")
    notebook.run("%%track\ndef step(n):\n    for i in range(n):\n        loss = i\n    return loss\na = step(3)")
    assert set(notebook.recorded.run("%who").text.split()) >= {"step", "a", "time"}
    assert "celltrail" not in notebook.recorded.run("%who").text
    assert notebook.recorded.run("print(step(4))").text == "3\n"
    reply, record = notebook.run("%%track again\nb = step(5)")
    assert record is not None
    assert reply.status == "ok"
    notebook.recorded.run(
        "recorder = get_ipython().kept\nimport random, os, sys, math, asyncio, subprocess\nimport numpy as np"
    )


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Any]:
    """A kernel of its own, for tests that break something in it."""
    kernel = Kernel(
        tmp_path, {"CELLTRAIL_STORE": str(tmp_path / ".celltrail"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    )
    kernel.run(ON)
    yield kernel
    kernel.stop()


BREAK = """
def broken(*args, **kw):
    raise RuntimeError("injected")
import celltrail.capture.{module} as module
module.{name} = broken
"""
HOOKS = [
    ("recorder", "read"),
    ("beginning", "expand"),
    ("beginning", "start"),
    ("beginning", "locate"),
    ("recorder", "Redactor"),
    ("recorder", "Tracked.examine"),
    ("recorder", "Tracked.end"),
    ("recorder", "Tracked.close"),
    ("outputs.listening", "unframe"),
    ("recorder", "Tracked.describe_start"),
    ("recorder", "Watcher.open"),
    ("recorder", "Watcher.close"),
    ("tracked", "analyze"),
    ("watching", "watch.insert"),
    ("watch.points", "keep"),
    ("watch.points", "Points._write"),
    ("watch.points", "keep_or_none"),
    ("watch.columns", "rows"),
    ("outputs", "Outputs.stream"),
    ("outputs", "Outputs.records"),
    ("rng", "take"),
    ("environment", "software"),
]


def test_a_fault_anywhere_leaves_the_cell_as_it_is(alone: Kernel) -> None:
    """With each hook made to raise in turn, the cell answers as always; the session shows one warning in all."""
    cell = "%%track\nx = 0\nfor i in range(3):\n    loss = i\n    acc = None\nprint('fine', loss)\nx"
    complaints = []
    for module, name in HOOKS:
        owner = f"module.{name.rsplit('.', 1)[0]}" if "." in name else "module"
        last = name.rsplit(".", 1)[-1]
        broken = alone.run(
            BREAK.format(module=module, name=name).replace(
                f"module.{name} =", f"before = {owner}.{last}\n{owner}.{last} ="
            )
        )
        assert broken.status == "ok", broken.content
        reply = alone.run(cell)
        complaints.append(reply.complaints)
        assert reply.status == "ok", (name, reply.content)
        assert (reply.text, reply.of("execute_result")[0]["data"]["text/plain"]) == ("fine 2\n", "0"), name
        failing = alone.run(cell + "\n1 / 0")
        assert failing.content["ename"] == "ZeroDivisionError", name
        complaints.append(failing.complaints)
        alone.run(f"{owner}.{last} = before")
    text = "".join(complaints)
    assert text.count("celltrail: recording had a problem, your cell did not") == 1
    reply = alone.run(cell)
    assert reply.status == "ok"


def test_a_problem_is_kept_on_the_run(alone: Kernel, tmp_path: Path) -> None:
    """The traceback of a fault of ours is on the run it happened in."""
    alone.run(BREAK.format(module="tracked", name="analyze"))
    alone.run("%%track\nx = 1")
    alone.run(SETTLE)
    (record,) = Store(tmp_path / ".celltrail").records()
    assert record.status == "finished"
    assert "RuntimeError: injected" in record.problems[0]
    assert str(Path(__file__).parents[1]) not in record.problems[0]


def test_a_trail_that_cannot_be_written_costs_one_sentence_a_cell(alone: Kernel, tmp_path: Path) -> None:
    """Without a trail the cell runs, and one sentence says why it is not recorded: nothing else shows that."""
    (tmp_path / "taken").write_text("a file where the trail should be")
    alone.run(f"import os; os.environ['CELLTRAIL_STORE'] = {str(tmp_path / 'taken')!r}")
    replies = [alone.run("%%track\nprint('runs')") for _ in range(2)]
    assert [reply.text for reply in replies] == ["runs\n", "runs\n"]
    assert [reply.complaints.count("celltrail: this cell is not recorded") for reply in replies] == [1, 1]
    assert [reply.complaints.count("\n") for reply in replies] == [1, 1]
    assert not any(str(tmp_path) in reply.complaints for reply in replies)


def test_off_puts_back_identical_objects(alone: Kernel) -> None:
    """After off() every list and attribute that was changed holds the objects it held before."""
    state = """
def state():
    ip = get_ipython()
    return [list(ip.input_transformer_manager.cleanup_transforms), list(ip.ast_transformers),
            {name: list(calls) for name, calls in ip.events.callbacks.items()},
            dict(vars(ip.kernel.iopub_thread)), ip.display_pub.__dict__.get('publish')]
"""
    alone.run("recorder.off()" + state + "\nbefore = state()\nrecorder.on()")
    alone.run("%%track\nfor i in range(3): loss = i")
    reply = alone.run("recorder.off()\nprint(state() == before)")
    assert reply.text == "True\n", reply.content
    assert alone.run("%%track\n1").status == "error"  # nobody knows the line any more


def test_off_in_the_middle_of_a_cell(alone: Kernel, tmp_path: Path) -> None:
    """Switched off inside a tracked cell, the run is closed there and the cell goes on."""
    reply = alone.run("%%track\nfor i in range(3):\n    loss = i\nrecorder.off()\nprint('on and on')")
    assert (reply.status, reply.text) == ("ok", "on and on\n")
    (record,) = Store(tmp_path / ".celltrail").records()
    assert (record.status, record.metrics["loss"].count) == ("interrupted", 3)


def test_secrets_are_nowhere_on_disk(tmp_path: Path) -> None:
    """Keys in code, output, traceback, parameters and the environment are in no file of the trail."""
    key, token, value = "sk-proj-" + "aB3x" * 8, "ghp_" + "Zy9w" * 9, "correct-horse-battery"
    environment = {
        "CELLTRAIL_STORE": str(tmp_path / ".celltrail"),
        "MY_API_KEY": value,
        "XDG_CACHE_HOME": str(tmp_path),
    }
    kernel = Kernel(tmp_path, environment)
    try:
        kernel.run(ON)
        kernel.run("earlier_password = 'hunter2hunter2'\nimport os, sys")
        kernel.run(
            f"%%track secret-{token}\nAPI_KEY = '{key}'\n"
            f"cfg = {{'token': 'abcdefgh123', 'lr': 1}}\nprint(API_KEY[:20], end='')\n"
            f"sys.stdout.flush()\nprint(API_KEY[20:], os.environ['MY_API_KEY'])\n"
            "use = earlier_password\nraise ValueError(API_KEY)"
        )
        kernel.run(SETTLE)
        (record,) = Store(tmp_path / ".celltrail").records()
    finally:
        kernel.stop()
    assert record.params["cfg.lr"].value == 1
    assert record.params["API_KEY"].value == "set"
    assert record.status == "failed"
    assert len(record.executions[0].outputs) == 2
    for path in (tmp_path / ".celltrail").rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        for secret in (key, token, value, "hunter2hunter2", "abcdefgh123"):
            assert secret.encode() not in data, (path, secret)


def test_a_task_that_outlives_its_cell_logs_to_its_run(notebook: Notebook) -> None:
    """Also while another run is current; the run of its cell is over and stays so."""
    notebook.newest()
    reply = notebook.recorded.run(
        "%%track early --no-chart\nimport asyncio, celltrail as ct\nasync def work():\n    for step in range(3):\n"
        "        await asyncio.sleep(0.2)\n        ct.log({'told': step}, step=step)\n"
        "task = asyncio.create_task(work())"
    )
    assert reply.status == "ok"
    reply = notebook.recorded.run("%%track late --no-chart\nct.log({'own': 1})\nawait task")
    assert reply.status == "ok", reply.text
    notebook.recorded.run(SETTLE)
    late, early = notebook.store.records()[:2]
    notebook._seen |= {late.id, early.id}
    assert {name: (metric.count, metric.last) for name, metric in early.metrics.items()} == {"told": (3, 2)}
    assert (early.status, early.problems) == ("finished", ())
    assert {name: metric.last for name, metric in late.metrics.items()} == {"own": 1}


def test_threads_log_to_the_run_of_the_cell_that_started_them(notebook: Notebook) -> None:
    """A thread and a pool at work after their cell has ended log to its run, not to the one that is current by then."""
    notebook.newest()
    reply = notebook.recorded.run(
        "%%track early --no-chart --watch loss\nimport celltrail as ct, threading, time\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def work(name, value):\n    time.sleep(0.6)\n    ct.log({name: value})\n"
        "def loop():\n    for n in range(3):\n        time.sleep(0.3)\n        loss = n\n"
        "pool = ThreadPoolExecutor(1)\nfirst = pool.submit(work, 'pooled', 1)\n"
        "thread = threading.Thread(target=work, args=('threaded', 2))\nthread.start()\n"
        "looping = threading.Thread(target=loop)\nlooping.start()"
    )
    assert reply.status == "ok"
    assert (
        notebook.recorded.run(
            "%%track late --no-chart\nsecond = pool.submit(work, 'reused', 3)\nthread.join()\nlooping.join()\n"
            "first.result(), second.result()"
        ).status
        == "ok"
    )
    notebook.recorded.run("pool.shutdown()\n" + SETTLE)
    late, early = notebook.store.records()[:2]
    notebook._seen |= {late.id, early.id}
    assert {name: metric.last for name, metric in early.metrics.items()} == {"pooled": 1, "threaded": 2, "loss": 2}
    assert (early.metrics["loss"].count, early.status, early.problems) == (3, "finished", ())
    assert {name: metric.last for name, metric in late.metrics.items()} == {"reused": 3}


def test_a_thread_that_never_ends_does_not_keep_the_log_of_its_run_open(notebook: Notebook) -> None:
    """The files are closed once it has been quiet for a while, sealed as any, and it goes on in a new part."""
    notebook.newest()
    kernel, store = notebook.recorded, notebook.store
    kernel.run(
        "from celltrail.run import recording\nquiet_, recording.QUIET_S = recording.QUIET_S, 0.4\n"
        "import os, pathlib\n"
        "def held_(run):\n"
        "    places = (pathlib.Path('/proc/self/fd') / name for name in os.listdir('/proc/self/fd'))\n"
        "    return any(run in os.readlink(place) for place in places if place.is_symlink())"
    )
    kernel.run(
        "%%track endless --no-chart\nimport celltrail as ct, queue, threading\nwork_ = queue.Queue()\n"
        "def serve():\n    while (value := work_.get()) is not None:\n        ct.log({'served': value})\n"
        "server = threading.Thread(target=serve)\nserver.start()\nwork_.put(1)\nrun_ = ct.current()"
    )
    quiet = "for _ in range(100):\n    if not held_(run_.id): break\n    time.sleep(0.1)\nprint(held_(run_.id))"
    assert kernel.run(SETTLE).status == "ok"
    assert kernel.run(quiet).text == "False\n"
    endless = store.records()[0]
    notebook._seen.add(endless.id)
    assert (endless.status, endless.metrics["served"].last) == ("finished", 1)
    store.seal(endless.id)
    assert kernel.run("work_.put(2)\ntime.sleep(0.2)\nprint(held_(run_.id))").text == "True\n"
    assert list(store.series(endless.id)["served"].value) == [1, 2]
    assert kernel.run(quiet).text == "False\n"
    assert store.record(endless.id).metrics["served"].last == 2
    kernel.run("work_.put(3)\nwork_.put(None)\nserver.join()\nprint(held_(run_.id))\nrecording.QUIET_S = quiet_")
    assert kernel.run(quiet).text == "False\n"
    store.seal(endless.id)
    found = store.record(endless.id)
    assert (found.status, found.problems, found.metrics["served"].count) == ("finished", (), 3)
    assert list(store.series(endless.id)["served"].value) == [1, 2, 3]


def test_a_cell_of_a_subshell_in_the_middle_of_another(notebook: Notebook) -> None:
    """With subshells two cells run at once: each is a run, with its own outputs, values and end."""
    if "kernel subshells" not in notebook.recorded.features:
        pytest.skip("this ipykernel has no subshells: they came with ipykernel 7")
    notebook.newest()
    kernel = notebook.recorded
    control, session = kernel.client.control_channel, kernel.client.session
    request = session.msg("create_subshell_request", {})
    control.send(request)
    answer = kernel.client.get_control_msg(timeout=20)
    assert answer["content"]["status"] == "ok"
    long = kernel.client.execute(
        "%%track outside --no-chart\nfor i in range(40):\n    loss = i\n    time.sleep(0.05)\nprint('outer')"
    )
    time.sleep(0.5)
    message = session.msg(
        "execute_request",
        {
            "code": "%%track inside --no-chart\nfor j in range(5):\n    acc = j\nprint('inner')",
            "silent": False,
            "store_history": True,
            "allow_stdin": False,
            "stop_on_error": True,
        },
    )
    message["header"]["subshell_id"] = answer["content"]["subshell_id"]
    kernel.client.shell_channel.send(message)
    reply = kernel.collect(long)
    assert reply.status == "ok"
    kernel.run(SETTLE)
    outside, inside = sorted(notebook.store.records()[:2], key=lambda record: record.id)
    notebook._seen |= {outside.id, inside.id}
    assert (outside.name, inside.name) == ("outside", "inside")
    assert {name: metric.count for name, metric in outside.metrics.items()} == {"loss": 40}
    assert {name: metric.count for name, metric in inside.metrics.items()} == {"acc": 5}
    assert (outside.status, inside.status) == ("finished", "finished")
    # whose text it is, ipykernel decides; the record has what the client got under this cell
    text = "".join(text for kind, text in notebook.shown(outside) if kind == "stdout")
    assert text == reply.text
    assert (inside.ended_us or 0) < (outside.ended_us or 0)
