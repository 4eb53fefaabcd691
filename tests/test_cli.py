"""The command line on a real trail: what it prints, and the status it exits with."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

import celltrail
from celltrail.cli import main
from celltrail.run import start


@pytest.fixture
def trained(store):
    for name, lr, fails in [("baseline", 0.1, False), ("sweep-1", 0.01, True)]:
        try:
            with start(name, {"lr": lr}, tags=["mlp"], store=store, code=store.blobs.put(f"lr = {lr}\n")) as run:
                run.log({"val/acc": 1 - lr, "train/loss": float("nan")}, step=0)
                if fails:
                    raise RuntimeError("bad \x1b[31m thing")
        except RuntimeError:
            pass
    return store


def test_ls_prints_a_table(trained, capsys):
    """Runs come newest first, aligned, without colour where it is no terminal."""
    assert main(["ls"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:5] == ["name", "status", "created", "duration", "lr"]
    assert "best val/acc" in lines[0]
    assert lines[1].startswith("sweep-1   ✗ failed")
    assert lines[2].startswith("baseline  ✓ finished")
    assert "\x1b" not in "".join(lines)


def test_ls_finds_sorts_and_limits(trained, capsys):
    """An expression chooses, keys sort, a limit says how many are left out."""
    assert main(["ls", "params.lr > 0.05"]) == 0
    assert "sweep-1" not in capsys.readouterr().out
    assert main(["ls", "--sort=params.lr", "--limit", "1"]) == 0
    out = capsys.readouterr().out
    assert "sweep-1" in out
    assert "… and 1 more: --limit 2" in out
    assert main(["ls", "--sort", "-params.lr"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("baseline")


@pytest.mark.parametrize(
    ("wide", "shown", "left_out"),
    [
        (60, ["name", "status", "best val/acc"], "p4, p3, p2, created, duration, train/loss, p1, p0, test/acc"),
        (90, ["name", "status", "p0", "p1", "best val/acc"], "p4, p3, p2, created, duration"),
        (200, ["name", "status", "created", "duration", "p0", "p1", "p2", "p3", "p4", "best val/acc"], ""),
    ],
)
def test_ls_is_as_wide_as_the_terminal(store, wide, shown, left_out):
    """A table that is broken over lines cannot be read; what there is no room for is said."""
    for at in range(2):
        with start(f"a run of some length {at}", {f"p{place}": at for place in range(5)}, store=store) as run:
            run.log({"val/acc": 0.5, "test/acc": 0.5, "train/loss": 0.5})
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, wide, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"NO_COLOR": "1"}
    subprocess.run([sys.executable, "-m", "celltrail", "ls"], stdout=follower, env=environment, check=True)
    os.close(follower)
    lines = os.read(leader, 100_000).decode().splitlines()
    os.close(leader)
    assert max(map(len, lines[:3])) <= wide
    assert [name for name in shown if name in lines[0]] == shown
    told = [f"left out for lack of room: {left_out}; a wider terminal or --json shows them"] if left_out else []
    assert lines[3:] == told


def test_the_bare_name_and_the_version(capsys):
    """Who types no command sees which there are; the version is the package's."""
    assert main([]) == 2
    assert "show" in capsys.readouterr().err
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"celltrail {celltrail.__version__}\n"


