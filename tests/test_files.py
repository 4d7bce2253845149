from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.columns import labelled_from, posts_from
from shouwang.errors import FileError, InputError
from shouwang.files import count_rows, read_rows
from shouwang.language import use_language
from shouwang.posts import LabelledPost, Post, Row, Skipped

TEA, RAIN = "今天喝到好喝的茶", "下雨了，带伞"


def read(path: Path, content: str | bytes, encoding: str | None = None) -> tuple[list[Post], list[Skipped]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = list(posts_from(read_rows(path, encoding=encoding, has_option=True)))
    return [item for item in found if isinstance(item, Post)], [item for item in found if isinstance(item, Skipped)]


def texts(path: Path, content: str | bytes, encoding: str | None = None) -> list[str]:
    posts, skipped = read(path, content, encoding)
    assert skipped == []
    return [post.text for post in posts]


def only(path: Path, content: str | bytes) -> Skipped:
    """The one record that was skipped, where the post about tea was read all the same."""
    posts, skipped = read(path, content)
    assert [post.text for post in posts] == [TEA]
    (skip,) = skipped
    assert TEA not in str(skip)
    return skip


def test_who_reads_only_chinese_is_told_in_chinese(tmp_path: Path) -> None:
    use_language("zh")
    assert str(only(tmp_path / "a.jsonl", f'{{"text": "{TEA}"}}\n{{"text": ""}}')) == (
        "a.jsonl:2: 正文为空；请删去这条记录，或补上正文"
    )
    with pytest.raises(InputError, match="没有这个文件，请检查路径"):
        list(read_rows(tmp_path / "none.csv"))
    (tmp_path / "b.csv").write_text(f"一,二\n1,{TEA}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"共 2 列（…, …），认不出哪一列是正文；请用 --text-column 指定"):
        list(posts_from(read_rows(tmp_path / "b.csv")))


# --- formats --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", f'{{"id": 1, "text": "{TEA}"}}\n\n{{"id": 2, "text": "{RAIN}"}}'),
        ("a.JSONL", f'{{"id": 1, "text": "{TEA}"}}\n{{"id": 2, "text": "{RAIN}"}}\n'),
        ("a.json", f'{{"id": 1, "text": "{TEA}"}}\n{{"id": 2, "text": "{RAIN}"}}\n'),
        ("a.csv", f"id,text\n1,{TEA}\n2,{RAIN}\n"),
        ("semicolons.csv", f"id;text\n1;{TEA}\n2;{RAIN}\n"),
        ("windows.csv", f"\ufeffid,text\r\n1,{TEA}\r\n2,{RAIN}\r\n"),
        ("a.tsv", f"id\ttext\n1\t{TEA}\n2\t{RAIN}\n"),
        ("exported.txt", f"id\t正文\n1\t{TEA}\n2\t{RAIN}\n"),
        ("no-ending", f"id,微博正文\n1,{TEA}\n2,{RAIN}\n"),
    ],
)
def test_every_text_format_gives_the_same_posts(tmp_path: Path, name: str, content: str) -> None:
    posts, skipped = read(tmp_path / name, content)
    assert posts == [Post("1", TEA), Post("2", RAIN)]
    assert skipped == []


def test_plain_text_is_one_post_per_line_and_ids_are_line_numbers(tmp_path: Path) -> None:
    posts, skipped = read(tmp_path / "a.txt", f"{TEA}\n\n{RAIN}\n")
    assert posts == [Post("a.txt:1", TEA), Post("a.txt:3", RAIN)]
    assert skipped == []


@pytest.mark.parametrize("name", ["a.csv.gz", "packed"])
def test_gzip_is_unpacked_whatever_its_name(tmp_path: Path, name: str) -> None:
    assert texts(tmp_path / name, gzip.compress(f"text\n{TEA}\n".encode(), mtime=0)) == [TEA]


