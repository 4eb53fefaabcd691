"""Two hundred planted secrets in a real kernel: none may reach the disk, wherever the cell puts them."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from pyarrow import parquet

from celltrail.capture.redact import MARK, Redactor
from celltrail.replay.slices import slice_of
from celltrail.store import Store
from kernels import SETTLE, Kernel
from recovery.seals import aged
from secret_cells import CLEAN, planted

EACH = 8  # of them in one cell


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose uncommitted change holds a secret too."""
    folder = tmp_path_factory.mktemp("secrets")
    for command in ("init -q", "config user.email a@b.example", "config user.name a"):
        subprocess.run(["git", *command.split()], cwd=folder, check=True)
    (folder / "settings.py").write_text("DEBUG = True\n")
    (folder / ".gitignore").write_text(".celltrail\ncache\n")
    subprocess.run("git add -A && git commit -qm x", cwd=folder, check=True, shell=True)
    return folder


def test_two_hundred_planted_secrets(folder: Path) -> None:
    """Secrets in code, output, results, tracebacks, params, names, notes, tags, git's diff: in no file of the trail.

    Nor in the Parquet of a sealed run, whose values are looked at unpacked, nor in a slice that is written out.
    """
    secrets = list(planted(200))
    diffed = "".join(f"{line}\n" for _, line in secrets[:20])
    (folder / "settings.py").write_text(f"DEBUG = True\n{diffed}")
    environment = {"CELLTRAIL_STORE": str(folder / ".celltrail"), "XDG_CACHE_HOME": str(folder / "cache")}
    kernel = Kernel(folder, environment)
    try:
        kernel.run(
            "from celltrail.capture import Recorder\nrecorder = Recorder(get_ipython())\nrecorder.on()\nimport os, sys"
        )
        for start in range(0, len(secrets), EACH):
            part = secrets[start : start + EACH]
            lines = "\n".join(line for _, line in part)
            ends = [
                "raise ValueError(f'failed with {show}')",
                "print(show[:20], end='', flush=True)\nprint(show[20:])",
                "show",
                "print({'show': show, 'n': 1}, file=sys.stderr)\nprint(globals().get('db_password'))",
            ]
            # the last line shows one whose shape alone gives it away
            shown = next((s for s, _ in part if s.startswith(("AKIA", "ghp_", "sk-", "hf_", "xoxb", "AIza"))), "")
            reply = kernel.run(f"%%track cell-{start}\n{lines}\nshow = {shown!r}\n{ends[start // EACH % 4]}")
            assert reply.status in ("ok", "error")
        kernel.run(f"%%track run-{secrets[2][0]} -t {secrets[6][0]} --note 'use {secrets[5][0]}'\nx = 1")
        kernel.run(SETTLE)
    finally:
        kernel.stop()
    store = Store(folder / ".celltrail")
    assert len(store.records()) == 200 // EACH + 1
    assert any("diff" in record.environment.get("git", {}) for record in store.records())
    for record in store.records():
        aged(store, record.id)
        assert store.seal(record.id)
    for number, record in enumerate(store.records()):
        slice_of(record.id, "full", store=store).write(folder / f"written-{number}{'.ipynb' if number % 2 else '.py'}")
    looked = [path for path in (*store.root.rglob("*"), *folder.glob("written-*")) if path.is_file()]
    assert {".parquet", ".ipynb", ".py"} <= {path.suffix for path in looked}
    found = {
        secret
        for path in looked
        for data in [_plain(path)]
        for secret, _ in secrets
        if secret.encode() in data or base64.b64encode(secret.encode()) in data
    }
    lines = [line for secret, line in secrets if secret in found]
    assert not lines, f"{len(lines)} of {len(secrets)} secrets are in the trail: {lines[:10]}"


