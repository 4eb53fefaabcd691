"""``celltrail env``: what became of the environment of a run, and the file that builds it again."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from celltrail.capture import environment
from celltrail.cli import main
from celltrail.model import Execution, new_id, now_us
from celltrail.run import start
from celltrail.store import Store


def recorded(store: Store, name: str, **changes: str | None) -> None:
    """A run of this environment, but for these packages: another version, or none."""
    facts = environment.software(store.blobs.put)
    known = {**environment.packages(), **{each.replace("_", "-"): version for each, version in changes.items()}}
    known = {each: version for each, version in known.items() if version is not None}
    facts |= {"packages": store.blobs.put(orjson.dumps(known)), "origins": {"private": "git+https://host/p@c0ffee"}}
    needs = store.blobs.put(orjson.dumps({"imported": store.blobs.put(orjson.dumps(["numpy"]))}))
    with start(name, store=store, environment={"env": facts}) as run:
        run.describe(executions=(_execution(needs),))


def _execution(needs: str) -> Execution:
    return Execution(new_id(), 1, None, "ok", now_us(), needs=needs)


def test_the_same_environment_is_said_to_be(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0, and how much was compared."""
    recorded(store, "now")
    assert main(["env", "now"]) == 0
    assert "all the same now" in capsys.readouterr().out


def test_what_differs_is_told_what_was_used_first(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1; what the run imported stands on top, whether it was upgraded, removed or is new."""
    recorded(store, "then", numpy="1.0", gone_package="3.1", altair="0.1", pytest=None)
    assert main(["env", "then"]) == 1
    head, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    here = environment.packages()
    assert head == ["used", "package", "then", "now"]
    assert rows == [
        ["✓", "numpy", "1.0", here["numpy"]],
        ["altair", "0.1", here["altair"]],
        ["gone-package", "3.1", "-"],
        ["pytest", "-", here["pytest"]],
    ]
    assert main(["env", "then", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["is_same"]
    assert told["differences"][0] == {"name": "numpy", "then": "1.0", "now": here["numpy"], "is_used": True}


def test_a_requirements_file_is_written_once(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Versions as they were, a repository by its commit; a file that is there is left alone."""
    recorded(store, "then", numpy="1.0", private="2.0")
    place = tmp_path / "requirements.txt"
    assert main(["env", "then", "-o", str(place)]) == 1
    lines = place.read_text().splitlines()
    assert lines[0].startswith("# the environment of run then: Python 3.")
    assert "numpy==1.0" in lines
    assert "private @ git+https://host/p@c0ffee" in lines
    assert main(["env", "then", "-o", str(place)]) == 2
    assert "requirements.txt is there already" in capsys.readouterr().err


def test_what_was_not_recorded_cannot_be_told(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, as for a run that is not there."""
    with start("bare", store=store):
        pass
    assert main(["env", "bare"]) == 2
    assert "was not recorded" in capsys.readouterr().err
    assert main(["env", "nobody"]) == 2
