"""Data by what it holds: digests that no format changes, differences, leaks between splits, runs that say so."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import os
import struct
import subprocess
import sys
import time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from pyarrow import feather, parquet
from sklearn import datasets
from sklearn.model_selection import train_test_split

import celltrail as ct
from celltrail.compare import compare
from celltrail.dataset import profile_of, sample_of, table_of
from celltrail.errors import BadValue, CelltrailError
from celltrail.query import find
from celltrail.query.detail import tables
from celltrail.run import start
from celltrail.run.recording import Run
from celltrail.stats.shift import homogeneous, kolmogorov
from kernels import Kernel


@pytest.fixture(scope="module")
def wine() -> pd.DataFrame:
    frame = datasets.load_wine(as_frame=True).frame
    frame["grower"] = np.where(frame.index % 3 == 0, "Ana", "Bo")
    frame["bottled"] = pd.date_range("2024-01-01", periods=len(frame), freq="h")
    frame["is_dry"] = frame["ash"] > 2.3
    frame["note"] = [None if at % 4 else f"Jahrgang {at} é" for at in range(len(frame))]
    return frame


def by_hand(columns: dict[str, list], kinds: dict[str, str]) -> str:
    """cdg1 as FORMAT.md has it, value by value: what the vectorised one is held against."""
    packed = {"int": "<q", "float": "<d", "bool": "<B", "ts": "<q", "date": "<q"}
    found, rows = [], 0
    for name, values in columns.items():
        rows = len(values)
        is_null = [each is None or (isinstance(each, float) and math.isnan(each)) for each in values]
        null = b"".join(struct.pack("<Q", at) for at, gone in enumerate(is_null) if gone)
        kind = "null" if all(is_null) else kinds[name]
        length = value = b""
        if kind in packed:
            value = b"".join(struct.pack(packed[kind], 0 if gone else each) for each, gone in zip(values, is_null))  # noqa: B905
        elif kind == "str":
            texts = [b"" if gone else each.encode() for each, gone in zip(values, is_null)]  # noqa: B905
            length, value = b"".join(struct.pack("<I", len(text)) for text in texts), b"".join(texts)
        parts = b"".join(hashlib.sha256(part).digest() for part in (null, length, value))
        head = b"cdg1\0" + kind.encode() + b"\0" + name.encode() + b"\0" + struct.pack("<Q", rows)
        found.append(hashlib.sha256(head + parts).hexdigest())
    return "cdg1:" + hashlib.sha256(f"cdg1|{rows}|{len(found)}|{'|'.join(found)}".encode()).hexdigest()


def test_a_digest_is_what_the_format_says():
    """Nulls, negative zero, NaN, text of several bytes, whole numbers kept as floats; and it never changes."""
    columns = {"n": [1, None, 3], "x": [0.5, math.nan, -0.0], "s": ["é", "", None], "b": [True, False, True],
               "none": [None, None, None]}  # fmt: skip
    expected = by_hand(columns, {"n": "int", "x": "float", "s": "str", "b": "bool"})
    assert str(ct.data.digest(columns)) == expected
    assert str(ct.data.digest(pd.DataFrame(columns))) == expected
    assert str(ct.data.digest({"a": [1, 2]})) == "cdg1:33d7741ed1f474413e251a28fda779df645db8afd91d5212ba3ec11df8b57c2a"


def test_one_digest_over_csv_parquet_feather_and_chunks(wine, tmp_path):
    """M5.1: 178 wines with text, times, booleans and missing values: whatever holds them."""
    places = {name: tmp_path / f"wine.{name}" for name in ("csv", "tsv", "parquet", "feather")}
    wine.to_csv(places["csv"], index=False)
    wine.to_csv(places["tsv"], index=False, sep="\t")
    wine.to_parquet(places["parquet"], row_group_size=17)
    wine.to_feather(places["feather"])
    table = pa.Table.from_pandas(wine)
    odd = pa.concat_tables([table.slice(0, 1), table.slice(1, 100), table.slice(101)])
    others = [wine, table, odd, wine.astype({"target": "int8", "grower": "category"}), wine.to_dict("records"),
              wine.astype({"target": float}), {name: wine[name] for name in wine}]  # fmt: skip
    wanted = str(ct.data.digest(wine))
    assert [str(ct.data.digest(each)) for each in (*others, *places.values())] == [wanted] * 11
    index = wine.set_index("grower")
    index.to_parquet(tmp_path / "index.parquet")
    assert ct.data.digest(index).hex == ct.data.digest(tmp_path / "index.parquet").hex != wanted
    shuffled = wine.sample(frac=1, random_state=0)
    assert str(ct.data.digest(shuffled.reset_index(drop=True))) != wanted
    assert str(ct.data.digest(wine[wine.columns[::-1]])) != wanted


SCALARS = {
    "int": st.integers(-(2**62), 2**62),
    "float": st.floats(width=64),
    "text": st.text(st.characters(blacklist_categories=["Cs"]), max_size=6),
    "bool": st.booleans(),
    "date": st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
    "ts": st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)),
    "dec": st.decimals(-1000, 1000, places=2),
    "bin": st.binary(max_size=4),
    "json": st.lists(st.integers(0, 9), max_size=3),
}


@st.composite
def held(draw):
    rows = draw(st.integers(1, 12))
    kinds = draw(st.lists(st.sampled_from(sorted(SCALARS)), min_size=1, max_size=4))
    columns = [draw(st.lists(st.none() | SCALARS[kind], min_size=rows, max_size=rows)) for kind in kinds]
    return pa.table({f"c{place}": pa.array(column) for place, column in enumerate(columns)})


@limits(max_examples=60, deadline=None)
@given(held(), st.lists(st.integers(0, 12), max_size=3), st.randoms(use_true_random=False))
def test_chunks_and_formats_change_nothing_and_one_cell_does(table, cuts, rng):
    """Of any types: cut anywhere, through Parquet and Feather, dictionary-coded; a changed cell names its column."""
    wanted = ct.data.digest(table)
    ends = sorted({0, table.num_rows, *(cut for cut in cuts if cut < table.num_rows)})
    parts = pa.concat_tables(table.slice(a, b - a) for a, b in pairwise(ends))
    assert ct.data.digest(parts) == wanted
    file = pa.BufferOutputStream()
    parquet.write_table(parts, file, row_group_size=3)
    assert ct.data.digest(parquet.read_table(pa.BufferReader(file.getvalue()))).hex == wanted.hex
    file = pa.BufferOutputStream()
    feather.write_feather(parts, file, chunksize=5)
    assert ct.data.digest(feather.read_table(pa.BufferReader(file.getvalue()))).hex == wanted.hex
    column, row = rng.randrange(table.num_columns), rng.randrange(table.num_rows)
    values = table.column(column).to_pylist()
    other = next(each for each in values if each != values[row]) if len(set(map(repr, values))) > 1 else None
    if other is not None and not isinstance(values[row], float):
        values[row] = other
        changed = table.set_column(column, f"c{column}", pa.array(values, table.schema.types[column]))
        digest = ct.data.digest(changed)
        assert [a.name for a, b in zip(digest.columns, wanted.columns, strict=True) if a.hex != b.hex] == [f"c{column}"]


@limits(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.none() | st.integers(-(10**6), 10**6), st.floats(allow_nan=False, allow_infinity=False),
                          st.text("abcdxyz ,\"\n", min_size=1, max_size=5).map("t{}".format)), min_size=1))  # fmt: skip
def test_csv_holds_the_same(tmp_path_factory, rows):
    """Numbers to the last bit, text with separators and line ends."""
    frame = pd.DataFrame(rows, columns=["n", "x", "s"]).astype({"n": "Int64"})
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    frame.to_csv(path, index=False)
    assert str(ct.data.digest(path)) == str(ct.data.digest(frame))


def test_numbers_of_any_width_and_times_of_any_unit():
    """int8 to uint64, halves, decimals, zones: equal values are equal, others are not."""
    whole = np.array([1, 2, 100])
    same = [whole.astype(kind) for kind in ("i1", "u2", "i4", "u8", "f2", "f4", "f8")]
    assert len({ct.data.digest({"a": each}).hex for each in same}) == 1
    assert ct.data.digest({"a": np.array([2**64 - 1], "u8")}).columns[0].kind == "dec"
    times = pd.Series(pd.to_datetime(["2024-01-01T12:00:00", "2024-06-01T00:00:00"]))
    assert (
        len({ct.data.digest({"t": times.astype(f"datetime64[{unit}]")}).hex for unit in ("s", "ms", "us", "ns")}) == 1
    )
    berlin, utc = times.dt.tz_localize("Europe/Berlin"), times.dt.tz_localize("Europe/Berlin").dt.tz_convert("UTC")
    assert ct.data.digest({"t": berlin}).hex == ct.data.digest({"t": utc}).hex != ct.data.digest({"t": times}).hex
    far = pd.Series(np.array(["0001-01-01", "9999-12-31"], "datetime64[us]"))
    assert ct.data.digest({"t": far}).columns[0].kind == "tsus"
    assert ct.data.digest({"d": [Decimal("1.50"), None]}).hex == ct.data.digest({"d": [Decimal("1.5"), None]}).hex
    assert ct.data.digest({"a": [-0.0, 1.0]}).hex != ct.data.digest({"a": [0.0, 1.0]}).hex


def test_arrays_tensors_and_bunches():
    """Digits as images, as rows, as a tensor and as a Bunch; objects that cannot be read are said to be partial."""
    torch = pytest.importorskip("torch")
    bunch = datasets.load_digits()
    images = ct.data.digest(bunch.images)
    assert (images.rows, images.columns[0].kind) == (1797, "int[8,8]")
    assert ct.data.digest(torch.tensor(bunch.images)).hex == images.hex
    assert ct.data.digest(bunch.data).hex == ct.data.digest(torch.tensor(bunch.data, dtype=torch.float16)).hex
    held = torch.utils.data.TensorDataset(torch.tensor(bunch.data), torch.tensor(bunch.target))
    assert [each.name for each in ct.data.digest(held).columns][-2:] == ["0.63", "1"]
    iris = datasets.load_iris()
    assert ct.data.digest(iris).hex == ct.data.digest(datasets.load_iris(as_frame=True)).hex
    odd = ct.data.digest({"a": [object(), object()], "b": [1, 2]})
    assert odd.is_partial
    assert odd.columns[1].hex == ct.data.digest({"b": [1, 2]}).columns[0].hex
    for wrong, said in (("text", "a str holds no rows"), (7, "a int holds no rows"), ({"a": [1], "b": [1, 2]}, "1, 2"),
                        ([], "a list holds no rows")):  # fmt: skip
        with pytest.raises(BadValue, match=said):
            table_of(wrong)


def test_a_difference_names_columns_rows_and_cells(wine):
    """M5.1: One cell, a column more, another type, rows by a key, rows in any order."""
    other = wine.copy()
    other.loc[3, "ash"] = 9.0
    found = ct.data.diff(wine, other)
    assert found.changed == {"ash": 1}
    assert found.cells.to_dict("records") == [{"row": 3, "column": "ash", "before": wine.ash[3], "after": 9.0}]
    assert "row 3, ash: 2.5 → 9.0" in str(found)
    assert not ct.data.diff(wine, wine.astype({"target": "int8"}))
    assert str(ct.data.diff(wine, wine)) == "the same rows in the same order"
    typed = ct.data.diff(wine, wine.assign(target=wine.target.astype(str), extra=1).drop(columns="hue"))
    assert (typed.added, typed.removed, typed.retyped) == (["extra"], ["hue"], {"target": ("int", "str")})
    assert "target" not in typed.changed
    fewer = ct.data.diff(wine, wine.drop(index=[5, 70]).sample(frac=1, random_state=0))
    assert fewer.rows_removed.index.tolist() == [5, 70]
    assert not len(fewer.rows_added)
    keyed = wine.assign(id=[f"w{at}" for at in wine.index])
    moved = keyed.drop(index=[5]).iloc[::-1].reset_index(drop=True)
    moved.loc[0, "hue"] = -1
    by_key = ct.data.diff(keyed, moved, key="id")
    assert by_key.changed == {"hue": 1}
    assert by_key.cells["row"].tolist() == ["w177"]
    assert by_key.rows_removed.index.tolist() == ["w5"]
    with pytest.raises(BadValue, match="'grower' does not name each row once: the first has 'Bo' twice"):
        ct.data.diff(keyed, moved, key="grower")


def test_rows_of_iris_that_are_the_same_flower_leak():
    """M5.2: Rows 101 and 142 hold the same numbers: apart, exactly one row of the test split is known already."""
    x, y = datasets.load_iris(return_X_y=True)
    rest = np.delete(np.arange(150), [101, 142])
    train, test = [*rest[:100], 101], [*rest[100:], 142]
    found = ct.data.check_splits(train=x[train], test=x[test])
    leak = {"split": "test", "row": len(test) - 1, "of": "train", "row_of": 100, "label_differs": False}
    assert found.duplicates.to_dict("records") == [leak]
    assert not found
    assert "1 of 49 rows of test stands in train too (48 is 100)" in str(found)
    other = y.copy()
    other[142] = 0
    assert "1 of them with another label" in str(ct.data.check_splits(train=(x[train], other[train]),
                                                                      test=(x[test], other[test])))  # fmt: skip
    assert ct.data.check_splits(train=x[:100], test=x[102:142])


def test_groups_times_and_labels_over_splits(wine):
    """M5.2: Torn growers, a future in the past, classes that one split lacks; a fair split has nothing to say."""
    train, test = wine.iloc[:100], wine.iloc[100:]
    found = ct.data.check_splits(train=train, test=test, group="grower", time="bottled", label="target")
    torn = {"group": ["Bo", "Ana"], "train": [66, 34], "test": [52, 26]}
    assert found.groups.to_dict("list") == torn
    assert set(found.problems) == {"groups", "labels", "labels that are missing"}
    assert "2 values of 'grower' stand in more than one split (Bo, Ana)" in found.problems["groups"]
    assert "train has none of 2" in found.problems["labels that are missing"]
    late = ct.data.check_splits(train=train.iloc[10:], test=pd.concat([test, train.iloc[:10]]), time="bottled")
    assert "10 of 88 rows of test lie before the last of the split before it" in str(late)
    a, b = train_test_split(wine, test_size=0.4, stratify=wine.target, random_state=0)
    fair = ct.data.check_splits(train=a, test=b, label="target")
    assert fair, str(fair)
    assert fair.label_p > 0.9
    x, y = datasets.load_diabetes(return_X_y=True)
    order = np.argsort(y)
    sick = ct.data.check_splits(train=(x[order[:300]], y[order[:300]]), val=(x[order[300:]], y[order[300:]]))
    assert "label is not spread alike: its median is" in str(sick)
    with pytest.raises(BadValue, match="there is no column 'patient'"):
        ct.data.check_splits(train=train, test=test, group="patient")
    with pytest.raises(BadValue, match="give two splits or more"):
        ct.data.check_splits(train=train)
    some = ct.data.check_splits(train=train, test=test.drop(columns="hue"))
    assert some.problems["columns"].startswith("test has no 'hue': rows are compared by the other 17 columns")


def test_tests_of_shift_are_those_of_scipy():
    """Counts of labels exactly, numbers asymptotically."""
    from scipy import stats

    rng = np.random.default_rng(0)
    for shape in ((2, 2), (3, 5), (2, 40)):
        counts = rng.integers(1, 60, shape)
        wanted = stats.chi2_contingency(counts, correction=False).pvalue
        assert homogeneous(counts) == pytest.approx(wanted, rel=1e-9)
    one, other = rng.normal(0, 1, 400), rng.normal(0.15, 1, 300)
    distance, p = kolmogorov(one, other)
    wanted = stats.ks_2samp(one, other)
    assert distance == pytest.approx(wanted.statistic)
    assert p == pytest.approx(wanted.pvalue, abs=0.01)


def test_leaks_are_found_as_pandas_finds_them():
    """Over random rows of numbers and text with many repeats."""
    rng = np.random.default_rng(2)
    frames = [pd.DataFrame({"a": rng.integers(0, 30, 800), "b": rng.choice(["x", "y", None], 800),
                            "c": rng.choice([0.5, np.nan, 2.0], 800)}) for _ in range(2)]  # fmt: skip
    found = ct.data.check_splits(train=frames[0], test=frames[1]).duplicates
    merged = frames[1].reset_index().merge(frames[0].drop_duplicates(), on=["a", "b", "c"])
    wanted = sorted(merged["index"])
    assert len(wanted) > 500
    assert found["row"].tolist() == wanted


def test_a_run_says_which_data_it_used(store, wine, tmp_path, monkeypatch):
    """Named versions with columns and profile, in the trail, its panel, a comparison, and the other way round."""
    monkeypatch.chdir(tmp_path)
    wine.to_csv("wine.csv", index=False)
    (tmp_path / "wine.csv.dvc").write_text(
        "outs:\n- md5: a304afb96060aad90176268345e10355\n  size: 9\n  path: wine.csv\n"
    )
    os.makedirs("pictures/a")
    for place in ("pictures/a/1.bin", "pictures/2.bin"):
        with open(place, "wb") as file:
            file.write(place.encode())
    changed = wine.assign(ash=wine.ash.where(wine.index != 3, 9.0))
    for name, frame in (("one", wine), ("two", changed)):
        with start(name, store=store) as run:
            made = run.log_data(frame, "wine", split="train")
            run.log_data("wine.csv", parents=[made])
            run.log_data("pictures")
            run.log_data("hf://datasets/org/corpus@9f1c2/train.jsonl")
            run.log_data("s3://key:secret@bucket/wine.parquet?X-Amz-Signature=abc")
        with pytest.raises(CelltrailError, match="already finished"):
            run.log_data(frame, "late")
    first, file, folder, hub, bucket = find("one", store).data
    assert first.digest == str(ct.data.digest(wine))
    assert (first.key, first.rows, first.schema["target"]) == ("wine/train", 178, "int64")
    assert first.profile == ct.data.profile(wine)
    assert first.profile["grower"]["frequent"] == [["Bo", 118], ["Ana", 60]]
    assert first.profile["note"]["frequent"] == []
    assert file.digest == first.digest
    assert file.parents == (first.digest,)
    assert file.source["md5"] == "a304afb96060aad90176268345e10355"
    assert file.source["path"] == "wine.csv"
    assert folder.digest.startswith("blake3-tree:")
    assert (hub.digest, hub.source["revision"]) == (None, "9f1c2")
    assert bucket.source["reference"] == "s3://bucket/wine.parquet"
    assert find("two", store).data[1].profile == file.profile
    shown = {table.title: [*table.rows] for table in tables(find("one", store)) if table.tab == "data"}
    assert shown["data versions"][0][:4] == ["wine", "train", 178, 18]
    assert ["ash", "float (float64)", None, None, "1.36 to 3.23, half below 2.36"] in shown["columns of wine/train"]
    comparison = compare("one", "two", store=store)
    assert [line.name for line in comparison.lines()["data"]][:2] == ["wine/train", "wine/train: ash"]
    assert "data: wine/train: ash" in comparison.changed
    told = ct.data.diff(find("one", store).data[0], find("two", store).data[0])
    assert told.changed == {"ash": None}
    assert "which rows is not known" in str(told)
    assert [run.name for run in ct.data.used_by(wine, store)] == ["two", "one"]  # as the file, and as rows
    assert [run.name for run in ct.data.used_by(made, store)] == ["two"]
    assert [run.name for run in ct.data.used_by(wine, store).where("name != 'two'")] == ["one"]
    assert not ct.data.used_by({"never": [1, 2]}, store)
    with start("three", store=store) as run, pytest.raises(BadValue, match="there is no file or folder 'gone'"):
        run.log_data("gone")
    with start("four", store=store) as run:
        ct.data.check_splits(train=wine.iloc[:100], val=wine.iloc[90:])
    (alert,) = find("four", store).alerts
    assert alert.title == "splits: duplicates in val of train"


def test_large_files_are_known_by_their_looks(store, tmp_path):
    """C1: 10 GB that are not read twice: only what a file looks like is asked, as its replaced bytes show."""
    path = tmp_path / "sparse.bin"
    path.touch()
    os.truncate(path, 10 << 30)
    old = time.time_ns() - 10**10
    os.utime(path, ns=(old, old))
    with start("a", store=store) as run:
        first = run.log_data(path)
        with path.open("r+b") as file:
            file.write(b"changed")
        os.utime(path, ns=(old, old))
        again = run.log_data(path, "again")
        os.utime(path)
        other = run.log_data(path, "other")
    assert first.digest.startswith("blake3-sampled:")
    assert first.digest == again.digest != other.digest
    assert first.size == 10 << 30


def test_large_frames_are_profiled_by_a_sample_while_the_run_goes_on(store):
    """What is done to the frame afterwards does not change the profile; the run waits for it at its end."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"x{place}": rng.normal(size=250_000) for place in range(12)})
    wanted = profile_of(sample_of(table_of(frame)))
    with start("large", store=store) as run:
        made = run.log_data(frame, "large")
        frame.loc[:, :] = 0.0
    assert made.profile == wanted
    assert find("large", store).refresh().data[0].profile["x3"]["quartiles"] == wanted["x3"]["quartiles"]


