"""The watch on the command line."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from shouwang import database, ledger
from shouwang.cli import application, serve
from shouwang.errors import InputError
from shouwang.triage import acts, authors, keys
from shouwang.triage.intake import Pseudonyms
from shouwang.web.accounts import Accounts
from tests.triage.invented import worker


class Shell:
    """The commands on one watch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "watch.sqlite"

    def __call__(self, *words: str, typed: str | None = None) -> Result:
        words = (*words, "--database", str(self.file))
        return CliRunner().invoke(application(), words, input=typed, catch_exceptions=False)

    def write(self, name: str, *rows: object) -> str:
        path = self.folder / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return str(path)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def post(name: str, text: str) -> dict[str, str]:
    return {"id": name, "text": text, "author": "小明"}


def test_a_file_is_ingested_once_and_a_changed_post_is_named(shell: Shell) -> None:
    done = shell("ingest", shell.write("a.jsonl", post("1", "3 雨"), post("2", "7 夜")), "--source", "weibo")
    assert (done.exit_code, "Accepted 2 posts, 0 were there already." in done.stderr) == (0, True)
    done = shell("ingest", shell.write("a.jsonl", post("1", "9 改"), post("2", "7 夜"), {}), "--source", "weibo")
    assert done.exit_code == 1
    assert "1 have a known id and another text" in done.stderr and "1 records skipped" in done.stderr


def test_what_cannot_be_read_is_said_and_nothing_done(shell: Shell) -> None:
    done = shell("ingest", str(shell.folder / "missing.jsonl"))
    assert (done.exit_code, "no such file" in done.stderr) == (2, True)
    (shell.folder / "a.csv").write_text("一,二\n1,雨\n", encoding="utf-8")
    told = shell("ingest", table := str(shell.folder / "a.csv")).stderr
    assert f"{table}:2:notextcolumn" in "".join(told.split()) and told.count("a.csv") == 1
    with pytest.raises(InputError, match="one file"):
        shell("ingest", "a", "b", "--follow")


@pytest.mark.parametrize("where", ["notes.txt", "postgresql+psycopg://watch@127.0.0.1:1/watch"])
def test_a_database_that_cannot_be_opened_is_said_with_what_to_check(shell: Shell, where: str) -> None:
    shell.file = where if "://" in where else Path(shell.write(where, *["no database"] * 100))  # type: ignore[assignment]
    with pytest.raises(InputError, match=r"cannot be opened .*check --database"):
        shell("watch", "verify")


def test_the_audit_trail_is_verified_against_a_hash_noted_earlier(shell: Shell) -> None:
    shell("ingest", shell.write("a.jsonl", post("1", "3 雨")))
    told = json.loads(shell("watch", "verify", "--json").stdout)
    assert (told["events"], told["broken"]) == (1, None)
    assert shell("watch", "verify", "--head", told["head"]).exit_code == 0
    broken = shell("watch", "verify", "--head", "0" * 63 + "1")
    assert (broken.exit_code, "BROKEN" in broken.stdout) == (2, True)


def test_keys_are_added_listed_and_revoked(shell: Shell) -> None:
    key = shell("watch", "add-key", "crawler", "--scope", "posts:write").stdout.strip()
    engine = database.engine(shell.file)
    with engine.connect() as connection:
        found = keys.find(connection, key)
    assert found and found.scopes == {"posts:write"}
    assert "crawler" in shell("watch", "keys").stdout
    shell("watch", "revoke-key", "1")
    assert json.loads(shell("watch", "keys", "--json").stdout)[0]["revoked"] is True
    with pytest.raises(InputError, match="Did you mean 'posts:write'"):
        shell("watch", "add-key", "crawler", "--scope", "post:write")
    engine.dispose()


def test_a_person_is_added_who_must_change_the_password(shell: Shell) -> None:
    done = shell("watch", "add-user", "小林", "--role", "responder", "--password", "a long enough one")
    engine = database.engine(shell.file)
    user = Accounts(engine, "admin").named("小林")
    engine.dispose()
    assert done.exit_code == 0
    assert user and (user.roles, user.must_change) == (frozenset({"responder"}), True)


