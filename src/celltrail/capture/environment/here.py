"""The machine and the environment this process runs in, for comparing with those of a run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from celltrail.capture import environment
from celltrail.capture.already.match import Machine
from celltrail.errors import StoreError
from celltrail.store.blobs import Blobs
from celltrail.store.files.encoding import decode


def machine(blobs: Blobs) -> Machine:
    """This machine as it is now; the blobs hold the listings of packages of earlier runs."""
    return Machine(partial(environment.software, digest_of), environment.hardware, partial(_packages, blobs))


def digest_of(data: bytes | str) -> str:
    """The digest a blob would have, without keeping it."""
    from blake3 import blake3

    return blake3(data.encode() if isinstance(data, str) else data).hexdigest()


def _packages(blobs: Blobs, digest: str) -> Mapping[str, str]:
    here = environment.installed()
    if digest == digest_of(here.listing):
        return here.versions
    try:
        return decode(blobs.get(digest), "packages")
    except StoreError:
        return {}
