"""Which calls change what they are given, by what is known of a notebook's names at that time.

``np.mean(x)`` changes nothing and ``scale(x)`` may: that is known from what was imported, from the functions of
earlier cells and from the verbs the field uses. An unknown call may change its arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from celltrail.capture.analyze.effects import Change, Effects, Share
from celltrail.capture.analyze.origins import BUILTIN

_DEPTH = 8  # functions that call functions

# methods that leave their object as it was, and what they are given
_PURE = frozenset(
    "abs agg aggregate all any apply argmax argmin argsort assign astype clip copy corr count cov cumsum describe"  # noqa: SIM905
    " detach diff dot double drop drop_duplicates dropna dtype endswith eq expand explode ffill fillna find flatten"
    " float format get get_params groupby half head head hist index infer_objects isin isna isnull item items"
    " iterrows itertuples join keys kurt loc long lower lstrip map max mean median melt merge min mode named_parameters"
    " nonzero norm notna notnull numel numpy nunique parameters permute pipe pivot pivot_table plot pow predict"
    " predict_log_proba predict_proba prod quantile query rank ravel rename repeat replace resample reset_index reshape"
    " rfind rolling round rstrip sample score select select_dtypes set_index shape shift size skew sort_index"
    " sort_values split squeeze stack startswith state_dict std strip sum swapaxes tail take to to_csv to_dict to_json"
    " to_list to_numpy to_parquet to_pickle tobytes tolist trace transform transpose unique unsqueeze unstack upper"
    " value_counts values var view where with_columns zfill cpu cuda decision_function score_samples title unbind chunk"
    " bar barh scatter show info memory_usage nlargest nsmallest pct_change cumprod cummax cummin between dt str cat"
    " encode decode encode_batch collect lazy filter group_by alias cast is_null len height width estimate"
    " kneighbors intersection union difference issubset issuperset most_common total bit_length isoformat strftime"
    " timestamp exists is_file is_dir read_text read_bytes iterdir glob rglob resolve relative_to with_suffix".split()
)
# methods that surely change their object
_CHANGING = frozenset(
    "add add_ append backward clear discard extend fill fit fit_transform fine_tune insert intersection_update"  # noqa: SIM905
    " load_state_dict mul_ partial_fit pop popitem popleft put remove resize reverse set_params setdefault setflags"
    " shuffle sort sort_ step train_model train_on_batch update zero_ zero_grad copy_ apply_ itemset learn warm_start"
    " rotate subtract appendleft extendleft symmetric_difference_update difference_update compile".split()
)
# methods that take something in without changing it
_KEEPING = frozenset(
    "fit fit_transform fit_predict partial_fit score append extend add insert setdefault put write plot step update"  # noqa: SIM905
    " load_state_dict log info debug warning error add_scalar add_image join merge concat savefig set_params".split()
)
_PACKAGES = frozenset(
    "numpy pandas scipy matplotlib seaborn sklearn math cmath json statistics itertools functools os pathlib re"  # noqa: SIM905
    " datetime time collections copy polars plotly altair pprint PIL torch torchvision random heapq bisect operator"
    " string csv gzip pickle io sys glob shutil hashlib textwrap tqdm IPython ipywidgets pyarrow joblib warnings typing"
    " decimal fractions statsmodels jax xgboost lightgbm celltrail dataclasses contextlib asyncio logging".split()
)
# functions of those packages that change their first argument all the same
_INTO = frozenset(
    "shuffle copyto fill_diagonal put place putmask put_along_axis at heappush heappop heapify heapreplace"  # noqa: SIM905
    " heappushpop insort insort_left insort_right clip_grad_norm_ clip_grad_value_ setattr update_wrapper".split()
)
# functions that set something in their module
_SETTING = frozenset(
    "seed use chdir update basicConfig append insert extend seterr rc rcdefaults putenv unsetenv umask simplefilter"  # noqa: SIM905
    " reload no_grad setLevel".split()
)
_SETTING_HEADS = ("set_", "manual_seed", "register", "enable", "disable", "setdefault", "filterw", "reset_", "seed_")
# functions of those packages whose result is a view of what they are given
_SHARING = frozenset("asarray asanyarray atleast_1d atleast_2d atleast_3d from_numpy as_tensor broadcast_to".split())  # noqa: SIM905


class Sure(IntEnum):
    """How surely an object was changed."""

    MAY = 1  # by a call nobody knows
    STORED = 2  # the code says so
    PROVED = 3  # its fingerprint is another one


@dataclass(slots=True)
class Known:
    """What the notebook's names are, as far as the code run so far tells."""

    imports: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Effects] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    up: dict[str, set[str]] = field(default_factory=dict)  # name -> names whose object it may hold or be a part of

    def learn(self, effects: Effects, writes: set[str], immutable: set[str]) -> None:
        """After an execution that bound these names.

        Args:
            effects: of the execution.
            writes: the names it may have bound.
            immutable: names of values that share nothing.
        """
        fresh: dict[str, Effects] = dict(effects.functions)
        for share in effects.shares:  # an alias, a decorated or a partly applied function is a function too
            source = effects.functions.get(share.parent) or self.functions.get(share.parent)
            if source is not None and share.child in writes and share.child not in fresh:
                fresh[share.child] = source
        for name, call in effects.made.items():
            source = fresh.get(call) or self.functions.get(call)
            if source is not None and call.rsplit(".", 1)[-1][:1].isupper():
                fresh[name] = source
        for name in writes:
            for table in (self.imports, self.functions, self.made, self.up):
                table.pop(name, None)
        for parents in self.up.values():
            parents -= writes
        self.imports |= effects.imports
        self.made |= effects.made
        self.functions |= {name: each for name, each in fresh.items() if name in writes}
        for share in effects.shares:
            if not {share.child, share.parent} & immutable and self._is_shared(share):
                self.up.setdefault(share.child, set()).update({share.parent}, self.up.get(share.parent, ()))

    def _is_shared(self, share: Share) -> bool:
        if share.call in ("", "class"):
            return not share.call
        start, _, rest = share.call.partition(".")
        last = share.call.rsplit(".", 1)[-1]
        if start in BUILTIN or last in _SHARING:
            return last in _SHARING
        if last[:1].isupper():
            return True
        return not (self._is_calm(start, rest) or last in _PURE or last in _KEEPING)

    def _is_calm(self, start: str, rest: str) -> bool:
        """Whether a call's root was imported from a package that leaves arguments alone."""
        return self.imports.get(start, "").partition(".")[0] in _PACKAGES

    def related(self, name: str) -> set[str]:
        """The names that a change of this one may change too."""
        return self.up.get(name, set()) | {child for child, parents in self.up.items() if name in parents}

    def certainty(self, change: Change, functions: Mapping[str, Effects], depth: int = 0) -> Sure | None:
        """Whether a place in the code changes its object: surely, maybe, or not at all.

        Args:
            change: the place.
            functions: those of the cell itself, which come before the known ones.
            depth: of calls.
        """
        start, _, rest = change.call.partition(".")
        last = change.call.rsplit(".", 1)[-1]
        if change.how == "store":
            return Sure.STORED
        if change.how == "method":
            if change.name in self.imports:
                is_setting = last in _SETTING or last.startswith(_SETTING_HEADS)
                return Sure.STORED if is_setting and not last[:1].isupper() else None
            if last in _CHANGING or (last.endswith("_") and not last.startswith("_")):
                return Sure.STORED
            return None if last in _PURE or last[:1].isupper() else Sure.MAY
        if not change.call:
            return Sure.MAY
        if start in BUILTIN and start not in functions and start not in self.functions:
            return Sure.STORED if start == "next" else None
        if change.position == "out" or (last in _INTO and change.position == 0):
            return Sure.STORED
        function = functions.get(change.call) or self.functions.get(change.call)
        if function is not None and change.call not in self.made:
            return self._through(function, change, functions, depth)
        if last[:1].isupper() or self._is_calm(start, rest):
            return Sure.STORED if last.endswith("_") and change.position == 0 else None
        if change.call in self.made and self.made[change.call].rsplit(".", 1)[-1][:1].isupper():
            return None  # an object that is called: a loss, a model, a tokenizer
        return None if "." in change.call and (last in _PURE or last in _KEEPING) else Sure.MAY

    def _through(self, function: Effects, change: Change, functions: Mapping[str, Effects], depth: int) -> Sure | None:
        """Whether a function of the notebook changes what it is given at this place."""
        names = function.parameters
        if isinstance(change.position, int):
            inside = names[change.position] if change.position < len(names) else names[-1] if names else None
        else:
            inside = change.position if change.position in names else names[-1] if names else None
        if inside is None or depth > _DEPTH:
            return None
        found = (self.certainty(each, functions, depth + 1) for each in function.changes if each.name == inside)
        return surest(found)


def surest(found: Iterable[Sure | None]) -> Sure | None:
    """The strongest of some certainties.

    >>> surest([Sure.MAY, None, Sure.STORED]).name
    'STORED'
    """
    return max((each for each in found if each is not None), default=None)