def test_what_a_rank_says_of_data_is_kept(store):
    """A process that does not own the run's document says it beside it."""
    with start("ranks", store=store) as run:
        rank = Run(store, run.record(), rank=1, joins=True)
        rank.log_data({"a": [1, 2]}, "shard")
        rank.finish()
    assert find("ranks", store).data[0].digest == str(ct.data.digest({"a": [1, 2]}))


def test_a_cell_that_reads_data_has_it_without_a_word(tmp_path, trail, wine):
    """Files and frames that a tracked cell reads are among its data; a file it named stands there once."""
    wine.to_csv(tmp_path / "wine.csv", index=False)
    kernel = Kernel(tmp_path)
    try:
        kernel.run("%load_ext celltrail")
        kernel.run("import pandas as pd\nimport celltrail as ct\nframe = pd.read_csv('wine.csv')")
        reply = kernel.run("%%track cell\nmean = frame.ash.mean()\nct.current().log_data('wine.csv', 'wine')")
        assert reply.status == "ok", reply.content
        reply = kernel.run("print([(d.name, d.kind, d.how, d.rows) for d in ct.run('cell').data])")
    finally:
        kernel.stop()
    assert reply.text.strip() == "[('wine', 'table', 'log', 178), ('frame', 'table', 'read', 178)]"


