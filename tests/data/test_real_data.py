"""Facts about the public data, checked on a local copy; ids and counts only."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from shouwang.data.audit import Audit, Overlap, audit
from shouwang.data.fetch import find
from shouwang.data.leaks import leaks
from shouwang.data.load import load, parts, records
from shouwang.data.sources import SOURCES, Source
from shouwang.data.splits import published_folds


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
def test_every_file_is_byte_for_byte_the_pinned_one(source: Source, real_data: Path) -> None:
    assert all(find(source, file, real_data).is_file() for file in source.files)


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "smilechat"])
def test_every_split_has_the_rows_that_its_source_states(name: str, real_data: Path) -> None:
    found = {split.partition("/")[2]: len(posts) for split, posts in parts(name, folder=real_data).items()}
    assert found == {split: SOURCES[name].rows(split) for split in SOURCES[name].splits}


def test_sos_1k_holds_what_was_published(real_data: Path) -> None:
    found = audit(parts("sos-1k", folder=real_data))
    levels = [sum(column) for column in zip(*(part.levels for part in found.parts.values()), strict=True)]
    assert levels == [64, 63, 67, 148, 248, 93, 213, 199, 41, 71, 42]
    assert [part.posts for part in found.parts.values()] == [200, 200, 200, 200, 199, 250]
    assert not any(part.unlabelled or part.empty or part.outside for part in found.parts.values())


def test_level_6_and_above_agrees_with_high_on_nine_posts_of_ten(real_data: Path) -> None:
    posts = load("sos-1k", folder=real_data)
    agreeing = sum((post.level is not None and post.level >= 6) == post.high for post in posts)
    assert (agreeing, len(posts)) == (1122, 1249)


def test_one_test_post_also_stands_in_the_folds(real_data: Path) -> None:
    (leak,) = leaks(load("sos-1k/folds", folder=real_data), load("sos-1k/test", folder=real_data))
    assert (leak.train_id, leak.test_id, leak.similarity) == ("sos-1k/fold3/0122", "sos-1k/test/0022", 1.0)


def test_the_published_folds_train_on_the_other_four(real_data: Path) -> None:
    folds = published_folds(folder=real_data)
    assert [(len(fold.train), len(fold.validation)) for fold in folds] == [(799, 200)] * 4 + [(800, 199)]


def test_every_augmented_set_holds_one_to_four_test_posts_and_no_fold_4(real_data: Path) -> None:
    augmented = parts("sos-1k-augmented", folder=real_data)
    found = audit({**augmented, **parts("sos-1k/test", folder=real_data), **parts("sos-1k/fold4", folder=real_data)})
    inside = {each.first: each.exact_first for each in found.overlaps if each.second == "sos-1k/test"}
    assert inside.keys() == augmented.keys()
    assert sorted(inside.values()) == [1, 1, 1, 2, 3, 3, 4]
    assert not any(each.exact_first for each in found.overlaps if each.second == "sos-1k/fold4")


@pytest.fixture(scope="module")
def both(real_data: Path) -> Audit:
    return audit({**parts("sos-1k", folder=real_data), **parts("sos-4k", folder=real_data)})


def test_sos_4k_contains_most_of_the_folds_and_none_of_the_test_set(both: Audit) -> None:
    def shared(second: str) -> list[Overlap]:
        return [each for each in both.overlaps if each.second == second and each.exact_first]

    train, val = shared("sos-4k/train"), shared("sos-4k/val")
    assert [each.first for each in train] == [f"sos-1k/fold{number}" for number in range(1, 6)]
    assert (sum(each.exact_second for each in train), sum(each.exact_second for each in val)) == (640, 159)


def test_sos_4k_gives_some_of_them_another_level(both: Audit) -> None:
    assert len(both.contradictions) == 39
    assert all({name.split("/")[0] for name in each.ids} == {"sos-1k", "sos-4k"} for each in both.contradictions)


def test_emotions_labels_and_explanations_are_kept(real_data: Path) -> None:
    assert {record.extra["emotion"] for record in records("everyday/usual-eval", folder=real_data)} == {
        *("angry", "fear", "happy", "neutral", "sad", "surprise")
    }
    labels: set[str] = set()
    for record in records("psyguard/valid", folder=real_data):
        each = record.extra["labels"]
        assert isinstance(each, list)
        labels.update(each)
    assert len(labels) == 11
    assert all(record.extra["explain"] for record in records("sos-4k/val", folder=real_data))


def test_smilechat_is_read_one_turn_at_a_time(real_data: Path) -> None:
    with gzip.open(real_data / SOURCES["smilechat"].files[0].path) as lines:
        assert sum(1 for _ in lines) == SOURCES["smilechat"].rows("client-turns") == 294_133
    first = next(records("smilechat", folder=real_data))
    assert (first.post.id, first.post.level, set(first.extra)) == (
        *("smilechat/client-turns/000001", None, {"dialogue", "turn"}),
    )
