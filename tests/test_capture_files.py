"""The files a tracked cell reads and writes: named, hashed, and never in the way of the cell."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from blake3 import blake3

import celltrail
from celltrail.capture.files.places import is_data
from celltrail.query import StoredRun
from celltrail.query.files import File
from celltrail.store import Store
from kernels import SETTLE, Kernel, Reply

ON = """
import celltrail
from celltrail.capture import Recorder
from celltrail.capture.files.places import is_data
recorder = Recorder(get_ipython())
recorder.on()
"""


class Project:
    """A folder with a trail, and a kernel that records in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "data").mkdir(parents=True)
        (folder / ".celltrail").mkdir()
        self.store = Store(folder / ".celltrail")
        self.kernel = Kernel(folder, {"XDG_CACHE_HOME": str(folder.parent / "cache"), "CELLTRAIL_STORE": ""})
        assert self.kernel.run(ON).status == "ok"

    def write(self, name: str, text: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        past = time.time() - 60
        os.utime(path, (past, past))
        return blake3(path.read_bytes()).hexdigest()

    def track(self, body: str, line: str = "%%track") -> tuple[Reply, StoredRun]:
        before = {record.id for record in self.store.records()}
        reply = self.kernel.run(f"{line}\n{dedent(body)}")
        self.kernel.run(SETTLE)
        deadline = time.monotonic() + 20
        while True:
            (record,) = [record for record in self.store.records() if record.id not in before]
            run = StoredRun(record, self.store)
            if not any(file.how == "pending" for file in run.files) or time.monotonic() > deadline:
                return reply, run
            time.sleep(0.1)

    def files(self, body: str, line: str = "%%track") -> dict[str, File]:
        reply, run = self.track(body, line)
        assert reply.status == "ok", reply.content
        assert run.record.problems == ()
        return {file.path: file for file in run.files}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project(tmp_path_factory.mktemp("files") / "project")
    yield made
    made.kernel.stop()


def test_a_file_read_is_kept_with_its_digest(project: Project) -> None:
    """What `open` read is in the run: path relative to the project, size, BLAKE3 of the whole; not its contents."""
    digest = project.write("data/in.csv", "a,b\n1,2\nMARKER-OF-CONTENT\n")
    project.kernel.run("folder = 'da' + 'ta'")
    files = project.files("import os\ntext = open(os.path.join(folder, 'in.csv')).read()")
    assert files["data/in.csv"] == File(
        "data/in.csv", "read", 26, digest, "full", "project", "data/in.csv",
        files["data/in.csv"].changed_us, "", "open",
    )  # fmt: skip
    kept = [path.read_bytes() for path in (project.folder / ".celltrail").rglob("*") if path.is_file()]
    assert not any(b"MARKER-OF-CONTENT" in data for data in kept)


CELLS: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "pathlib": ("from pathlib import Path\nPath('data', 'in.csv').read_bytes()", {"data/in.csv": ("read", "full")}),
    "named in the code only": ("name = 'data/in.csv'", {"data/in.csv": ("read", "full")}),
    "named inside a query": ("q = '''select *\nfrom 'data/in.csv' limit 3'''", {"data/in.csv": ("read", "full")}),
    "a value that is read": ("len(path_list)", {"data/in.csv": ("read", "full"), "data/b.txt": ("read", "full")}),
    "written": ("with open('data/out1.txt', 'w') as f: f.write('x')", {"data/out1.txt": ("write", "full")}),
    "written and read back": (
        "with open('data/out2.txt', 'w') as f: f.write('x')\nopen('data/out2.txt').read()",
        {"data/out2.txt": ("write", "full")},
    ),
    "appended": ("with open('data/log.txt', 'a') as f: f.write('x')", {"data/log.txt": ("write", "full")}),
    "read, then written": (
        "import time\ntext = open('data/both.txt').read()\ntime.sleep(0.4)\n"
        "open('data/both.txt', 'w').write(text + '!')",
        {"data/both.txt": ("both", "full")},
    ),
    "in place": ("f = open('data/b.txt', 'r+')\nf.close()", {"data/b.txt": ("both", "full")}),
    "folder changed meanwhile": (
        "import os\nhere = os.getcwd()\nfor d in ('data', 'data/deep'):\n    os.chdir(os.path.join(here, d))\n"
        "    open('x.txt').close()\nos.chdir(here)",
        {"data/x.txt": ("read", "full"), "data/deep/x.txt": ("read", "full")},
    ),
    "deleted before it was hashed": (
        "open('data/short' + '.txt', 'w').close()\nimport os\nos.remove('data/short' + '.txt')",
        {"data/short.txt": ("write", "gone")},
    ),
    "descriptors, devices and pipes": (
        "import os\nr, w = os.pipe()\nos.fdopen(w, 'w').close()\nopen(r).close()\nopen('/dev/null').close()\n"
        "open(os.devnull, 'w').close()\nopen('/proc/self/stat').close()",
        {},
    ),
    "Python's own files": ("import json\nopen(json.__file__).close()\nimport numpy\nopen(numpy.__file__).close()", {}),
    "addresses": ("url = 'https://example.org/data/in.csv'\ns3 = 's3://bucket/data/in.csv'", {}),
    "bytes and non-UTF-8": (
        "open(b'data/\\xff\\xfe.bin', 'wb').close()",
        {"data/\\xff\\xfe.bin": ("write", "full")},
    ),
    "async": ("import asyncio\nawait asyncio.sleep(0)\nopen('data/b.txt').close()", {"data/b.txt": ("read", "full")}),
    "thread": (
        "import threading\nt = threading.Thread(target=lambda: open('data' + '/b.txt').close())\nt.start()\nt.join()",
        {"data/b.txt": ("read", "full")},
    ),
    "pool": (
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as pool:\n"
        "    list(pool.map(lambda n: open('data' + n).close(), ['/b.txt']))",
        {"data/b.txt": ("read", "full")},
    ),
    "a run inside": (
        "import celltrail as ct\nwith ct.start('inner'):\n    open('data' + '/b.txt').close()",
        {"data/b.txt": ("read", "full")},
    ),
    "time below": ("%%time\nopen('data' + '/b.txt').close()", {"data/b.txt": ("read", "full")}),
    "run of a script": ("%run data/script.py", {"data/script.py": ("read", "full"), "data/b.txt": ("read", "full")}),
    "secrets by name": ("open('data/.env').close()", {"data/.env": ("read", "secret")}),
}


