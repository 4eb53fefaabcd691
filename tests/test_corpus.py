"""Principle 1 as a property: whatever a cell does, it does the same in a kernel that records it.

Two real kernels of equal environment run the cells of ``tests/corpus``; one of them has loaded celltrail. After
each cell everything a user could see is compared: outputs, reply, names and values, history, generators,
files, environment, threads, hooks and filters. Not compared: a watched function's bytecode, and what celltrail
shows of its own (its panels, marked as such).
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celltrail.contract import MIME
from corpus import CORPUS
from kernels import Kernel, Reply

PROBE = "__import__('probe').{verb}(get_ipython())"
# what one cell changes another goes on with: that is meant here, and said once instead of in every output
MARKS = {"tracked": "%%track --continues", "untracked": ""}


class Pair:
    """A kernel that has celltrail and one that has not."""

    def __init__(self, folder: Path) -> None:
        probe = folder / "probe"
        probe.mkdir()
        shutil.copy(Path(__file__).parent / "corpus" / "probe.py", probe)
        environment = {
            "CELLTRAIL_STORE": str(folder / "trail" / ".celltrail"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "CELLTRAIL_QUIET": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": os.pathsep.join([str(probe), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "COLUMNS": "80",
        }
        self.kernels: list[Kernel] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("PYTEST_CURRENT_TEST")  # with it a kernel does not look at its descriptors
            for name in ("a", "b"):
                (folder / name / "work").mkdir(parents=True)
                own = {"IPYTHONDIR": str(folder / name / "ipython")}
                self.kernels.append(Kernel(folder / name / "work", {**environment, **own}))
        self.recorded, self.plain = self.kernels
        self.ask("begin")
        assert self.recorded.run("%load_ext celltrail", silent=True).status == "ok"
        self.imported = set(self.look()[0]["packages"])  # of celltrail's own accord, before the user asked

    def both(self, recorded: str, plain: str) -> tuple[Reply, Reply]:
        """A cell in each, at the same time."""
        sent = [
            kernel.client.execute(code, allow_stdin=False)
            for kernel, code in zip(self.kernels, (recorded, plain), strict=True)
        ]
        first, second = (kernel.collect(request, 20) for kernel, request in zip(self.kernels, sent, strict=True))
        return first, second

    def ask(self, verb: str) -> list[Any]:
        """What the probe says in each; the question itself leaves no trace in a session."""
        sent = [
            kernel.client.execute("", silent=True, user_expressions={"x": PROBE.format(verb=verb)})
            for kernel in self.kernels
        ]
        answers = [
            kernel.collect(request, 20).content["user_expressions"]["x"]
            for kernel, request in zip(self.kernels, sent, strict=True)
        ]
        for answer in answers:
            assert answer["status"] == "ok", answer
        return [ast.literal_eval(answer["data"]["text/plain"]) for answer in answers]

    def look(self) -> list[dict[str, Any]]:
        """What can be seen inside each."""
        return [json.loads(text) for text in self.ask("look")]

    def stop(self) -> None:
        for kernel in self.kernels:
            kernel.stop()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    pair = Pair(tmp_path_factory.mktemp("corpus"))
    yield pair
    pair.stop()


def marked(mark: str, cell: str) -> tuple[str, str]:
    """The cell for the kernel that records, and the same for the other: with a comment in the place of our line."""
    if not mark:
        return cell, cell
    return f"{mark}\n{cell}", cell if cell.lstrip().startswith("%%") else f"# {mark}\n{cell}"


def is_ours(message: dict[str, Any]) -> bool:
    """Whether celltrail shows this, not the cell."""
    content = message["content"]
    if message["msg_type"].startswith("comm_"):
        state = content.get("data", {}).get("state", {})
        return message["msg_type"] != "comm_open" or "_esm" in state or state.get("_model_name") == "LayoutModel"
    return MIME in content.get("data", {}) or "celltrail" in content.get("metadata", {})


def shown(reply: Reply) -> list[Any]:
    """What the client got, in its order; of text between other outputs each stream by itself, all of it together.

    ipykernel flushes both streams by the clock: on a busy machine a kernel without celltrail interleaved them
    differently in 14 of 150 runs of a cell of two prints.
    """
    found: list[Any] = []
    texts: dict[str, str] = {}

    def part() -> None:
        found.extend(["stream", name, texts[name]] for name in sorted(texts))
        texts.clear()

    for message in reply.messages:
        kind, content = message["msg_type"], message["content"]
        if is_ours(message) or kind == "status":
            continue
        if kind == "stream":
            texts[content["name"]] = texts.get(content["name"], "") + content["text"]
        else:
            part()
            found.append([kind, content])
    part()
    return found


def answered(reply: Reply) -> dict[str, Any]:
    """The reply, without the names of the process that gave it."""
    return {name: value for name, value in reply.content.items() if name not in ("engine_info", "engine_uuid")}


def neutral(thing: Any) -> Any:
    """Without our line, addresses, times and the numbers of temporary files."""
    if isinstance(thing, dict):
        return {name: neutral(value) for name, value in thing.items()}
    if isinstance(thing, list):
        return [neutral(value) for value in thing]
    if not isinstance(thing, str):
        return thing
    text = re.sub(r"\x1b\[[0-9;]*m", "", thing)
    text = re.sub(r"(?:# )?%%track[^\n]*\n?", "", text)
    text = re.sub(r"ipykernel_\d+/\d+\.py", "cell.py", text)
    text = re.sub(r"(/[\w.-]+)+/corpus\d*/[ab]\b", "FOLDER", text)
    text = re.sub(r"(?:CPU times|Wall time|Compiler).*|\d+(?:\.\d+)? [mµμn]?s\b.*", "TIME", text)
    text = re.sub(r"\b\d{6,}\b", "NUMBER", text)
    return re.sub(
        r"0x[0-9a-fA-F]+|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])|(?:sk-container-id|Thread|Task)-\d+", "0x-", text
    )


def difference(first: Any, second: Any, where: str = "") -> str:
    """The first place in which two things differ, and how; nothing when they are equal."""
    if first == second:
        return ""
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        return next(text for name in first if (text := difference(first[name], second[name], f"{where}.{name}")))
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return next(text for n in range(len(first)) if (text := difference(first[n], second[n], f"{where}[{n}]")))
    return f"{where}: with celltrail {str(first)[:1500]!r}, without {str(second)[:1500]!r}"


@pytest.mark.parametrize("mode", MARKS)
@pytest.mark.parametrize("name", CORPUS)
def test_a_cell_does_what_it_does_without_celltrail(pair: Pair, name: str, mode: str) -> None:
    """Tracked or not: reply, outputs and everything in the kernel are the same."""
    pair.ask("reset")
    for cell in CORPUS[name]:
        recorded, plain = pair.both(*marked(MARKS[mode], cell))
        seen = [
            {"outputs": shown(reply), "reply": answered(reply), **facts}
            for reply, facts in zip((recorded, plain), pair.look(), strict=True)
        ]
        extra = set(seen[0].pop("packages")) - set(seen[1].pop("packages")) - pair.imported
        different = difference(neutral(seen[0]), neutral(seen[1]))
        assert not different, f"{different}\nin the cell\n{cell}"
        assert not extra, f"{extra} imported by the tracker in {cell!r}"


def test_the_corpus_is_large_and_nothing_heavy_comes_with_celltrail(pair: Pair) -> None:
    """At least seventy notebooks; loading celltrail brings no package of the user's science along."""
    assert len(CORPUS) >= 70
    assert not pair.imported & {
        "torch",
        "jax",
        "tensorflow",
        "sklearn",
        "scipy",
        "matplotlib",
        "polars",
        "transformers",
    }
