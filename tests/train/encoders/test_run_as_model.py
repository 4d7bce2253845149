"""A run's folder is a model: the same answers as in training, evidence where the task lies, one post at a time or many."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from shouwang.errors import InputError
from shouwang.evaluate.faithfulness import drops, faithfulness
from shouwang.models import store
from shouwang.models.finetuned import Finetuned
from shouwang.models.model import Model
from shouwang.posts import Assessment, Post
from tests.train.encoders.keyword import KEYWORD, LEVEL, posts

TEST = posts("test", 40, 3)


@pytest.fixture(scope="module")
def model(keyword_run: Path) -> Model:
    return store.load(keyword_run)


def copied(run: Path, to: Path, *, without: str = "", **config: object) -> Path:
    shutil.copytree(run, to)
    if without:
        (to / without).unlink()
    if config:
        found = json.loads((to / "config.json").read_text(encoding="utf-8"))
        (to / "config.json").write_text(json.dumps(found | config), encoding="utf-8")
    return to


def test_it_answers_as_it_did_at_the_end_of_training(keyword_run: Path, model: Model) -> None:
    lines = (keyword_run / "predictions-validation.jsonl").read_text(encoding="utf-8").splitlines()
    for row, found in zip(map(json.loads, lines), model.assess(posts("validation", 24, 2)), strict=True):
        assert row["id"] == found.id
        assert found.probabilities == pytest.approx(row["probabilities"], abs=1e-5)
        assert found.p_high == pytest.approx(row["p_high"], abs=1e-5)


def test_it_has_learnt_the_task_and_says_the_whole_of_an_assessment(keyword_run: Path, model: Model) -> None:
    found = model.assess(TEST)
    assert sum(each.level == post.level for each, post in zip(found, TEST, strict=True)) >= 38
    high = next(each for each in found if each.high)
    assert high.level == LEVEL
    assert high.indicators["wish"] > 0.9
    assert high.indicators["plan"] > 0.9
    assert "pain" not in high.indicators, "the scale leaves it open at level 6"
    assert Assessment.from_row(high.to_row()).level == LEVEL
    assert high.model.startswith(f"{keyword_run.name} ")


def test_evidence_is_the_word_that_the_task_was_made_of(model: Model) -> None:
    covered = 0
    high = [(post, each) for post, each in zip(TEST, model.assess(TEST), strict=True) if each.high]
    for post, each in high:
        place = post.text.index(KEYWORD)
        covered += any(e.indicator == "wish" and e.start < place + 2 and e.end > place for e in each.evidence)
    assert covered >= 0.9 * len(high)


def test_deleting_the_evidence_costs_more_than_deleting_other_places(model: Model) -> None:
    texts = [post.text for post in TEST if post.high]
    spans = [[(e.start, e.end) for e in each.evidence if e.indicator == "wish"] for each in model.assess(texts)]
    rng = np.random.default_rng(0)

    def p_high(some: object) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([each.p_high for each in model.assess(some)])  # type: ignore[arg-type]

    found = faithfulness([drops(texts, spans, p_high, rng, draws=5)], rng)
    assert found.comprehensiveness.low > 0.2
    assert found.larger.value > 0.8


def test_a_post_beside_others_is_the_post_alone(model: Model) -> None:
    together = model.assess(TEST)
    for i in (0, 1, 17):
        (alone,) = model.assess([TEST[i]])
        assert alone.probabilities == pytest.approx(together[i].probabilities, abs=1e-5)
        assert alone.p_high == pytest.approx(together[i].p_high, abs=1e-5)
        assert [(e.start, e.end) for e in alone.evidence] == [(e.start, e.end) for e in together[i].evidence]


def test_a_long_post_is_read_to_its_end_and_evidence_stays_on_its_words(model: Model) -> None:
    text = "今天我们去公园走了走，天气很好。" * 6
    calm, long = model.assess([text, text + KEYWORD])
    assert (calm.high, long.high) == (False, True)
    assert max(long.evidence, key=lambda each: each.weight).start == len(text)


@pytest.mark.parametrize("text", ["", "  ", "a cup of tea", "😀", "茶", "\ud800茶", "茶\0茶", "茶" * 500])
def test_any_text_gets_an_answer(model: Model, text: str) -> None:
    (found,) = model.assess([Post("odd", text)])
    assert sum(found.probabilities) == pytest.approx(1)
    assert all(0 <= each.start < each.end <= len(text) for each in found.evidence)
    assert found.scope == "ok" or not found.high


def test_windows_cover_the_text_and_overlap(model: Model) -> None:
    assert isinstance(model.heads, Finetuned)
    spans = model.heads.windows("茶" * 100)
    assert (spans[0][0], spans[-1][1]) == (0, 100)
    assert all(a < c < b < d for (a, b), (c, d) in pairwise(spans))
    assert model.heads.windows("茶" * 30) == [(0, 30)]


def test_it_states_one_threshold_and_no_other_points(model: Model) -> None:
    assert (model.threshold, model.point) == (0.5, "balanced")
    with pytest.raises(InputError, match="states no operating points"):
        model.at("recall95")


def fails(folder: Path, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        store.load(folder)
    assert str(folder) in str(caught.value)


def test_an_unfinished_run_and_one_that_lacks_a_part(keyword_run: Path, tmp_path: Path) -> None:
    for name, says in (
        ("done", "not a finished run"),
        ("tokenizer.json", "tokenizer.json is missing"),
        ("config.json", "config.json is missing"),
        ("model.safetensors", "no weights here"),
    ):
        fails(copied(keyword_run, tmp_path / name, without=name), says)


def test_a_run_of_another_version(keyword_run: Path, tmp_path: Path) -> None:
    fails(copied(keyword_run, tmp_path / "heads", heads=[["mood", 3]]), "a run of another version")


def test_a_model_of_a_run_is_not_saved_as_another(model: Model, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="copy that"):
        store.save(model, tmp_path, {})
