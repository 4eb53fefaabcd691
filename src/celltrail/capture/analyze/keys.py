"""Keys of what ran: two executions with one key ran the same code, or the same code over the same inputs.

A key is 128 bits as 32 hexadecimal digits, not the 64 of a blob: nothing is to be looked up under it.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping

import xxhash

from celltrail.capture.analyze import Kinds, Names

Input = tuple[str, str]  # fingerprint of a value, and what is to match beside it: "" or a key

_SAYS_NOTHING = frozenset(["ctx", "kind", "type_comment"])
# behind these the code does not say which names it reads
_VEILS = frozenset(["In", "Out", "__import__", "compile", "eval", "exec", "globals", "locals", "vars"])
_OF_SHELL = frozenset(["getoutput", "run_cell_magic", "run_line_magic", "system"])
_PLAIN_MAGICS = frozenset(["autoreload", "config", "load_ext", "matplotlib", "precision", "xmode"])


def code_key(tree: ast.AST, about: bytes = b"") -> str:
    """The key of code as Python understands it: comments, blank lines, positions and quotes do not matter.

    Docstrings do: data classes, command lines and language models read them.

    Args:
        tree: the parsed code.
        about: what belongs to it besides, such as the magic it stands under.

    >>> code_key(ast.parse("x = 'a'  # first")) == code_key(ast.parse('x = "a"'))
    True
    >>> code_key(ast.parse("x = 1")) == code_key(ast.parse("x = True"))
    False
    """
    parts: list[str] = []
    add = parts.append

    def walk(node: ast.AST) -> None:
        kind = type(node)
        if isinstance(node, ast.Name):  # half of all nodes
            parts.extend(("Name", "id", repr(node.id), ""))
            return
        add(kind.__name__)
        for name in _fields(kind):
            value = getattr(node, name, None)
            # what is empty is passed over: each version of Python has lists that the one before lacks
            if value is None or (type(value) is list and not value):
                continue
            add(name)
            if isinstance(value, ast.AST):
                walk(value)
            elif type(value) is list:
                for item in value:
                    walk(item) if isinstance(item, ast.AST) else add(repr(item))
            else:
                add(repr(value))
            add("")

    walk(tree)
    return _digest(about + "\n".join(parts).encode("utf-8", "surrogatepass"))


@functools.cache
def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    return tuple(name for name in kind._fields if name not in _SAYS_NOTHING)


def input_key(inputs: Mapping[str, Input]) -> str:
    """The key of all that was read, whatever the order.

    >>> input_key({"x": ("1f", ""), "f": ("a0", "")}) == input_key({"f": ("a0", ""), "x": ("1f", "")})
    True
    """
    lines = (f"{name}\0{value}\0{beside}" for name, (value, beside) in sorted(inputs.items()))
    return _digest("\n".join(lines).encode("utf-8", "surrogatepass"))


def recipe(code: str, inputs: str) -> str:
    """The key of an execution: that of its code over that of its inputs."""
    return _digest(f"{code}\n{inputs}".encode("utf-8", "surrogatepass"))


def is_open(names: Names, kinds: Kinds) -> bool:
    """Whether the code itself says which names it reads: not behind ``exec``, a star import or most line magics.

    >>> from celltrail.capture.analyze import analyze, by_kind
    >>> tree = ast.parse("exec('y = x')")
    >>> is_open(analyze(tree), by_kind(tree))
    False
    """
    if names.star or any(name.id in _VEILS for name in kinds[ast.Name]):
        return False
    shells = sum(name.id == "get_ipython" for name in kinds[ast.Name])
    for call in kinds[ast.Call]:
        called = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        shells -= called in _OF_SHELL
        if called == "run_line_magic":
            magic = call.args[0] if call.args else None
            if not (isinstance(magic, ast.Constant) and magic.value in _PLAIN_MAGICS):
                return False
    return shells <= 0  # anything else asked of the shell may be any variable


def _digest(data: bytes) -> str:
    return xxhash.xxh3_128_hexdigest(data)
