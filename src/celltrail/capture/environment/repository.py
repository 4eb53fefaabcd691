"""The git repository around the code: commit, branch, what is not committed, and the sources git does not know yet."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import orjson

from celltrail.model import Json

Facts = dict[str, Json]
Put = Callable[[bytes | str], str]

LIMIT_S = 5.0
_MAX_DIFF = 5_000_000
_MAX_SOURCE = 1_000_000
_MOST_SOURCES = 100


def git(folder: str, put: Put, clean: Callable[[str], str]) -> Facts:
    """Commit, branch, whether there are changes, the diff and untracked sources; nothing without a repository.

    Args:
        folder: where to ask.
        put: keeps the diff and the sources.
        clean: takes secrets out of them before they are kept.
    """
    if not _is_inside(folder):
        return {}
    status = output(["git", "status", "--porcelain=v2", "--branch", "--untracked-files=normal"], folder)
    heads = dict(re.findall(r"^# branch\.(oid|head) (.+)$", status, re.MULTILINE))
    if "oid" not in heads:
        return _commit_alone(folder)
    changes = [line for line in status.splitlines() if not line.startswith("#")]
    is_detached = heads.get("head") == "(detached)"
    facts: Facts = {
        "commit": None if heads["oid"] == "(initial)" else heads["oid"],
        "branch": None if is_detached else heads.get("head"),
        "dirty": any(not line.startswith("?") for line in changes),
        "untracked": sum(line.startswith("?") for line in changes),
    }
    if is_detached:
        facts["detached"] = True
    if facts["dirty"] and facts["commit"]:
        diff = output(["git", "diff", "HEAD", "--no-color", "--no-ext-diff"], folder)
        if diff:
            facts["diff"] = put(clean(diff[:_MAX_DIFF]))
            facts["diff_truncated"] = len(diff) > _MAX_DIFF
    if facts["untracked"] and (sources := _sources(folder, put, clean)):
        facts["sources"] = put(orjson.dumps(sources, option=orjson.OPT_SORT_KEYS))
    if modules := _submodules(folder):
        facts["submodules"] = modules
    return facts


def _is_inside(folder: str) -> bool:
    """Whether git would find a repository; where there is none, two processes a run would ask it in vain."""
    if "GIT_DIR" in os.environ:
        return True
    here = os.path.realpath(folder)
    return any(os.path.lexists(os.path.join(place, ".git")) for place in (here, *Path(here).parents))


def _commit_alone(folder: str) -> Facts:
    """Where the status of a huge repository takes too long: the commit, and that the rest is not known."""
    commit = output(["git", "rev-parse", "--verify", "-q", "HEAD"], folder).strip()
    if not commit or output(["git", "rev-parse", "--is-inside-work-tree"], folder).strip() != "true":
        return {}
    branch = output(["git", "symbolic-ref", "-q", "--short", "HEAD"], folder).strip()
    return {"commit": commit, "branch": branch or None, "dirty": None, "untracked": None}


def _sources(folder: str, put: Put, clean: Callable[[str], str]) -> dict[str, str]:
    """Digests of the .py and .ipynb files below the folder that git would add."""
    listing = ["git", "ls-files", "--others", "--exclude-standard", "-z", "--", "*.py", "*.ipynb"]
    kept: dict[str, str] = {}
    for name in sorted(filter(None, output(listing, folder).split("\0")))[:_MOST_SOURCES]:
        path = os.path.join(folder, name)
        try:
            if os.path.islink(path) or not os.path.isfile(path) or os.path.getsize(path) > _MAX_SOURCE:
                continue
            with Path(path).open("rb") as file:
                text = file.read(_MAX_SOURCE).decode("utf-8", "replace")
        except (OSError, ValueError):  # gone meanwhile, not ours to read, or a name that is no text
            continue
        kept[clean(name)] = put(clean(text))
    return kept


def _submodules(folder: str) -> dict[str, str]:
    """The commit that each submodule stands at, and whether that is another than the repository names."""
    root = output(["git", "rev-parse", "--show-toplevel"], folder).rstrip("\n")
    if not root or not os.path.exists(os.path.join(root, ".gitmodules")):
        return {}
    marks = {"-": " (not there)", "+": " (moved)", "U": " (in conflict)"}
    found = re.findall(
        r"^([ \-+U])([0-9a-f]{40,64}) (.+?)(?: \([^)]*\))?$", output(["git", "submodule", "status"], root), re.M
    )
    return {path: commit + marks.get(mark, "") for mark, commit, path in found}


def output(command: list[str], folder: str | None = None) -> str:
    """What a command prints, "" where it is not there, fails or takes too long."""
    # no optional locks: a status of ours must not get in the way of the user's own git
    environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environ,
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