@pytest.mark.parametrize("name", CELLS)
def test_what_a_cell_used(project: Project, name: str) -> None:
    """Each way of naming a file is seen, each with whether it was read or written; what is no file is not there."""
    (project.folder / "data" / "deep").mkdir(exist_ok=True)
    for path in ("in.csv", "b.txt", "both.txt", "log.txt", "x.txt", "deep/x.txt", ".env"):
        project.write(f"data/{path}", f"text of {path}")
    project.write("data/script.py", "open('data' + '/b.txt').close()\n")
    project.kernel.run("path_list = ['data/in.csv', 'data/b.txt', 'no such file', 3]")
    body, expected = CELLS[name]
    if name == "a run inside":
        reply = project.kernel.run(f"%%track outer\n{body}")
        assert reply.status == "ok"
        project.kernel.run(SETTLE)
        runs = {record.name: StoredRun(record, project.store) for record in project.store.records()}
        files = {file.path: file for file in runs["outer"].files}
    else:
        files = project.files(body)
    assert {path: (file.mode, file.how) for path, file in files.items()} == expected
    if name == "read, then written":
        assert files["data/both.txt"].before == blake3(b"text of both.txt").hexdigest()
        assert files["data/both.txt"].hash == blake3(b"text of both.txt!").hexdigest()


MISSING = {
    "open": "open('data/none.csv')",
    "pathlib": "from pathlib import Path\nPath('data/none.csv').read_text()",
    "pandas": "import pandas as pd\npd.read_csv('data/none.csv')",
    "a folder": "open('data')",
    "300 characters": "open('n' * 300)",
    "a chain": "try:\n    open('data/none.csv')\nexcept OSError as cause:\n    raise ValueError('wrapped') from cause",
    "wrong arguments": "open()",
    "wrong mode": "open('data/none.csv', 'q')",
    "zero byte": "open('a\\0b')",
}


@pytest.mark.parametrize("name", MISSING)
def test_errors_are_those_of_open(project: Project, name: str) -> None:
    """A file that cannot be opened gives the exception and the traceback it gives without celltrail."""
    tracked, run = project.track(MISSING[name])
    plain = project.kernel.run("# %%track\n" + MISSING[name])
    assert tracked.status == plain.status == "error"
    assert (tracked.content["ename"], tracked.content["evalue"]) == (plain.content["ename"], plain.content["evalue"])
    shown = [_bare("\n".join(reply.content["traceback"])) for reply in (tracked, plain)]
    assert shown[0] == shown[1]
    assert "openings.py" not in run.store.blobs.text(run.record.error.traceback)  # pyright: ignore[reportOptionalMemberAccess]
    assert run.files == []


