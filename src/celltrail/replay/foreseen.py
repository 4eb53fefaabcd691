"""What can be known of a replay before anything is computed: what stops it, and what may make it drift.

Naming the differences first means that a drift comes with its explanation.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from celltrail.capture.already.match import differences
from celltrail.capture.analyze import by_kind
from celltrail.capture.analyze.chance import sources
from celltrail.capture.environment.here import machine
from celltrail.capture.environment.imported import is_among
from celltrail.capture.files.places import is_within
from celltrail.capture.files.standing import state_of
from celltrail.capture.redact import MARK
from celltrail.capture.session.executions import parsed
from celltrail.query.files import File
from celltrail.query.stored import StoredRun
from celltrail.replay.slices import Slice, Step
from celltrail.replay.surroundings import imported_by

Reason = Literal["environment-differs", "missing-data", "failed", "not-replayable"]

# that a replay sets as they were recorded
VARIABLES = (
    "PYTHONHASHSEED",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "CUBLAS_WORKSPACE_CONFIG",
    "TOKENIZERS_PARALLELISM",
    "XLA_FLAGS",
    "JAX_PLATFORMS",
    "CUDA_VISIBLE_DEVICES",
)
_GLOBAL_NUMPY = re.compile(
    r"\b(?:np|numpy)\.random\.(?!default_rng|Generator|SeedSequence|PCG64|Philox|RandomState)\w+"
)
_WRITERS = frozenset(
    "dump makedirs mkdir remove rename replace rmdir rmtree save save_file save_model save_pretrained savefig savetxt "  # noqa: SIM905
    "savez savez_compressed symlink_to system to_csv to_excel to_feather to_json to_parquet to_pickle touch unlink "
    "urlretrieve write_bytes write_html write_image write_json write_parquet write_text run_cell_magic".split()
)
_PROGRAMS = frozenset(
    "get_ipython().system get_ipython().getoutput os.system os.popen os.execv os.execvp os.posix_spawn os.spawnv "  # noqa: SIM905
    "subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.Popen "
    "subprocess.getoutput Popen check_call check_output".split()
)
_NATIVE_WRITERS = frozenset("to_parquet write_parquet write_table to_hdf to_feather write_feather imwrite".split())  # noqa: SIM905
_TYPED = frozenset(["what is typed in"])
_HARMLESS = frozenset(["the environment's variables", "what is in a folder", "this process"])


@dataclass(slots=True)
class Foreseen:
    """What was found out about a slice.

    ``stops`` are sentences that make a replay impossible, each with its reason; ``causes`` are differences that
    would explain a drift; ``chance`` are sources of randomness that no kept state governs.
    """

    stops: list[tuple[Reason, str]] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    chance: list[str] = field(default_factory=list)
    writes: bool = False  # whether the cells may write files
    unguarded: list[str] = field(default_factory=list)  # calls whose writing Python does not see
    is_changed: bool = False  # whether a file is another one

    @property
    def explains(self) -> bool:
        """Whether a drift needs no further explanation."""
        return self.is_changed or bool(self.chance)


def foresee(part: Slice, project: Path, *, isolated: bool = False) -> Foreseen:
    """Look at everything a replay of this slice depends on, without running any of it.

    Args:
        part: what would run.
        project: the folder that the paths of the run are relative to.
        isolated: whether Python and the packages will be those that the run had.
    """
    found = Foreseen()
    trees = [(step, parsed(step.code)) for step in part]
    _look_at_code(found, part, trees)
    _look_at_files(found, part.run, project)
    _look_at_machine(found, part.run, isolated=isolated)
    if not isolated:
        _look_for_packages(found, part.run, [tree for _, tree in trees if tree is not None], project)
    devices = [name for step in part for name in step.rng if name.startswith("torch.cuda.")]
    if devices and "torch" in sys.modules and not sys.modules["torch"].cuda.is_available():
        found.stops.append(("environment-differs", "it computed on a GPU, and there is none here"))
    found.causes = list(dict.fromkeys(found.causes))
    found.chance = list(dict.fromkeys(found.chance))
    found.unguarded = list(dict.fromkeys(found.unguarded))
    return found


def _look_at_code(found: Foreseen, part: Slice, trees: list[tuple[Step, ast.Module | None]]) -> None:
    hashes = part.run.environment.get("PYTHONHASHSEED", "random")
    sets = frozenset(name for _, tree in trees if tree is not None for name in _sets(tree))
    for step, tree in trees:
        place = "the run's own cell" if step.is_target else f"[{step.count}]"
        if not step.code:
            names = f", which made {', '.join(step.why)}" if step.why else ""
            lost = f"the code of {place} was not kept (a %%scratch, or a lost blob){names}"
            found.stops.append(("not-replayable", lost))
        if MARK in step.code:
            line = 1 + step.code[: step.code.index(MARK)].count("\n")
            found.stops.append(("not-replayable", f"line {line} of {place} holds a secret that was never written down"))
        if tree is None:
            continue
        kinds = by_kind(tree)
        for what in sources(kinds, {}, ()):
            if what in _TYPED:
                found.stops.append(("not-replayable", f"{place} waits for what is typed in, and nobody would type"))
            elif what not in _HARMLESS:
                found.chance.append(f"{what}, in {place}")
        if hashes == "random" and _orders_by_hash(tree, sets):
            found.chance.append(f"the order of a set, in {place}: PYTHONHASHSEED was not fixed")
        if "numpy" not in step.rng and _GLOBAL_NUMPY.search(step.code) and not _seeds_numpy(step.code):
            found.chance.append(f"numpy's generator, first seen in {place}: its state before was not known")
        calls = unguarded(tree)
        found.unguarded += [f"{name}(), in {place}" for name in calls]
        found.writes = found.writes or bool(calls) or _may_write(tree)


def _look_at_files(found: Foreseen, run: StoredRun, project: Path) -> None:
    for entry in run.needs.get("files", ()):
        file = File.of(entry)
        if entry.get("mode") in ("write", "both"):
            found.writes = True
            if file.base != "project" and not _is_scratch(file):
                found.stops.append(
                    ("not-replayable", f"it wrote {file.path}, outside the project: a replay would write there again")
                )
        match state_of(entry, str(project)):
            case "gone":
                found.stops.append(("missing-data", f"the file {file.path} that it read is gone"))
            case "changed":
                found.is_changed = True
                found.causes.append(
                    f"the file {file.path} has changed: it was {entry.get('hash', '')[:12] or 'another size'}"
                )
            case _:
                pass


def _is_scratch(file: File) -> bool:
    """Whether a file was only a moment's, in the folder for such: the cell that made it took it away."""
    return file.how == "gone" and is_within(os.path.realpath(file.kept), os.path.realpath(tempfile.gettempdir()))


