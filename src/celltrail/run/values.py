"""What may be logged: names, numbers and steps, checked with sentences that name the key."""

from __future__ import annotations

import numbers
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from celltrail.errors import BadValue

# Types whose every value is a float by float(), and of these the ones of whole numbers, which a float may
# not hold exactly. Others join once one of their values was converted, so that the second np.float32 costs
# what a float costs.
REAL: set[type] = {float, bool}
WHOLE: set[type] = {int}
EXACT = 2**53  # up to here every whole number is a float

MAX_NAME = 256

# by library, what keeps the things that are no numbers and are often given for one
_VERBS = {
    "matplotlib": "log_figure",
    "plotly": "log_figure",
    "altair": "log_figure",
    "PIL": "log_image",
    "pandas": "log_table",
    "polars": "log_table",
}


def check_name(name: Any, what: str = "metric") -> str:
    """The name, normalised to NFC; raises BadValue on what no name of this kind may be.

    >>> check_name("train/loss")
    'train/loss'
    """
    if not isinstance(name, str):
        such = "train/loss" if what == "metric" else "baseline" if what == "run" else "lr"
        raise BadValue(f"{what} name {name!r} is {kind_of(name)}; a name is text, such as {such!r}")
    clean = unicodedata.normalize("NFC", name)
    if not clean or len(clean) > MAX_NAME:
        shown = f"'{clean[:40]}...' has {len(clean)} characters" if clean else "'' is empty"
        raise BadValue(f"{what} name {shown}; a name has 1 to {MAX_NAME} characters")
    if clean != clean.strip() or clean.startswith("$") or any(unicodedata.category(c) == "Cc" for c in clean):
        raise BadValue(
            f"{what} name {clean!r} begins or ends with a space, begins with '$' or holds a control character; "
            "spaces, slashes, dots and any script are fine inside"
        )
    return clean


def check_step(step: Any) -> int:
    """The step as an int; raises BadValue on a fraction or something that is no number."""
    try:
        whole = int(step)
        if whole == step and -(2**63) <= whole < 2**63:
            return whole
    except (TypeError, ValueError, OverflowError):
        pass
    raise BadValue(
        f"step {step!r} is not a whole number within 64 bits; steps may repeat, go back or be left out, and a "
        "fraction belongs in a series of its own: run.log({...}, epoch=0.5)"
    )


def check_price(name: str, price: Any) -> float:
    """The price as a float; raises BadValue on what is no number from 0."""
    number = to_float(name, price)
    if not 0 <= number < float("inf"):
        raise BadValue(f"{name}={price!r} is no price; it is a number from 0, and left out where it is not known")
    return number


def check_title(title: Any) -> str:
    """The title of an alert; raises BadValue on what is no line of text."""
    clean = check_text("title", title).strip()
    if not clean or len(clean) > MAX_NAME or "\n" in clean:
        shown = f"{clean[:40]}... of {len(clean)} characters" if len(clean) > 40 else clean
        raise BadValue(f"title {shown!r} is not one line of 1 to {MAX_NAME} characters; text takes the rest")
    return clean


def check_text(what: str, text: Any) -> str:
    """The text; raises BadValue on anything else."""
    if not isinstance(text, str):
        raise BadValue(f"{what} was given {kind_of(text)}; it is text, so str() or an f-string makes it")
    return text


class Read(NamedTuple):
    """One log call as it can be kept.

    >>> Read.of({"loss": 0.5, "lr": None, "seen": 2**53 + 1})
    Read(names=('loss', 'seen'), floats=[0.5, 9007199254740992.0], exact={'seen': 9007199254740993}, wrong=[])
    """

    names: tuple[str, ...]
    floats: list[float]
    exact: dict[str, int]  # whole numbers that their float does not equal
    wrong: list[str]  # what is wrong with the rest of it

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Read:
        """Names and floats of these values.

        None is "no value at this step" and left out. A value that is no number does not lose the others.
        """
        found: dict[str, float] = {}
        exact: dict[str, int] = {}
        wrong: list[str] = []
        for name, value in values.items():
            try:
                clean = check_name(name)
                if value is None:
                    continue
                number = to_float(name, value)
                if clean in found:
                    raise BadValue(f"{clean!r} was given twice, its letters written in two ways; the first is kept")
                found[clean] = number
                if abs(number) >= EXACT and isinstance(value, numbers.Integral) and int(value) != number:
                    exact[clean] = int(value)
            except BadValue as error:
                wrong.append(str(error))
        return cls(tuple(found), list(found.values()), exact, wrong)

    def complain(self) -> None:
        """Raise what is wrong, once the rest is kept."""
        if self.wrong:
            raise BadValue("; ".join(self.wrong))


def are_plain(values: Collection[Any]) -> bool:
    """Whether these are floats by float() and lose nothing by it."""
    return all(type(value) in REAL or (type(value) in WHOLE and -EXACT <= value <= EXACT) for value in values)


def not_by_name(values: Any) -> str:
    """What to say of something that was logged without names."""
    name = values if isinstance(values, str) else "train/loss"
    return f"log was given {kind_of(values)}; it takes name -> number: run.log({{{name!r}: 0.3}})"


def to_float(name: Any, value: Any) -> float:
    """The number as a float; raises BadValue, which names the key, on what is none."""
    if not isinstance(value, (str, bytes, bytearray, complex)):
        try:
            # .item() first: float() of a one-element array is deprecated, and .item() of a larger one refuses
            number = float(value.item() if hasattr(value, "shape") and hasattr(value, "item") else value)
        except (TypeError, ValueError, OverflowError, RuntimeError, ArithmeticError):
            pass
        else:
            if not hasattr(value, "__len__"):  # an array that held one number may hold three next time
                (WHOLE if isinstance(value, numbers.Integral) else REAL).add(type(value))
            return number
    raise BadValue(
        f"{name!r} was given {kind_of(value)}, which is not a number; allowed are int, float, bool, None and "
        f"one-element arrays or tensors{_instead(name, value)}"
    )


def _instead(name: Any, value: Any) -> str:
    """What the caller may have meant, as the end of a sentence."""
    if getattr(value, "shape", None) is not None and not hasattr(value, "columns"):
        return f" (take .mean() or .item() of larger ones, or keep all of it: run.log_histogram({name!r}, ...))"
    library = type(value).__module__.split(".")[0]
    if isinstance(value, Mapping):
        return f" (give its entries names of their own: run.log({{'{name}/{next(iter(value), 'a')}': ...}}))"
    if isinstance(value, list | tuple):
        return f" (log one a call, or keep all of it: run.log_histogram({name!r}, ...))"
    verb = "log_text" if isinstance(value, str) else _VERBS.get(library)
    return f"; run.{verb}({name!r}, ...) keeps this one" if verb else ""


def kind_of(value: Any) -> str:
    """What was given, in words for a sentence."""
    shape = getattr(value, "shape", None)
    text = f" of shape {tuple(shape)}" if shape is not None else f" {value!r}"
    name = type(value).__name__
    article = "an" if name[0] in "aeioAEIO" or name == "ndarray" else "a"
    return f"{article} {name}{text if len(text) <= 60 else text[:57] + '...'}"
