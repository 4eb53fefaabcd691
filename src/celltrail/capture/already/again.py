"""What an earlier run showed, shown again: streams as streams, bundles with all their media types."""

from __future__ import annotations

import ast
import sys
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import orjson

from celltrail.model import Output, RunRecord
from celltrail.parsing import parse
from celltrail.store.blobs import Blobs

Show = Callable[[], object]


def shows(record: RunRecord, blobs: Blobs, publish: Callable[..., object]) -> list[Show]:
    """One call for each thing the run showed, in order; all is read before any is called.

    Args:
        record: the run.
        blobs: where its outputs are; `StoreError` when one is gone.
        publish: shows a bundle, given as ``data``.
    """
    outputs = [output for execution in record.executions for output in execution.outputs]
    return [_show(output, blobs, publish) for output in outputs if output.data]


def nothing(tree: ast.Module) -> ast.Module:
    """A body that does nothing in place of this one."""
    return instead(tree, "pass")


def refusal(tree: ast.Module, text: str) -> ast.Module:
    """A body that ends as a cell with a wrong argument does: one line, and "run all" stops."""
    error = '__import__("IPython.core.error", fromlist=["error"]).UsageError'
    return instead(tree, f"raise {error}({text!r})")


def instead(tree: ast.Module, code: str) -> ast.Module:
    """A body of this code in place of another one."""
    # the same tree: transformers after ours hold on to it
    tree.body = parse(code).body
    return tree


def _show(output: Output, blobs: Blobs, publish: Callable[..., object]) -> Show:
    if output.kind in ("stdout", "stderr"):
        return partial(_write, output.kind, blobs.text(output.data["text/plain"]))
    data = {mime: _value(mime, blobs.get(digest)) for mime, digest in output.data.items()}
    return partial(publish, data=data, metadata={})


def _write(stream: str, text: str) -> None:
    (sys.stderr if stream == "stderr" else sys.stdout).write(text)


def _value(mime: str, data: bytes) -> Any:
    if mime.endswith("json"):
        with suppress(orjson.JSONDecodeError):  # somebody gave a text where JSON belongs: it is kept as it was
            return orjson.loads(data)
    if mime.startswith("text/") or "+xml" in mime or mime.endswith(("javascript", "json")):
        return data.decode("utf-8", "replace")
    return b64encode(data).decode()
