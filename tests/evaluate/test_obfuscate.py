from __future__ import annotations

import numpy as np
import pytest

from shouwang.errors import InputError
from shouwang.evaluate.obfuscate import KINDS, RISK_WORDS, obfuscate
from shouwang.text import canonical

pytest.importorskip("pypinyin", reason="pip install 'shouwang[evaluate]'")

TEXT = "今天我想死,也想过跳楼和割腕"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_changes_a_text_with_risk_words(kind: str) -> None:
    text = TEXT + ",生不如死,结束生命,用心"
    assert obfuscate(text, kind, np.random.default_rng(1)) != text


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_text(kind: str) -> None:
    assert obfuscate(TEXT, kind, np.random.default_rng(7)) == obfuscate(TEXT, kind, np.random.default_rng(7))


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_of_nothing_changes_nothing(kind: str) -> None:
    assert obfuscate(TEXT, kind, np.random.default_rng(1), share=0.0) == TEXT


def test_word_kinds_leave_the_other_words_alone() -> None:
    assert obfuscate("今天想死,吃饭", "pinyin", np.random.default_rng(1)) == "今天xiangsi,吃饭"
    assert obfuscate("今天跳楼,吃饭", "split-characters", np.random.default_rng(1)) == "今天⻊兆木娄,吃饭"


def test_an_unknown_kind_names_the_closest() -> None:
    with pytest.raises(InputError, match="Did you mean 'pinyin'"):
        obfuscate(TEXT, "pinyim", np.random.default_rng(1))


@pytest.mark.parametrize(
    "kind",
    ["zero-width", "combining-marks", "spaces", "symbols", "emoji", "kangxi-radicals", "html-entities", "traditional"],
)
def test_the_canonical_form_undoes_what_only_unicode_hides(kind: str) -> None:
    assert canonical(obfuscate(TEXT, kind, np.random.default_rng(3)), variants=False).text == TEXT


def test_the_forty_risk_words_differ() -> None:
    assert len(set(RISK_WORDS)) == len(RISK_WORDS) == 40