def test_parquet_is_read_in_batches(tmp_path: Path) -> None:
    polars.DataFrame({"mid": range(25_000), "content": [TEA] * 25_000}).write_parquet(tmp_path / "a.parquet")
    posts = list(posts_from(read_rows(tmp_path / "a.parquet")))
    assert [post.id for post in posts if isinstance(post, Post)] == [str(number) for number in range(25_000)]
    assert count_rows(tmp_path / "a.parquet") == 25_000


def test_a_parquet_file_is_read_by_its_name_and_no_other(tmp_path: Path) -> None:
    named, other = tmp_path / "a[1].parquet", tmp_path / "a1.parquet"
    polars.DataFrame({"text": [TEA]}).write_parquet(named)
    polars.DataFrame({"text": [RAIN, RAIN]}).write_parquet(other)
    assert [row.values["text"] for row in read_rows(named) if isinstance(row, Row)] == [TEA]
    assert count_rows(named) == 1


@pytest.mark.parametrize(
    ("header", "text_at", "id_at"),
    [
        ("id,bid,user_id,用户昵称,微博正文,转发数", 4, 0),
        ("note_id,comment_id,content,nickname", 2, 1),
        ("mid,text_raw,created_at", 1, 0),
        ("序号,评论内容,点赞", 1, 0),
        ("ID, Text ,label", 1, 0),
        ("idx,comment,myLabel", 1, 0),
    ],
)
def test_columns_of_the_usual_exports_are_guessed(tmp_path: Path, header: str, text_at: int, id_at: int) -> None:
    cells = [str(number) for number in range(header.count(",") + 1)]
    cells[text_at] = TEA
    posts, _ = read(tmp_path / "a.csv", f"{header}\n{','.join(cells)}\n")
    assert posts == [Post(cells[id_at], TEA)]


def test_named_columns_are_found_whatever_their_case_and_blanks(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"Key ,text,Title\n7,{RAIN},{TEA}\n", encoding="utf-8")
    assert list(posts_from(read_rows(path), text_column=" title", id_column="KEY")) == [Post("7", TEA)]


def test_a_named_column_tells_a_table_from_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "no-ending"
    path.write_text(f"编码,说的话\n7,{TEA}\n", encoding="utf-8")
    assert list(posts_from(read_rows(path, text_column="说的话"), text_column="说的话")) == [Post("no-ending:2", TEA)]


# --- encodings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_the_encoding_is_detected(tmp_path: Path, encoding: str) -> None:
    assert texts(tmp_path / "a.csv", f"id,text\n1,{TEA}\n2,{RAIN}\n".encode(encoding)) == [TEA, RAIN]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "big5", "UTF8"])
def test_a_named_encoding_is_used(tmp_path: Path, encoding: str) -> None:
    text = "今天很好"
    assert texts(tmp_path / "a.csv", f"id,text\n1,{text}\n".encode(encoding), encoding) == [text]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "gb18030"])
@pytest.mark.parametrize(("name", "content"), [("a.csv", "id,text\n7,茶\n"), ("a.jsonl", '{"id": 7, "text": "茶"}\n')])
def test_a_byte_order_mark_is_no_part_of_what_a_named_encoding_reads(
    tmp_path: Path, encoding: str, name: str, content: str
) -> None:
    assert read(tmp_path / name, f"\ufeff{content}".encode(encoding), encoding) == ([Post("7", "茶")], [])


def test_lines_of_another_encoding_cost_themselves_only(tmp_path: Path) -> None:
    skip = only(tmp_path / "a.csv", f"text\n{TEA}\n".encode() + RAIN.encode("gb18030") + b"\n")
    assert skip.where == "a.csv:3"
    assert "not valid utf-8" in skip.reason
    assert "--encoding" in skip.fix


def test_a_hint_names_no_option_that_a_command_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"text\n{TEA}\n".encode() + RAIN.encode("gb18030") + b"\n")
    (skip,) = [row for row in read_rows(path) if isinstance(row, Skipped)]
    assert skip.fix == "save the file as UTF-8"
    path.write_bytes("id,text\n1,茶\n".encode("utf-16-le"))
    with pytest.raises(InputError, match=r"not a text file; if it is UTF-16, save it as UTF-8$"):
        list(read_rows(path))


