from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import polars
import pytest

from shouwang.errors import InputError
from shouwang.posts import Assessment, Evidence, Post, Skipped
from shouwang.scale import INDICATORS
from shouwang.triage.batch import Assess, assess_records, urgency

POSTS = [Post(f"p-{number}", "茶" * number) for number in range(1, 601)]
BROKEN = Skipped("a.csv:7", "the text is empty", "fill it in")


def assess(posts: Iterable[Post]) -> Iterator[Assessment]:
    """The longer, the higher: a stand-in whose answers can be told from the posts."""
    for post in posts:
        share = len(post.text) / 1_000
        yield Assessment(
            id=post.id,
            level=int(share * 10),
            probabilities=(1 - share, *[0.0] * 9, share),
            high=share >= 0.5,
            p_high=share,
            indicators=dict.fromkeys(INDICATORS, share),
            model="stand-in 1",
            evidence=(Evidence(0, 1, "wish", 0.5),) if share >= 0.5 else (),
            level_set=(0, 10) if share >= 0.3 else (),
            uncertain=0.3 <= share < 0.55,
        )


def stopping_after(count: int, error: type[BaseException] = KeyboardInterrupt) -> Assess:
    def interrupted(posts: Iterable[Post]) -> Iterator[Assessment]:
        for number, assessment in enumerate(assess(posts)):
            if number == count:
                raise error
            yield assessment
        raise error

    return interrupted


def never(posts: Iterable[Post]) -> Iterator[Assessment]:
    for post in posts:
        raise AssertionError(f"{post.id} is assessed again")
    yield from ()


def test_the_highest_come_first_and_equals_in_input_order() -> None:
    posts = [Post("low", "茶"), Post("b", "茶茶茶"), Post("a", "茶茶茶"), Post("mid", "茶茶")]
    ranked = assess_records(posts, assess, top=3)
    assert [post.id for post, _ in ranked.top] == ["b", "a", "mid"]
    assert all(post.id == assessment.id for post, assessment in ranked.top)


def test_posts_out_of_scope_rank_last() -> None:
    def foreign(posts: Iterable[Post]) -> Iterator[Assessment]:
        for each in assess(posts):
            yield Assessment(
                each.id, 9, each.probabilities, False, 0.99, each.indicators, "m", scope="no-chinese", uncertain=True
            )

    here = assess_records([Post("en", "tea")], foreign)
    assert (here.summary.out_of_scope, here.summary.uncertain) == ({"no-chinese": 1}, 0)
    mixed = assess_records(
        [Post("en", "tea"), Post("zh", "茶")],
        lambda posts: (next((foreign if p.id == "en" else assess)([p])) for p in posts),
    )
    assert [post.id for post, _ in mixed.top] == ["zh", "en"]


def test_everything_is_counted(tmp_path: Path) -> None:
    seen: list[int] = []
    records: list[Post | Skipped] = [*POSTS, BROKEN, POSTS[0]]
    summary = assess_records(records, assess, output=tmp_path / "a.jsonl", progress=seen.append).summary
    assert (summary.assessed, summary.high, summary.skipped, summary.repeated_ids) == (601, 101, 1, 1)
    assert summary.uncertain == 250
    assert summary.skips == [BROKEN]
    assert sum(seen) == 602
    assert summary.skipped_file is not None
    assert json.loads(summary.skipped_file.read_text(encoding="utf-8"))["where"] == "a.csv:7"


def test_output_keeps_the_order_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    output = tmp_path / "new" / "a.jsonl"
    assess_records(POSTS, assess, output=output)
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == [post.id for post in POSTS]
    assert [Assessment.from_row(row).to_row() for row in rows] == rows
    assert list(output.parent.iterdir()) == [output]


def test_the_three_formats_hold_the_same(tmp_path: Path) -> None:
    for ending in ("jsonl", "csv", "parquet"):
        assess_records(POSTS, assess, output=tmp_path / f"a.{ending}")
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert polars.read_parquet(tmp_path / "a.parquet").to_dicts() == lines
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as stream:
        cells = list(csv.DictReader(stream))
    in_json = {"level_set", "probabilities", "indicators", "evidence"}
    for cell, line in zip(cells, lines, strict=True):
        assert {key: json.loads(cell[key]) if key in in_json else cell[key] for key in line} == {
            key: value if key in in_json else str(value) for key, value in line.items()
        }


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_run_goes_on_and_ends_the_same(tmp_path: Path, ending: str, error: type[BaseException]) -> None:
    whole, resumed = tmp_path / f"whole.{ending}", tmp_path / f"resumed.{ending}"
    expected = assess_records([BROKEN, *POSTS], assess, output=whole)
    with pytest.raises(error):
        assess_records([BROKEN, *POSTS], stopping_after(300, error), output=resumed)
    assert not resumed.exists()
    ranked = assess_records([BROKEN, *POSTS], assess, output=resumed)
    assert ranked.summary.resumed == 300
    assert ranked.summary.skipped == 1
    assert [post.id for post, _ in ranked.top] == [post.id for post, _ in expected.top]
    assert resumed.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("damage", [b'{"id": "p-301", "lev', b"\0" * 50, b'{"id": "p-301"}\n', b"\xff\n", b"[]\n"])
