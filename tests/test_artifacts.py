"""Files that a run keeps: by content, what checkpoints share once, the best and the last, never in the way of a fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import celltrail as ct
from celltrail.store import Store
from celltrail.store.files import disk
from celltrail.store.upkeep.trash import Trash
from kernels import SETTLE, Kernel

ROWS = 300  # of a square tensor of doubles: 720 kB


def tensors(changed: int | None = None) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    found = {f"layer{n}.weight": rng.standard_normal((ROWS, ROWS)) for n in range(4)}
    found |= {f"layer{n}.bias": rng.standard_normal(ROWS) for n in range(4)}
    if changed is not None:
        found[f"layer{changed}.weight"] = found[f"layer{changed}.weight"] + 1
    return found


def npz(path: Path, values: dict[str, np.ndarray[Any, Any]]) -> None:
    np.savez(path, **values)


def safe(path: Path, values: dict[str, np.ndarray[Any, Any]]) -> None:
    pytest.importorskip("safetensors.numpy").save_file(values, path)


def pt(path: Path, values: dict[str, np.ndarray[Any, Any]]) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"model": {name: torch.from_numpy(value) for name, value in values.items()}, "step": 3}, path)


def used(store: Store) -> int:
    return store.blobs.usage().size


@pytest.mark.parametrize(("write", "suffix"), [(npz, "npz"), (safe, "safetensors"), (pt, "pt")])
def test_checkpoints_that_differ_in_one_tensor_cost_one_tensor(store, tmp_path, write, suffix):
    """M6.1: and a list of a few kilobytes; each is restored to the byte, and loads as what it was."""
    first, second = tmp_path / f"first.{suffix}", tmp_path / f"second.{suffix}"
    write(first, tensors())
    write(second, tensors(changed=2))
    with ct.start("training") as run:
        run.log_checkpoint(first)
        assert len(run.checkpoints) == 1
        before = used(store)
        run.log_checkpoint(second)
        assert len(run.checkpoints) == 2
    one = ROWS * ROWS * 8
    assert one <= used(store) - before < one + 16_000
    found = ct.run("training").checkpoints
    for each, path in zip(found, (first, second), strict=True):
        assert each.restore(tmp_path / "back").read_bytes() == path.read_bytes()
        (tmp_path / "back").unlink()
        store.blobs.verify(each.files[0].digest)
    loaded = found[-1].load()
    loaded = loaded.get("model", loaded)
    assert np.array_equal(np.asarray(loaded["layer2.weight"]), tensors(2)["layer2.weight"])
    with store.blobs.open(found[-1].files[0].digest) as file:
        file.seek(-1000, os.SEEK_END)
        assert file.read() == second.read_bytes()[-1000:]


def test_a_piece_that_is_damaged_is_found(store, tmp_path):
    """A changed byte of one tensor: nothing is written under the name that was asked for."""
    npz(tmp_path / "a.npz", tensors())
    with ct.start("training") as run:
        run.log_checkpoint(tmp_path / "a.npz")
    assert len(run.checkpoints) == 1
    piece = next(file.path for file in store.blobs.files() if file.size > 700_000)
    piece.chmod(0o600)
    data = bytearray(piece.read_bytes())
    data[1000] ^= 1
    piece.write_bytes(data)
    checkpoint = ct.run("training").checkpoints[0]
    with pytest.raises(OSError, match="does not hold what was put into it"):
        checkpoint.restore(tmp_path / "back.npz")
    assert not (tmp_path / "back.npz").exists()


@pytest.mark.parametrize("data", [b"PK\3\4" + bytes(80_000), (1 << 40).to_bytes(8, "little") + b"{" + bytes(80_000)])
def test_what_only_looks_like_tensors_is_kept_whole(store, tmp_path, data):
    """A zip without a directory, a header longer than the file."""
    (tmp_path / "odd.pt").write_bytes(data)
    digest = store.blobs.put_file(tmp_path / "odd.pt")
    assert not store.blobs.is_in_pieces(digest)
    assert store.blobs.get(digest) == data


def trained(run: ct.Run, folder: Path, losses: list[float]) -> list[Path]:
    paths = [folder / f"step{n}.npz" for n in range(len(losses))]
    for n, (path, loss) in enumerate(zip(paths, losses, strict=True)):
        run.log({"val/loss": loss}, step=n)
        npz(path, tensors(changed=n % 4))
        run.log_checkpoint(path)
        assert run.checkpoints[-1].name == path.name  # it is in the trail before the next one is written
    return paths


def test_the_best_and_the_last_stay(store, tmp_path):
    """Of four two go, with the room that only they took; the files of the user stay where they are."""
    with ct.start("training") as run:
        run.keep_checkpoints(best=1, by="val/loss", last=1)
        paths = trained(run, tmp_path, [0.5, 0.3, 0.4, 0.6])
        assert [each.name for each in run.checkpoints] == ["step1.npz", "step3.npz"]
    found = ct.run("training").checkpoints
    assert (found.best("val/loss").step, found[-1].metrics) == (1, {"val/loss": 0.6})
    assert all(path.exists() for path in paths)
    for each in found:  # what the others shared with those that went is still there
        assert each.restore(tmp_path / "back", overwrite=True).read_bytes() == paths[each.step].read_bytes()
    large = [file for file in store.blobs.files() if file.size > 700_000]
    assert len(large) == 6  # four tensors, and one more of each of the two
    told = [event["do"] for event in store.events(run.id) if event["kind"] == "artifact"]
    assert told == ["kept", "kept", "let go", "kept", "kept", "let go"]


def test_a_budget_lets_go_of_the_oldest_and_the_best_last(tmp_path):
    """What two share counts once; a file larger than the budget is not copied, and says so."""
    with ct.start("training") as run:
        run.keep_checkpoints(by="val/loss", budget="5.2MB")
        trained(run, tmp_path, [0.2, 0.3, 0.4, 0.6])
        assert [each.name for each in run.checkpoints] == ["step0.npz", "step2.npz", "step3.npz"]
        run.keep_checkpoints(budget="1MB")
        run.log_checkpoint(tmp_path / "step0.npz", "too large")
        odd = run.checkpoints["too large"]
    assert not odd.is_kept
    assert "2.892 MB are more than the 1 MB that checkpoints of the run may take" in odd.why
    with pytest.raises(ct.BadValue, match="the content of 'too large' is not in the trail: its"):
        odd.restore(tmp_path)


def test_nothing_goes_that_another_run_counts_on(store, tmp_path):
    """The same tensors were kept by two runs; one lets go of them."""
    npz(tmp_path / "a.npz", tensors())
    with ct.start("one") as one:
        one.keep_checkpoints(last=1)
        one.log_checkpoint(tmp_path / "a.npz")
        assert len(one.checkpoints) == 1
        with ct.start("other") as other:
            other.log_checkpoint(tmp_path / "a.npz", "same")
            assert len(other.checkpoints) == 1
        npz(tmp_path / "b.npz", {"x": np.zeros((400, 400))})
        one.log_checkpoint(tmp_path / "b.npz")
        assert [each.name for each in one.checkpoints] == ["b.npz"]
    kept = ct.run("other").checkpoints["same"].restore(tmp_path / "back.npz")
    assert kept.read_bytes() == (tmp_path / "a.npz").read_bytes()


def test_letting_go_by_hand_says_so_first_and_goes_through_the_trash(store, tmp_path):
    """A dry run changes nothing; afterwards the trash has what went, and gives it back."""
    with ct.start("training") as run:
        trained(run, tmp_path, [0.5, 0.3, 0.4])
    stored = ct.run("training")
    plan = stored.checkpoints.keep(best=1, by="val/loss", dry_run=True)
    assert str(plan).startswith("2 of 3 checkpoints would go to the trash; celltrail gc then frees 2.18")
    assert "step0.npz: step 0, 2.892 MB, val/loss 0.5" in str(plan)
    assert len(stored.checkpoints) == 3
    stored.checkpoints.keep(best=1, by="val/loss")
    assert [each.step for each in stored.checkpoints] == [1]
    before = used(store)
    old = time.time() - 2 * 86_400
    for file in store.blobs.files():
        os.utime(file.path, (old, old))
    store.gc()
    assert before - used(store) >= 3 * ROWS * ROWS * 8
    trash = Trash(store.root)
    trash.restore(next(each for each in trash.entries() if each.why.startswith("let go of by hand: step0")))
    assert [each.step for each in stored.checkpoints] == [0, 1]


def test_a_folder_is_one_checkpoint(tmp_path):
    """With all its files, restored as a folder; a single one of them is loaded by name."""
    folder = tmp_path / "checkpoint-7"
    (folder / "deep").mkdir(parents=True)
    npz(folder / "model.npz", tensors())
    (folder / "deep" / "state.json").write_text('{"step": 7}')
    with ct.start("training") as run:
        run.log_checkpoint(folder, step=7)
    (found,) = ct.run("training").checkpoints
    assert [file.path for file in found.files] == ["deep/state.json", "model.npz"]
    (tmp_path / "out").mkdir()
    back = found.restore(tmp_path / "out")
    assert back == tmp_path / "out" / "checkpoint-7"
    assert (back / "deep" / "state.json").read_text() == '{"step": 7}'
    assert set(found.load("model.npz")) == set(tensors())
    with pytest.raises(ct.BadValue, match="2 files; name one to load"):
        found.load()
    with pytest.raises(ct.BadValue, match=r"there is a 'state\.json' already"):
        found.restore(tmp_path / "out")


def test_a_pickle_is_read_only_aloud(tmp_path):
    """Reading one runs its code."""
    joblib = pytest.importorskip("joblib")
    joblib.dump({"weights": [1, 2]}, tmp_path / "model.joblib")
    with ct.start("training") as run:
        run.log_checkpoint(tmp_path / "model.joblib")
        run.log_artifact(Path(__file__), kind="script")
    stored = ct.run("training")
    with pytest.raises(ct.BadValue, match="is a pickle, which runs code as it is read"):
        stored.checkpoints[0].load()
    assert stored.checkpoints[0].load(allow_pickle=True) == {"weights": [1, 2]}
    assert [each.kind for each in stored.artifacts] == ["checkpoint", "script"]
    with pytest.raises(ct.BadValue, match=r"restore\(path\) writes it for its library"):
        stored.artifacts[-1].load()
    with pytest.raises(ct.NoRun, match=r"did you mean 'model\.joblib'"):
        stored.artifacts["model.jobib"]


def test_files_are_read_and_copied_on_a_thread_of_their_own(tmp_path):
    """Every opening of the checkpoint, and of a blob, is heard: none is on the thread that trains."""
    code = f"""
