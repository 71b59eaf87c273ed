"""A PostgreSQL server of the tests' own, on a free port, with a fresh database for whoever asks."""

from __future__ import annotations

import functools
import getpass
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
from guards import Guard
from ports import reserve_port

MISSING = "no PostgreSQL server here: on Debian, apt-get install postgresql"


def programs() -> Path | None:
    """Returns the folder of initdb and postgres, None if there is none."""
    # Debian keeps them out of PATH, a folder a version.
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda f: int(f.parent.name))
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    return folders[-1] if folders else None


class PostgresServer:
    """A server without fsync: it outlives what the tests kill, but not the tests."""

    def __init__(self, programs: Path, *, fsync: bool = False) -> None:
        self.programs = programs
        self._numbers = itertools.count(1)
        # Not below pytest's folder: the server's user must reach it.
        self.folder = Path(tempfile.mkdtemp(prefix="novasphere-pg-"))
        # PostgreSQL refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else getpass.getuser()
        if os.geteuid() == 0:
            owner = pwd.getpwnam(self._user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._data = self.folder / "data"
        stop = (programs / "pg_ctl", "-D", self._data, "-m", "immediate", "-w", "-t", "120", "stop")
        self._guard = Guard(stop, user=self._user if os.geteuid() == 0 else "", folder=self.folder)
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
        self._options = f"-c fsync={'on' if fsync else 'off'} -c max_connections=200"
        self.port = reserve_port()
        self.start()
        [row] = self.execute("SHOW data_directory")
        assert row == (str(self._data),), "another server answers on this port"

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 "
            f"-c unix_socket_directories={self.folder} {self._options}"
        )
        log = self.folder / "log"
        self._run("pg_ctl", "-D", self._data, "-l", log, "-o", options, "-w", "-t", "120", "start")

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self._data, "-m", how, "-w", "-t", "120", "stop")

    def remove(self) -> None:
        assert self._guard.act() == 0, "the server did not stop"

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @functools.cached_property
    def _migrated(self) -> str:
        """The name of a database with every table and nothing in them."""
        # Slow to import, and not every test wants a database.
        import sqlalchemy as sa
        from novasphere_server.store import migrations

        url = self.empty_database()
        engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            migrations.upgrade(connection)
        engine.dispose()
        return url.rpartition("/")[2]

    def new_database(self) -> str:
        """Creates a database with every table and nothing in them, as the first start of a server would in
        more time, and returns its URL.
        """
        return self._new_database(self._migrated)

    def empty_database(self) -> str:
        """Creates a database without any table and returns its URL."""
        return self._new_database("template0")

    def _new_database(self, template: str) -> str:
        name = f"novasphere_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Runs one statement as the superuser and returns its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def throw_out(self, database: str) -> None:
        """Ends every session of a database."""
        sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
        self.execute(f"{sessions} '{database}'")

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [self.programs / program, *map(str, arguments)],
            user=self._user if os.geteuid() == 0 else None,
            cwd="/",
            check=True,
            timeout=150,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
