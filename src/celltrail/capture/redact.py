"""Secrets never reach the disk: everything that capture keeps passes through a `Redactor` first.

Three nets: shapes of well-known keys, values of environment variables with a secret's name, and values
assigned to a secret's name in text or code.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

MARK = "[redacted]"
_MOST_KNOWN = 2000
_MOST_CLEAN, _LONGEST_CLEAN = 64, 20_000  # texts that are remembered, and characters of one

_SHAPES = (
    r"\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b",  # AWS
    r"\bgh[pousr]_[0-9A-Za-z]{30,255}\b|\bgithub_pat_[0-9A-Za-z_]{22,255}\b",
    r"\bsk-(?:[A-Za-z]+-)*[A-Za-z0-9_-]{20,}",  # OpenAI, Anthropic and others who copied them
    r"\bhf_[A-Za-z0-9]{30,}\b",
    r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}",  # Slack
    r"\bAIza[0-9A-Za-z_-]{35}",  # Google
    r"\bglpat-[0-9A-Za-z_-]{20,}",  # GitLab
    r"\b[rsp]k_(?:live|test)_[0-9A-Za-z]{16,}",  # Stripe
    r"\bnpm_[0-9A-Za-z]{36}\b|\bpypi-[0-9A-Za-z_-]{50,}",
    r"\bSG\.[\w-]{16,}\.[\w-]{16,}",  # SendGrid
    r"\b(?:gsk|xai|r8|pplx|dop_v1)[_-][0-9A-Za-z]{30,}|\bdapi[0-9a-f]{32}\b",  # Groq, xAI, Replicate and others
    r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",  # JWT
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    r"(?<=://)[^\s/:@'\"]*:[^\s/@'\"]+(?=@)",  # user:password in a URL
    r"(?<=[Bb]earer )[A-Za-z0-9._~+/-]{16,}=*",
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# one of these is in whatever has a shape: a cheap look decides whether the shapes are worth trying at all
_HINTS = (
    *("AKIA", "ASIA", "ABIA", "ACCA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "rk-", "sk-", "pk-"),
    *("rk_", "sk_", "pk_", "hf_", "xox", "AIza", "eyJ", "-----BEGIN", "://", "earer ", "glpat-", "npm_", "pypi-"),
    *("SG.", "gsk_", "gsk-", "xai-", "xai_", "r8_", "r8-", "pplx-", "pplx_", "dop_v1_", "dop_v1-", "dapi"),
)
_SECRET_WORD = r"(?:(?:api|access|secret|auth|private)_?key|secret|token|passwd|password|passphrase|credentials?)"
_SECRET_HINTS = ("key", "secret", "token", "passw", "passphrase", "credent")  # one is in each secret word, folded
_ENVIRONMENT_HINTS = ("key", "token", "secret", "pass")


# To compile these takes a short script 20 ms, and most texts have nothing in them that would need it.


@cache
def _shapes() -> re.Pattern[str]:
    return re.compile("|".join(_SHAPES))


@cache
def _secret_name() -> re.Pattern[str]:
    return re.compile(rf"(?:^|.*[_.\-]|.*[a-z](?=[A-Z])){_SECRET_WORD}s?(?:$|[_.\-\d].*)", re.IGNORECASE)


@cache
def _assignment() -> re.Pattern[str]:
    return re.compile(
        # bounded at both ends, so that a megabyte of base64 costs one pass
        r"""(?<![\w.\-])(?P<name>[A-Za-z_][\w.\-]{0,80})(?P<quote>['"]?\]?)(?P<sign>\s*(?::\s*\w+\s*=|=(?!=)|:)\s*)"""
        r"""(?P<value>[rbuf]{0,2}'''[\s\S]*?'''|[rbuf]{0,2}\"\"\"[\s\S]*?\"\"\"|[rbuf]{0,2}'(?:[^'\\\n]|\\.)*'|"""
        r"""[rbuf]{0,2}"(?:[^"\\\n]|\\.)*"|[^\s'"(){}\[\],;]+(?![\w.]*\())""",
        re.IGNORECASE,
    )


@cache
def _innocent() -> re.Pattern[str]:
    """Names of the field that only look like secrets."""
    return re.compile(
        r".*(?:tokeniz|(?:max|min|num|n|pad|eos|bos|unk|cls|sep|mask|new|total|prompt|completion|input|output|special|"
        r"stop|end|start|image|prefix|suffix)_?tokens?(?:$|_)|tokens?_(?:per|count|ids?|len|type|embed|usage|sec)|"
        r"tokens$).*",
        re.IGNORECASE,
    )


@cache
def _plain() -> re.Pattern[str]:
    return re.compile(r"(?:none|null|true|false|nan|[-+]?[\d._]+(?:e[-+]?\d+)?)", re.IGNORECASE)


@lru_cache(maxsize=8192)
def is_secret_name(name: str) -> bool:
    """Whether a variable, key or parameter of this name holds a secret.

    >>> [is_secret_name(name) for name in ("OPENAI_API_KEY", "tokenizer", "max_tokens", "db.password", "key")]
    [True, False, False, True, False]
    """
    return _secret_name().fullmatch(name) is not None and _innocent().fullmatch(name) is None


@lru_cache(maxsize=4096)
def _may_be_secret(variable: str) -> bool:
    folded = variable.casefold()  # folds as re.IGNORECASE does
    return any(hint in folded for hint in _ENVIRONMENT_HINTS)


class Redactor:
    """Replaces secrets in text, by the shapes and by the values in this environment.

    >>> Redactor({"MY_TOKEN": "correct-horse"}).text("key: correct-horse, password='tr0ub4dor&3'")
    "key: [redacted], password='[redacted]'"
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._known: set[str] = set()
        self._patterns: tuple[re.Pattern[str], re.Pattern[str]] | None = None
        # a cell's code is kept by its run, its session and the lineage of what comes after: by text, what came of it
        # and with which values known
        self._clean: dict[str, tuple[str, set[str]]] = {}
        self._learned: dict[Any, Any] = {}  # the environment that was looked at last
        self.learn_environment(os.environ if environ is None else environ)

    def learn_environment(self, environ: Mapping[str, str]) -> None:
        """The values of variables whose names say that they are secret; they may have been set meanwhile."""
        held = getattr(environ, "_data", None)  # of `os.environ`: asked by name it decodes each one
        if held is not None and held == self._learned:
            return
        self._learned = dict(held or ())
        for name in environ:
            if _may_be_secret(name) and (value := environ.get(name)) is not None:
                self.learn(value)

    def learn(self, value: object) -> None:
        """Replace this value wherever it occurs from now on: a password shown later has no name beside it."""
        # exactly str: a subclass of the user's would run code of theirs
        if type(value) is str and _is_value(value) and value not in self._known and len(self._known) < _MOST_KNOWN:
            self._known = self._known | {value, repr(value)[1:-1]}  # a new set: two threads clean with one redactor
            self._patterns = None

    def text(self, text: str) -> str:
        """The text with every secret replaced by a mark; lines stay lines."""
        known = self._clean.get(text)
        if known is not None and known[1] is self._known:
            return known[0]
        clean = self._cleaned(text)
        if len(text) <= _LONGEST_CLEAN:
            if len(self._clean) >= _MOST_CLEAN:
                self._clean = {}
            self._clean[text] = clean, self._known
        return clean

    def _cleaned(self, text: str) -> str:
        if "\x1b[" in text:
            self._redacted(_COLOUR.sub("", text))  # for what it learns: colours stand between a name and its value
        count = len(self._known)
        text = self._redacted(text)
        return self._without_known(text) if len(self._known) > count else text

    def _redacted(self, text: str) -> str:
        text = self._without_known(text)
        if any(hint in text for hint in _HINTS):
            text = _shapes().sub(self._shape, text)
        folded = text.casefold()  # folds as re.IGNORECASE does
        if any(hint in folded for hint in _SECRET_HINTS):
            text = _assignment().sub(self._assigned, text)
        return text

    def _without_known(self, text: str) -> str:
        if not self._known:
            return text
        patterns = self._patterns
        if patterns is None:
            longest_first = sorted(self._known, key=len, reverse=True)
            plain = "|".join(map(re.escape, longest_first))
            coloured = "|".join(rf"(?:{_COLOUR.pattern})*".join(map(re.escape, value)) for value in longest_first)
            patterns = self._patterns = re.compile(plain), re.compile(coloured)
        return patterns["\x1b[" in text].sub(_same_lines, text)

    def _shape(self, found: re.Match[str]) -> str:
        self.learn(found[0])
        return _same_lines(found)

    def _assigned(self, found: re.Match[str]) -> str:
        redacted = _assigned(found)
        if redacted != found[0]:
            self.learn(_inner(found["value"])[1])
        return redacted

    def value(self, name: str, value: Any) -> Any:
        """A parameter's value: only "set" where its name is a secret's; texts inside containers are cleaned."""
        if is_secret_name(name) and value is not None and not isinstance(value, bool | int | float):
            return "set"
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(str(key), inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value("", inner) for inner in value]
        return value


def _is_value(value: str) -> bool:
    # a path in SSH_KEY_FILE is no secret, and replacing it would blot out half of a traceback
    return len(value) >= 8 and not value.startswith(("/", "~", "./")) and not _plain().fullmatch(value)


def _same_lines(found: re.Match[str]) -> str:
    return MARK + "\n" * found[0].count("\n")


def _assigned(found: re.Match[str]) -> str:
    name, quote, sign, value = found["name"], found["quote"], found["sign"], found["value"]
    if not is_secret_name(name.rsplit(".", 1)[-1]):
        return found[0]
    mark, inner = _inner(value)
    if len(inner) < 4 or _plain().fullmatch(inner) or inner == MARK or not (mark or _looks_random(inner)):
        return found[0]
    if mark and "{" in inner and value[:1] in "fF":
        return found[0]  # an f-string names where the secret comes from, it does not hold it
    return f"{name}{quote}{sign}{mark}{MARK}{chr(10) * inner.count(chr(10))}{mark}"


def _inner(value: str) -> tuple[str, str]:
    """The quotes of a value, "" where there are none, and what is between them."""
    bare = value.lstrip("rbufRBUF") if value[-1:] in "'\"" else value
    mark = bare[: 3 if bare[:3] in ("'''", '"""') else 1] if bare[:1] in ("'", '"') else ""
    return mark, bare[len(mark) : len(bare) - len(mark)] if mark else bare


def _looks_random(text: str) -> bool:
    """Without quotes it may be another variable's name: only what no identifier would be counts.

    >>> _looks_random("settings.api_key"), _looks_random("9f86d081884c7d65")
    (False, True)
    """
    if len(text) < 8 or re.fullmatch(r"[A-Za-z_.]+", text):
        return False
    entropy = -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
    return entropy >= 2.5 and re.search(r"\d", text) is not None