import sys, threading, json, pathlib
import numpy, celltrail as ct
heard = set()
def hear(event, args):
    if event == "open" and ("big.npz" in str(args[0]) or "/.celltrail/blobs/" in str(args[0])):
        heard.add(threading.current_thread().name)
path = pathlib.Path({str(tmp_path)!r}, "big.npz")
with ct.start("training") as run:
    numpy.savez(path, x=numpy.random.default_rng(0).normal(size=(400, 400)))
    _ = [thread.join(5) for thread in threading.enumerate() if thread.name == "celltrail-describe"]
    sys.addaudithook(hear)
    run.log_checkpoint(path)
    run.log(loss=1)
    names, by = [each.name for each in run.checkpoints], sorted(heard - {{"celltrail-keeper"}})
print(json.dumps([names, by]))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout) == [["big.npz"], ["celltrail-files"]], done.stderr


def test_a_disk_that_takes_nothing_breaks_no_training(store, tmp_path, monkeypatch):
    """It is a problem of the run, and the next one is kept again."""
    npz(tmp_path / "a.npz", tensors())
    with ct.start("training") as run:
        with monkeypatch.context() as patch:
            full = OSError(28, "No space left on device")
            patch.setattr(disk, "write_new", lambda *_, **__: (_ for _ in ()).throw(full))
            run.log_checkpoint(tmp_path / "a.npz")
            assert len(run.checkpoints) == 0
        run.log_checkpoint(tmp_path / "a.npz")
        assert len(run.checkpoints) == 1
    assert "a.npz could not be kept: the trail '.celltrail' cannot be written" in str(
        ct.run("training").record.problems
    )