def test_the_readmes_table_of_data_is_what_the_kept_results_print():
    """What stands between the two comments cannot drift from the figures that were kept; pandas takes longer."""
    root = Path(__file__).parent.parent
    kept = root / "benchmarks" / "results" / "data.json"
    command = [sys.executable, str(root / "benchmarks" / "data.py"), "--render", str(kept)]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    _, _, rest = (root / "README.md").read_text().partition("<!-- benchmark:data -->\n")
    assert rest.partition("<!-- /benchmark:data -->")[0] == printed
    figures = json.loads(kept.read_text())
    assert all(figures[row][0] < figures[row][1] for row in ("leaks", "duplicated"))
    assert figures["again_ms"] < 50


def test_drift_is_told_column_by_column_and_not_from_chance(store):
    """M14.2: Halves of wine as they lie have moved, shuffled ones have not; the distances are those of SciPy."""
    stats = pytest.importorskip("scipy.stats")
    wine = datasets.load_wine(as_frame=True).frame
    first, second = wine[:89], wine[89:]
    with ct.start("watching", store=store):
        found = ct.data.drift(first, second)
    table = found.table.set_index("column")
    for name in first:
        assert table.loc[name, "ks"] == pytest.approx(stats.ks_2samp(first[name], second[name]).statistic)
        assert table.loc[name, "wasserstein"] == pytest.approx(stats.wasserstein_distance(first[name], second[name]))
    assert not found
    assert table.loc["alcohol", "psi"] > 0.25
    assert table.loc[["alcohol", "target"], "level"].tolist() == ["act", "act"]
    assert {alert.title for alert in ct.run("watching", store).alerts} == {f"drift: {name}" for name in found.moved}
    assert "target: psi 3.82 (act), KS 0.66, 1.2 away" in str(found)
    alarms = 0
    for seed in range(40):
        order = np.random.default_rng(seed).permutation(len(wine))
        alarms += not ct.data.drift(wine.iloc[order[:89]], wine.iloc[order[89:]])
    assert alarms <= 3  # one in a hundred, over all columns together
    words = pd.DataFrame({"kind": ["a", "b"] * 50, "was": [1] * 100, "empty": [None] * 100})
    later = pd.DataFrame({"kind": ["a"] * 90 + ["c"] * 10, "empty": [1.0] * 100})
    told = ct.data.drift(words, later)
    assert told.gone == ("was",)
    assert told.table.set_index("column")["level"].to_dict() == {"kind": "act", "empty": "act"}
    assert told.table.set_index("column").loc["empty", "missing"] == -1
    for now, said in (({"x": [1]}, "no column that can be read is in both"), ({"kind": []}, "current has no rows")):
        with pytest.raises(BadValue, match=said):
            ct.data.drift(words, now)
