"""The contract between Python and TypeScript: one file, printed, never typed twice."""

from __future__ import annotations

from pathlib import Path

import print_contract as printer
import print_golden
import print_messages
import pytest

from celltrail import contract
from celltrail.contract.shape import misfits
from celltrail.store import Store

ROOT = Path(__file__).parent.parent


def test_printed_contract_is_the_committed_one():
    """`make print` was run after the last change of the contract."""
    assert (ROOT / "js/src/contract.ts").read_text() == printer.printed()


def test_printed_messages_are_the_committed_ones():
    """What the TypeScript tests replay is what Python sends today."""
    assert (ROOT / "js/test/messages.ts").read_text() == print_messages.printed()


def test_printed_golden_values_are_the_committed_ones():
    """What the panel's own smoothing and naming are held against is what Python does today."""
    assert (ROOT / "js/test/golden.json").read_text() == print_golden.printed()


def test_recorded_messages_fit_the_contract(store: Store):
    """Every message that is replayed has exactly the shape the contract gives its kind."""
    heard, payload = print_messages.chart(store)
    heard += print_messages.answers(store)
    assert {message["kind"] for message, _ in heard} == {"points", "answer", "fault"}
    assert [fault for message, _ in heard for fault in misfits(message, contract.FromKernel)] == []
    assert misfits(payload, contract.SavedPanel) == []


def test_printer_refuses_what_typescript_lacks():
    """A type without a TypeScript form stops the printing instead of becoming `any`."""
    with pytest.raises(TypeError, match="no TypeScript form"):
        printer.typescript(set[int], {})


def test_misfits_are_found():
    """The judge of all messages sees missing, unknown and wrong fields, bools as numbers, and NaN."""
    good = {"run": "r", "metric": "loss", "start": 0, "n": 3}
    assert misfits(good, contract.Part) == []
    assert misfits({**good, "n": True}, contract.Part)
    assert misfits({**good, "more": 1}, contract.Part)
    assert misfits({"run": "r"}, contract.Part)
    assert misfits(float("nan"), contract.Real)
    assert misfits("nan", contract.Real) == []
