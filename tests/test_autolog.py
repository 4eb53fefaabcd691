"""Plug-ins: each is on, fits something small for real, and is off again; what they share is tested here for all."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import celltrail as ct
from kernels import SETTLE, Kernel

# for each plug-in a tiny real fit, and the names that must come of it with how many points
FITS: dict[str, tuple[str, dict[str, int]]] = {
    "torch": (
        """
        import torch
        def fit():
            torch.manual_seed(0)
            model = torch.nn.Linear(3, 1)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            x = torch.randn(8, 3)
            for epoch in range(5):
                optimizer.zero_grad()
                loss = model(x).pow(2).mean()
                loss.backward()
                optimizer.step()
            return [p.tolist() for p in model.parameters()]
        """,
        {"train/loss": 5, "train/lr": 5, "train/grad_norm_applied": 5, "epoch": 5},
    ),
}
# every attribute of the library's modules by identity, and how much its containers hold
LOOK = """
def look():
    modules = {m: v for m, v in list(sys.modules.items()) if m.split(".")[0] == name and v is not None}
    held = {(m, k): v for m, module in modules.items() for k, v in list(vars(module).items())}
    sizes = {k: len(v) for k, v in held.items() if isinstance(v, (dict, list)) and not k[1].startswith("__")}
    return {k: (id(v), sizes.get(k)) for k, v in held.items()}
"""


def python(code: str, folder: Path) -> Any:
    head = f"import json, sys, warnings, celltrail as ct\nstore = ct.Store({str(folder / '.celltrail')!r})\n"
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", head + code], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "celltrail: recording had a problem" not in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def indented(code: str) -> str:
    lines = code.strip("\n").splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] for line in lines)


there = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.skipif(not find_spec(name), reason=f"no {name}")) for name in FITS]
)
COUNTS = "{n: len(s.value) for n, s in store.series(run.id).items()}"


def test_every_plugin_is_tested():
    """Each plug-in that is declared has its fit in this file."""
    assert set(ct.autolog()) == set(FITS)
    assert ct.autolog(on=()) == ()


@there
def test_the_points_arrive_when_the_library_comes_later(name: str, tmp_path: Path):
    """Names and numbers of points are those of the fit, also when it was switched on twice."""
    fit, expected = FITS[name]
    begin = f"ct.autolog(on=[{name!r}])\n{indented(fit)}\nct.autolog(on=[{name!r}])\n"
    told = python(f"{begin}with ct.start('a', store=store) as run: fit()\nprint(json.dumps({COUNTS}))", tmp_path)
    assert expected.items() <= told.items(), told


@there
def test_off_leaves_the_library_as_it_was(name: str, tmp_path: Path):
    """The points arrive when it was imported first; then the same objects, the same fit, and nothing recorded."""
    fit, expected = indented(FITS[name][0]), FITS[name][1]
    code = f"""name = {name!r}
{LOOK}
{fit}
plain = fit()
before, finders = look(), list(sys.meta_path)
ct.autolog(on=[name])
with ct.start("on", store=store) as run:
    recorded = fit()
told = {COUNTS}
ct.autolog(off=[name])
ct.autolog(on=())
after = look()
with ct.start("off", store=store) as run:
    fit()
print(json.dumps([
    plain == recorded, [k for k in before if before[k] != after.get(k)], finders == sys.meta_path,
    list(store.series(run.id)), told,
]))"""
    *left, told = python(code, tmp_path)
    assert left == [True, [], True, []]
    assert expected.items() <= told.items(), told


@there
def test_a_disk_that_takes_nothing_more_does_not_break_a_fit(name: str, tmp_path: Path):
    """The fit ends with the numbers it has without celltrail."""
    fit = indented(FITS[name][0])
    code = f"""import resource
{fit}
plain = fit()
ct.autolog(on=[{name!r}])
run = ct.start("a", store=store)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    recorded = fit()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(json.dumps(plain == recorded))"""
    assert python(code, tmp_path) is True


def installed(folder: Path, begin: str) -> str:
    """A package of somebody else's in this folder, with a plug-in for the library ``cheap``."""
    about = folder / "theirs-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[celltrail.plugins]\ncheap = theirs:on\n")
    (folder / "cheap.py").write_text("hooks = []\ndef fit():\n    for hook in hooks:\n        hook(3)\n    return 7\n")
    (folder / "theirs.py").write_text(f"import celltrail as ct\ndef on(cheap, hand):\n    {begin}\n")
    return f"import sys\nsys.path.insert(0, {str(folder)!r})\n"


def test_a_package_of_somebody_elses_brings_its_own(tmp_path: Path):
    """The entry-point group is open, and a plug-in needs the door only."""
    hook = "cheap.hooks.append(hand.guard(lambda n: ct.current().log({'train/n': n}))); return cheap.hooks.clear"
    code = (
        installed(tmp_path / "site", hook)
        + f"""
assert "cheap" in ct.autolog()
import cheap
with ct.start("a", store=store) as run:
    cheap.fit()
print(json.dumps({COUNTS}))"""
    )
    assert python(code, tmp_path) == {"train/n": 1}


@pytest.mark.parametrize(
    "begin", ["1 / 0", "cheap.hooks.append(hand.guard(lambda n: 1 / 0))\n    return cheap.hooks.clear"]
)
def test_a_plugin_with_a_fault_costs_one_warning(tmp_path: Path, begin: str):
    """Neither the import nor the fit sees it."""
    code = installed(tmp_path / "site", begin) + "import warnings\nimport celltrail as ct\n" + (
        "with warnings.catch_warnings(record=True) as caught:\n    warnings.simplefilter('always')\n    ct.autolog()\n"
        "    import cheap\n    results = [cheap.fit(), cheap.fit()]\n"
        "print(results, [str(each.message) for each in caught])"
    )  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == (
        "[7, 7] ['celltrail: recording had a problem, your code did not: ZeroDivisionError: division by zero']"
    ), done.stderr


def test_an_unknown_name_is_answered_with_those_there_are():
    """And with the nearest one."""
    with pytest.raises(ct.BadValue, match=r"no plug-in is called 'torhc'; did you mean 'torch'\?; there is .*torch"):
        ct.autolog(on=["torhc"])
    ct.autolog(on=())


@pytest.mark.skipif(not find_spec("torch"), reason="no torch")
def test_the_extension_switches_it_on_and_off(tmp_path: Path):
    """`%load_ext` is enough, and `%unload_ext` leaves nothing."""
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(tmp_path / ".celltrail"), "XDG_CACHE_HOME": str(tmp_path / "c")})
    kernel.run(
        "import sys, torch, celltrail as ct\nhooks = sys.modules['torch.optim.optimizer']._global_optimizer_post_hooks"
    )
    kernel.run("%load_ext celltrail")
    assert kernel.run("print(len(hooks))").text == "1\n"
    kernel.run("%unload_ext celltrail")
    assert kernel.run("print(len(hooks))").text == "0\n"
    kernel.run("ct.autolog(off=['torch'])")
    kernel.run("%load_ext celltrail")
    assert kernel.run("print(len(hooks))").text == "0\n"
    kernel.run(SETTLE)
    kernel.stop()
