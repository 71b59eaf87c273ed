"""Whether a resource is at the version that a client names."""

from __future__ import annotations

from novasphere_server import errors

ANY = "*"


def matches(wanted: str, revision: int) -> bool:
    """Returns whether `wanted` names `revision`.

    Takes what clients hold: quoted or bare, weak or strong, one or a list as in If-Match, with or
    without the part that counts live fields. Empty means that the client does not care; "*" holds for
    whatever exists.
    """
    if not wanted.strip():
        return True
    for part in wanted.split(","):
        tag = part.strip().removeprefix("W/").strip('"')
        if tag == ANY or tag.partition(".")[0] == str(revision):
            return True
    return False


def check(wanted: str, revision: int) -> None:
    """Raises EtagMismatch unless `wanted` names `revision`."""
    if not matches(wanted, revision):
        raise errors.EtagMismatch(wanted, str(revision))