def _look_at_machine(found: Foreseen, run: StoredRun, *, isolated: bool) -> None:
    here, recorded = machine(run.store.blobs), run.environment
    given = {name: recorded[name] for name in VARIABLES if name in recorded}
    now = {name: value for name, value in here.software().items() if name not in VARIABLES} | given
    if isolated:
        now |= {name: recorded.get(name) for name in ("python", "implementation", "packages")}
    used = imported_by(run)

    def counts(package: str) -> bool:
        return is_among(package, used)

    found.causes += differences(run.record, replace(here, software=lambda: now), counts if used else None)


def _look_for_packages(found: Foreseen, run: StoredRun, trees: list[ast.Module], project: Path) -> None:
    for name in sorted(_imported(trees)):
        if not _is_here(name, project):
            version = run.environment.get(name)
            was = f", it was {version}" if version else ""
            found.stops.append(("environment-differs", f"the package {name} is not installed{was}"))


def _imported(trees: Iterable[ast.Module]) -> set[str]:
    """Top-level modules imported outside of ``try``, where a missing one is an error.

    >>> sorted(_imported([ast.parse("import a.b\\nfrom c import d\\ntry:\\n    import e\\nexcept ImportError: pass")]))
    ['a', 'c']
    """
    found: set[str] = set()
    waiting: list[ast.AST] = list(trees)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
        elif not isinstance(node, ast.Try | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
    return found


def _is_here(name: str, project: Path) -> bool:
    if name in sys.modules or any((project / f"{name}{tail}").exists() for tail in (".py", "")):
        return True
    if any(project.rglob(f"{name}.py")):
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _orders_by_hash(tree: ast.Module, sets: frozenset[str]) -> bool:
    """Whether a loop or a list takes its order from a set.

    Args:
        tree: the code.
        sets: names that stand for sets.

    >>> code = "for w in set(words): pass", "x in {'a', 'b'}", "list(seen)"
    >>> [_orders_by_hash(ast.parse(each), frozenset(["seen"])) for each in code]
    [True, False, True]
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.comprehension) and _is_set(node.iter, sets):
            return True
        if (
            (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("list", "tuple", "enumerate")
            )
            and node.args
            and _is_set(node.args[0], sets)
        ):
            return True
    return False


def _sets(tree: ast.Module) -> set[str]:
    """The names that a set is assigned to."""
    assigned = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and _is_set(node.value, frozenset())]
    return {target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)}


def _is_set(node: ast.expr, names: frozenset[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Name(id=name):
            return name in names
        case ast.Call(func=ast.Name(id="enumerate" | "list" | "tuple"), args=[first, *_]):
            return _is_set(first, names)
        case _:
            return False


def _seeds_numpy(code: str) -> bool:
    return re.search(r"\b(?:np|numpy)\.random\.seed\(\s*[^)\s]", code) is not None


def unguarded(tree: ast.Module) -> list[str]:
    """The calls of other programs, and of libraries that write without Python, in the order they stand.

    >>> unguarded(ast.parse("import subprocess\\nsubprocess.run(['make'])\\ndf.to_parquet(p)\\nmodel.run(x)"))
    ['subprocess.run', 'to_parquet']
    """
    names: list[str] = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        whole = ast.unparse(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""
        last = whole.rpartition(".")[2]
        if whole in _PROGRAMS:
            names.append(whole)
        elif whole == "h5py.File" or last in _NATIVE_WRITERS:
            names.append(last)
    return list(dict.fromkeys(names))


def _may_write(tree: ast.Module) -> bool:
    """Whether the code calls what writes files; rather once too often.

    >>> [_may_write(ast.parse(code)) for code in ("df.to_csv('a.csv')", "open(p)", "open(p, 'w')")]
    [True, False, True]
    """
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in _WRITERS:
            return True
        if name == "open":
            given = [*call.args[:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
            modes = [each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if any(re.fullmatch(r"[rwaxbt+]{1,4}", mode) and set(mode) & set("wax+") for mode in modes):
                return True
    return False