def test_a_utf8_character_cut_at_the_end_of_what_is_looked_at_is_still_utf8(tmp_path: Path) -> None:
    long = "茶" * 500_000
    assert texts(tmp_path / "a.txt", f"{long}\n{TEA}\n") == [long, TEA]


@pytest.mark.parametrize("name", ["klingon", "base64", "", "a\0b"])
def test_an_encoding_that_does_not_exist_is_refused(tmp_path: Path, name: str) -> None:
    if name:
        with pytest.raises(InputError, match=r"unknown encoding.*utf-8"):
            texts(tmp_path / "a.csv", f"text\n{TEA}\n", name)
    else:
        assert texts(tmp_path / "a.csv", f"text\n{TEA}\n", name) == [TEA]


# --- whole files that cannot be read --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.parquet", b"id,text\n", "not a readable Parquet file"),
        ("a.parquet", b"", "not a readable Parquet file"),
        ("a.parquet", b"PAR1" + b"\x00" * 100 + b"PAR1", "not a readable Parquet file"),
        ("a.csv", b"PAR1\x00\x01", "ending in .parquet"),
        ("a.xlsx", b"PK\x03\x04 and more", "save it as CSV"),
        ("a.json", b'[{"text": "x"}]', "one JSON list.*jq"),
        ("a.json", b'[\n {"text": "x"}\n]', "one JSON list.*jq"),
        ("a.csv", "id,text\n1,茶\n".encode("utf-16-le"), "--encoding utf-16-le"),
        ("a.csv.gz", gzip.compress(b"text\n" + os.urandom(5_000), mtime=0)[:-2_000], "cannot be read"),
        ("a.csv.gz", gzip.compress(b"text\n" * 50, mtime=0)[:20] + b"\xff" * 50, "cannot be read"),
        ("a.csv", b"\xff\xff\n1\n", "a.csv:1: the line of column names"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_a_hint(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(tmp_path / name, content)


@pytest.mark.parametrize("name", ["gone.csv", "gone.parquet"])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="no such file"):
        list(read_rows(tmp_path / name))


def test_a_standard_input_that_is_closed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(FileError, match="-: standard input is closed; name a file"):
        list(read_rows("-"))


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder; name the files in it"):
        list(read_rows(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch(mode=0)
    with pytest.raises(InputError, match="Permission denied"):
        list(read_rows(tmp_path / "a.csv"))


@pytest.mark.parametrize("content", ["", "\n\n", "id,text\n", "\ufeffid,text"])
def test_a_file_without_records_says_so(tmp_path: Path, content: str) -> None:
    posts, skipped = read(tmp_path / "a.csv", content)
    assert posts == []
    assert [skip.reason for skip in skipped] == ["no record in it"]


def test_a_table_without_a_text_column_names_the_option_and_no_post(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.csv:2: no text column recognised among its 2 columns \(id, …\)") as error:
        read(tmp_path / "a.csv", f"id,{RAIN}\n1,{TEA}\n")
    assert "--text-column" in str(error.value)
    assert RAIN not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "line", "what"),
    [
        ("a.csv", f"one,two\n1,{TEA}\n".encode(), "2", "no text column recognised"),
        ("a.csv", b"text,\xff\n", "1", "the line of column names is not valid utf-8; save the file as UTF-8"),
        ("a.jsonl", b"PK\x03\x04", "", "a workbook or archive"),
    ],
)
def test_the_error_carries_the_file_and_the_line_beside_what_is_wrong(
    tmp_path: Path, name: str, content: bytes, line: str, what: str
) -> None:
    with pytest.raises(FileError) as raised:
        read(tmp_path / name, content, "utf-8")
    assert (raised.value.file, raised.value.line) == (name, line)
    assert raised.value.what.startswith(what)
    assert str(raised.value) == f"{raised.value.place(name)}: {raised.value.what}"


def test_a_named_column_that_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"id,text\n1,{TEA}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no column 'mid' among its 2 columns \(id, text\); name it with --id-column"):
        list(posts_from(read_rows(path), id_column="mid"))


# --- single records that cannot be read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": "x", "text": "' + RAIN, "not a complete JSON object"),
        (f'["{RAIN}"]', "JSON, but not an object"),
        (f'"{RAIN}"', "JSON, but not an object"),
        ('{"id": "x"}', "no text column recognised"),
        ('{"id": "x", "text": null}', "no 'text'"),
        ('{"id": "x", "text": 12}', "'text' is a number"),
        ('{"id": "x", "text": NaN}', "'text' is a number"),
        ('{"id": "x", "text": true}', "'text' is true or false"),
        ('{"id": "x", "text": {"zh": "茶"}}', "'text' is an object"),
        ('{"id": "x", "text": ["茶"]}', "'text' is a list"),
        ('{"id": "x", "text": " \\n\\u3000"}', "the text is empty"),
        ('{"id": ' + "9" * 5_000 + ', "text": "x"}', "not a complete JSON object"),
        ('{"text": ' + "[" * 200_000, "not a complete JSON object"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_bad_line_of_jsonl_costs_one_record(tmp_path: Path, line: str, reason: str, first: bool) -> None:
    good = json.dumps({"id": "1", "text": TEA})
    skip = only(tmp_path / "a.jsonl", "\n".join([line, good] if first else [good, line]))
    assert skip.where == ("a.jsonl:1" if first else "a.jsonl:2")
    assert skip.reason.startswith(reason)
    assert skip.fix
    assert RAIN not in str(skip)


def test_columns_may_change_from_line_to_line_of_jsonl(tmp_path: Path) -> None:
    lines = [{"text": TEA}, {"id": "2", "content": RAIN}, {"mid": 3, "text": TEA}]
    posts, skipped = read(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines)))
    assert posts == [Post("a.jsonl:1", TEA), Post("2", RAIN), Post("3", TEA)]
    assert skipped == []


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('2,"' + RAIN, "a quote is opened and not properly closed"),
        (f"2,{RAIN},3", "3 cells where the header has 2"),
        ("2", "1 cells where the header has 2"),
        ("2,", "the text is empty"),
    ],
)
def test_a_bad_row_of_csv_costs_one_record(tmp_path: Path, record: str, reason: str) -> None:
    skip = only(tmp_path / "a.csv", f"id,text\n{record}\n1,{TEA}\n")
    assert (skip.where, skip.reason) == ("a.csv:2", reason)


