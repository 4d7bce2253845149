"""A PostgreSQL that a test run starts for itself, and a fixture that gives each test a database of either kind."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def programs() -> Path:
    """The folder of initdb and postgres; skips the test where there is none."""
    installed = max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), default=shutil.which("initdb"))
    if installed is None:
        pytest.skip("no PostgreSQL on this machine: apt-get install postgresql")
    return Path(installed).resolve().parent


def _as_owner() -> dict[str, str]:
    """initdb refuses to run as root; then it runs as the user `postgres` that Debian's package makes."""
    return {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}


class Server:
    """A PostgreSQL on a free port of this machine, whose data lie in a folder of its own.

    Without `fsync` what is committed survives its own death, not the machine's: enough for tests, not for timings.
    """

    def __init__(self, fsync: bool = False) -> None:
        self.bin, self.fsync = programs(), "on" if fsync else "off"
        self.folder = Path(tempfile.mkdtemp(prefix="shouwang-pg-"))
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.port = free_port()
        initdb = [self.bin / "initdb", "-D", self.folder / "data", "-U", "shouwang", "-A", "trust", "-E", "UTF8", "-N"]
        self._run(*map(str, initdb), "--locale=C")
        self.start()

    def start(self) -> None:
        listen = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        listen += f" -c fsync={self.fsync}"
        self._ctl("start", "-o", listen, "-l", str(self.folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        self._ctl("stop", "-m", mode)

    def close(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def new(self, name: str, template: str = "template1") -> str:
        """The URL of a new database, empty or a copy of another one."""
        self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return f"postgresql+psycopg://shouwang@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def lent(self, template: str = "template1") -> Iterator[str]:
        """The URL of such a database, which is dropped afterwards."""
        name = f"t{time.time_ns()}"
        yield self.new(name, template)
        self._administer(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _administer(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(f"host=127.0.0.1 port={self.port} user=shouwang dbname=postgres", autocommit=True) as at:
            at.execute(statement.encode())

    def _ctl(self, verb: str, *options: str) -> None:
        self._run(str(self.bin / "pg_ctl"), verb, "-D", str(self.folder / "data"), "-w", "-t", "60", *options)

    def _run(self, *command: str) -> None:
        # the server that pg_ctl leaves behind must not hold a pipe open
        with (self.folder / "out").open("w+b") as out:
            done = subprocess.run(command, stdout=out, stderr=out, cwd="/", timeout=120, check=False, **_as_owner())  # type: ignore[call-overload]
            out.seek(0)
            if done.returncode:
                raise RuntimeError(out.read().decode())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(fsync: bool = False) -> Iterator[Server]:
    server = Server(fsync)
    try:
        yield server
    finally:
        server.close()