def _bare(text: str) -> str:
    text = re.sub(r"\x1b\[[0-9;]*m", "", text).replace("# %%track", "%%track")
    return re.sub(r"In ?\[\d+\]|\S*\d{7,}\.py|0x[0-9a-f]+", "-", text)


STATE = """
import builtins, io
from IPython.core import interactiveshell as _module
print(type(builtins.open).__name__, io.open is builtins.open, _module.io_open is io.open,
      'showtraceback' in vars(get_ipython()), type(builtins.open.__call__).__name__)
"""


def test_open_is_put_back(project: Project) -> None:
    """Outside of tracked cells `open` is Python's own object; inside it answers as Python's own does."""
    found = (
        "import builtins, io, inspect, pickle\nprint(repr(builtins.open), builtins.open is io.open, open.__name__)\n"
    )
    found += "print(inspect.signature(builtins.open), pickle.loads(pickle.dumps(builtins.open)) is builtins.open)"
    before = project.kernel.run(STATE).text
    assert before.split() == ["builtin_function_or_method", "True", "True", "False", "method-wrapper"]
    inside, _ = project.track(found)
    assert inside.text == project.kernel.run(found).text
    assert project.kernel.run(STATE).text == before
    project.track("raise ValueError")
    assert project.kernel.run(STATE).text == before


def test_open_wrapped_by_the_cell_stays_wrapped(project: Project) -> None:
    """What the cell itself does to `open` stays; ours inside of it only hands through, and goes when it is put back."""
    wrap = "import builtins\nfound = builtins.open\nbuiltins.open = lambda *a, **k: found(*a, **k)"
    project.track(wrap)
    assert (
        project.kernel.run("print(builtins.open.__name__)\nbuiltins.open('data/in.csv').close()").text == "<lambda>\n"
    )
    project.kernel.run("builtins.open = found")
    project.track("pass")
    plain = "import io\nprint(type(builtins.open).__name__, builtins.open is io.open)"
    assert project.kernel.run(plain).text == "builtin_function_or_method True\n"


def test_many_files_are_counted_and_a_thousand_kept(project: Project) -> None:
    """A cell that opens 5,000 files keeps the first thousand and says how many more there were."""
    body = (
        "import os\nos.makedirs('many', exist_ok=True)\nfor i in range(5000):\n    open(f'many/{i}.txt', 'w').close()"
    )
    reply, run = project.track(body)
    assert reply.status == "ok"
    assert len(run.files) == 1000
    assert run.needs["files_beyond"] == 4000
    assert run.record.problems == ()


def test_huge_files_are_sampled(project: Project) -> None:
    """Of more than 1 GB sixteen blocks are read, unless --hash full says to read all, or off to read nothing."""
    with open(project.folder / "data" / "huge.bin", "wb") as file:
        file.truncate((1 << 30) + 5)  # a hole: no disk is used
    cell = "import os\nsize = os.stat('data/huge.bin').st_size"
    sampled = project.files(cell)["data/huge.bin"]
    assert (sampled.how, sampled.size, len(sampled.hash)) == ("sampled", (1 << 30) + 5, 64)
    off = project.files(cell, "%%track --hash off")["data/huge.bin"]
    assert (off.how, off.hash) == ("off", "")
    full = project.files(cell, "%%track --hash full")["data/huge.bin"]
    assert full.how == "full"
    assert full.hash != sampled.hash
    with open(project.folder / "data" / "huge.bin", "r+b") as file:
        file.write(b"\1")
    assert project.files(cell)["data/huge.bin"].hash != sampled.hash


def test_wrong_hash_argument(project: Project) -> None:
    """A word that --hash does not know is refused before the body runs."""
    reply = project.kernel.run("%%track --hash never\nprint('body')")
    assert reply.status == "error"
    assert "never" in reply.complaints
    assert "sample" in reply.complaints
    assert reply.text == ""


def test_a_pipe_named_in_a_cell_is_never_opened(project: Project) -> None:
    """A fifo is no file to hash: opening it would wait for ever."""
    os.mkfifo(project.folder / "data" / "fifo")
    assert project.files("name = 'data/fifo'") == {}


def test_secrets_in_names_of_files(project: Project) -> None:
    """A secret in the name of a file does not reach the trail."""
    secret = "hf_" + "Q7w" * 12
    project.write(f"data/{secret}.txt", "x")
    files = project.files("open('data/' + 'hf_' + 'Q7w' * 12 + '.txt').close()")
    assert list(files) == ["data/[redacted].txt"]