def test_an_unclosed_quote_costs_one_record_though_more_quotes_follow(tmp_path: Path) -> None:
    rows = ["id,text", '1,"never closed', f'2,"{TEA}"', '3,"a line\nand another, quoted"', "4,plain", '5,"at the end']
    posts, skipped = read(tmp_path / "a.csv", "\n".join(rows))
    assert [post.id for post in posts] == ["2", "3", "4"]
    assert posts[1].text == "a line\nand another, quoted"
    assert [skip.where for skip in skipped] == ["a.csv:2", "a.csv:7"]


def test_stray_quotes_inside_cells_swallow_no_lines(tmp_path: Path) -> None:
    content = 'id,text\n1,屏幕 5" 大\n2,茶\n3,屏幕 6" 大\n4,"他说 "好" 吧"\n5,"他说 ""好"""\n'
    assert texts(tmp_path / "a.csv", content) == ['屏幕 5" 大', "茶", '屏幕 6" 大', '他说 好" 吧"', '他说 "好"']


def test_tsv_has_no_quoting(tmp_path: Path) -> None:
    assert texts(tmp_path / "a.tsv", 'text\n"open\nclosed"\n') == ['"open', 'closed"']


def test_empty_cells_after_the_last_column_are_nothing(tmp_path: Path) -> None:
    assert texts(tmp_path / "a.csv", f"id,text\n1,{TEA},,\n") == [TEA]


