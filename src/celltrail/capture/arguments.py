"""The words after ``%%track``: what they may be, what they mean, and a clear sentence when they are wrong."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NoReturn, get_args

from celltrail.capture.allowance import LEAST_NS, Limit
from celltrail.capture.axes import Axis, axis
from celltrail.errors import BadValue, QueryError, nearest
from celltrail.store.files.hashing import Asked
from celltrail.store.files.telling import bytes_in

IfSame = Literal["notice", "skip", "stop", "off"]
IF_SAME: tuple[IfSame, ...] = get_args(IfSame)
_DO = "notice (say so), skip (show what that one showed), stop, off"
_LEAST = 1000  # bytes of a stream: its first and last words, and a marker between them
_BUDGET = re.compile(r"(\d+(?:\.\d+)?) ?(%|ms|s)")
_PLACE = re.compile(r"\$([A-Za-z_]\w*)|\{([^{}]+)\}")
# promised by the public face and refused by name until they do something
_PLANNED = frozenset(["--parse-output", "--own-threads"])


@dataclass(frozen=True, slots=True)
class Every:
    """How often a watched value is written: each so many steps, or once in so many seconds."""

    steps: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Arguments:
    """What one ``%%track`` line asks for."""

    name: str | None = None
    project: str | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    group: str | None = None
    watch: tuple[str, ...] = ()
    no_watch: bool = False
    every: Every | None = None
    param: tuple[str, ...] = ()
    no_param: tuple[str, ...] = ()
    params: bool = True
    seed: int | None = None
    resume: str | None = None
    fork: str | None = None
    continues: bool = False
    if_same: IfSame = "notice"
    alert: tuple[str, ...] = ()
    stop_if: tuple[str, ...] = ()
    chart: bool | None = None  # None: when there is something to draw
    hash: Asked = "sample"
    output: bool = True
    checkpoints: bool = True
    max_output: int = 2_000_000  # bytes of each stream, half from the start and half from the end
    budget: Limit | None = None  # of recording; None: what `Limit` says
    sweep: tuple[Axis, ...] = ()
    metric: str = ""  # of a sweep
    stop: str = ""  # the rule that ends it
    off: bool = False


def _if_same(text: str) -> str:
    if text not in IF_SAME:
        raise argparse.ArgumentTypeError(
            f"{text!r} is none of {', '.join(IF_SAME[:-1])} and {IF_SAME[-1]}{nearest(text, IF_SAME)}"
        )
    return text


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadValue(f"%%track: {message}; see %%track?")


def _size(text: str) -> int:
    try:
        size = bytes_in(text)
    except BadValue:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write it as 500kB or 2MB") from None
    if size < _LEAST:
        raise argparse.ArgumentTypeError(f"{text!r} is too little; write 1kB or more, or --no-output to keep nothing")
    return size


def _budget(text: str) -> Limit:
    found = _BUDGET.fullmatch(text.strip())
    number = float(found[1]) if found else 0.0
    if found is None or not number:
        raise argparse.ArgumentTypeError(f"{text!r} is not a budget; write 1% of the cell's time, or 20ms in all")
    if found[2] != "%":
        return Limit(0.0, round(number * (1e6 if found[2] == "ms" else 1e9)), True)
    if number > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is more than the cell's time; write at most 100%")
    return Limit(number / 100, LEAST_NS, True)


def _every(text: str) -> Every:
    seconds = re.fullmatch(r"(\d*\.?\d+)s", text)
    if seconds is not None and float(seconds[1]) > 0:
        return Every(seconds=float(seconds[1]))
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not how often; write 10 for each 10th value, 0.5s for two a second"
        )
    return Every(steps=int(text))


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed; a seed is a whole number from 0 to 2**32 - 1")
    return int(text)


def _variables(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise argparse.ArgumentTypeError(f"{name!r} is not a variable; write names such as loss or self.loss")
    return names


def _parser() -> _Parser:
    parser = _Parser(prog="%%track", add_help=False, allow_abbrev=False, usage=argparse.SUPPRESS)
    add = parser.add_argument
    add("name", nargs="?", help="the name of the run; default: the cell's first comment, else its cell id")
    add("-p", "--project", metavar="P", help="the project it belongs to")
    add("-t", "--tag", dest="tags", nargs="+", action="extend", default=[], metavar="TAG", help="one or more tags")
    add("--note", default="", metavar="TEXT", help="a sentence to remember the run by")
    add("--group", metavar="G", help="the group it belongs to, such as the seeds of one setting")
    add("--watch", nargs="+", type=_variables, action="append", default=[], metavar="NAME",
        help="variables to record as metrics")  # fmt: skip
    add("--no-watch", action="store_true", help="do not record loop variables with a metric's name")
    add("--every", type=_every, metavar="N", help="keep every N-th watched value, or one every 0.5s")
    add("--param", nargs="+", type=_variables, action="append", default=[], metavar="NAME",
        help="variables to record as parameters too")  # fmt: skip
    add("--no-param", nargs="+", type=_variables, action="append", default=[], metavar="NAME",
        help="variables that are not parameters")  # fmt: skip
    add("--params", choices=["on", "off"], default="on", help="off: look for no parameters in the code")
    add("--seed", type=_seed, metavar="N", help="seed random, NumPy and PyTorch before the cell")
    add("--resume", metavar="RUN", help="go on with this run under its id; RUN@STEP rewinds it first")
    add("--fork", metavar="RUN@STEP", help="a new run that shares the points of this one up to a step")
    add("--continues", action="store_true", help="start from what another run left, on purpose: no warning")
    add("--if-same", type=_if_same, default="notice", metavar="DO", help="if just this ran before: " + _DO)
    add(
        "--alert", nargs="+", action="extend", default=[], metavar="RULE", help="raise an alert: 'val/loss > 3' 'nan()'"
    )
    add("--stop-if", nargs="+", action="extend", default=[], metavar="RULE", help="raise an alert and end the run")
    add("--chart", dest="chart", action="store_true", default=None, help="always show the live chart")
    add("--no-chart", dest="chart", action="store_false", help="never show the live chart")
    add("--hash", choices=get_args(Asked), default="sample", help="digests of files: sample those over 1 GB, full, off")
    add("--no-output", dest="output", action="store_false", help="do not keep the outputs of the cell")
    add("--no-checkpoints", dest="checkpoints", action="store_false", help="do not keep the checkpoints it writes")
    add("--max-output", type=_size, default=2_000_000, metavar="SIZE", help="keep so much of each output; default 2MB")
    add("--budget", type=_budget, metavar="COST", help="what recording may cost: 1%% of the cell (default) or 20ms")
    add("--sweep", nargs="+", type=axis, action="append", default=[], metavar="NAME=VALUES",
        help="one run for each combination: lr=1e-3,1e-2 seed=0..4")  # fmt: skip
    add("--metric", default="", metavar="KEY", help="in a sweep: the metric that its table compares")
    add("--stop", default="", metavar="EXPR", help="in a sweep: end it after a run for which this is true")
    add("--off", action="store_true", help="run the cell without recording it")
    return parser


_PARSER = _parser()


def usage() -> str:
    """The help text of ``%%track``.

    >>> "--watch NAME" in usage()
    True
    """
    return _PARSER.format_help().replace("positional arguments", "name").replace("options", "options of %%track", 1)


@lru_cache(maxsize=64)  # a cell is asked for its line several times, each time it runs
def parse(line: str) -> Arguments:
    """The arguments on a ``%%track`` line; `BadValue` with the whole sentence when they are wrong.

    >>> parse("baseline --watch loss acc -t mlp").watch
    ('loss', 'acc')
    >>> parse("--wacth loss")
    Traceback (most recent call last):
    celltrail.errors.BadValue: %%track: no option '--wacth'; did you mean '--watch'? see %%track?
    """
    try:
        words = shlex.split(line)
    except ValueError as problem:
        raise BadValue(f"%%track: cannot read {line.strip()!r}: {str(problem).lower()}; see %%track?") from None
    _refuse_unknown(words)
    found, extra = _PARSER.parse_known_args(words)
    if extra:
        raise BadValue(f"%%track: takes one name, but got {extra[0]!r} too; put a name with spaces in quotes")
    if found.watch and found.no_watch:
        raise BadValue("%%track: --watch and --no-watch exclude each other")
    if found.resume and found.fork:
        raise BadValue("%%track: --resume goes on with a run and --fork begins another one; give one of the two")
    _check_sweep(found)
    return Arguments(
        name=found.name or None,
        project=found.project,
        tags=tuple(dict.fromkeys(found.tags)),
        note=found.note,
        group=found.group,
        watch=_flat(found.watch),
        no_watch=found.no_watch,
        every=found.every,
        param=_flat(found.param),
        no_param=_flat(found.no_param),
        params=found.params == "on",
        seed=found.seed,
        resume=found.resume,
        fork=found.fork,
        continues=found.continues,
        if_same=found.if_same,
        alert=_rules(found.alert),
        stop_if=_rules(found.stop_if),
        chart=found.chart,
        hash=found.hash,
        output=found.output,
        checkpoints=found.checkpoints,
        max_output=found.max_output,
        budget=found.budget,
        off=found.off,
        sweep=tuple(axis for group in found.sweep for axis in group),
        metric=found.metric,
        stop=found.stop,
    )


def _check_sweep(found: argparse.Namespace) -> None:
    names = [name for group in found.sweep for name, _ in group]
    if not names and (found.metric or found.stop):
        raise BadValue(f"%%track: {'--metric' if found.metric else '--stop'} goes with --sweep")
    if len(set(names)) < len(names):
        raise BadValue(f"%%track: --sweep names {max(names, key=names.count)} twice; give its values once")
    for option in ("resume", "fork", "group"):
        if names and getattr(found, option):
            raise BadValue(f"%%track: --{option} does not go with --sweep; each of its runs begins anew, in its group")
    if names and found.params == "off":
        raise BadValue("%%track: --params off does not go with --sweep, whose runs differ by their parameters")
    if "seed" in names and found.seed is not None:
        raise BadValue("%%track: --seed does not go with the seeds of --sweep; give one of the two")


def _rules(texts: list[str]) -> tuple[str, ...]:
    """Rules that can be read; a sentence before the cell runs is worth more than a training without them."""
    if not texts:
        return ()
    from celltrail.alerts.rule import rule

    for text in texts:
        try:
            rule(text)
        except QueryError as problem:
            raise BadValue(f"%%track: this is no rule: {problem}") from None
    return tuple(dict.fromkeys(texts))


def _refuse_unknown(words: Sequence[str]) -> None:
    # before argparse, whose own sentence names all leftovers at once and no neighbour
    known = [option for action in _PARSER._actions for option in action.option_strings]  # pyright: ignore[reportPrivateUsage]
    for word in words:
        option = word.split("=", 1)[0]
        if option in _PLANNED:
            raise BadValue(f"%%track: {option} is planned and does nothing yet; see %%track?")
        if option.startswith("-") and option not in known and not word[:2].strip("-").isdecimal():
            raise BadValue(f"%%track: no option {option!r}{nearest(option, known) or ';'} see %%track?")


def _flat(groups: list[list[list[str]]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for names in group for name in names))


def expand(arguments: Arguments, namespace: Mapping[str, Any]) -> Arguments:
    """Fill ``$name`` and ``{expression}`` in the texts from the user's variables; what cannot be filled stays.

    >>> expand(parse("lr-$lr --tag '{n * 2}'"), {"lr": 0.1, "n": 3}).tags
    ('6',)
    """

    texts = (arguments.name, arguments.project, arguments.group, arguments.note, arguments.resume, arguments.fork)
    if not any("$" in text or "{" in text for text in (*filter(None, texts), *arguments.tags)):
        return arguments  # as most are

    def fill(text: str) -> str:
        return _PLACE.sub(lambda place: _value(place, namespace), text)

    return replace(
        arguments,
        name=fill(arguments.name) if arguments.name else None,
        project=fill(arguments.project) if arguments.project else None,
        group=fill(arguments.group) if arguments.group else None,
        note=fill(arguments.note),
        resume=fill(arguments.resume) if arguments.resume else None,
        fork=fill(arguments.fork) if arguments.fork else None,
        tags=tuple(fill(tag) for tag in arguments.tags),
    )


def _value(place: re.Match[str], namespace: Mapping[str, Any]) -> str:
    if place[1] is not None:
        return str(namespace[place[1]]) if place[1] in namespace else place[0]
    try:  # as an f-string, so that {lr:.0e} works as in Python
        return str(eval("f" + repr(place[0]), dict(namespace)))
    except (ArithmeticError, AttributeError, LookupError, NameError, SyntaxError, TypeError, ValueError):
        return place[0]