def test_secrets_are_in_no_panel_export_or_notebook_brought_back(folder: Path, tmp_path: Path) -> None:
    """What our own outputs put into the user's notebook, and what leaves the trail by export and restore."""
    secrets = list(planted(80, seed=11))
    environment = {"CELLTRAIL_STORE": str(folder / ".other"), "XDG_CACHE_HOME": str(folder / "cache")}
    kernel = Kernel(folder, environment)
    ours: list[str] = []
    try:
        kernel.run("%load_ext celltrail\nimport celltrail as ct")
        for start in range(0, len(secrets), EACH):
            lines = "\n".join(line for _, line in secrets[start : start + EACH])
            kernel.run(f"%%track cell-{start}\n{lines}\nfor i in range(3):\n    loss = 1 / (i + 1)")
        kernel.run("%%track failing\nloss = 1\nraise ValueError('sk-proj-" + "aB3x" * 10 + "')")
        for cell in (
            "ct.runs()", "ct.runs().df()", "ct.compare('cell-0', 'cell-8')", "ct.run('cell-16')", "ct.run('failing')",
            "ct.slice('cell-24', mode='full')", "print(ct.run('cell-32').code)", "ct.search('api_key')",
            "%track restore cell-40 --to again.ipynb", "ct.run('cell-48').shown()",
        ):  # fmt: skip
            reply = kernel.run(cell)
            assert reply.status == "ok", (cell, reply.content)
            ours += [repr(message["content"]) for message in reply.messages]
        store = Store(folder / ".other")
        store.export([record.id for record in store.records()], tmp_path / "exported" / ".celltrail")
    finally:
        kernel.stop()
    assert len(ours) > 30
    written = [path for path in (*(tmp_path / "exported").rglob("*"), folder / "again.ipynb") if path.is_file()]
    assert {"again.ipynb", "trail.json"} <= {path.name for path in written}
    everything = [*(text.encode() for text in ours), *map(_plain, written)]
    hidden = [secret for secret, _ in secrets] + ["sk-proj-" + "aB3x" * 10]
    found = [secret for secret in hidden if any(secret.encode() in data for data in everything)]
    assert not found, f"{len(found)} of {len(hidden)} secrets: {found[:5]}"


def _plain(path: Path) -> bytes:
    """What a file holds, unpacked where it is packed."""
    return repr(parquet.read_table(path).to_pylist()).encode() if path.suffix == ".parquet" else path.read_bytes()


def test_what_is_no_secret_stays(capsys: pytest.CaptureFixture[str]) -> None:
    """Ordinary code, output and tracebacks are kept as they are; how many were not is printed."""
    clean = Redactor({}).text
    wrong = [text for text in CLEAN if clean(text) != text]
    with capsys.disabled():
        print(f"\nredaction: {len(wrong)} of {len(CLEAN)} clean texts changed {wrong}")
    assert len(wrong) <= 1


def test_what_a_secret_name_holds_is_known_from_then_on() -> None:
    """A password in the code is replaced where it is shown without its name, in colours too; a short word is not."""
    redactor = Redactor({})
    redactor.text("db_password = 'Tr0ub4dor-and-3'\npassword = 'abc'")
    assert redactor.text("connected as ada with Tr0ub4dor-and-3, abc") == f"connected as ada with {MARK}, abc"
    assert redactor.text("\x1b[33mTr0ub4dor\x1b[39m-and-3\x1b[0m") == f"\x1b[33m{MARK}\x1b[0m"
    coloured = "api_key = \x1b[33m'\x1b[39mqwertyuiop12\x1b[33m'\x1b[39m"
    assert "qwertyuiop12" not in Redactor({}).text(coloured)


@pytest.mark.parametrize("cut", [3, 10, 25, 40])
def test_a_key_split_over_two_texts_of_a_stream(cut: int) -> None:
    """Text of one stream is cleaned as one, however it was cut into messages."""
    from celltrail.capture.outputs import Outputs

    key = "sk-proj-" + "aB3x" * 10
    outputs = Outputs(10_000)
    outputs.stream("stdout", "before " + key[:cut])
    outputs.stream("stdout", key[cut:] + " after\n")
    kept: list[bytes | str] = []
    outputs.records(lambda data: kept.append(data) or "0" * 64, Redactor({}).text)
    assert kept == [f"before {MARK} after\n"]