# --- odd characters and ids -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("a\\ud83dz", "a\ufffdz"),
        ("\\udc00茶\\ud800", "\ufffd茶\ufffd"),
        ("\\ud83d\\ude00", "😀"),
        ("a\\u0000z", "a\0z"),
        ("👨‍👩‍👧‍👦☀️🇨🇳", "👨‍👩‍👧‍👦☀️🇨🇳"),
    ],
)
def test_every_character_keeps_its_place(tmp_path: Path, escaped: str, text: str) -> None:
    posts, _ = read(tmp_path / "a.jsonl", f'{{"id": "{escaped}", "text": "{escaped}"}}\n')
    assert posts == [Post(text, text)]


def test_nul_bytes_in_a_cell_are_kept(tmp_path: Path) -> None:
    assert texts(tmp_path / "a.csv", f"id,text\n1,{TEA}\0{TEA}\n") == [f"{TEA}\0{TEA}"]


def test_a_very_long_post_is_read_whole(tmp_path: Path) -> None:
    assert texts(tmp_path / "a.csv", f'text\n"{"茶" * 100_000}"\n') == ["茶" * 100_000]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('"p-1"', "p-1"),
        ("7", "7"),
        ("4.0", "4"),
        ("4.5", "4.5"),
        ('" 7\\t"', "7"),
        ('"' + "x" * 100_000 + '"', "x" * 100_000),
        *((empty, "a.jsonl:1") for empty in ("null", "NaN", '""', '" "', "{}", "[1]")),
    ],
)
def test_ids_are_texts_or_numbers_and_otherwise_the_line(tmp_path: Path, written: str, name: str) -> None:
    posts, _ = read(tmp_path / "a.jsonl", f'{{"id": {written}, "text": "{TEA}"}}')
    assert posts == [Post(name, TEA)]


@given(st.binary(max_size=300), st.sampled_from(["a.jsonl", "a.csv", "a.tsv", "a.txt", "a", "a.parquet"]))
def test_no_bytes_make_it_fail_in_another_way(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    try:
        for item in posts_from(read_rows(path)):
            assert isinstance(item, Post | Skipped)
            str(item).encode()
    except InputError:
        pass


# --- labels ---------------------------------------------------------------------------------------------------------


def test_labels_are_read_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text,level,high\n1,茶,10,1\n2,茶,,0\n3,茶,4.0,true\n", encoding="utf-8")
    found = list(labelled_from(read_rows(path)))
    assert found[:2] == [LabelledPost("1", "茶", 10, True), LabelledPost("2", "茶", None, False)]
    assert isinstance(found[2], Skipped)
    assert str(found[2]).startswith("a.csv:4 (post 3): label 'high' is not a number")


@pytest.mark.parametrize("value", ["11", "-1", "4.5", "nan", "inf"])
def test_a_label_outside_the_scale_is_skipped_by_name(value: str) -> None:
    (found,) = labelled_from([Row("a.csv:2", {"id": "p", "text": "茶", "level": value})])
    assert isinstance(found, Skipped)
    assert "outside 0–10" in found.reason
    assert "post p" in found.where


@pytest.mark.parametrize("value", [1, "1", True])
def test_a_column_that_is_named_for_high_is_not_read_as_the_level_too(value: object) -> None:
    row = Row("a.jsonl:2", {"id": "p", "text": "茶", "label": value})
    assert list(labelled_from([row], high_column="Label")) == [LabelledPost("p", "茶", None, True)]


def test_true_is_no_level() -> None:
    (found,) = labelled_from([Row("a.jsonl:2", {"id": "p", "text": "茶", "label": True})])
    assert isinstance(found, Skipped)
    assert found.reason == "label 'label' is not a number"


def test_rows_are_counted_by_line_ends(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n{}\n")
    assert count_rows(tmp_path / "a.jsonl") == 2
    assert count_rows("-") is None
    assert count_rows(tmp_path / "gone.jsonl") is None