def test_paths_elsewhere_are_shown_by_name(project: Project, tmp_path: Path) -> None:
    """A file outside of project and home is found again by its path, and shown by its name alone."""
    (tmp_path / "elsewhere.csv").write_text("x")
    file = project.files(f"open({str(tmp_path / 'elsewhere.csv')!r}).close()")["elsewhere.csv"]
    assert (file.base, file.resolve()) == ("abs", tmp_path / "elsewhere.csv")
    assert str(tmp_path) not in repr(file)


def test_hashing_that_fails_is_the_runs_problem_only(project: Project) -> None:
    """A fault in the hashing thread is kept with the run; the cell and the later runs go on."""
    project.kernel.run(
        "import celltrail.capture.files as f\nkept = f.hashed\ndef broken(*a, **k): raise RuntimeError('x')"
    )
    project.kernel.run("f.hashed = broken")
    reply, run = project.track("print(open('data/in.csv').read()[:4])")
    assert (reply.status, run.files[0].how) == ("ok", "failed")
    project.kernel.run("f.hashed = kept")
    assert project.files("open('data/in.csv').close()")["data/in.csv"].how == "full"


def test_unloading_puts_all_back(tmp_path: Path) -> None:
    """`%unload_ext` in the middle of a tracked cell puts `open` back at once."""
    kernel = Kernel(tmp_path, {"XDG_CACHE_HOME": str(tmp_path / "cache"), "CELLTRAIL_QUIET": "1"})
    try:
        kernel.run("%load_ext celltrail")
        reply = kernel.run("%%track\n%unload_ext celltrail\n" + STATE)
        assert reply.text.split()[:4] == ["builtin_function_or_method", "True", "True", "False"]
    finally:
        kernel.stop()


def test_comparing_says_which_files_differ(project: Project) -> None:
    """Runs of one file with other contents, and files of only one of them, are the part `data` of a comparison."""
    from celltrail.compare import compare

    project.write("data/b.txt", "same")
    first_digest = project.write("data/in.csv", "first")
    _, first = project.track("open('data/in.csv').close()\nopen('data/b.txt').close()")
    second_digest = project.write("data/in.csv", "second")
    _, second = project.track("open('data/in.csv').close()\nopen('data/b.txt').close()\nopen('data/out9', 'w').close()")
    found = compare(first, second, store=project.store)
    lines = {line.name: line.values for line in found.lines()["data"]}
    empty = blake3(b"").hexdigest()[:12]
    assert lines == {
        "data/in.csv": (first_digest[:12], second_digest[:12]),
        "data/out9 (written)": (None, empty),
    }
    assert "data/in.csv" in repr(found)


def test_files_of_celltrail_itself_are_no_data(tmp_path: Path) -> None:
    """What the package reads for its panels is not an input of the run, wherever the package is."""
    package = Path(celltrail.__file__).parent
    assert not is_data(str(package / "static" / "chart.js"), tmp_path)
    assert is_data(str(tmp_path.parent / "static" / "chart.js"), tmp_path)


def test_data_that_an_earlier_cell_loaded(project: Project) -> None:
    """Most notebooks load their data in a cell of its own: the run that depends on it has the file, with its digest."""
    digest = project.write("data/train.csv", "x\n1\n2\n")
    project.write("data/other.csv", "x\n9\n")
    project.kernel.run("rows = open('data/train.csv').read().split()[1:]\nlabel = 'train'")
    project.kernel.run("others = open('data/other.csv').read()")
    project.kernel.run("where = 'data/' + 'test' + '.csv'")
    project.write("data/test.csv", "x\n5\n")
    project.kernel.run("more = open(where).read().split()[1:]")
    files = project.files("total = sum(map(int, rows + more))")
    assert {name: (file.mode, file.by) for name, file in files.items()} == {
        "data/train.csv": ("read", "slice"), "data/test.csv": ("read", "slice")}  # fmt: skip
    assert files["data/train.csv"].hash == digest


def test_data_that_changed_after_an_earlier_cell_loaded_it(project: Project) -> None:
    """What is hashed now is not what was read then, and the record says so."""
    project.write("data/train.csv", "x\n1\n2\n")
    project.kernel.run("rows = open('data/train.csv').read().split()[1:]")
    time.sleep(0.05)
    (project.folder / "data" / "train.csv").write_text("x\n3\n")
    files = project.files("total = sum(map(int, rows))")
    assert files["data/train.csv"].about == "changed after it was opened"
