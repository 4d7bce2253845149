from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from shouwang.benchmark.augmentation import WithMore, augmentation, with_augmentation
from shouwang.benchmark.contenders import contenders, inner_splits
from shouwang.benchmark.engines import run
from shouwang.benchmark.grid import cells, jobs
from shouwang.benchmark.results import finished, read
from shouwang.benchmark.study import Round
from shouwang.errors import InputError
from shouwang.posts import LabelledPost
from tests.benchmark.invented import small_study

STUDY = small_study()
ROUND = STUDY.rounds["fold1"]


def written(path: Path, *posts: dict[str, object]) -> str:
    path.write_text("\n".join(json.dumps(post, ensure_ascii=False) for post in posts), encoding="utf-8")
    return str(path)


def test_the_grid_has_every_model_with_and_without_each_augmentation(tmp_path: Path) -> None:
    file = written(tmp_path / "more.jsonl", {"text": "外面下着很大的雨没有伞", "level": 0})
    models = with_augmentation(contenders(["majority", "tfidf-lr"]), [file])
    assert list(models) == ["majority", "tfidf-lr", f"majority+{file}", f"tfidf-lr+{file}"]


def test_a_cell_trains_on_more_posts_and_says_how_many(tmp_path: Path) -> None:
    file = written(
        tmp_path / "more.jsonl", {"text": "外面下着很大的雨没有伞", "level": 0}, {"text": "新的雨", "level": 7}
    )
    models = with_augmentation(contenders(["majority"]), [file])
    grid = [cell for cell in cells(STUDY, ["high"], list(models)) if cell.round == "fold1" and "+" in cell.model]
    assert [done.problem for done in run(jobs(STUDY, grid, models, tmp_path / "run"))] == [None]
    result = read(grid[0].folder(tmp_path / "run"))
    assert result.notes["augmentation"] == {"added": 2, "leaks": 0, "offered": 2}
    assert result.contender["augmentation"]["plan"] == "all"


def test_posts_with_only_a_high_label_train_that_task_and_posts_that_add_nothing_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "more.jsonl", {"text": "外面下着很大的雨没有伞", "high": 1}, {"text": "没有标签的新帖子"})
    models = with_augmentation(contenders(["majority"]), [file])
    grid = [c for c in cells(STUDY, ["high", "levels"], list(models)) if c.round == "fold1" and "+" in c.model]
    problems = [done.problem for done in run(jobs(STUDY, grid, models, tmp_path / "run"))]
    assert problems[0] is None
    assert read(grid[0].folder(tmp_path / "run")).notes["augmentation"]["added"] == 1
    assert problems[1] is not None
    assert "adds nothing to fold1 for task 'levels'" in problems[1]


def test_added_posts_train_an_encoder_and_never_choose_its_epoch() -> None:
    added = tuple(LabelledPost(f"new-{i}", f"新写的第{i}条", 0, False) for i in range(40))
    splits = inner_splits(replace(ROUND, added=added), seed=0)
    assert set(added) <= set(splits.train)
    assert set(splits.validation) <= set(ROUND.train)
    assert splits.validation == inner_splits(ROUND, seed=0).validation


def test_methods_fill_up_as_planned_with_one_seed_one_result() -> None:
    texts = ["朋友约我去公园散步", "老师在学校批改作业", "邻居的孩子大喊大叫"]
    train = [LabelledPost(f"t-{i}", text, 0, False) for i, text in enumerate(texts)]
    posts = Round("fold1", (*train, LabelledPost("x", "医生在宿舍看电视剧", 4, False)), ROUND.held_out)
    spec = augmentation("synonyms:max")
    more, notes = spec.more(posts, 0)
    assert [post.level for post in more] == [4, 4]
    assert notes["short"] == {}
    assert spec.more(posts, 0) == (more, notes)


def test_posts_that_leak_or_whose_origin_is_held_out_are_left_out(tmp_path: Path) -> None:
    file = written(
        tmp_path / "more.jsonl",
        {"text": ROUND.held_out[0].text, "level": 0},
        {"text": "一个改写过的帖子", "level": 0, "origins": [ROUND.held_out[0].id]},
        {"text": "另一个改写过的帖子", "level": 0, "origins": [ROUND.train[0].id]},
    )
    more, notes = augmentation(file).more(ROUND, 0)
    assert [post.text for post in more] == ["另一个改写过的帖子"]
    assert notes == {"leaks": 1, "offered": 2}


