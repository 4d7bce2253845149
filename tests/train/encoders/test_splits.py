from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shouwang.errors import InputError
from shouwang.posts import LabelledPost
from shouwang.train.encoders.splits import Splits, checked, own, published
from tests.train.encoders.tiny import splits

TEXT = "今天加班到很晚才回家，路上下起了大雨"


def test_posts_without_a_label_for_the_task_are_left_out_by_id() -> None:
    some = splits()
    found = checked(replace(some, train=[*some.train, LabelledPost("x", "风", None, True)]), ("levels",))
    assert found.unlabelled == ("x",)
    assert len(found.train) == len(some.train)


def test_training_posts_that_stand_in_validation_or_test_are_refused_or_dropped() -> None:
    some = splits()
    leaking = replace(
        some,
        train=[*some.train, LabelledPost("in-validation", TEXT, 1), LabelledPost("in-test", "茶" * 9, 1)],
        validation=[*some.validation, LabelledPost("v", TEXT + "。", 1)],
        test=[*some.test, LabelledPost("t", "茶" * 9, 1)],
    )
    with pytest.raises(InputError, match="in-validation = v"):
        checked(leaking, ("levels",))
    assert checked(leaking, ("levels",), drop_leaks=True).leaked == ("in-validation", "in-test")


def test_validation_posts_that_stand_in_test_are_dropped_too() -> None:
    some = splits()
    leaking = replace(
        some, validation=[*some.validation, LabelledPost("v", TEXT, 1)], test=[LabelledPost("t", TEXT, 1)]
    )
    with pytest.raises(InputError, match=r"validation: 1 of 11 .* v = t"):
        checked(leaking, ("levels",))
    assert checked(leaking, ("levels",), drop_leaks=True).leaked == ("v",)


def only(**parts: list[LabelledPost]) -> Splits:
    return replace(splits(), **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (only(train=[]), "train: none of 0 posts has a label for task 'levels'"),
        (only(validation=[]), "validation: none of 0 posts"),
        (only(train=[LabelledPost("a", "风", 3, True), LabelledPost("b", "雨", 3, False)]), "train: only the class 3"),
        (
            only(train=[LabelledPost("a", "风", 11), LabelledPost("b", "雨", 3)]),
            "train: the level of a is outside 0–10",
        ),
        (only(train=[LabelledPost("a", "风", 1), LabelledPost("a", "雨", 3)]), "train: 1 ids stand more than once"),
        (only(test=[LabelledPost("a", "风", 1)]), "test: none of 1 posts has a label for task 'high'"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_before_anything_starts(broken: Splits, message: str) -> None:
    with pytest.raises(InputError, match=message):
        checked(broken, ("levels", "high"))


def test_own_files_are_read_and_a_bad_record_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("id,text,level\na,风,1\nb,雨,2\n", encoding="utf-8")
    bad.write_text("id,text,level\na,风,99\nb,雨,2\n", encoding="utf-8")
    assert [post.level for post in own(str(good), str(good)).train] == [1, 2]
    with pytest.raises(InputError, match=r"post a.*outside 0–10"):
        own(str(good), str(bad))


def test_posts_that_nobody_wrote_are_not_scored(tmp_path: Path) -> None:
    path = tmp_path / "training.jsonl"
    rows = [{"id": "a", "text": "风", "level": 1}, {"id": "a+new", "text": "云", "level": 1, "origins": ["a"]}]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    with pytest.raises(InputError, match=r"1 posts were made from others, such as a\+new"):
        own(str(path), str(path))


def test_data_without_folds_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="has no published folds"):
        published("sos-4k", 1)


def test_the_published_folds_and_test_set(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUWANG_DATA", str(real_data))
    found = checked(published("sos-1k", 5), ("levels", "high"), drop_leaks=True)
    assert len(found.validation) + len(found.train) + len(found.leaked) == 999
    assert len(found.test) == 250
    with pytest.raises(InputError, match="folds 1 to 5"):
        published("sos-1k", 6)


def test_posts_that_were_made_from_scored_posts_are_refused_or_dropped(tmp_path: Path) -> None:
    train, validation = tmp_path / "train.csv", tmp_path / "validation.csv"
    rows = [
        "a,风,1,",
        "b,雨,2,",
        'a+new,云,1,"[""a""]"',
        'v+new,雷,2,"[""v""]"',
        f"w,{TEXT},2,",
        'w+new,雪,2,"[""b"", ""w""]"',
    ]
    train.write_text("\n".join(["id,text,level,origins", *rows]), encoding="utf-8")
    validation.write_text(f"id,text,level\nv,雾,1\nz,{TEXT},2\na,霜,1\n", encoding="utf-8")  # another post is called a
    found = own(str(train), str(validation))
    assert checked(found, ("levels",), drop_leaks=True).leaked == ("w", "v+new", "w+new")
    with pytest.raises(InputError, match=r"1 of 4 training posts were made from posts that are scored: v.new"):
        checked(replace(found, train=[post for post in found.train if not post.id.startswith("w")]), ("levels",))
