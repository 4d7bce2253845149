"""What joins a project, what stays out and why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import select, text

from shouwang import ledger
from shouwang.annotate.importing import import_posts
from shouwang.annotate.project import DROPPED, FORMAT, Project, create, open_
from shouwang.errors import InputError
from shouwang.posts import Post, Skipped
from tests.annotate.invented import TEXTS, add, posts


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    return create(tmp_path / "empty.shouwang")


def test_posts_are_cleaned_and_de_identified(empty: Project) -> None:
    records = [
        Post("a", "好累&nbsp;啊\u200b<br>//@小明: 转发的话"),
        Post("b", "打我电话 13800138000 聊聊"),
    ]
    found = add(empty, records)
    assert [post.text for post in empty.posts()] == ["好累 啊", "打我电话 [电话] 聊聊"]
    assert (found.posts, found.cleaned, found.replaced) == (2, 1, {"phone": 1})


def test_duplicates_are_left_out_and_listed_with_the_post_that_stayed(empty: Project) -> None:
    near = TEXTS[3].replace("想了很久", "想了好久")
    found = add(empty, [*posts(), Post("again", f" {TEXTS[0]}　"), Post("near", near)])
    assert (found.posts, found.dropped) == (6, {"duplicate": 1, "near duplicate": 1})
    again, close = empty.dropped()
    assert (again["post"], again["reason"], again["like"]) == ("again", "duplicate", "p-1")
    assert (close["post"], close["like"], 0.7 <= close["similarity"] < 1) == ("near", "p-4", True)
    with empty.engine.connect() as connection:
        assert connection.execute(select(DROPPED.c.text)).scalars().all()[1] == near


def test_a_second_file_is_compared_with_what_is_there(project: Project) -> None:
    found = add(project, [Post("new", "窗外的雨下了一整天"), Post("p-1", TEXTS[0]), Post("other", TEXTS[1])])
    assert (found.posts, found.known, found.dropped) == (1, 1, {"duplicate": 1})
    assert project.posts()[-1].id == "new"


def test_an_id_that_is_taken_by_another_text_is_listed_and_its_text_kept(project: Project) -> None:
    found = add(project, [Post("p-1", "换了一句完全不同的话")])
    assert (found.posts, found.dropped) == (0, {"id is taken": 1})
    with project.engine.connect() as connection:
        assert connection.execute(select(DROPPED.c.text)).scalar_one() == "换了一句完全不同的话"


def test_records_without_a_text_of_their_own_are_listed(empty: Project) -> None:
    found = add(
        empty, [Skipped("a.csv:7", "the text is empty"), Post("r", "转发微博"), Post("long", "茶" * 10_000_000)]
    )
    assert found.dropped == {"unreadable": 1, "nothing of its own": 1, "too long": 1}
    assert [each["reason"] for each in empty.dropped()] == [
        "unreadable: the text is empty",
        "nothing of its own",
        "too long",
    ]


def test_a_file_named_in_another_encoding_is_imported(empty: Project) -> None:
    name = os.fsdecode(b"\xb2\xe2.csv")
    pairs = lambda texts: iter(())  # noqa: E731
    records: list[Post | Skipped] = [posts()[0], Skipped(f"{name}:2", "the text is empty")]
    import_posts(empty, records, canonical=str, similar=pairs, source=name)
    assert (empty.posts(), [each["post"] for each in empty.dropped()]) == (posts()[:1], ["??.csv:2"])


def test_importing_again_changes_nothing(project: Project) -> None:
    before = project.counts()
    found = add(project, posts())
    assert (found.posts, found.known, project.counts()) == (0, 6, before)


def test_every_import_is_an_event_without_text(project: Project) -> None:
    with project.engine.connect() as connection:
        imported, created = ledger.recorded(connection)
        assert ledger.verify(connection).broken is None
    assert (created.what, imported.what, imported.data["posts"]) == ("project-created", "imported", 6)
    assert "茶" not in str(imported)


def test_an_interrupted_import_leaves_nothing_half_done(empty: Project) -> None:
    def breaking() -> object:
        yield posts()[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add(empty, breaking())  # type: ignore[arg-type]
    assert empty.counts() == {"posts": 0, "dropped": 0}


def test_a_full_disk_is_said_and_nothing_is_lost(project: Project) -> None:
    with project.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    many = [Post(f"x-{n}", f"第{n}天，{chr(0x4E00 + n) * 50}") for n in range(500)]
    with pytest.raises(InputError, match=r"cannot be written .*full.*; make room"):
        add(project, many)
    assert project.counts()["posts"] == 6


def test_a_project_of_a_newer_version_is_left_alone(project: Project) -> None:
    with project.writing() as connection:
        connection.execute(text(f"PRAGMA user_version = {FORMAT + 1}"))
    with pytest.raises(InputError, match="written by a newer version"):
        open_(project.path)


def test_another_file_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("茶" * 5_000, encoding="utf-8")
    with pytest.raises(InputError, match="is not an annotation project"):
        open_(tmp_path / "a.txt")
    with pytest.raises(InputError, match="exists already"):
        create(tmp_path / "a.txt")


def test_a_project_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such project; make one with"):
        open_(tmp_path / "b.shouwang")
    assert not (tmp_path / "b.shouwang").exists()


def test_ratings_cannot_be_changed(project: Project) -> None:
    from sqlalchemy.exc import IntegrityError

    from shouwang.annotate.project import add_rating
    from tests.annotate.invented import label

    with project.writing() as connection:
        add_rating(connection, "p-1", "user:1", "blind", label(0))
    with pytest.raises(IntegrityError, match="append-only"), project.writing() as connection:
        connection.execute(text("UPDATE ratings SET level = 9"))
