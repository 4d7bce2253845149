from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang import cues
from shouwang.errors import InputError
from shouwang.models.features import HashedFeatures
from shouwang.models.linear import CUE_WEIGHT, HashedLinear
from shouwang.models.mixture import HEADS, HIGH_HEAD, INDICATOR_HEADS
from shouwang.models.model import SHOWN_FROM, Model
from shouwang.models.operating import Stream
from shouwang.posts import Post
from shouwang.scale import INDICATORS, LEVELS
from tests import examples

TEA = "今天的茶很好喝，明天还想喝。"
BATCH = HashedLinear.batch
ODD = ["", "   ", "😀😀", "👨‍👩‍👧‍👦", "a cup of tea", "茶", "茶\0茶", "\ud800茶\udfff", "茶" + "\u0301" * 50, TEA * 60]
TEXTS = [post.text for post in (*examples.posts(), *examples.labelled())]

IN_SCOPE = [post.text for post in examples.labelled()]


@pytest.fixture(scope="module")
def knows_one_cue() -> Model:
    """Nothing but the words 想死 makes a post high, and they speak for a wish."""
    features = HashedFeatures(bits=12)
    weights = np.zeros((features.columns, len(HEADS)), np.float32)
    bias = np.zeros(len(HEADS), np.float32)
    bias[HIGH_HEAD:] = -5
    cue = next(number for number, start, end in cues.find("想死") if (start, end) == (0, 2))
    wish = INDICATOR_HEADS[INDICATORS.index("wish")]
    weights[(1 << features.bits) + cue, [HIGH_HEAD, wish]] = 50
    return Model("one-cue", "1", HashedLinear(features, np.ones(features.columns, np.float32), weights, bias), 0.5)


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.sampled_from(TEXTS + ODD), min_size=2, max_size=8))
def test_an_assessment_does_not_depend_on_the_posts_beside_it(tiny: Model, texts: list[str]) -> None:
    together = tiny.assess(texts)
    assert together == [tiny.assess([Post(str(number), text)])[0] for number, text in enumerate(texts, 1)]


def test_nor_on_the_batch_it_comes_in(tiny: Model) -> None:
    assert tiny.assess([*[TEA] * (BATCH - 1), *TEXTS[:3]])[BATCH - 1 :] == [
        replace(each, id=str(BATCH + number)) for number, each in enumerate(tiny.assess(TEXTS[:3]))
    ]


@pytest.mark.parametrize("text", [*TEXTS[:20], *ODD])
def test_every_number_of_an_assessment_is_sane(tiny: Model, text: str) -> None:
    (found,) = tiny.assess([text])
    assert len(found.probabilities) == len(LEVELS)
    assert sum(found.probabilities) == pytest.approx(1)
    assert found.level == int(np.argmax(found.probabilities))
    assert 0 <= found.p_high <= 1
    assert list(found.indicators) == list(INDICATORS)
    assert all(0 <= strength <= 1 for strength in found.indicators.values())
    assert all(0 <= each.start < each.end <= len(text) and each.weight > 0 for each in found.evidence)
    expressed = {i for i, s in found.indicators.items() if s >= SHOWN_FROM}
    assert {each.indicator for each in found.evidence} <= expressed or {e.indicator for e in found.evidence} == {"high"}


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("", "no-words"),
        (" \n\t", "no-words"),
        ("😀👍🏽", "no-words"),
        ("！？……", "no-words"),
        ("I had a cup of tea", "no-chinese"),
        ("今日はお茶を飲みたい", "no-chinese"),
        ("お茶", "ok"),
        ("下午の一杯お茶です，喝了很久很久才想起来要回家", "ok"),
        ("茶", "ok"),
    ],
)
def test_posts_without_chinese_words_are_marked_and_never_high(tiny: Model, text: str, scope: str) -> None:
    (found,) = replace(tiny, threshold=0.0).assess([text])
    assert found.scope == scope
    assert found.high == (scope == "ok")
    assert scope == "ok" or not found.evidence


def test_high_begins_at_the_threshold(tiny: Model) -> None:
    p_high = tiny.assess([TEA])[0].p_high
    assert replace(tiny, threshold=p_high).assess([TEA])[0].high
    assert not replace(tiny, threshold=np.nextafter(p_high, 1)).assess([TEA])[0].high


def test_a_model_at_another_operating_point_flags_from_there(tiny_blend: Model) -> None:
    (found,) = tiny_blend.assess([TEA])
    for point in ("recall95", "recall99", "workload=200/1000"):
        model = tiny_blend.at(point)
        assert model.operating is not None
        assert (model.point, model.threshold) == (point, model.operating.point(point).threshold)
        assert model.assess([TEA]) == [replace(found, high=found.p_high >= model.threshold)]


