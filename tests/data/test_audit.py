from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.data.audit import Contradiction, Near, Overlap, Same, audit
from shouwang.data.duplicates import canonical
from shouwang.posts import LabelledPost
from tests.data.invented import FAR, NEAR, TEXT


def post(name: str, text: str, level: int | None = None, high: bool | None = None) -> LabelledPost:
    return LabelledPost(name, text, level, high)


def test_posts_and_labels_are_counted() -> None:
    posts = [post("a", "好累", 2, False), post("b", "好困", 2), post("c", "好饿", 10, True), post("d", "好冷")]
    part = audit({"own": posts}).parts["own"]
    assert (part.posts, part.levels[2], part.levels[10], sum(part.levels)) == (4, 2, 1, 3)
    assert (part.high, part.low, part.unlabelled) == (1, 1, 1)


def test_empty_and_over_long_posts_and_levels_outside_the_scale_are_named() -> None:
    posts = [
        post("a", " \u200b\n"),
        post("b", "好" * 511),
        post("c", "好" * 510),
        post("d", "累", 11),
        post("e", "困", -1),
    ]
    part = audit({"own": posts}).parts["own"]
    assert (part.empty, part.over_long, part.outside) == (("a",), ("b",), ("d", "e"))


def test_equal_posts_are_found_within_and_across_parts() -> None:
    found = audit(
        {"train": [post("a", "好累!"), post("b", "好 累！")], "test": [post("c", "好累！"), post("d", "好困")]}
    )
    assert found.same == (Same(("a", "b", "c")),)
    assert found.parts["train"].repeated == 1
    assert found.overlaps == (Overlap("train", "test", 2, 1, 0, 0),)


def test_near_posts_are_found_within_and_across_parts() -> None:
    found = audit({"train": [post("a", TEXT), post("b", FAR)], "test": [post("c", NEAR)]})
    (near,) = found.near
    assert isinstance(near, Near)
    assert (near.first, near.second) == ("a", "c")
    assert found.overlaps == (Overlap("train", "test", 0, 0, 1, 1),)
    assert [part.near for part in found.parts.values()] == [0, 0]
    assert audit({"own": [post("a", TEXT), post("c", NEAR)]}).parts["own"].near == 2


def test_a_higher_threshold_finds_fewer() -> None:
    assert audit({"own": [post("a", TEXT), post("c", NEAR)]}, threshold=0.95).near == ()


def test_the_same_text_with_other_labels_is_a_contradiction() -> None:
    found = audit({"own": [post("a", "好累", 2, False), post("b", "好累", 4), post("c", "好困", 1), post("d", "好困")]})
    assert found.contradictions == (Contradiction(("a", "b"), (2, 4), (False, None)),)
    assert len(audit({"own": [post("a", "好累", 2, False), post("b", "好累", 2, True)]}).contradictions) == 1


def test_ids_that_are_used_twice_are_named() -> None:
    assert audit({"a": [post("1", "好累")], "b": [post("1", "好困"), post("2", "好饿")]}).repeated_ids == ("1",)


def test_nothing_is_found_in_nothing() -> None:
    found = audit({"own": []})
    assert (found.same, found.near, found.contradictions, found.overlaps) == ((), (), (), ())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=8), st.data())
def test_a_repeated_post_is_always_found(texts: list[str], data: st.DataObject) -> None:
    again = data.draw(st.sampled_from(texts)) if texts else ""
    posts = [post(f"p{number}", text) for number, text in enumerate(texts)]
    found = audit({"train": posts, "test": [post("again", f" {again}\n")]})
    if canonical(again):
        assert any("again" in same.ids for same in found.same)
        assert found.overlaps[0].exact_second == 1
