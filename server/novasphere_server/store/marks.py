"""How a database that was put back from a backup is told from the one that was last used.

The database carries a mark, and a file beside it names the mark that it must carry. Both change now and
then while there are changes; a copy made before that carries a mark which the file no longer names.
"""

from __future__ import annotations

from pathlib import Path

from novasphere_server import durable


class Marks:
    """The marks that the database may carry: one, or two while it changes. All raise OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self, mark: str) -> bool:
        """Returns whether the database may carry this mark."""
        return mark in self.named()

    def add(self, mark: str) -> None:
        """Names one more mark."""
        self._replace([*self.named(), mark])

    def settle(self, mark: str) -> None:
        """Names this mark and no other."""
        self._replace([mark])

    def named(self) -> list[str]:
        """Returns the marks, the newest last."""
        try:
            return self._path.read_text("ascii", "replace").split()
        except FileNotFoundError:
            return []

    def _replace(self, marks: list[str]) -> None:
        durable.replace(self._path, "".join(f"{mark}\n" for mark in marks))
