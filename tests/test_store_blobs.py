"""Blobs: bytes kept once, verified, large ones in pieces, and whole whatever happens in the middle of a put."""

import io
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.errors import BadValue, Damaged, NoRun, StoreError
from celltrail.store import Store, blobs
from celltrail.store.blobs import chunks

TESTS = Path(__file__).parent
MIB = 1 << 20


@pytest.fixture
def small(monkeypatch):
    """Pieces from 2 MiB on instead of 64, so that a test need not write so much."""
    monkeypatch.setattr(blobs, "WHOLE_BYTES", 2 * MIB)


def weights(size: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).standard_normal(size // 4).astype("f4").tobytes()


def new_bytes(store: Store, data: bytes) -> int:
    before = store.blobs.usage().size
    store.blobs.put(data)
    return store.blobs.usage().size - before


def run_program(program: str, *args: object, **more: object) -> subprocess.Popen:
    command = [sys.executable, "-c", program, *map(str, args)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True)


def test_a_large_file_is_kept_in_pieces_and_what_is_alike_once(store, tmp_path):
    """Over 64 MiB: a change in the middle, an insertion of three bytes and an appended part cost a few MiB each."""
    data = weights(72 * MIB)
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    digest = store.blobs.put_file(path)
    first = store.blobs.usage()
    assert (first.count > 10, first.size < len(data) * 1.01) == (True, True)
    middle = len(data) // 2
    for changed, least in [
        (data[:middle] + os.urandom(4096) + data[middle + 4096 :], 4096),
        (data[:middle] + b"abc" + data[middle:], 3),
        (data + os.urandom(MIB), MIB),
        (os.urandom(100) + data, 100),
    ]:
        before = store.blobs.usage().size
        path.write_bytes(changed)
        other = store.blobs.put_file(path)
        assert other != digest
        assert least <= store.blobs.usage().size - before <= 2 * chunks.MOST
        store.blobs.verify(other)
    assert store.blobs.get(digest) == data


def test_the_digest_is_that_of_the_bytes_however_they_are_kept(store, tmp_path, monkeypatch):
    """Whole or in pieces, from memory, a file or a stream: one name, one set of files."""
    data = weights(9 * MIB)
    (tmp_path / "x").write_bytes(data)
    whole = store.blobs.put(data)
    monkeypatch.setattr(blobs, "WHOLE_BYTES", 2 * MIB)
    other = Store(tmp_path / "other" / ".celltrail")
    names = {other.blobs.put(data), other.blobs.put_file(tmp_path / "x"), other.blobs.put_stream(io.BytesIO(data))}
    assert names == {whole}
    assert whole in other.blobs
    assert other.blobs.size(whole) == store.blobs.size(whole) == len(data)
    assert {file.is_list for file in other.blobs.files()} == {True, False}
    assert not list(other.root.rglob("*.tmp"))


@pytest.mark.parametrize("size", [0, 1, 4095, 2 * MIB, 2 * MIB + 1, 3 * MIB])
def test_sizes_around_the_limit(store, small, tmp_path, size):
    """Nothing, one byte, exactly the limit, one more."""
    data = random.Random(size).randbytes(size)
    (tmp_path / "x").write_bytes(data)
    digest = store.blobs.put_file(tmp_path / "x")
    assert digest == store.blobs.put(data) == store.blobs.put_stream(io.BytesIO(data))
    assert store.blobs.get(digest) == store.blobs.open(digest).read() == data
    store.blobs.verify(digest)


def test_a_blob_opens_as_a_file_to_seek_in(store, small):
    """A zip archive in pieces can be read member by member, and at no time more than a piece is in memory."""
    archive = io.BytesIO()
    members = {f"{n}.bin": random.Random(n).randbytes(700_000) for n in range(12)}
    with zipfile.ZipFile(archive, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    digest = store.blobs.put(archive.getvalue())
    assert store.blobs.manifest(digest).size > 4 * chunks.LEAST
    with store.blobs.open(digest) as file, zipfile.ZipFile(file) as opened:
        for name in reversed(opened.namelist()):
            assert opened.read(name) == members[name]
    with store.blobs.open(digest) as file:
        assert file.seek(0, os.SEEK_END) == len(archive.getvalue())
        assert file.read() == b""
        file.seek(-5, os.SEEK_CUR)
        assert file.read() == archive.getvalue()[-5:]


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=200), st.integers(1, 9), st.integers(0, 5 * MIB), st.binary(max_size=50))
def test_pieces_joined_are_what_was_cut(unit, times, padding, tail):
    """Also for bytes that repeat, and in sizes within the limits however the stream hands them over."""
    data = unit * (times * MIB // max(1, len(unit))) + bytes(padding) + tail

    class Trickle(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 3_000_001))

    found = list(chunks.pieces(io.BytesIO(data)))
    assert b"".join(found) == data
    assert all(chunks.LEAST < len(piece) <= chunks.MOST for piece in found[:-1])
    assert list(chunks.pieces(Trickle(data))) == found


