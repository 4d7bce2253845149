"""Backup, restore and retention on the command line; posts from NATS as a process that is told to stop."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from shouwang import database, ledger
from shouwang.errors import InputError
from shouwang.triage import retention
from shouwang.triage.retention import Kept
from shouwang.triage.tables import posts
from tests.triage.test_commands import Shell, post
from tests.triage.test_stream import publish, server

__all__ = ["server"]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    filled = Shell(tmp_path)
    assert filled("ingest", filled.write("a.jsonl", post("1", "3 雨"), post("2", "7 夜"))).exit_code == 0
    return filled


def test_a_backup_is_made_and_restored_with_the_secret_if_asked(shell: Shell, tmp_path: Path) -> None:
    saved = tmp_path / "watch.backup"
    assert "2 posts" in shell("watch", "backup", str(saved), "--with-secret").stdout
    (tmp_path / "new").mkdir()
    elsewhere = Shell(tmp_path / "new")
    done = elsewhere("watch", "restore", str(saved))
    assert done.exit_code == 0 and "Restored and verified" in done.stdout and "no secret" not in done.stdout
    assert (tmp_path / "new" / "watch.secret").read_text() == (tmp_path / "watch.secret").read_text()
    again = elsewhere("ingest", shell.write("a.jsonl", post("1", "3 雨")))
    assert "1 were there already" in again.stderr
    assert elsewhere("watch", "verify").exit_code == 0
    with pytest.raises(InputError, match="holds tables"):
        elsewhere("watch", "restore", str(saved))


def test_a_backup_without_the_secret_says_where_it_belongs(shell: Shell, tmp_path: Path) -> None:
    shell("watch", "backup", str(tmp_path / "watch.backup"))
    (tmp_path / "new").mkdir()
    done = Shell(tmp_path / "new")("watch", "restore", str(tmp_path / "watch.backup"))
    assert str(tmp_path / "new" / "watch.secret") in done.stdout


def test_retention_is_shown_and_changed(shell: Shell) -> None:
    assert "90 days" in shell("watch", "retention").stdout
    told = shell("watch", "retention", "--posts", "7", "--cases", "forever", "--no-identifiers").stdout
    assert "7 days" in told and "for good" in told and "replaced" in told
    with database.engine(shell.file).connect() as connection:
        assert retention.current(connection) == Kept(7.0, None, False)
        assert ledger.recorded(connection)[0].what == "set-retention"
    with pytest.raises(InputError, match="--posts soon"):
        shell("watch", "retention", "--posts", "soon")


def test_posts_come_from_nats_until_the_process_is_told_to_stop(server: str, tmp_path: Path) -> None:
    stream = f"s{time.time_ns()}"
    publish(server, stream, [post("1", "3 雨") | {"source": "weibo"}, b"nothing"])
    words = ["watch", "from-nats", server, "--stream", stream, "--database", str(tmp_path / "watch.sqlite")]
    command = [sys.executable, "-m", "shouwang", *words, "--refused", str(tmp_path / "refused.jsonl")]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ | {"LANG": "C"})
    for _ in range(600):
        if (tmp_path / "refused.jsonl").exists():
            break
        time.sleep(0.1)
    running.send_signal(signal.SIGTERM)
    told = running.communicate(timeout=60)[1].decode()
    assert running.returncode == 0 and "1 posts taken" in told and "雨" not in told
    assert stat.S_IMODE((tmp_path / "refused.jsonl").stat().st_mode) == 0o600
    with database.engine(tmp_path / "watch.sqlite").connect() as connection:
        assert connection.execute(select(posts.c.external_id)).scalars().all() == ["1"]
