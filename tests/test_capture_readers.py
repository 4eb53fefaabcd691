"""Readers of fifteen kinds, each with its path in the code, in a variable, from a loop, and by a name of its own."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from celltrail.query import StoredRun
from celltrail.store import Store
from kernels import SETTLE, Kernel

ON = "from celltrail.capture import Recorder\nrecorder = Recorder(get_ipython())\nrecorder.on()"
# library, file, code that makes it, expression that reads it from `path`
READERS = {
    "open": ("", "a.txt", "open('a.txt', 'w').write('x')", "open(path).read()"),
    "pathlib": ("pathlib", "p.txt", "open('p.txt', 'w').write('x')", "pathlib.Path(path).read_text()"),
    "gzip": ("gzip", "a.gz", "gzip.open('a.gz', 'w').close()", "gzip.open(path).read()"),
    "csv": ("pandas", "a.csv", "open('a.csv', 'w').write('x\\n1')", "pandas.read_csv(path)"),
    "np.load": ("numpy", "a.npy", "numpy.save('a.npy', numpy.ones(3))", "numpy.load(path)"),
    "memmap": ("numpy", "m.npy", "numpy.save('m.npy', numpy.ones(3))", "numpy.load(path, mmap_mode='r')"),
    "PIL": ("PIL.Image", "a.png", "PIL.Image.new('L', (2, 2)).save('a.png')", "PIL.Image.open(path).load()"),
    "torch": ("torch", "a.pt", "torch.save(torch.ones(2), 'a.pt')", "torch.load(path)"),
    "pyarrow": (
        "pyarrow.parquet",
        "a.parquet",
        "pyarrow.parquet.write_table(pyarrow.table({'x': [1]}), 'a.parquet')",
        "pyarrow.parquet.read_table(path)",
    ),
    "polars": (
        "polars",
        "p.parquet",
        "polars.DataFrame({'x': [1]}).write_parquet('p.parquet')",
        "polars.read_parquet(path)",
    ),
    "h5py": ("h5py", "a.h5", "h5py.File('a.h5', 'w').close()", "h5py.File(path, 'r').close()"),
    "safetensors": (
        "safetensors.numpy",
        "a.safetensors",
        "import numpy\nsafetensors.numpy.save_file({'x': numpy.ones(2)}, 'a.safetensors')",
        "safetensors.numpy.load_file(path)",
    ),
    "duckdb": (
        "duckdb",
        "d.parquet",
        "duckdb.sql(\"copy (select 1 as x) to 'd.parquet'\")",
        "duckdb.sql(f\"select * from '{path}'\").fetchall()",
    ),
    "cv2": ("cv2", "c.png", "import numpy\ncv2.imwrite('c.png', numpy.zeros((2, 2)))", "cv2.imread(path)"),
    "sqlite3": ("sqlite3", "a.db", "sqlite3.connect('a.db').execute('create table t (x)')", "sqlite3.connect(path)"),
}
LITERAL, VARIABLE, LOOP = (
    "path = {name!r}\n{read}",
    "{read}",
    "for end in [{end!r}]:\n    path = {stem!r} + end\n    {read}",
)


class Reading:
    """A kernel that records, in a folder with a trail."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, Store(folder / ".celltrail")
        self.kernel = Kernel(folder, {"XDG_CACHE_HOME": str(folder / "cache"), "CELLTRAIL_STORE": str(self.store.root)})
        assert self.kernel.run(ON).status == "ok"

    def seen(self, cell: str) -> dict[str, str]:
        before = {record.id for record in self.store.records()}
        reply = self.kernel.run(f"%%track\n{cell}")
        assert reply.status == "ok", reply.content
        self.kernel.run(SETTLE)
        (record,) = [record for record in self.store.records() if record.id not in before]
        assert record.problems == ()
        return {file.path: file.mode for file in StoredRun(record, self.store).files}


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    made = Reading(tmp_path_factory.mktemp("readers"))
    yield made
    made.kernel.stop()


@pytest.mark.parametrize("name", READERS)
def test_every_reader_is_seen(reading: Reading, name: str) -> None:
    """What a reader opens is in the run, whether the path stands in the cell, in a variable, or comes from a loop.

    So it is when the reader was bound by ``from library import reader`` in an earlier cell; it is the real one again
    afterwards.
    """
    library, path, write, read = READERS[name]
    if library and importlib.util.find_spec(library.split(".")[0]) is None:
        pytest.skip(f"{library} is not installed")
    imported = f"import {library}\n" if library else ""
    assert reading.kernel.run(f"{imported}{write}").status == "ok"
    reading.kernel.run("import time; time.sleep(0.1)")
    stem, end = path.split(".")
    assert reading.seen(LITERAL.format(name=path, read=read)).get(path) == "read"
    reading.kernel.run(f"path = {path!r}")
    assert reading.seen(VARIABLE.format(read=read)).get(path) == "read"
    assert reading.seen(LOOP.format(stem=stem, end=f".{end}", read=read)).get(path) == "read"
    function = read.split("(")[0]
    copied = f"import shutil; shutil.copy({stem!r} + '.{end}', 'own_' + {stem!r} + '.{end}')"
    reading.kernel.run(f"reader = {function}\n{copied}")
    own = f"assert reader is {function}\n    {read.replace(function, 'reader', 1)}"
    assert reading.seen(LOOP.format(stem=f"own_{stem}", end=f".{end}", read=own)).get(f"own_{path}") == "read"
    told = reading.kernel.run(f"print(reader is {function}, type(reader).__module__)").text
    assert told.startswith("True ")
    assert "celltrail" not in told


WRITERS = {
    "numpy": ("numpy", "w.npy", "numpy.save('w' + '.npy', numpy.ones(2))"),
    "pandas": ("pandas", "w.csv", "pandas.DataFrame({'x': [1]}).to_csv('w' + '.csv')"),
    "torch": ("torch", "w.pt", "torch.save(torch.ones(2), 'w' + '.pt')"),
    "pyarrow": (
        "pyarrow.parquet",
        "w.parquet",
        "pyarrow.parquet.write_table(pyarrow.table({'x': [1]}), 'w' + '.parquet')",
    ),
    "polars": ("polars", "v.parquet", "polars.DataFrame({'x': [1]}).write_parquet('v' + '.parquet')"),
    "cv2": ("cv2", "w.png", "import numpy\ncv2.imwrite('w' + '.png', numpy.zeros((2, 2)))"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_writers_are_seen(reading: Reading, name: str) -> None:
    """What a cell writes is in its run as written."""
    library, path, write = WRITERS[name]
    if importlib.util.find_spec(library.split(".")[0]) is None:
        pytest.skip(f"{library} is not installed")
    reading.kernel.run(f"import {library}")
    assert reading.seen(write).get(path) == "write"


def test_readers_are_put_back(reading: Reading) -> None:
    """After a tracked cell the functions of the libraries are the very objects they were."""
    state = "import sqlite3, numpy, os\nprint(id(sqlite3.connect), id(numpy.loadtxt), id(os.chdir))"
    before = reading.kernel.run(state).text
    reading.seen("pass")
    assert reading.kernel.run(state).text == before


def test_readers_are_pickled_as_themselves(reading: Reading) -> None:
    """A reader handed to another process by name arrives as the real one."""
    cell = "import pickle, sqlite3\nassert pickle.loads(pickle.dumps(sqlite3.connect)) is sqlite3.connect\n"
    cell += "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(1) as pool:\n"
    cell += "    assert pool.map(open, []) == []"
    reading.seen(cell)