def test_a_damaged_end_is_assessed_again(tmp_path: Path, damage: bytes) -> None:
    whole, resumed = tmp_path / "whole.jsonl", tmp_path / "resumed.jsonl"
    assess_records(POSTS, assess, output=whole)
    with pytest.raises(KeyboardInterrupt):
        assess_records(POSTS, stopping_after(300), output=resumed)
    (partial,) = tmp_path.glob("*.partial")
    with partial.open("ab") as stream:
        stream.write(damage)
    assert assess_records(POSTS, assess, output=resumed).summary.resumed == 300
    assert resumed.read_bytes() == whole.read_bytes()


def test_a_run_that_stopped_while_converting_assesses_nothing_again(tmp_path: Path) -> None:
    output = tmp_path / "a.csv"
    with pytest.raises(KeyboardInterrupt):
        assess_records(POSTS, stopping_after(600), output=output)
    (tmp_path / "a.csv.converting").write_text("half")
    assert assess_records(POSTS[:600], never, output=output).summary.resumed == 600
    assert len(output.read_text(encoding="utf-8").splitlines()) == 601


def test_an_output_is_never_overwritten(tmp_path: Path) -> None:
    output = tmp_path / "a.jsonl"
    output.write_text("kept")
    with pytest.raises(InputError, match=r"a\.jsonl exists already; name another file or remove it"):
        assess_records(POSTS, assess, output=output)
    assert output.read_text() == "kept"


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.jsonl.gz"])
def test_an_ending_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"use \.jsonl, \.csv or \.parquet"):
        assess_records(POSTS, assess, output=tmp_path / name)


def test_another_run_does_not_go_on_with_this_ones_partial(tmp_path: Path) -> None:
    output = tmp_path / "a.jsonl"
    with pytest.raises(KeyboardInterrupt):
        assess_records(POSTS, stopping_after(300), output=output, run="model 1")
    with pytest.raises(InputError, match="unfinished run over other input, with other columns or another model"):
        assess_records(POSTS, assess, output=output, run="model 2")


@pytest.mark.parametrize(("posts", "found"), [(POSTS[1:], "post p-2"), (POSTS[:10], "no more posts")])
def test_other_posts_do_not_go_on_with_these_ones_partial(tmp_path: Path, posts: list[Post], found: str) -> None:
    output = tmp_path / "a.jsonl"
    with pytest.raises(KeyboardInterrupt):
        assess_records(POSTS, stopping_after(300), output=output)
    (partial,) = tmp_path.glob("*.partial")
    kept = partial.read_bytes()
    with pytest.raises(InputError, match=f"the input with {found}"):
        assess_records(posts, assess, output=output)
    assert partial.read_bytes() == kept


def test_nothing_assessed_leaves_only_the_list_of_what_was_skipped(tmp_path: Path) -> None:
    summary = assess_records([BROKEN], assess, output=tmp_path / "a.jsonl").summary
    assert summary.output is None
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl.skipped.jsonl"]


def test_only_the_first_skips_are_held_in_memory() -> None:
    summary = assess_records([BROKEN] * 1_000, assess).summary
    assert (summary.skipped, len(summary.skips)) == (1_000, 20)


def test_no_table_is_wanted() -> None:
    assert assess_records(POSTS, assess, top=0).top == []


def test_a_strong_wish_to_die_ranks_above_ordinary_posts_that_are_likelier_to_be_high() -> None:
    def assessment(level: int, p_high: float, scope: str = "ok") -> Assessment:
        probabilities = tuple(float(each == level) for each in range(11))
        return Assessment("a", level, probabilities, p_high >= 0.5, p_high, {}, "tiny", (), scope)

    flagged, wish, ordinary, foreign = (
        urgency(each)
        for each in (assessment(7, 0.6), assessment(5, 0.1), assessment(0, 0.3), assessment(9, 0.4, "no-chinese"))
    )
    assert flagged > wish > ordinary > foreign


def test_being_uncertain_moves_no_post() -> None:
    (sure,) = assess([POSTS[0]])
    assert urgency(sure) == urgency(replace(sure, uncertain=True))


def test_a_row_from_before_there_were_level_sets_still_loads() -> None:
    (found,) = assess([POSTS[350]])
    row = found.to_row()
    assert Assessment.from_row(row) == found
    del row["level_set"], row["uncertain"]
    assert Assessment.from_row(row) == replace(found, level_set=(), uncertain=False)


def test_a_run_that_another_is_still_writing_is_refused_and_the_first_ends_whole(tmp_path: Path) -> None:
    output = tmp_path / "o.jsonl"

    def meanwhile(posts: Iterable[Post]) -> Iterator[Assessment]:
        with pytest.raises(InputError, match=r"another run is writing .*o\.jsonl\..*\.partial just now"):
            assess_records(POSTS, assess, output=output)
        yield from assess(posts)

    assess_records(POSTS, meanwhile, output=output)
    rows = output.read_text(encoding="utf-8").splitlines()
    assert [json.loads(row)["id"] for row in rows] == [post.id for post in POSTS]
    assert list(tmp_path.iterdir()) == [output]
