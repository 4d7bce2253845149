from __future__ import annotations

from typing import Any

import pytest

from shouwang.models.features import HashedFeatures
from shouwang.models.model import Model
from shouwang.posts import LabelledPost
from shouwang.train.default import Corpus, Fitted, fit
from shouwang.train.measure import measure
from tests import examples

FEATURES = HashedFeatures(bits=12)


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """The invented examples: every level in each of three folds, in further posts and in the test set."""
    posts = sorted(examples.labelled(), key=lambda post: post.level or 0)
    everyday = [LabelledPost(f"e-{number}", text) for number, text in enumerate(["今天喝到好喝的茶", "下雨了，带伞"])]
    folds = tuple(posts[part::5] for part in range(3))
    return Corpus(folds, further=posts[3::5], everyday=everyday, test=posts[4::5])


@pytest.fixture(scope="session")
def fitted(corpus: Corpus) -> Fitted:
    return fit(corpus, features=FEATURES)


@pytest.fixture(scope="session")
def small(fitted: Fitted) -> Model:
    return Model("small", "0", fitted.heads, fitted.threshold)


@pytest.fixture(scope="session")
def metrics(small: Model, fitted: Fitted, corpus: Corpus) -> dict[str, Any]:
    return measure(small, fitted, corpus.test, {"tea/eval": corpus.everyday})