def test_a_role_or_name_that_will_not_do_is_said_before_a_password_is_asked_for(shell: Shell) -> None:
    add = ("watch", "add-user", "小林", "--role")
    with pytest.raises(InputError, match="Did you mean 'responder'"):
        shell(*add, "respnder")
    twice = "a long enough one\n" * 2
    done = shell(*add, "responder", typed=twice)
    assert (done.exit_code, "小林 may log in" in done.stdout, twice[:4] in done.stdout) == (0, True, False)
    for name, says in (("小林", "is taken"), ("长" * 65, "1 to 64 visible characters")):
        with pytest.raises(InputError, match=says):
            shell("watch", "add-user", name, "--role", "responder")


def test_ratings_are_exported_with_where_the_model_differs(shell: Shell) -> None:
    shell("ingest", shell.write("a.jsonl", post("1", "7 夜")), "--source", "weibo")
    engine = database.engine(shell.file)
    worker(engine).step()
    with database.writing(engine) as connection:
        acts.rate(connection, 1, "user:1", 2000.0, 5, False)
    done = shell("watch", "export-ratings", "-o", str(shell.folder / "out.jsonl"))
    row = json.loads((shell.folder / "out.jsonl").read_text(encoding="utf-8"))
    assert (row["id"], row["level"], "differ" in done.stdout) == ("weibo:1", 5, True)
    assert stat.S_IMODE((shell.folder / "out.jsonl").stat().st_mode) == 0o600
    with engine.connect() as connection:
        assert ledger.recorded(connection, limit=1)[0].what == "exported-ratings"
    engine.dispose()


def test_an_author_is_exported_and_erased(shell: Shell) -> None:
    shell("ingest", shell.write("a.jsonl", post("1", "7 夜"), post("2", "3 雨")), "--source", "weibo")
    shell("watch", "export-author", "小明", "--source", "weibo", "-o", str(shell.folder / "own.jsonl"))
    own = shell.folder / "own.jsonl"
    assert (len(own.read_text(encoding="utf-8").splitlines()), stat.S_IMODE(own.stat().st_mode)) == (2, 0o600)
    with pytest.raises(InputError, match="exists already"):
        shell("watch", "export-author", "小明", "--source", "weibo", "-o", str(own))
    assert "with 2 posts" in shell("watch", "erase-author", "小明", "--source", "weibo", "--yes").stdout
    engine = database.engine(shell.file)
    with engine.connect() as connection:
        assert (
            authors.numbered(connection, Pseudonyms.beside(shell.file.with_suffix(".secret")), "weibo", "小明") is None
        )
    engine.dispose()
    with pytest.raises(InputError, match="nothing is held"):
        shell("watch", "erase-author", "小明", "--source", "weibo", "--yes")


def test_a_shadow_policy_is_read_from_a_file_and_named_after_it(tmp_path: Path) -> None:
    file = tmp_path / "strict.json"
    file.write_text('{"high": 0.9}', encoding="utf-8")
    shadow = serve._shadow(None, file, {})
    assert shadow is not None and shadow.policy is not None
    assert (shadow.name, shadow.assess, shadow.policy.high) == ("strict", None, 0.9)
    for broken, says in (("{", "not JSON"), ("3", "an object of settings"), ('{"hihg": 1}', "no setting 'hihg'")):
        file.write_text(broken, encoding="utf-8")
        with pytest.raises(InputError, match=says):
            serve._shadow(None, file, {})


def test_a_shadow_policy_at_an_operating_point_has_its_threshold_and_none_has_a_capacity(tmp_path: Path) -> None:
    file = tmp_path / "wide.json"
    file.write_text('{"basis": "recall95"}', encoding="utf-8")
    shadow = serve._shadow(None, file, {"recall95": 0.11})
    assert shadow is not None and shadow.policy is not None and shadow.policy.high == 0.11
    with pytest.raises(InputError, match="recall95"):
        serve._shadow(None, file, {"balanced": 0.5})
    file.write_text('{"basis": "capacity", "per_day": 20}', encoding="utf-8")
    with pytest.raises(InputError, match="no capacity of its own"):
        serve._shadow(None, file, {})
