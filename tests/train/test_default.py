from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shouwang.errors import InputError
from shouwang.models import store
from shouwang.models.mixture import HEADS, HIGH_HEAD
from shouwang.models.model import Model
from shouwang.posts import LabelledPost
from shouwang.train.default import Corpus, Fitted, audited, fit
from tests.train.conftest import FEATURES


def leaky(corpus: Corpus) -> Corpus:
    """With a test post in a fold, one in the everyday posts, and a post of the folds among the further ones."""
    first, *rest = corpus.folds
    return replace(
        corpus,
        folds=([*first, replace(corpus.test[0], id="leak-1")], *rest),
        further=[*corpus.further, replace(first[0], id="leak-2")],
        everyday=[*corpus.everyday, LabelledPost("leak-3", corpus.test[0].text)],
    )


def test_training_posts_that_stand_in_the_test_set_are_refused_by_id(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="leak-1") as caught:
        audited(leaky(corpus), drop_leaks=False)
    assert "--drop-leaks" in str(caught.value)
    assert corpus.test[0].text not in str(caught.value)


def test_or_left_out_and_named(corpus: Corpus) -> None:
    clean = audited(corpus, drop_leaks=True)
    found = audited(leaky(corpus), drop_leaks=True)
    assert set(found.dropped) - set(clean.dropped) == {"leak-1", "leak-2", "leak-3"}
    assert (found.folds, found.further, found.everyday) == (clean.folds, clean.further, clean.everyday)


def test_every_post_of_the_folds_is_answered_by_a_model_that_never_saw_it(corpus: Corpus, fitted: Fitted) -> None:
    assert fitted.posts == tuple(post for fold in corpus.folds for post in fold)
    assert np.bincount(fitted.fold).tolist() == [len(fold) for fold in corpus.folds]
    assert fitted.out_of_fold.shape == (len(fitted.posts), len(HEADS))
    assert np.isfinite(fitted.out_of_fold).all()
    seen = fitted.heads.logits([post.text for post in fitted.posts])
    gold = np.array([post.level for post in fitted.posts])
    assert np.mean(fitted.out_of_fold[:, :HIGH_HEAD].argmax(1) == gold) < np.mean(seen[:, :HIGH_HEAD].argmax(1) == gold)


def test_the_labels_of_a_fold_do_not_reach_its_own_answers(corpus: Corpus, fitted: Fitted) -> None:
    """Calibration scales and shifts all folds alike, so the order of a fold's posts stays."""
    here = np.flatnonzero(fitted.fold == 0)
    swapped = [replace(post, level=10 - (post.level or 0), high=not post.high) for post in corpus.folds[0]]
    other = fit(replace(corpus, folds=(swapped, *corpus.folds[1:])), features=FEATURES)
    one, two = (np.corrcoef(each.out_of_fold[here, 0], other.out_of_fold[here, 0])[0, 1] for each in (fitted, other))
    assert (one, two) == pytest.approx((1, 1))


def test_the_same_posts_give_the_same_bytes(corpus: Corpus, small: Model, tmp_path: Path) -> None:
    again = fit(corpus, features=FEATURES)
    store.save(small, tmp_path / "one", {})
    store.save(replace(small, heads=again.heads, threshold=again.threshold), tmp_path / "two", {})
    for name in (store.WEIGHTS, store.SETTINGS):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_stored_model_answers_as_the_fitted_one(corpus: Corpus, small: Model, tmp_path: Path) -> None:
    store.save(small, tmp_path, {})
    assert store.load(tmp_path).assess(corpus.test) == small.assess(corpus.test)


def test_the_fitted_model_is_calibrated_and_ranks(fitted: Fitted) -> None:
    high = 1 / (1 + np.exp(-fitted.out_of_fold[:, HIGH_HEAD]))
    gold = np.array([bool(post.high) for post in fitted.posts])
    assert high.mean() == pytest.approx(gold.mean(), abs=0.01)
    assert high[gold].mean() > high[~gold].mean() + 0.2
    assert 0.2 <= fitted.threshold <= 0.8


def test_progress_is_said_fold_by_fold(corpus: Corpus) -> None:
    said: list[str] = []
    fit(replace(corpus, further=(), everyday=()), features=FEATURES, say=said.append)
    assert len(said) == len(corpus.folds) + 1
