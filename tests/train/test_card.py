from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextvars import copy_context
from math import exp
from pathlib import Path
from typing import Any

import pytest

from shouwang.evaluate import contrast
from shouwang.language import Language, use_language
from shouwang.models import store
from shouwang.models.mixture import HIGH_HEAD
from shouwang.models.model import Model
from shouwang.train.card import card
from shouwang.train.default import Corpus, Fitted

HAN = range(0x4E00, 0xA000)
Write = Callable[[Language], str]


@pytest.fixture(scope="module")
def settings(
    small: Model, corpus: Corpus, metrics: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What the model's JSON file holds."""
    folder = tmp_path_factory.mktemp("small")
    used = [
        {"role": "core", "source": "tea/folds", "posts": sum(map(len, corpus.folds))},
        {"role": "further", "source": "tea/more", "posts": len(corpus.further)},
        {"role": "everyday", "source": "tea/days", "posts": len(corpus.everyday)},
        {"role": "test", "source": "tea/test", "posts": len(corpus.test)},
        {"role": "ordinary", "source": "tea/eval", "posts": len(corpus.everyday)},
    ]
    data = {"used": used, "dropped": ["leak-1", "leak-2"]}
    store.save(small, folder, {"command": "make-tea", "data": data, "metrics": metrics})
    found: dict[str, Any] = json.loads(Path(folder / store.SETTINGS).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def write(settings: dict[str, Any]) -> Write:
    def written(language: Language) -> str:
        context = copy_context()
        context.run(use_language, language)
        return context.run(card, settings)

    return written


def test_the_figures_say_how_many_posts_they_are_from(metrics: dict[str, Any], corpus: Corpus, fitted: Fitted) -> None:
    assert (metrics["folds"]["n"], metrics["test"]["n"]) == (len(fitted.posts), len(corpus.test))
    assert len(metrics["folds"]["by_fold"]) == len(corpus.folds)
    assert metrics["ordinary"]["tea/eval"]["at_threshold"]["n"] == len(corpus.everyday)
    assert metrics["low_flagged_at_recall95"]["n"] == sum(not post.high for post in fitted.posts)
    assert metrics["contrast"]["n"] == len(contrast.load())


def test_every_interval_holds_its_value(metrics: dict[str, Any]) -> None:
    """Except that of the calibration error, which resampling can only make look worse."""
    for part in ("folds", "test"):
        for task in ("levels", "high"):
            scores = {name: each for name, each in metrics[part][task].items() if name != "ece"}
            assert all(each["low"] <= each["value"] <= each["high"] for each in scores.values())


def test_at_95_percent_recall_that_share_of_high_posts_is_found(metrics: dict[str, Any], fitted: Fitted) -> None:
    log_odds = [row[HIGH_HEAD] for row, post in zip(fitted.out_of_fold, fitted.posts, strict=True) if post.high]
    found = sum(1 / (1 + exp(-each)) >= metrics["recall95_threshold"] - 1e-4 for each in log_odds)
    assert found / len(log_odds) >= 0.95 - 1 / len(log_odds)


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", ["## Data", "## How good it is", "## Known failures", "must not be used", "findahelpline.com", "12356"]),
        ("zh", ["## 数据", "## 效果", "## 已知不足", "不得用于", "findahelpline.com", "12356"]),
    ],
)
def test_the_card_says_what_it_is_for_from_what_and_how_good(write: Write, language: Language, says: list[str]) -> None:
    text = write(language)
    assert text.startswith("# small 0\n")
    assert all(each in text for each in (*says, "make-tea", "tea/folds", "tea/test", "tea/eval"))
    assert "nan" not in text


def test_the_english_card_holds_no_chinese_and_both_hold_the_same_figures(write: Write) -> None:
    english, chinese = write("en"), write("zh")
    assert not any(ord(character) in HAN for character in english)
    assert figures(english) == figures(chinese)


def figures(text: str) -> list[str]:
    """The cells of all tables that hold a figure."""
    cells = (cell.strip() for line in text.splitlines() if line.startswith("|") for cell in line.split("|"))
    return [cell for cell in cells if re.fullmatch(r"-?\d[-\d.,%\[\] ]*", cell)]


def test_every_row_of_a_table_has_as_many_cells_as_its_head(write: Write) -> None:
    for table in (block for block in write("en").split("\n\n") if block.startswith("|")):
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_no_post_is_quoted(write: Write, corpus: Corpus, settings: dict[str, Any]) -> None:
    posts = [*trained_on(corpus), *corpus.test, *contrast.load()]
    for text in (write("zh"), json.dumps(settings, ensure_ascii=False)):
        assert not any(post.text in text for post in posts if len(post.text) >= 8)


def trained_on(corpus: Corpus) -> list[Any]:
    return [*(post for fold in corpus.folds for post in fold), *corpus.further, *corpus.everyday]
