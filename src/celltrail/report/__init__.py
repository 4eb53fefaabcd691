"""`report`: what is known of a run as a document that others ask for: a model card, an audit, a technical file.

Nothing in it is invented. Each field is evidence, with where in the run it stands; or a note, in its author's words;
or MISSING, with how to supply it.
"""

from __future__ import annotations

from celltrail.errors import BadValue, nearest
from celltrail.query import StoredRun, find
from celltrail.report.document import Document
from celltrail.report.index import model_index
from celltrail.report.kinds import KINDS
from celltrail.store import Store


def report(run: str | StoredRun, kind: str = "model-card", *, store: Store | None = None) -> Document:
    """What is known of a run as a document for others: a model card, an audit, a technical file.

    Args:
        run: its name, its id, or the run.
        kind: ``model-card``, ``audit`` (who did what, and what shows that nothing was altered since), ``annex-iv`` (a
            draft of the technical documentation of Annex IV of Regulation (EU) 2024/1689), or ``nist-rmf`` (by the
            four functions of NIST's AI Risk Management Framework).
        store: another trail; that of the working folder unless given.

    Returns:
        A document with ``.markdown``, ``.html``, ``.json``, ``.missing`` and ``.write(path)``. Each field is evidence
        with its source, a note somebody wrote, or MISSING with how to supply it.

    Raises:
        BadValue: there is no such kind.
        NoRun: there is no such run.

    >>> import celltrail as ct
    >>> with ct.start("carded", params={"lr": 0.1}) as run:
    ...     run.note("Intended use: an example")
    >>> card = ct.report("carded")
    >>> card["Intended use"].state, card["Licence"].state
    ('note', 'MISSING')
    """
    fill = KINDS.get(kind)
    if fill is None:
        raise BadValue(f"there is no report {kind!r}{nearest(str(kind), KINDS) or ';'} there are {', '.join(KINDS)}")
    found = run if isinstance(run, StoredRun) else find(run, store)
    index = model_index(found) if kind == "model-card" else {}
    return Document(kind, found.name, found.id, tuple(fill(found)), index)
