from __future__ import annotations

import math
from pathlib import Path

from sqlalchemy import Engine

from shouwang import columns, database, files
from shouwang.posts import LabelledPost
from shouwang.triage import acts, learning, queue
from tests.triage.invented import watch

NOW = 2000.0


def rated(engine: Engine) -> list[learning.Judged]:
    """Three cases: two people on the first, one on the second, nobody on the third."""
    watch(engine, "7 夜", "4 雨", "9 风")
    with database.writing(engine) as connection:
        numbers = {case.text: case.id for case in queue.case_list(connection)}
        acts.rate(connection, numbers["7 夜"], "user:1", NOW, 4, False)
        acts.ask_second(connection, numbers["7 夜"], "user:1", NOW)
        acts.rate(connection, numbers["7 夜"], "user:2", NOW, 6, False)
        acts.rate(connection, numbers["4 雨"], "user:1", NOW, 6, True)
        return list(learning.judged(connection))


def test_of_two_ratings_the_higher_counts(engine: Engine) -> None:
    first, second = rated(engine)
    assert (first.id, first.level, first.high, first.raters) == ("weibo:w1", 6, False, 2)
    assert (second.level, second.high, second.model_level, second.model_high) == (6, True, 4, False)


def test_the_export_is_a_labelled_data_set_that_the_usual_reader_reads(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    with path.open("w", encoding="utf-8") as lines:
        for each in rated(engine):
            files.write_line(lines, each.to_row())
    read = list(columns.labelled_from(files.read_rows(path)))
    assert read == [LabelledPost("weibo:w1", "7 夜", 6, False), LabelledPost("weibo:w2", "4 雨", 6, True)]


def test_model_and_people_are_compared_by_level_and_over_all(engine: Engine) -> None:
    six, whole = learning.differences(rated(engine))
    assert (six.level, six.posts, six.mean, six.lower, six.same, six.higher) == (6, 2, 5.5, 1, 0, 1)
    assert (whole.level, whole.missed, whole.false_alarms) == (None, 1, 1)


def test_without_ratings_there_is_nothing_to_say() -> None:
    assert learning.differences([]) == []


def test_a_model_without_levels_has_no_mean() -> None:
    judged = learning.Judged("a", "雨", 3, False, 1, "m 1", None, False)
    assert math.isnan(learning.differences([judged])[0].mean)
