from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import copy_context
from itertools import count
from typing import Any

import pytest

from shouwang.evaluate.answers import TASKS
from shouwang.language import Language, use_language
from shouwang.models import store
from shouwang.scale import INDICATORS
from shouwang.train.builtin.measure import REPORTED
from shouwang.train.card import POINTS, card
from tests.tiny import tiny_blend

HAN = range(0x4E00, 0xA000)
SECTIONS = (
    ("What it is", "构成"),
    ("Data", "数据"),
    ("How good it is", "效果"),
    ("Operating points", "工作点"),
    ("How sure it is", "把握程度"),
    ("Quiet on ordinary life", "对日常内容的误报"),
    ("Contrasts (invented posts)", "对照集（虚构帖子）"),
    ("Disguised posts", "变形文字"),
    ("Evidence", "依据"),
    ("Where it is better and worse", "分组表现"),
    ("Known failures", "已知不足"),
)
IN_ENGLISH_AND_CHINESE: tuple[Language, Language] = ("en", "zh")
Write = Callable[[Language], str]


def invented_metrics() -> dict[str, Any]:
    """Every figure another one: shares rise from 0.1001 by 0.0013, numbers of posts from 20,011 by 7."""
    shares, posts = (round(0.1001 + 0.0013 * i, 4) for i in count()), count(20_011, 7)

    def interval() -> dict[str, float]:
        value = next(shares)
        return {"value": value, "low": round(value - 0.05, 4), "high": round(value + 0.05, 4)}

    def difference() -> dict[str, float]:
        return interval() | {"first": next(shares), "second": next(shares), "wrong_side": 0.01}

    def rate() -> dict[str, Any]:
        return {"n": next(posts)} | interval()

    def part() -> dict[str, Any]:
        return {"n": next(posts)} | {task: {name: interval() for name in REPORTED[task]} for task in TASKS}

    def disguise() -> dict[str, Any]:
        return {"changed": next(posts), "loss": difference(), "everyday_changed": next(posts), "rise": difference()}

    kinds = [("quotation", False), ("plan", True)]
    numbers = {kind: next(posts) for kind, _ in kinds}
    fold_scores = {task: {"mean": next(shares), "sd": 0.0123} for task in TASKS}
    return {
        "folds": part() | {"by_fold": fold_scores},
        "test": part(),
        "against_floor": {task: difference() for task in TASKS},
        "sureness": {"coverage": 0.9, "mean_size": {"value": 3.21, "low": 3.12, "high": 3.34}}
        | {name: interval() for name in ("held", "uncertain", "wrong", "missed", "alarms")},
        "slices": {
            "length 16–30": {
                "n": next(posts),
                "weighted_f1": next(shares),
                "mae": 1.23,
                "recall_of_high": next(shares),
            },
            "level 2": {"n": next(posts), "weighted_f1": next(shares), "mae": 1.34, "recall_of_high": None},
        },
        "flagged": {
            name: {point: {"n": n} | interval() for point in POINTS}
            for name, n in zip(("low", "usual", "unrelated", "invented", "virus"), posts, strict=False)
        },
        "usual_by_emotion": {"calm": rate(), "sad": rate()},
        "rated": {
            part: {point: {"n": n} | interval() for point in POINTS} for part, n in (("high", 173), ("low", 371))
        },
        "contrast": {
            "n": next(posts),
            "points": {
                point: {
                    "pairs_told_apart": interval(),
                    "categories": [
                        {"category": kind, "high": high, "n": numbers[kind], "flagged": next(posts), "rate": interval()}
                        for kind, high in kinds
                    ],
                }
                for point in POINTS
            },
        },
        "faithfulness": {
            name: {
                "n": next(posts),
                "comprehensiveness": difference(),
                "sufficiency": difference(),
                "larger": interval(),
            }
            for name in INDICATORS
        },
        "robustness": {
            "threshold": 0.27,
            "high_posts": next(posts),
            "everyday_posts": next(posts),
            "shown_in_training": ["homophones", "swapped"],
            "loss": difference(),
            "loss_of_kinds_not_shown": difference(),
            "rise": difference(),
            "kinds": {"homophones": disguise(), "spaces": disguise()},
        },
    }


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the model's JSON file holds."""
    folder = tmp_path_factory.mktemp("tiny")
    roles = ("folds", "training", "negatives", "mixture", "measured", "test")
    used = [{"role": role, "source": f"tea/{role}", "posts": 30_011 + i} for i, role in enumerate(roles)]
    data = {"used": used, "dropped": {"tea": ["leak-1", "leak-2"], "days": ["leak-3"]}}
    notes = {"command": "make-tea", "backbone": "a small pot", "data": data, "metrics": invented_metrics()}
    store.save(tiny_blend(), folder, notes)
    found: dict[str, Any] = json.loads((folder / store.SETTINGS).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def write(settings: dict[str, Any]) -> Write:
    def written(language: Language) -> str:
        context = copy_context()
        context.run(use_language, language)
        return context.run(card, settings)

    return written


def test_every_section_stands_in_its_place_in_both_languages(write: Write) -> None:
    for number, language in enumerate(IN_ENGLISH_AND_CHINESE):
        heads = re.findall(r"^## (.+)$", write(language), re.MULTILINE)
        assert heads == [section[number] for section in SECTIONS]


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", ("must not be used to diagnose", "A low score is no all-clear", "written by a language model")),
        ("zh", ("不得用于诊断", "低分不等于安全", "由语言模型")),
    ],
)
def test_it_says_what_it_is_for_from_what_and_by_which_command(
    write: Write, language: Language, says: tuple[str, ...]
) -> None:
    text = write(language)
    assert text.startswith("# tiny-blend 0\n")
    assert all(each in text for each in (*says, "12356", "findahelpline.com", "make-tea", "a small pot", "tea/test"))
    assert not any(each in text for each in ("leak-1", "nan", "None", "{", "}"))