def test_a_file_that_is_gone_is_said_to_be(tmp_path):
    """One that never was is refused at once; one that is deleted before it was copied is listed without content."""
    with ct.start("training") as run:
        with pytest.raises(ct.BadValue, match=r"there is no file 'nothing\.pt' to keep"):
            run.log_checkpoint(tmp_path / "nothing.pt")
        npz(tmp_path / "a.npz", tensors())
        run.log_checkpoint(tmp_path / "a.npz")
        (tmp_path / "a.npz").unlink()
    (found,) = ct.run("training").checkpoints
    assert found.why == "it was changed or deleted before it could be copied"


def test_a_trail_that_is_merged_and_examined_has_them(store, tmp_path):
    """Documents and blobs travel; doctor knows the folder."""
    with ct.start("training") as run:
        (path,) = trained(run, tmp_path, [0.5])
    other = Store(tmp_path / "other" / ".celltrail")
    other.merge(store)
    assert ct.run("training", store=other).checkpoints[0].restore(tmp_path / "b").read_bytes() == path.read_bytes()
    assert not [each for each in other.examine(reads_all=True).findings if each.kind in ("foreign", "missing", "blob")]


CELL = """%%track {name} {line}
import numpy, joblib
weights = numpy.ones((200, 200))
for epoch in range(3):
    loss = 1 / (epoch + 1)
    joblib.dump(weights * epoch, f"{name}{{epoch}}.joblib")
    time.sleep(0.1)
open("{name}.keras", "w").write("a model")
open("{name}.txt", "w").write("no model")
"""


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Path]:
    folder = tmp_path_factory.mktemp("cells")
    store = Store(folder / ".celltrail")
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(folder / "cache")})
    kernel.run("import time, joblib\n%load_ext celltrail")
    for name, line in (("on", ""), ("off", "--no-checkpoints")):
        reply = kernel.run(CELL.format(name=name, line=line))
        assert reply.status == "ok", reply.content
    kernel.run('import celltrail as ct\nct.Store().settings["checkpoints.kept"] = False')
    assert kernel.run(CELL.format(name="set", line="")).status == "ok"
    kernel.run(SETTLE)
    kernel.stop()
    return store, folder


def test_what_a_tracked_cell_writes_is_kept(cells: tuple[Store, Path]):
    """Models by joblib as they were written, with the loss of their epoch; others by their name at its end."""
    store, folder = cells
    run = ct.run("on", store=store)
    found = {each.name: each for each in run.checkpoints}
    assert sorted(found) == ["on.keras", "on0.joblib", "on1.joblib", "on2.joblib"]
    told = {name: (each.step, each.metrics.get("loss"), each.by) for name, each in found.items()}
    assert told["on1.joblib"] == (1, 0.5, "joblib")
    assert told["on.keras"][2] == "open"
    assert found["on2.joblib"].restore(folder / "back").read_bytes() == (folder / "on2.joblib").read_bytes()
    assert not run.record.problems


def test_it_can_be_switched_off(cells: tuple[Store, Path]):
    """For a cell, and for the whole trail."""
    store, _ = cells
    assert [len(ct.run(name, store=store).artifacts) for name in ("off", "set")] == [0, 0]
