"""Blind rating, turns, suggestions and decisions on a real project file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shouwang import ledger
from shouwang.annotate import adjudicate, rating
from shouwang.annotate.labels import Label, Span, consensus, label_of
from shouwang.annotate.order import set_order
from shouwang.annotate.project import Project, add_rating
from shouwang.errors import InputError
from shouwang.language import use_language
from shouwang.posts import Post
from tests.annotate.invented import label


def suggest(project: Project, levels: dict[str, list[int]]) -> None:
    with project.writing() as connection:
        for post, votes in levels.items():
            add_rating(
                connection, post, "llm:m/scene@1", "llm", label(sorted(votes)[len(votes) // 2]), {"votes": votes}
            )


def rate_all(project: Project, who: str, levels: list[int]) -> None:
    for place, level in enumerate(levels, 1):
        rating.save(project, place, who, label(level))


def test_a_post_is_held_for_who_has_it_open(project: Project) -> None:
    first = rating.next_for(project, "user:1", now=0)
    assert first == rating.next_for(project, "user:1", now=60)
    assert rating.next_for(project, "user:2", now=0) == first
    third = rating.next_for(project, "user:3", now=0)
    assert first and third and third.place != first.place
    assert rating.next_for(project, "user:4", now=rating.HELD + 1) == first


def test_everybody_rates_each_post_once_until_there_are_two_ratings(project: Project) -> None:
    for who in ("user:1", "user:2"):
        for _ in range(6):
            turn = rating.next_for(project, who)
            assert turn
            rating.save(project, turn.place, who, label(1))
        assert rating.next_for(project, who) is None
    assert rating.next_for(project, "user:3") is None
    assert rating.progress(project, "user:1") == rating.Progress(6, 0, 6, 6)


def test_what_is_put_off_comes_last(project: Project) -> None:
    turn = rating.next_for(project, "user:1")
    assert turn
    rating.put_off(project, turn.place, "user:1")
    seen = []
    for _ in range(6):
        following = rating.next_for(project, "user:1")
        assert following
        seen.append(following.place)
        rating.save(project, following.place, "user:1", label(0))
    assert seen == [2, 3, 4, 5, 6, 1]


def test_a_suggestion_is_seen_only_after_ones_own_rating(project: Project) -> None:
    suggest(project, {"p-3": [5]})
    assert rating.suggestion(project, 3, "user:1") is None
    rating.save(project, 3, "user:1", label(4))
    found = rating.suggestion(project, 3, "user:1")
    assert found
    assert found.label == label(5)
    assert rating.suggestion(project, 3, "user:2") is None


def test_a_change_of_mind_is_added_and_the_blind_rating_stays(project: Project) -> None:
    rating.save(project, 3, "user:1", label(4))
    rating.save(project, 3, "user:1", label(5))
    assert [(each.stage, each.label and each.label.level) for each in project.ratings("p-3")] == [
        ("blind", 4),
        ("after", 5),
    ]
    assert rating.own(project, 3, "user:1") == label(5)
    with project.engine.connect() as connection:
        newest = ledger.recorded(connection, limit=1)[0]
    assert (newest.data["before"]["level"], newest.data["after"]["level"]) == (4, 5)  # type: ignore[index]


def test_a_rating_that_is_sent_twice_is_one(project: Project) -> None:
    for level in (4, 4, 5, 5):
        rating.save(project, 3, "user:1", label(level), again=False)
    assert [each.stage for each in project.ratings("p-3")] == ["blind", "after"]


def test_where_one_model_noticed_the_suggestion_of_another_is_marked(project: Project) -> None:
    with project.writing() as connection:
        add_rating(connection, "p-3", "llm:a/levels@3", "llm", label(4), {"votes": [4], "instructs": True})
        add_rating(connection, "p-3", "llm:b/levels@3", "llm", label(0), {"votes": [0], "instructs": False})
    rating.save(project, 3, "user:1", label(4))
    found = rating.suggestion(project, 3, "user:1")
    assert found
    assert (found.who, found.data["instructs"]) == ("llm:b/levels@3", True)


def test_what_one_settled_oneself_hides_no_rating(project: Project) -> None:
    rating.save(project, 1, "user:1", label(0))
    rating.save(project, 1, "user:2", label(4))
    (turn,) = adjudicate.open_cases(project)
    adjudicate.decide(project, turn, "user:2", label(3))
    assert [each.stage for each in adjudicate.said_of(project, turn)] == ["blind", "blind", "adjudicated"]
    assert [place for place, _ in rating.recent(project, "user:2")] == [1]


def test_two_raters_who_save_the_same_post_at_once_are_both_kept(project: Project) -> None:
    def save(number: int) -> None:
        rating.save(project, 3, f"user:{number // 2}", label(number % 2))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(save, range(8)))
    stages = [each.stage for each in project.ratings("p-3")]
    assert (stages.count("blind"), stages.count("after")) == (4, 4)
    with project.engine.connect() as connection:
        assert ledger.verify(connection).broken is None


def test_only_what_is_far_apart_goes_to_adjudication(project: Project) -> None:
    rate_all(project, "user:1", [0, 1, 4, 8, 0, 5])
    rate_all(project, "user:2", [0, 2, 6, 8, 2, 4])
    assert [turn.post.id for turn in adjudicate.open_cases(project)] == ["p-3", "p-5"]


def test_across_high_and_low_goes_to_adjudication_whatever_the_levels(project: Project) -> None:
    rating.save(project, 1, "user:1", label(5, high=False))
    rating.save(project, 1, "user:2", label(5, high=True))
    assert [turn.place for turn in adjudicate.open_cases(project)] == [1]


def test_nobody_reads_ratings_before_there_is_something_to_settle(project: Project) -> None:
    turn = rating.at(project, 1)
    assert turn
    rating.save(project, 1, "user:1", label(0))
    assert adjudicate.said_of(project, turn) == []
    rating.save(project, 1, "user:2", label(4))
    assert [each.who for each in adjudicate.said_of(project, turn)] == ["user:1", "user:2"]


def test_a_decision_is_made_once(project: Project) -> None:
    rating.save(project, 1, "user:1", label(0))
    rating.save(project, 1, "user:2", label(4))
    (turn,) = adjudicate.open_cases(project)
    adjudicate.decide(project, turn, "user:3", label(3))
    assert adjudicate.open_cases(project) == []
    with pytest.raises(InputError, match="p-1 is not open for adjudication"):
        adjudicate.decide(project, turn, "user:4", label(0))


def test_the_most_uncertain_come_first_and_what_speaks_to_the_rater_before_them(project: Project) -> None:
    suggest(project, {"p-1": [0, 0, 0], "p-2": [1, 4, 8], "p-3": [4, 5, 5]})
    with project.writing() as connection:
        add_rating(connection, "p-4", "llm:m/scene@1", "llm", label(0), {"votes": [0], "instructs": True})
    set_order(project, "uncertainty")
    order = []
    while (turn := rating.next_for(project, "user:1")) is not None:
        order.append(turn.post.id)
        rating.save(project, turn.place, "user:1", label(0))
    assert order[:4] == ["p-4", "p-2", "p-3", "p-1"]


def test_a_quota_takes_one_of_each_level_in_turn(project: Project) -> None:
    suggest(project, {"p-1": [0], "p-2": [0], "p-3": [5], "p-5": [0], "p-4": [8]})
    set_order(project, "quota")
    first = []
    for _ in range(3):
        turn = rating.next_for(project, "user:1")
        assert turn
        first.append(turn.post.id)
        rating.save(project, turn.place, "user:1", label(0))
    levels = {"p-1": 0, "p-2": 0, "p-5": 0, "p-3": 5, "p-4": 8}
    assert sorted(levels[post] for post in first) == [0, 5, 8]


def test_the_place_in_a_quota_does_not_tell_what_a_model_suggested(project: Project) -> None:
    suggest(project, {"p-1": [0], "p-3": [5], "p-4": [8]})
    firsts = set()
    for seed in range(12):
        set_order(project, "quota", seed=seed)
        turn = rating.next_for(project, f"user:{seed}", now=3_600.0 * seed)
        firsts.add(turn and turn.post.id)
    assert firsts == {"p-1", "p-3", "p-4"}


def test_an_order_is_the_same_for_the_same_seed_and_unknown_ones_are_named(project: Project) -> None:
    turns: list[rating.Turn | None] = []
    for seed in (1, 1, 2):
        set_order(project, "random", seed=seed)
        turns.append(rating.next_for(project, f"user:{len(turns)}"))
    assert turns[0] == turns[1]
    with pytest.raises(InputError, match="Did you mean 'random'"):
        set_order(project, "rondom")


@pytest.mark.parametrize(
    ("levels", "agreed"), [([4, 4], 4), ([4, 5], 5), ([3, 4, 4], 4), ([4, 6], None), ([5, 6], None), ([], None)]
)
def test_what_ratings_come_to(levels: list[int], agreed: int | None) -> None:
    found = consensus([label(level) for level in levels])
    assert (found and found.level) == agreed


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"high": True}, "no level chosen"),
        ({"level": 11, "high": True}, "outside 0–10"),
        ({"level": 3}, "high or low"),
        ({"level": 3, "high": False, "indicators": ["hope"]}, "unknown indicator 'hope'"),
        ({"level": 3, "high": False, "spans": [[0, 99, "pain"]]}, "does not lie in the post"),
        ({"level": 3, "high": False, "note": "茶" * 3_000}, "the note has 3000 characters"),
    ],
)
def test_a_label_that_cannot_be_is_refused(row: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        label_of(row, length=10)


def test_what_is_wrong_with_a_label_is_said_in_chinese_too() -> None:
    use_language("zh")
    for row, says in (
        ({"high": True}, "没有选等级"),
        ({"level": 11, "high": True}, "超出 0–10"),
        ({"level": 1}, "高或低"),
    ):
        with pytest.raises(InputError, match=says):
            label_of(row, length=10)


def test_a_line_of_a_note_ends_with_one_character() -> None:
    assert label_of({"level": 1, "high": False, "note": "茶\r\n" * 1_000}, length=10).note == ("茶\n" * 1_000).strip()


def test_a_marked_span_says_that_its_indicator_is_expressed() -> None:
    found = label_of({"level": 4, "high": False, "spans": [[0, 3, "wish"]], "note": " 反话？ "}, length=10)
    assert found == Label(4, False, frozenset({"wish"}), (Span(0, 3, "wish"),), note="反话？")


def test_an_unknown_place_is_none(project: Project) -> None:
    assert rating.at(project, 99) is None
    assert project.post("p-1") == Post("p-1", "今天的茶凉了，加班到现在，好累")