def test_a_corrupt_blob_is_never_handed_out(store, small, tmp_path):
    """Damaged says what to do; a file is not written half."""
    data = weights(5 * MIB)
    digest = store.blobs.put(data)
    piece = store.blobs.manifest(digest).pieces[1][0]
    path = store.root / "blobs" / piece[:2] / piece
    kept = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    for read in (store.blobs.get, store.blobs.verify, lambda name: store.blobs.open(name).read()):
        with pytest.raises(Damaged, match="does not hold what was put into it; celltrail doctor --repair"):
            read(digest)
    with pytest.raises(Damaged):
        store.blobs.save(digest, tmp_path / "out")
    assert list(tmp_path.glob("out*")) == []
    path.unlink()
    with pytest.raises(Damaged, match=f"lacks its piece {piece[:12]}"):
        store.blobs.get(digest)
    store.blobs.put(data)
    store.blobs.save(digest, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == data
    manifest = store.root / "blobs" / digest[:2] / f"{digest}.pieces"
    manifest.chmod(0o600)
    manifest.write_bytes(manifest.read_bytes().replace(b'"size"', b'"Size"'))
    with pytest.raises(Damaged):
        store.blobs.get(digest)
    store.blobs.put(data)
    assert store.blobs.get(digest) == data


def test_a_hit_makes_young_again(store, small):
    """Every piece and the list: a clean-up that runs now spares them."""
    data = weights(5 * MIB)
    digest = store.blobs.put(data)
    for file in store.blobs.files():
        os.utime(file.path, (1, 1))
    store.blobs.put(data)
    assert min(file.used for file in store.blobs.files()) > time.time() - 60
    for file in store.blobs.files():
        os.utime(file.path, (1, 1))
    assert store.blobs.touch(digest) is True
    assert min(file.used for file in store.blobs.files()) > time.time() - 60
    assert store.blobs.touch("0" * 64) is False


def test_what_cannot_be_kept_is_a_sentence(store, tmp_path):
    """A file that is not there, a folder, a digest that is none."""
    with pytest.raises(BadValue, match=r"no file 'model\.pt' to keep"):
        store.blobs.put_file(tmp_path / "model.pt")
    with pytest.raises(BadValue, match="is a folder"):
        store.blobs.put_file(tmp_path)
    for word in ("", "..", "../trail.json", "A" * 64, "0" * 64):
        for read in (store.blobs.get, store.blobs.open, store.blobs.verify, store.blobs.size):
            with pytest.raises(NoRun, match="no blob"):
                read(word)


PUT = """
import sys, time
from celltrail.store import Store, blobs
blobs.WHOLE_BYTES = 2 << 20
data = bytes(range(256)) * 4096 + b"".join(i.to_bytes(4, "little") * 3 + b"7" for i in range(400_000))
time.sleep(max(0, float(sys.argv[2]) - time.time()))
print([Store(sys.argv[1]).blobs.put(data + bytes([i])) for i in range(3)])
"""


def test_eight_processes_put_the_same_bytes(store):
    """All succeed, agree on the digests, and each file is there once."""
    processes = [run_program(PUT, store.root, time.time() + 2) for _ in range(8)]
    answers = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, answers
    assert len({answer[0] for answer in answers}) == 1
    digests = eval(answers[0][0])
    for digest in digests:
        store.blobs.verify(digest)
    pieces = {piece for digest in digests for piece, _ in store.blobs.manifest(digest).pieces}
    assert {file.digest for file in store.blobs.files()} == pieces | set(digests)
    assert not list(store.root.rglob("*.tmp"))


KILLED = """
import sys
from celltrail.store import Store, blobs
blobs.WHOLE_BYTES = 2 << 20
store = Store(sys.argv[1])
print("ready", flush=True)
i = 0
while True:
    print(store.blobs.put_file(sys.argv[2]) if i % 2 else store.blobs.put(i.to_bytes(4, "big") * 1000), flush=True)
    open(sys.argv[2], "ab").write(i.to_bytes(4, "big") * 300_000)
    i += 1
"""


def test_a_kill_in_the_middle_of_a_put_leaves_nothing_wrong(store, tmp_path):
    """Whatever name is there holds what it says; what was answered is there; the next put works."""
    path = tmp_path / "growing"
    chosen = random.Random(5)
    for _ in range(8):
        path.write_bytes(weights(3 * MIB, seed=chosen.randrange(100)))
        process = run_program(KILLED, store.root, path)
        process.stdout.readline()
        time.sleep(chosen.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        answered = [word for word in process.communicate()[0].split() if len(word) == 64]
        for file in list(store.blobs.files()):
            if not file.is_list:
                store.blobs.verify(file.digest)
        for digest in answered:
            store.blobs.verify(digest)
    data = path.read_bytes()
    assert store.blobs.get(store.blobs.put_file(path)) == data


FULL = """
import resource, signal, sys
from celltrail.errors import StoreError
from celltrail.store import Store, blobs
blobs.WHOLE_BYTES = 2 << 20
store = Store(sys.argv[1])
store.blobs.put("first")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, limit[1]))
for put in (lambda: store.blobs.put(bytes(1 << 20)), lambda: store.blobs.put_file(sys.argv[2]),
            lambda: store.blobs.put_stream(open(sys.argv[2], "rb"))):
    try:
        put()
        print("kept")
    except StoreError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, limit)
print(store.blobs.put_file(sys.argv[2]))
"""


def test_a_full_disk_is_a_sentence_and_leaves_nothing_behind(store, tmp_path):
    """No half blob, no temporary file; once there is room it works."""
    data = weights(3 * MIB)
    (tmp_path / "x").write_bytes(data)
    process = run_program(FULL, store.root, tmp_path / "x")
    out, err = process.communicate()
    assert process.returncode == 0, err
    *told, digest = out.splitlines()
    assert len(told) == 3
    assert all("cannot be written: " in line and "CELLTRAIL_STORE" in line for line in told), told
    assert not list(store.root.rglob("*.tmp"))
    assert store.blobs.get(digest) == data


def test_a_trail_that_cannot_be_written_is_a_sentence(store, tmp_path):
    """Here a file stands where the folder of blobs would be; reading what is there goes on."""
    store.blobs.put("x")
    other = Store(tmp_path / "other")
    other.root.mkdir()
    (other.root / "blobs").write_text("a file")
    (tmp_path / "x").write_text("x")
    for put in (lambda: other.blobs.put("x"), lambda: other.blobs.put_file(tmp_path / "x")):
        with pytest.raises(StoreError, match="cannot be written"):
            put()
    assert list(other.blobs.files()) == []


def test_usage_counts_files_and_bytes(store):
    """Foreign and temporary files are not blobs."""
    assert store.blobs.usage() == blobs.BlobUsage(0, 0)
    store.blobs.put("12345")
    store.blobs.put("123")
    folder = next((store.root / "blobs").iterdir())
    (folder / "README").write_text("hello")
    (folder / f"{'0' * 64}.1.ff.tmp").write_text("hello")
    assert store.blobs.usage() == blobs.BlobUsage(2, 8)


def test_a_source_that_shrinks_while_it_is_read(store, small, tmp_path):
    """The digest is that of the bytes that were read."""
    path = tmp_path / "x"
    path.write_bytes(weights(4 * MIB))

    class Shrinking(io.FileIO):
        def read(self, size=-1):
            os.truncate(path, 3 * MIB)
            return super().read(size)

    with Shrinking(path) as file:
        digest = store.blobs.put_stream(file)
    assert store.blobs.get(digest) == path.read_bytes()
