from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from shouwang.benchmark.page import page
from shouwang.benchmark.report import Level, Report, Row, Spread
from shouwang.benchmark.tables import bracketed, markdown, notes, plus_minus, tables
from shouwang.evaluate import Interval, Options, Task

HALF = Interval(0.5, 0.4, 0.6)


def row(model: str, task: Task = "high", seeds: tuple[int, ...] = (0,), study: str = "sos-1k") -> Row:
    classes = 2 if task == "high" else 11
    several: Mapping[str, Spread] = {"weighted_f1": Spread(0.5, 0.02 if len(seeds) > 1 else np.nan, len(seeds))}
    return Row(
        study=study,
        task=task,
        model=model,
        seeds=seeds,
        fold_posts=999,
        folds={"weighted_f1": Spread(0.45, 0.03, 5 * len(seeds))},
        test_posts=250,
        test={"weighted_f1": HALF, "macro_f1": HALF, "auroc": HALF},
        test_seeds=several,
        difference=None if model == "tfidf-lr" else Interval(0.1, 0.02, 0.2),
        fold_difference=None,
        levels=(Level(99, HALF, HALF),) * classes,
        seconds=Spread(60, 1, 5),
        dropped={"test": ("fold3/0122",)},
    )


FOUND = Report("tfidf-lr", Options(), (row("tfidf-lr"), row("mentalbert", seeds=(0, 1))), ("a/result.json: broken",))


def test_markdown_holds_tables_of_equal_width_and_the_notes() -> None:
    text = markdown(FOUND)
    widths = [{line.count("|") for line in block.splitlines()} for block in text.split("\n\n") if block[0] == "|"]
    assert [len(each) for each in widths] == [1] * 3
    assert "| high | tfidf-lr | 0.450 ± 0.030 | – | 0.500 [0.400, 0.600] | " in text
    assert "0.500 [0.400, 0.600] ± 0.020" in text
    assert "+0.100 [+0.020, +0.200]" in text
    assert "Left out of training for test, because they also stand in what is scored: fold3/0122." in text
    assert "Left out: a/result.json: broken" in text


def test_the_paper_stands_beside_ours_and_what_was_not_run_says_so() -> None:
    rows = {each[1]: each[2:] for each in tables(FOUND)[1].rows}
    assert rows["Chinese MentalBERT"] == ("0.8839", "0.500 [0.400, 0.600] ± 0.020", "0.450 ± 0.030")
    assert rows["MacBERT"] == ("–", "not run", "–")
    assert rows["tfidf-lr"][0] == "–"


def test_other_data_are_not_put_beside_the_paper() -> None:
    mine = replace(FOUND, rows=(row("tfidf-lr", study="mine"),))
    assert [each.title for each in tables(mine)] == ["Scores", "F1 per class: mine, high or low"]


def test_classes_come_with_their_posts_and_intervals() -> None:
    table = tables(FOUND)[-1]
    assert table.rows[1] == ("high", "99", "0.50 [0.40, 0.60]", "0.50 [0.40, 0.60]")


def test_models_that_were_not_scored_on_the_same_posts_are_named() -> None:
    half_done = replace(row("tfidf-svm"), fold_posts=400, levels=(Level(40, HALF, HALF),) * 2)
    found = replace(FOUND, rows=(row("majority"), row("tfidf-lr"), half_done))
    said = notes(found)
    assert said[0].startswith("majority, tfidf-lr: sos-1k, high: 999 posts held out by folds in all")
    assert said[1].startswith("tfidf-svm: sos-1k, high: 400 posts held out by folds in all")
    assert tables(found)[-1].about == "On posts that are not the same for all models (see below)."
    assert tables(found)[-1].rows[0][1] == "99 / 40"
    assert notes(replace(FOUND, rows=(row("majority"), row("tfidf-lr"))))[0].startswith("sos-1k, high: 999 posts")


def test_the_page_is_whole_draws_pictures_and_escapes_names() -> None:
    text = page(replace(FOUND, rows=(row("tfidf-lr"), row("<b>", "levels"))))
    assert text.count("<svg") == text.count("</svg>") == 4
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    assert text == page(replace(FOUND, rows=(row("tfidf-lr"), row("<b>", "levels"))))


def test_the_page_goes_without_pictures_where_matplotlib_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "shouwang[plot]" in page(FOUND)


def test_what_is_not_there_is_a_dash() -> None:
    assert (plus_minus(None), plus_minus(Spread(np.nan, np.nan, 0)), bracketed(None)) == ("–", "–", "–")
    assert plus_minus(Spread(0.5, np.nan, 1)) == "0.500"
