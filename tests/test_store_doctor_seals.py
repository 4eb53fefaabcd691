"""A lost proof of a sealed run is made again from the files it proved, or left alone with a plain sentence."""

from __future__ import annotations

import contextlib
import os
import random
from pathlib import Path

import pytest

from celltrail.errors import Damaged
from celltrail.store import Store
from celltrail.store.files import alive
from celltrail.store.files.encoding import decode, encode
from celltrail.store.log import Log
from celltrail.store.seal import parquet, remade, sealed, sealing
from celltrail.store.seal.remade import sealer_of
from recovery.seals import aged, drop_logs, everything, finished_run, folder_of


def sealed_run(store: Store) -> str:
    run_id = finished_run(store)
    aged(store, run_id)
    assert store.seal(run_id)
    drop_logs(store, run_id)
    return run_id


def broken(path: Path, damage: str) -> None:
    data = bytearray(path.read_bytes())
    path.unlink()
    if damage == "flipped":
        data[len(data) // 2] ^= 4
    if damage != "lost":
        path.write_bytes(data[: len(data) // 2] if damage == "truncated" else data)


@pytest.mark.parametrize("damage", ["lost", "truncated", "flipped"])
def test_a_proof_is_made_again(store: Store, damage: str) -> None:
    """Equal to the byte, the run reads as before, the repair is in the audit, and nothing is left to do."""
    run_id = sealed_run(store)
    before, path = everything(store, run_id), folder_of(store, run_id) / "sealed.json"
    data = path.read_bytes()
    broken(path, damage)
    report = Store(store.root).examine(repair=True)
    assert [finding.kind for finding in report.wrong] == ["seal"]
    assert "made again" in report.wrong[0].done
    assert path.read_bytes() == data
    assert everything(Store(store.root), run_id) == before
    assert Store(store.root).gaps(run_id) == []
    assert any(b'"do":"repair"' in each.read_bytes() for each in (store.root / "audit").glob("*.jsonl"))
    assert Store(store.root).examine().is_healthy


@pytest.mark.parametrize("which", ["0.*", "events.*"])
@pytest.mark.parametrize("damage", ["lost", "truncated", "flipped"])
def test_files_that_do_not_prove_themselves_are_left(store: Store, which: str, damage: str) -> None:
    """One of the files is damaged too: said, and nothing is made, moved or changed."""
    folder = folder_of(store, sealed_run(store))
    (folder / "sealed.json").unlink()
    broken(next((folder / "sealed").glob(f"{which}.parquet")), damage)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    report = Store(store.root).examine(repair=True)
    assert [(finding.kind, finding.mend) for finding in report.wrong if finding.kind != "document"] == [("seal", None)]
    assert "cannot be made again" in report.wrong[0].remedy
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("lost", [(1,), (2,), (1, 2)])
def test_a_run_sealed_twice(store: Store, lost: tuple[int, ...]) -> None:
    """Each of its seals is made again from its own files."""
    run_id = sealed_run(store)
    folder = folder_of(store, run_id)
    head = {"format": 1, "run": run_id, "wall_us": 10**15, "pid": 1, "start": "", "boot": "", "host": ""}
    log = Log(folder / "m", alive.writer_name(1), head)
    log.row(("train/loss",), 900, 10**15, (0.5,))
    log.end({"t": 10**15 + 1, "status": "finished"})
    aged(store, run_id)
    assert store.seal(run_id)
    drop_logs(store, run_id)
    before = everything(store, run_id)
    paths = [sealed.path_of(folder, number) for number in lost]
    whole = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    Store(store.root).examine(repair=True)
    assert [path.read_bytes() for path in paths] == whole
    assert everything(Store(store.root), run_id) == before


def test_files_of_an_older_celltrail(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """They read and verify; a lost proof of theirs is told to be beyond repair, and why."""
    write = parquet.write

    def as_before(path, columns, groups, about, mode):
        fields = decode(about, "")
        return write(
            path, columns, groups, encode({k: v for k, v in fields.items() if k not in ("check", "files")}), mode
        )

    monkeypatch.setattr(sealing.parquet, "write", as_before)
    run_id = sealed_run(store)
    assert Store(store.root).examine().is_healthy
    (folder_of(store, run_id) / "sealed.json").unlink()
    report = Store(store.root).examine(repair=True)
    assert [(finding.kind, finding.mend) for finding in report.wrong] == [("seal", None)]
    assert "older celltrail sealed it" in report.wrong[0].remedy


def test_a_flipped_bit_never_becomes_the_truth(store: Store, tmp_path: Path) -> None:
    """`sealed.json` is lost and one bit anywhere in the files is wrong: what is made again gives the old values.

    The events file's own footer is proven by nothing but what can be read through it, so the document may differ
    from the lost one; the values it proves may not. Otherwise everything is left as it is.
    """
    run_id = sealed_run(store)
    before, folder = everything(store, run_id), folder_of(store, run_id)
    (folder / "sealed.json").unlink()
    whole = {path: path.read_bytes() for path in (folder / "sealed").glob("*.parquet")}
    chance = random.Random(5)
    outcomes = {"made": 0, "left": 0}
    for turn in range(60):
        path = chance.choice(sorted(whole))
        # a third of them around the footer of the events, the only stretch that no hash covers
        if turn % 3 == 0:
            path = next((folder / "sealed").glob("events.*.parquet"))
        data = bytearray(whole[path])
        place = chance.randrange(len(data) // 2, len(data)) if turn % 3 == 0 else chance.randrange(len(data))
        data[place] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        Store(store.root).examine(repair=True)
        assert {each.name for each in (folder / "sealed").glob("*.parquet")} == {each.name for each in whole}
        assert path.read_bytes() == bytes(data)
        if (folder / "sealed.json").exists():
            outcomes["made"] += 1
            assert everything(Store(store.root), run_id) == before, (turn, path.name, place)
            assert Store(store.root).gaps(run_id) == []
            (folder / "sealed.json").unlink()
        else:
            outcomes["left"] += 1
        path.write_bytes(whole[path])
    assert outcomes["left"] > 30
    assert outcomes["made"] > 0


def test_a_damaged_footer_never_ends_the_process(store: Store) -> None:
    """`sealed.json` is lost and the footer of the events is wrong: the doctor answers, in a process that lives on."""
    run_id = sealed_run(store)
    folder = folder_of(store, run_id)
    (folder / "sealed.json").unlink()
    (path,) = (folder / "sealed").glob("events.*.parquet")
    whole = path.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    schema = footer + 400  # what lies behind is text about the run, and harmless
    bits = range(footer * 8, schema * 8, 3)
    for first in range(0, len(bits), 50):
        child = os.fork()  # one for many bits: where it dies, the file tells which one it was
        if not child:
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                for bit in bits[first : first + 50]:
                    data = bytearray(whole)
                    data[bit // 8] ^= 1 << bit % 8
                    path.write_bytes(data)
                    with contextlib.suppress(Damaged):
                        remade.body(folder, sealer_of(path.name))
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0, [at for at, byte in enumerate(path.read_bytes()) if byte != whole[at]]
