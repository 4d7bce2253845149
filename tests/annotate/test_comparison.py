"""Who agrees with whom in a project, and what a suggestion did."""

from __future__ import annotations

from shouwang.annotate import rating
from shouwang.annotate.comparison import Anchoring, compare
from shouwang.annotate.project import Project, add_rating
from tests.annotate.invented import label


def suggest(project: Project, post: str, level: int, who: str = "llm:a/levels@3") -> None:
    with project.writing() as connection:
        add_rating(connection, post, who, "llm", label(level), {"votes": [level]})


def anchoring(project: Project) -> Anchoring:
    return compare(project.ratings(), project.raters, resamples=50).anchoring


def test_a_suggestion_moves_who_sees_it(project: Project) -> None:
    for post, before, after in ((1, 2, 4), (2, 5, 5), (3, 6, 8)):
        suggest(project, f"p-{post}", 5)
        rating.save(project, post, "user:1", label(before))
        rating.save(project, post, "user:1", label(after))
    found = anchoring(project)
    assert (found.revealed, found.changed, found.towards, found.away) == (3, 2, 1, 1)


def test_a_change_of_mind_without_a_suggestion_is_not_anchoring(project: Project) -> None:
    rating.save(project, 1, "user:1", label(2))
    rating.save(project, 1, "user:1", label(3))
    suggest(project, "p-1", 9)
    assert anchoring(project).revealed == 0


def test_what_counts_is_the_suggestion_that_was_seen_and_not_a_later_one(project: Project) -> None:
    suggest(project, "p-1", 9)
    rating.save(project, 1, "user:1", label(2))
    rating.save(project, 1, "user:1", label(8))
    suggest(project, "p-1", 0, "llm:b/levels@3")
    found = anchoring(project)
    assert (found.towards, found.away) == (1, 0)