def test_the_english_card_holds_no_chinese_and_both_hold_the_same_numbers(write: Write) -> None:
    english, chinese = write("en"), write("zh")
    assert not any(ord(character) in HAN for character in english)
    assert Counter(numbers(english)) == Counter(numbers(chinese))
    assert len(numbers(english)) > 200


def numbers(text: str) -> list[str]:
    """All but those of one digit, which names of metrics spell as digits or as words."""
    return re.findall(r"\d+\.\d+|\d{2,}", text)


def test_tables_hold_the_same_numbers_in_the_same_places(write: Write) -> None:
    english, chinese = (
        [numbers(line) for table in tables(write(each)) for line in table] for each in IN_ENGLISH_AND_CHINESE
    )
    assert english == chinese


def test_every_row_of_a_table_has_as_many_cells_as_its_head(write: Write) -> None:
    for table in tables(write("en")):
        assert len({line.count("|") for line in table}) == 1


def tables(text: str) -> list[list[str]]:
    return [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]


def test_n_is_said_with_every_figure(write: Write, settings: dict[str, Any]) -> None:
    said = set(numbers(write("en")))
    metrics = settings["metrics"]
    shown = {
        name: metrics[name] for name in ("folds", "test", "slices", "usual_by_emotion", "contrast", "faithfulness")
    }
    shown["flagged"] = {name: each for name, each in metrics["flagged"].items() if name != "low"}
    found = metrics["robustness"]
    assert {str(n) for n in named("n", shown)} <= said
    assert {str(found["high_posts"]), str(found["everyday_posts"])} <= said
    assert {str(each["changed"]) for each in found["kinds"].values()} <= said
    assert {str(each["posts"]) for each in settings["data"]["used"]} <= said


def named(name: str, found: Any) -> Iterator[int]:
    """Every value of that name, however deep."""
    if isinstance(found, dict):
        yield from (value for key, value in found.items() if key == name)
        for value in found.values():
            yield from named(name, value)
    elif isinstance(found, list):
        for value in found:
            yield from named(name, value)


def test_scores_come_with_their_intervals(write: Write, settings: dict[str, Any]) -> None:
    text, metrics = write("en"), settings["metrics"]
    best = metrics["test"]["high"]["f1"]
    assert "{:.1f} [{:.1f}, {:.1f}]".format(*(100 * best[name] for name in ("value", "low", "high"))) in text
    error = metrics["folds"]["levels"]["mae"]
    assert "{value:.2f} [{low:.2f}, {high:.2f}]".format(**error) in text
    assert f"(n={metrics['folds']['n']})" in text
    assert "3 posts that equal or nearly equal one that measures were left out" in text


def test_without_a_test_score_the_card_has_the_folds_alone(settings: dict[str, Any], write: Write) -> None:
    folds_alone = settings | {"metrics": {name: each for name, each in settings["metrics"].items() if name != "test"}}
    context = copy_context()
    context.run(use_language, "en")
    text = context.run(card, folds_alone)
    assert text.count("(n=") == write("en").count("(n=") - 1
    assert {line.count("|") for line in tables(text)[1]} == {4}


def test_a_part_without_high_posts_shows_a_dash(write: Write) -> None:
    (row,) = (line for line in write("en").splitlines() if line.startswith("| level 2 |"))
    assert row.endswith("| 1.34 | – |")


@pytest.mark.parametrize(("chosen", "name"), [("en", "CARD.md"), ("zh", "CARD.zh.md")])
def test_the_card_that_ships_says_what_its_model_says(chosen: Language, name: str) -> None:
    use_language(chosen)
    settings = json.loads((store.BUILTIN / store.SETTINGS).read_text(encoding="utf-8"))
    assert (store.BUILTIN / name).read_text(encoding="utf-8") == card(settings)


def test_the_chinese_card_names_every_group_of_posts_in_chinese() -> None:
    shipped = (store.BUILTIN / "CARD.zh.md").read_text(encoding="utf-8")
    groups = [section for section in shipped.split("\n## ") if section.startswith(("对日常", "对照集", "变形", "分组"))]
    names = [line.split("|")[1] for section in groups for line in section.splitlines() if line.startswith("| ")]
    assert len(names) > 70
    assert [name for name in names if "---" not in name and not any(ord(each) in HAN for each in name)] == []