def test_ls_json_is_a_page_of_rows(trained, capsys):
    """`--json` prints the contract's RowsPage, with NaN as a word."""
    assert main(["ls", "--json", "--limit", "1"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert page["total"] == 2
    (row,) = page["rows"]
    assert (row["name"], row["status"], row["params"]["lr"]["value"]) == ("sweep-1", "failed", 0.01)
    assert row["metrics"]["train/loss"]["last"] == "nan"


def test_ls_of_nothing(store, trail, capsys):
    """An empty trail is no error and creates nothing; an expression without a match answers no."""
    assert main(["ls"]) == 0
    assert "no runs in .celltrail yet" in capsys.readouterr().out
    assert not trail.exists()
    assert main(["ls", "status == 'failed'"]) == 1
    start("a", {"lr": 1}, store=store).finish()
    assert main(["ls", "params.lrr > 0"]) == 1
    told = capsys.readouterr()
    assert "did you mean 'lr'?" in told.err


def test_an_unreadable_expression_is_pointed_at(trained, capsys):
    """Status 2, the place on stderr, nothing on stdout, no traceback."""
    assert main(["ls", "best(val/acc) > 1"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines()[1:3] == ["best(val/acc) > 1", "     ^^^^^^^"]


def test_show_tells_all_about_a_run(trained, capsys):
    """Facts, params, metrics, error and code; what a name or message contains never drives the terminal."""
    assert main(["show", "sweep-1"]) == 0
    out = capsys.readouterr().out
    for part in ("sweep-1  ✗ failed", "RuntimeError: bad ·[31m thing", "val/acc", "lr = 0.01", "tags"):
        assert part in out
    assert main(["show", "baseline", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "baseline"


def test_an_unknown_run_answers_no(trained, capsys):
    """Status 1 and the nearest name."""
    assert main(["show", "basline"]) == 1
    assert "did you mean 'baseline'?" in capsys.readouterr().err


def test_view_of_no_trail_answers_no(tmp_path, capsys):
    """Nothing is served where nothing is; what shows all trails is named."""
    assert main(["view", str(tmp_path)]) == 1
    assert f"there is no trail in '{tmp_path.name}'; celltrail view without it" in capsys.readouterr().err


def test_compare_shows_what_differs(trained, capsys):
    """Params, metrics and code of two runs; `--json` is the contract's Comparison."""
    assert main(["compare", "baseline", "sweep-1"]) == 0
    out = capsys.readouterr().out
    assert "+lr = 0.01" in out
    assert "status" in out
    assert main(["compare", "baseline", "sweep-1", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["runs"]] == ["baseline", "sweep-1"]
    assert main(["compare", "baseline", "nothing-like-it"]) == 1


@pytest.mark.parametrize(
    "argv", [[], ["frobnicate"], ["ls", "--limit", "0"], ["compare", "one"], ["ls", "--sort", "-a/b"]]
)
def test_wrong_usage_is_status_two(argv, trained, capsys):
    """What could not be asked says why on stderr."""
    assert main(argv) == 2
    assert capsys.readouterr().err


def test_help_of_every_command(capsys):
    """Each command explains itself."""
    for argv in (["--help"], ["ls", "--help"], ["show", "--help"], ["compare", "--help"]):
        assert main(argv) == 0
        assert "usage: celltrail" in capsys.readouterr().out


def test_another_trail_can_be_named(trained, tmp_path, monkeypatch, capsys):
    """`--store` looks at a trail that is not the working folder's."""
    monkeypatch.setenv("CELLTRAIL_STORE", str(tmp_path / "elsewhere"))
    assert main(["ls", "--store", str(trained.root)]) == 0
    assert "baseline" in capsys.readouterr().out


def test_as_a_process(trained):
    """`python -m celltrail` is the same; a reader that closes the pipe early gets no traceback."""
    told = subprocess.run([sys.executable, "-m", "celltrail", "ls"], capture_output=True, text=True, check=True)
    assert "baseline" in told.stdout
    piped = f"{sys.executable} -m celltrail ls --json | head -c 1"
    told = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, check=True)
    assert told.stderr == ""


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_only_on_a_terminal(trained, no_color, coloured):
    """A terminal gets colour unless NO_COLOR asks otherwise."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "NO_COLOR": no_color, "TERM": "xterm"}
    command = [sys.executable, "-m", "celltrail", "ls"]
    subprocess.run(command, stdout=follower, env=environment, check=True)
    os.close(follower)
    assert ("\x1b[31m✗ failed\x1b[0m" in os.read(leader, 100_000).decode()) is coloured
    os.close(leader)
