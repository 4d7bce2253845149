from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from shouwang.data.duplicates import canonical, similar_between, similar_within
from shouwang.data.load import load as load_data
from shouwang.data.load import load_file
from shouwang.errors import InputError
from shouwang.evaluate.contrast import ContrastPost, by_category, load, pairs_told_apart
from shouwang.posts import LabelledPost

EXAMPLES = Path(__file__).parents[2] / "examples"
NEAR = 0.6  # Jaccard similarity of character pairs, stricter than the audit's
REAL = ("sos-1k", "sos-4k", "everyday", "psyguard")


def labelled_examples() -> list[LabelledPost]:
    found = load_file(EXAMPLES / "labelled.jsonl")
    assert not found.skipped
    return list(found.posts)


def invented() -> list[str]:
    """Every text that ships, canonical."""
    examples = [post for name in ("posts.jsonl", "posts.csv") for post in load_file(EXAMPLES / name).posts]
    return [canonical(post.text) for post in [*load(), *labelled_examples(), *examples]]


def test_ids_and_texts_are_unique() -> None:
    posts = load()
    assert len(posts) == len({post.id for post in posts}) >= 330
    texts = invented()
    assert len(texts) == len(set(texts))


def test_no_two_texts_are_nearly_the_same() -> None:
    assert similar_within(invented(), NEAR) == []


def test_texts_are_as_long_as_posts_are() -> None:
    lengths = [len(post.text) for post in load()]
    assert min(lengths) >= 5
    assert max(lengths) <= 200


def test_every_category_has_enough_posts_and_high_is_a_good_part_of_the_whole() -> None:
    posts = load()
    counts = Counter(post.category for post in posts)
    assert len(counts) == 23
    assert min(counts.values()) >= 15
    assert 0.35 <= sum(post.high for post in posts) / len(posts) <= 0.55
    assert sum(post.borderline for post in posts) <= len(posts) / 10


def test_only_first_person_categories_hold_high_posts() -> None:
    assert {post.category for post in load() if post.high} == {"wish", "plan", "method", "time", "farewell", "covert"}
    assert {post.category for post in load() if not post.high} >= {"hyperbole", "quotation", "worry", "wish"}


def test_words_stand_in_the_text() -> None:
    assert [post.id for post in load() if post.words not in post.text] == []


def test_a_pair_shares_its_words_and_differs_in_high() -> None:
    posts = {post.id: post for post in load()}
    paired = [(post, posts[post.pair]) for post in posts.values() if post.pair]
    assert len(paired) > len(posts) / 2
    for one, other in paired:
        assert other.pair == one.id
        assert (one.words, one.high) == (other.words, not other.high)


def test_labelled_examples_cover_all_levels() -> None:
    posts = labelled_examples()
    counts = Counter(post.level for post in posts)
    assert set(counts) == set(range(11))
    assert min(counts.values()) >= 10
    assert {post.high for post in posts} == {True, False}


def test_example_posts_read_in_both_files() -> None:
    assert [post.id for post in load_file(EXAMPLES / "posts.jsonl").posts] == [f"p-{n:04}" for n in range(1, 25)]
    assert len(load_file(EXAMPLES / "posts.csv").posts) == 8


@pytest.mark.parametrize("name", REAL)
def test_no_text_is_nearly_a_real_post(real_data: Path, name: str) -> None:
    real = [canonical(post.text) for post in load_data(name, folder=real_data)]
    texts = invented()
    assert [at for at, text in enumerate(texts) if text in set(real)] == []
    assert [match.left for match in similar_between(texts, real, NEAR)] == []


def posts_of(*rows: tuple[str, str, bool, str | None]) -> list[ContrastPost]:
    return [ContrastPost(name, "字", category, high, "字", pair) for name, category, high, pair in rows]


FOUR = posts_of(
    ("a", "games", False, "b"),
    ("b", "plan", True, "a"),
    ("c", "games", False, "d"),
    ("d", "wish", True, "c"),
)


def test_flag_rates_come_by_category_low_ones_first() -> None:
    rates = by_category(FOUR, [False, True, True, True])
    assert [(rate.category, rate.high, rate.n, rate.flagged) for rate in rates] == [
        ("games", False, 2, 1),
        ("plan", True, 1, 1),
        ("wish", True, 1, 1),
    ]
    assert rates[0].rate.value == 0.5


def test_a_pair_is_told_apart_when_only_its_high_post_is_flagged() -> None:
    assert pairs_told_apart(FOUR, [False, True, True, True]).value == 0.5
    assert pairs_told_apart(FOUR[:2], [True, False]).value == 0
    assert pairs_told_apart(FOUR[:1], [True]).value != pairs_told_apart(FOUR[:1], [True]).value  # nan


def test_one_flag_per_post_is_needed() -> None:
    with pytest.raises(InputError, match="4 contrast posts but 1 flags"):
        by_category(FOUR, [True])