def test_a_workload_depends_on_the_stream(tiny_blend: Model) -> None:
    few, many = (tiny_blend.at("workload=200/1000", Stream(rate)).threshold for rate in (0.01, 0.5))
    assert few < many


def test_a_model_without_operating_points_says_so(tiny: Model) -> None:
    with pytest.raises(InputError, match=r"tiny 0 states no operating points; it flags posts from p_high 0\.5 on"):
        tiny.at("recall95")


def test_level_sets_hold_the_level_and_uncertain_is_the_span(tiny_blend: Model) -> None:
    for found in tiny_blend.assess(IN_SCOPE):
        assert tiny_blend.sets is not None
        assert found.level in found.level_set == tiny_blend.sets.levels(found.probabilities)
        assert found.uncertain == (0.3 <= found.p_high <= 0.7)


def test_a_model_without_sets_gives_none(tiny: Model) -> None:
    assert {(each.level_set, each.uncertain) for each in tiny.assess(IN_SCOPE)} == {((), False)}


@pytest.mark.parametrize("text", ["", "😀", "a cup of tea"])
def test_a_post_out_of_scope_has_no_level_set_and_is_never_sure(tiny: Model, tiny_blend: Model, text: str) -> None:
    for model in (tiny, tiny_blend):
        (found,) = model.assess([text])
        assert (found.level_set, found.uncertain, found.high) == ((), True, False)


def test_bare_texts_are_numbered_and_posts_keep_their_ids(tiny: Model) -> None:
    assert [each.id for each in tiny.assess([TEA, Post("p-7", TEA), TEA])] == ["1", "p-7", "3"]
    assert tiny.assess([TEA])[0].model == "tiny 0"
    assert tiny.assess([]) == []


def test_one_text_in_place_of_a_list_is_refused_not_read_character_by_character(tiny: Model) -> None:
    with pytest.raises(InputError, match="one text where texts are expected; put it in a list"):
        tiny.assess(TEA)


def test_posts_are_read_lazily(tiny: Model) -> None:
    def endless() -> object:
        while True:
            yield TEA

    stream = tiny.stream(endless())  # type: ignore[arg-type]
    assert [next(stream).id for _ in range(BATCH + 1)][-1] == str(BATCH + 1)


def test_a_very_long_post_is_answered_by_its_riskiest_window(knows_one_cue: Model) -> None:
    quiet = (TEA * 7_200)[:100_000]
    loud = quiet[:60_000] + "\n我想死\n" + quiet[60_000:]
    calm, found = knows_one_cue.assess([quiet, loud])
    assert (calm.high, calm.evidence) == (False, ())
    assert (found.high, found.indicators["wish"] > 0.9) == (True, True)
    assert [(each.start, each.end, each.indicator) for each in found.evidence] == [(60_002, 60_004, "wish")]


def test_a_cue_on_the_edge_of_a_window_is_not_cut(knows_one_cue: Model) -> None:
    texts = [(TEA * 40)[:before] + "我想死" + TEA * 10 for before in range(340, 405)]
    assert all(each.high for each in knows_one_cue.assess(texts))


def test_a_flagged_post_in_which_no_indicator_is_expressed_shows_what_is_behind_high(knows_one_cue: Model) -> None:
    assert isinstance(knows_one_cue.heads, HashedLinear)
    weights = knows_one_cue.heads.weights.copy()
    weights[:, [head for head in range(len(HEADS)) if head != HIGH_HEAD]] = 0
    model = replace(knows_one_cue, heads=replace(knows_one_cue.heads, weights=weights))
    flagged, calm = model.assess(["今天想死", TEA])
    assert [(each.start, each.end, each.indicator) for each in flagged.evidence] == [(2, 4, "high")]
    assert (flagged.high, calm.high, calm.evidence) == (True, False, ())


@pytest.mark.parametrize("words", ["想死", "想\u200b死", "想\0死", "想\u0301死"])
def test_evidence_points_at_the_text_as_it_was_written(knows_one_cue: Model, words: str) -> None:
    text = f"\u200b😀&nbsp;我真的{words}，很累"
    (found,) = knows_one_cue.assess([text])
    (span,) = found.evidence
    assert text[span.start : span.end] == words
    assert span.weight == pytest.approx(CUE_WEIGHT * 50, rel=1e-5)


def test_lone_surrogates_and_nul_are_assessed_as_the_rest_is(knows_one_cue: Model) -> None:
    found = knows_one_cue.assess(["\ud800我想死\udfff", "\0我想死\0", "\ud800", "\0"])
    assert [each.high for each in found] == [True, True, False, False]
    assert [each.scope for each in found] == ["ok", "ok", "no-words", "no-words"]
