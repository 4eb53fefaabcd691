"""Values that can be parameters: literals in code, scalars in memory, fields of configuration objects."""

from __future__ import annotations

import ast
import dataclasses
import operator
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from celltrail.capture.values.fingerprint import kinds
from celltrail.model import Json

_ENDS = frozenset("?!.;")  # of sentences
_LONGEST = 200  # characters of a text
_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}


def is_scalar(value: object) -> bool:
    """Whether a value is a parameter by itself: a number, a truth value, None or a short text."""
    if type(value) is str:
        return len(value) <= _LONGEST
    return value is None or type(value) in (bool, int, float)


def literal(node: ast.expr) -> tuple[bool, Json]:
    """Whether an expression is a literal or arithmetic of literal numbers, and its value.

    >>> [literal(ast.parse(code, mode="eval").body) for code in ("2**7", "[64, 'a']", "-x")]
    [(True, 128), (True, [64, 'a']), (False, None)]
    """
    if isinstance(node, ast.Constant):
        return (True, node.value) if is_scalar(node.value) else (False, None)
    if isinstance(node, ast.List | ast.Tuple) and len(node.elts) <= 100:
        parts = [literal(inner) for inner in node.elts]
        return (True, [value for _, value in parts]) if all(known for known, _ in parts) else (False, None)
    return _arithmetic(node)


def _arithmetic(node: ast.expr) -> tuple[bool, Json]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _number(node.operand)
        return (True, -value if isinstance(node.op, ast.USub) else value) if value is not None else (False, None)
    if isinstance(node, ast.BinOp) and (operate := _OPERATORS.get(type(node.op))):
        left, right = _number(node.left), _number(node.right)
        # 9**9**9 must not be tried: the cell itself may never get that far
        if left is None or right is None or (isinstance(node.op, ast.Pow | ast.LShift) and abs(right) > 64):
            return False, None
        try:
            value = operate(left, right)
        except (ArithmeticError, TypeError, ValueError):
            return False, None
        return (True, value) if is_scalar(value) and abs(value) < 2**63 else (False, None)
    return False, None


def _number(node: ast.expr) -> Any:
    known, value = literal(node)
    return value if known and type(value) in (int, float) else None


def is_key(key: str) -> bool:
    """Whether a key can be part of a parameter's name."""
    return 0 < len(key) <= 64 and key.isprintable() and key == key.strip() and not key.startswith("$")


def is_word(key: str) -> bool:
    """Whether a key reads as a name; questions and sentences are the keys of data.

    >>> is_word("learning rate"), is_word("net/lr"), is_word("Who wrote Faust?"), is_word("the capital of Japan")
    (True, True, False, False)
    """
    return len(key.split()) <= 3 and key[-1:] not in _ENDS


def fields(value: object) -> Iterator[tuple[str, Json]]:
    """The scalar fields of a configuration object, nested ones dotted; nothing for any other object.

    >>> list(fields({"lr": 0.1, "net": {"layers": [64, 10]}}))
    [('lr', 0.1), ('net.layers', [64, 10])]
    """
    found = _mapping(value)
    if found is not None and len(found) <= 100:
        flat = list(_flat(found, 3))
        # a dict of results or data is no configuration; one entry that is none of a parameter's kinds tells
        if not isinstance(value, dict) or all(is_word(key) and _is_plain(inner, 3) for key, inner in found.items()):
            yield from flat


def _mapping(value: Any) -> Mapping[str, Any] | None:
    kind: Any = type(value)  # and no isinstance, which would ask the value for its class
    if issubclass(kind, dict):
        return value if value and all(type(key) is str for key in value) else None
    if issubclass(kind, SimpleNamespace) or (kinds.qualname(kind), kinds.module(kind)) == ("Namespace", "argparse"):
        return vars(value)
    if dataclasses.is_dataclass(kind):
        return {field.name: getattr(value, field.name, ...) for field in dataclasses.fields(kind)}
    if hasattr(kind, "__attrs_attrs__"):
        return {field.name: getattr(value, field.name, ...) for field in kind.__attrs_attrs__}
    if isinstance(getattr(kind, "model_fields", None), dict) and hasattr(kind, "model_dump"):
        return {name: getattr(value, name, ...) for name in kind.model_fields}
    if kinds.module(kind).startswith("omegaconf.") and hasattr(value, "items"):
        return {str(key): inner for key, inner in value.items()}
    return None


def _flat(found: Mapping[str, Any], depth: int) -> Iterator[tuple[str, Json]]:
    for key, value in found.items():
        if not is_key(key):
            continue
        if is_scalar(value):
            yield key, value
        elif issubclass(type(value), list | tuple) and 0 < len(value) <= 16 and all(map(is_scalar, value)):
            yield key, list(value)
        elif depth > 1 and (inner := _mapping(value)) is not None:
            for name, leaf in _flat(inner, depth - 1):
                yield f"{key}.{name}", leaf


def _is_plain(value: Any, depth: int) -> bool:
    if issubclass(type(value), list | tuple):
        return len(value) <= 16 and all(map(is_scalar, value))
    if issubclass(type(value), dict):
        return depth > 0 and all(_is_plain(inner, depth - 1) for inner in value.values())
    return is_scalar(value)
