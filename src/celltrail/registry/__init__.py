"""``ct.registry``: the models of a trail, their versions, the names that stand for one of them, and where they work.

>>> import celltrail as ct
>>> with ct.start("train") as run:
...     made = run.log_model({"w": np.ones((2, 3), "float32")}, "toy")
>>> ct.registry["toy@v1"].promote("champion", reason="the first one")
<toy@v1 · champion · safetensors · 6 parameters · run train>
>>> ct.registry["toy@champion"].load()["w"].shape
(2, 3)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from celltrail.errors import NoRun
from celltrail.query.opening import open_store
from celltrail.registry.version import Version
from celltrail.store.registry import ModelDocuments

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.store import Store

__all__ = ["Registry", "Version", "registry"]


class Registry:
    """The models of a trail: ``registry["churn@champion"]``, ``["churn@v3"]``, ``["churn"]`` for the newest.

    Args:
        store: another trail; that of the working folder unless given.

    >>> import celltrail as ct
    >>> with ct.start("demo") as run:
    ...     _ = run.log_model({"w": np.zeros(3, "float32")}, "toy")
    >>> sorted(ct.registry["toy@v1"].promote("champion", reason="the only one").aliases)
    ['champion']
    """

    def __init__(self, store: Store | None = None) -> None:
        self._store = store

    def of(self, store: Store) -> Registry:
        """The models of another trail."""
        return Registry(store)

    @property
    def store(self) -> Store:
        """The trail."""
        return open_store(self._store)

    def __getitem__(self, ref: str) -> Version:
        """The version that is meant; `NoRun` where there is none, with the nearest name."""
        documents = self._documents
        name, number = documents.find(ref)
        return Version(documents.version(name, number) | {"version": number}, self.store)

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents.names())

    def __len__(self) -> int:
        return len(self._documents.names())

    def __contains__(self, ref: object) -> bool:
        try:
            self._documents.find(str(ref))
        except NoRun:
            return False
        return True

    def df(self) -> pd.DataFrame:
        """A row for each version, newest first: ``model version aliases format parameters size run digest``."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for name in self:
            for version in reversed(self[name].versions):
                told = {"model": name, "version": version.version, "aliases": ", ".join(version.aliases)}
                told |= {"format": version.format, "parameters": version.layers.parameters, "size": version.size}
                rows.append(told | {"run": version.run_name, "digest": version.digest})
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        found = [repr(self[name]) for name in self]
        return "\n".join(found) or "no models yet; run.log_model(model, name) keeps one"

    @property
    def _documents(self) -> ModelDocuments:
        return ModelDocuments(self.store.root)


registry = Registry()
