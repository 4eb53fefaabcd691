"""Prints src/celltrail/contract as TypeScript: ``python js/print_contract.py > js/src/contract.ts``."""

from __future__ import annotations

import inspect
import types
import typing
from typing import Any, Literal, Union, get_args, get_origin

from celltrail import contract

SCALARS = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def typescript(hint: Any, names: dict[int, str]) -> str:
    """One Python type as TypeScript; raises TypeError on a type the contract may not use."""
    if id(hint) in names:
        return names[id(hint)]
    if hint in SCALARS:
        return SCALARS[hint]
    if typing.is_typeddict(hint):
        return hint.__name__
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in args)
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(typescript(arg, names) for arg in args))
    if origin is list:
        inner = typescript(args[0], names)
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if origin is dict and args[0] is str:
        return f"Record<string, {typescript(args[1], names)}>"
    raise TypeError(f"the contract uses {hint!r}, which has no TypeScript form; see its docstring for what it may use")


def alias(name: str, hint: Any) -> str:
    """A named union or literal."""
    return f"export type {name} = {typescript(hint, {})};"


def interface(shape: Any) -> str:
    """A TypedDict, with its docstring."""
    hints = typing.get_type_hints(shape)
    fields = "\n".join(f"  {name}: {typescript(hint, ALIASES)};" for name, hint in hints.items())
    return f"/** {inspect.getdoc(shape)} */\nexport interface {shape.__name__} {{\n{fields}\n}}"


def public(kind: Any) -> list[tuple[str, Any]]:
    """The names the contract has that satisfy a predicate, in order."""
    return [(name, value) for name, value in vars(contract).items() if not name.startswith("_") and kind(value)]


def is_union(value: Any) -> bool:
    """Whether this is one of the contract's aliases."""
    return get_origin(value) in (Literal, Union, types.UnionType)


# an alias is recognised by identity: get_type_hints hands back the very object the annotation named
ALIASES = {id(value): name for name, value in public(is_union)}


def printed() -> str:
    """The whole of contract.ts."""
    constants = [f"export const {n} = {v!r};".replace("'", '"') for n, v in public(lambda v: isinstance(v, (int, str)))]
    aliases = [alias(name, value) for name, value in public(is_union)]
    shapes = [interface(value) for _, value in public(typing.is_typeddict)]
    head = "// Printed from src/celltrail/contract by `make print`; never edited."
    return "\n".join([head, *constants, "", *aliases, "", "\n\n".join(shapes), ""])


if __name__ == "__main__":
    print(printed(), end="")  # noqa: T201
