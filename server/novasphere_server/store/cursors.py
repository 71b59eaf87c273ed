"""Cursors: where a watch stands, as text that clients keep."""

from __future__ import annotations

import re

from novasphere_server import errors

_CURSOR = re.compile(r"(?P<epoch>[a-z0-9]{1,64})\.(?P<revision>0|[1-9][0-9]{0,17})", re.ASCII)


def spell(epoch: str, revision: int) -> str:
    """Returns the cursor behind the mutation of that revision."""
    return f"{epoch}.{revision}"


def is_ahead(cursor: str, *, epoch: str, last: int) -> bool:
    """Returns whether a cursor of this history stands behind the last revision."""
    found = _CURSOR.fullmatch(cursor)
    return found is not None and found["epoch"] == epoch and int(found["revision"]) > last


def revision_of(cursor: str, *, epoch: str, floor: int, last: int) -> int:
    """Returns the revision that a cursor stands behind.

    Raises when the text is no cursor, is of another history, or lies before the kept log.
    """
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise errors.CursorInvalid(cursor)
    revision = int(found["revision"])
    # A cursor from the future can only come from a history that this one parted from.
    if found["epoch"] != epoch or revision > last:
        raise errors.EpochChanged
    if revision < floor:
        raise errors.CursorExpired(spell(epoch, floor))
    return revision
