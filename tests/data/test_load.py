from __future__ import annotations

from pathlib import Path

import pytest

from shouwang.data.load import load, load_file, parts, posts_of, records
from shouwang.data.sources import SOURCES, Source
from shouwang.errors import InputError
from tests.data.invented import BINARY, FINE, a_file, a_source, write


def test_one_post_carries_the_labels_of_both_files(tiny: Source, copy: Path) -> None:
    first, second = load("tiny/train", folder=copy)
    assert (first.id, first.level, first.high) == ("tiny/train/0001", 0, False)
    assert (second.id, second.level, second.high) == ("tiny/train/0002", 3, True)


def test_a_name_gives_every_split_and_parts_keep_them_apart(tiny: Source, copy: Path) -> None:
    assert [post.id for post in load("tiny", folder=copy)] == ["tiny/train/0001", "tiny/train/0002", "tiny/test/0001"]
    assert load("tiny", "test", folder=copy) == load("tiny/test", folder=copy)
    assert {name: len(posts) for name, posts in parts("tiny", folder=copy).items()} == {"tiny/train": 2, "tiny/test": 1}


def test_further_columns_come_beside_the_post(tiny: Source, copy: Path) -> None:
    (record,) = records("tiny/test", folder=copy)
    assert record.extra == {"mood": "calm"}


def test_a_local_copy_named_by_the_environment_is_used(
    tiny: Source, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOUWANG_DATA", str(copy))
    assert len(load("tiny")) == 3


def test_a_wrong_environment_is_named(tiny: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUWANG_DATA", "/nowhere/at/all")
    with pytest.raises(InputError, match="SHOUWANG_DATA names '/nowhere/at/all', which is not a folder"):
        load("tiny")


def test_a_missing_data_set_says_how_to_get_it(tiny: Source) -> None:
    with pytest.raises(InputError, match=r"'tiny' is not here.*shouwang data fetch tiny"):
        load("tiny")


def test_other_bytes_are_refused(tiny: Source, copy: Path) -> None:
    write(copy, {"tiny/test.tsv": "comment\tmyLabel\tmood\n晚饭吃什么\t9\tcalm\n"})
    with pytest.raises(InputError, match=r"test.tsv: SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}.*fetch it again"):
        load("tiny/test", folder=copy)


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (BINARY.replace("下雨", "下雪"), "post tiny/train/0001: .* do not hold the same text"),
        (BINARY + "晚饭吃什么\t0\n", "not the same number of rows"),
    ],
)
def test_files_that_do_not_line_up_are_refused(
    other: str, complaint: str, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(copy, {"tiny/binary.tsv": other})
    files = a_file("tiny/fine.tsv", "train", FINE, "level"), a_file("tiny/binary.tsv", "train", other, "high")
    monkeypatch.setitem(SOURCES, "tiny", a_source(*files))
    with pytest.raises(InputError, match=complaint) as refused:
        load("tiny/train", folder=copy)
    assert "雨" not in str(refused.value)


def test_a_file_of_ones_own_gives_posts_and_what_was_skipped(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("正文,等级\n今天好累,2\n明天再说,12\n", encoding="utf-8")
    loaded = load_file(tmp_path / "own.csv")
    assert [(post.id, post.level) for post in loaded.posts] == [("own.csv:2", 2)]
    assert "outside 0–10" in str(loaded.skipped[0])


def test_posts_that_share_an_id_are_refused_where_they_are_split_or_trained_on(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("id,正文,等级\n7,今天好累,2\n8,明天再说,1\n7,后天也是,3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"1 ids stand more than once \(7\); give every post an id of its own"):
        posts_of(str(path))


def test_the_option_that_names_a_column_is_only_named_where_there_is_one(tmp_path: Path) -> None:
    write(tmp_path, {"own.csv": "one,two\n1,2\n"})
    with pytest.raises(InputError, match=r"; call it 'text'$"):
        posts_of(str(tmp_path / "own.csv"))
    with pytest.raises(InputError, match=r"; name it with --text-column$"):
        load_file(tmp_path / "own.csv", has_option=True)