def test_what_a_post_was_made_from_is_understood_in_csv_too_or_refused(tmp_path: Path) -> None:
    def table(origins: str, notes: str) -> str:
        path = tmp_path / "more.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(
                [("text", "level", "origins", "notes"), ("原来的帖子", 0, "", ""), ("改写过的帖子", 0, origins, notes)]
            )
        return str(path)

    of_another_round = table("", json.dumps({"round": "invented.jsonl/fold2"}))
    assert [post.text for post in augmentation(of_another_round).more(ROUND, 0)[0]] == ["原来的帖子"]
    of_a_held_out_post = table(json.dumps([ROUND.held_out[0].id]), "{}")
    assert [post.text for post in augmentation(of_a_held_out_post).more(ROUND, 0)[0]] == ["原来的帖子"]
    with pytest.raises(InputError, match=r"more\.csv:3: 'origins' is not a list in JSON"):
        augmentation(table(f"['{ROUND.held_out[0].id}']", "")).more(ROUND, 0)


def test_a_post_that_was_taught_by_another_round_is_left_out(tmp_path: Path) -> None:
    file = written(
        tmp_path / "taught.jsonl",
        {"text": "别轮标注的帖子", "level": 0, "notes": {"round": "a/invented.jsonl/fold2"}},
        {"text": "别的数据标注的帖子", "level": 0, "notes": {"round": f"a/other.jsonl/{ROUND.name}"}},
        {"text": "本轮标注的帖子", "level": 0, "notes": {"round": f"a/invented.jsonl/{ROUND.name}"}},
    )
    assert [post.text for post in augmentation(file).more(ROUND, 0)[0]] == ["本轮标注的帖子"]


def test_each_round_and_seed_gets_the_file_that_was_made_for_it(tmp_path: Path) -> None:
    for name in ("fold1-0", "fold2-0", "fold1-7"):
        written(tmp_path / f"{name}.jsonl", {"text": f"给{name}的新帖子", "level": 0})
    spec = augmentation(str(tmp_path / "{round}-{seed}.jsonl"))
    assert [post.text for post in spec.more(ROUND, 7)[0]] == ["给fold1-7的新帖子"]
    with pytest.raises(
        InputError, match=r"fold1-1\.jsonl: no such file; make it with shouwang augment --fold 1 --seed 1"
    ):
        spec.more(ROUND, 1)


def test_a_file_for_another_round_or_seed_leaves_finished_cells_and_a_changed_one_runs_its_own_again(
    tmp_path: Path,
) -> None:
    def ran(*seeds: int) -> list[tuple[str, int]]:
        models = with_augmentation(contenders(["majority"]), [str(tmp_path / "{round}-{seed}.jsonl")])
        grid = [cell for cell in cells(STUDY, ["levels"], list(models), seeds) if "+" in cell.model]
        done = list(run(jobs(STUDY, [cell for cell in grid if cell.round in made], models, tmp_path / "run")))
        assert not any(each.problem for each in done)
        assert len({json.dumps(each.contender) for each in finished(tmp_path / "run")[0]}) == 1  # so they have a mean
        return [(each.cell.round, each.cell.seed) for each in done if each.ran]

    made = ("fold1", "fold2")
    for name in ("fold1-0", "fold2-0"):
        written(tmp_path / f"{name}.jsonl", {"text": f"给{name}的新帖子", "level": 0})
    assert ran(0) == [("fold1", 0), ("fold2", 0)]
    for name in ("fold1-1", "fold2-1"):
        written(tmp_path / f"{name}.jsonl", {"text": f"给{name}的新帖子", "level": 0})
    assert ran(0, 1) == [("fold1", 1), ("fold2", 1)]
    written(tmp_path / "fold2-0.jsonl", {"text": "改过的新帖子", "level": 0})
    assert ran(0, 1) == [("fold2", 0)]


def test_the_authors_sets_are_for_their_fold_alone() -> None:
    from shouwang.benchmark.augmentation import Augmentation

    spec = Augmentation("sos-1k-augmented/LLMs-G-1", given="sos-1k-augmented/LLMs-G-1")
    with pytest.raises(InputError, match="on fold4 only"):
        spec.more(ROUND, 0)


def test_the_projects_own_graded_posts_are_offered() -> None:
    more, _ = augmentation("invented").more(ROUND, 0)
    assert len(more) > 100
    assert {post.level for post in more} >= set(range(1, 11))  # of level 0 there is ordinary life


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("synonims:max", "Did you mean 'synonyms'"),
        ("synonyms:maxx", "Did you mean 'max'"),
        ("synonyms:max:labl", "Did you mean 'label'"),
        ("generated:max", "needs more than its name; make its posts with shouwang augment"),
        ("invented:max", "all added; leave ':max' out"),
        ("nowhere.jsonl", r"nowhere\.jsonl"),
        ("sos-2k/test", "No data set 'sos-2k'"),
    ],
)
def test_what_cannot_be_is_met_before_any_work(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        augmentation(text)


def test_an_augmented_model_is_another_contender() -> None:
    (plain,) = contenders(["majority"]).values()
    more = WithMore(plain, augmentation("synonyms:mean"))
    assert more.name == "majority+synonyms:mean"
    assert (
        more.identity("levels")["augmentation"]
        != WithMore(plain, augmentation("synonyms:max")).identity("levels")["augmentation"]
    )
    assert not more.on_gpu
