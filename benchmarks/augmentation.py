"""What augmentation does to the floor on SOS-1K's five folds: what is shipped, and what was tried and is not.

    SHOUWANG_DATA=FOLDER python benchmarks/augmentation.py [NAME ...] [--tasks levels,high] [--seeds 0,1,2] [--folds 4]

The floor is `tfidf-lr` of `shouwang.models.baselines` (the same features, penalty and class weights), solved in its dual, which
takes a quarter of the time; `shouwang benchmark --augment` gives the same rows by the baseline itself. Nothing here
touches the test set. Names: see `VARIANTS`; any specification that `--augment` takes is one too, and several joined by
`&` ("synonyms:mean&invented") are added together.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Sequence

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from shouwang.benchmark.augmentation import augmentation
from shouwang.benchmark.averages import difference
from shouwang.benchmark.study import Round, label, labels, load_study
from shouwang.evaluate import METRICS, Answers, Options, Task, of_high, of_levels
from shouwang.models.mixture import softmax
from shouwang.posts import LabelledPost
from shouwang.scale import HIGH_FROM
from shouwang.train.builtin.members import solve

C = 5
CLASSES: dict[Task, int] = {"levels": 11, "high": 2}
Rng = np.random.Generator
Vary = Callable[[Sequence[LabelledPost], Rng], list[tuple[str, LabelledPost]]]


def clauses(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[，。！？!?…,；;\n~ ])", text) if part.strip()]


def joined(posts: Sequence[LabelledPost], rng: Rng) -> list[tuple[str, LabelledPost]]:
    """Every post beside another of its level, in either order."""
    made = []
    for post in posts:
        same = [other for other in posts if other.level == post.level and other is not post]
        other = same[rng.integers(len(same))]
        made.append(("，".join((post.text, other.text) if rng.random() < 0.5 else (other.text, post.text)), post))
    return made


def some_clauses(posts: Sequence[LabelledPost], rng: Rng) -> list[tuple[str, LabelledPost]]:
    """Every post of several clauses, each kept with a chance of 0.7."""
    made = []
    for post in posts:
        parts = clauses(post.text)
        kept = [part for part in parts if rng.random() < 0.7]
        if 0 < len(kept) < len(parts):
            made.append(("".join(kept), post))
    return made


def lost_characters(posts: Sequence[LabelledPost], rng: Rng) -> list[tuple[str, LabelledPost]]:
    """Every post without a tenth of its characters."""
    return [("".join(c for c in post.text if rng.random() > 0.1), post) for post in posts]


VARIANTS: dict[str, Vary] = {"joined": joined, "some-clauses": some_clauses, "lost-characters": lost_characters}


def training(
    name: str, posts: Round, seed: int, copies: int, weight: float
) -> tuple[list[str], list[LabelledPost], list[float]]:
    """Texts, the posts whose labels they have, and weights."""
    texts, of, weights = [p.text for p in posts.train], list(posts.train), [1.0] * len(posts.train)
    made: list[tuple[str, LabelledPost]] = []
    rng = np.random.default_rng([seed, int(posts.name[-1])])
    if name in VARIANTS:
        made = [pair for _ in range(copies) for pair in VARIANTS[name](posts.train, rng)]
    elif name != "none":
        for each in name.split("&"):
            more, notes = augmentation(each).more(posts, seed)
            made += [(post.text, post) for post in more]
            if "leaks" in notes:
                print(
                    f"{posts.name} {each}: {notes['offered']} offered, {notes['leaks']} leaks removed, {len(more)} new"
                )
    return texts + [text for text, _ in made], of + [post for _, post in made], weights + [weight] * len(made)


def answers(
    task: Task, posts: Round, texts: Sequence[str], of: Sequence[LabelledPost], weights: Sequence[float]
) -> Answers:
    classes = np.array([_class(post, task) for post in of])
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), dtype=np.float32)
    x = vectorizer.fit_transform(texts)
    count = np.bincount(classes, minlength=CLASSES[task])
    balance = len(classes) / (np.count_nonzero(count) * np.maximum(count, 1))
    w = (np.array(weights) * balance[classes])[:, None]
    dual, bias = solve((x @ x.T).toarray(), np.eye(CLASSES[task])[classes], w, softmax, C)
    p = softmax((vectorizer.transform([post.text for post in posts.held_out]) @ x.T).toarray() @ dual + bias)
    gold = np.array(labels(posts.held_out, task))
    return of_levels(gold, p) if task == "levels" else of_high(gold == 1, p[:, 1])


def _class(post: LabelledPost, task: Task) -> int:
    found = label(post, task)
    return int((post.level or 0) >= HIGH_FROM) if found is None else found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=["invented", "synonyms:mean", "synonyms:max", *VARIANTS])
    parser.add_argument("--tasks", default="levels,high")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--folds", default="1,2,3,4,5")
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--weight", type=float, default=1.0)
    given = parser.parse_args()
    seeds = [int(seed) for seed in given.seeds.split(",")]
    study = load_study("sos-1k", drop_leaks=True)
    folds = [study.rounds[f"fold{k}"] for k in given.folds.split(",")]
    base: dict[Task, list[list[Answers]]] = {}
    for name in ["none", *given.names]:
        # one set of new posts a fold and seed, for both tasks
        sets = [
            [training(name, fold, seed, given.copies, given.weight) for seed in (seeds if name != "none" else [0])]
            for fold in folds
        ]
        for task in (each for each in CLASSES if each in given.tasks.split(",")):
            f1 = METRICS[task]["weighted_f1"].of
            found = [[answers(task, fold, *one) for one in mine] for fold, mine in zip(folds, sets, strict=True)]
            scores = 100 * np.array([[float(f1(one)) for one in mine] for mine in found])
            line = f"{task:6} {name:28} {scores.mean():5.2f} ± {scores.std(ddof=1) if scores.size > 1 else 0:.2f}  added {np.mean([len(o[0]) for m in sets for o in m]) - np.mean([len(f.train) for f in folds]):6.0f}"
            if name == "none":
                base[task] = found
            else:
                d = difference(f1, found, base[task], Options(resamples=500))
                by_fold = " ".join(f"{x:+.1f}" for x in scores.mean(1) - [100 * float(f1(m[0])) for m in base[task]])
                line += (
                    f"  minus none {100 * d.value:+.2f} [{100 * d.low:+.2f}, {100 * d.high:+.2f}]  by fold {by_fold}"
                )
            print(line, flush=True)


if __name__ == "__main__":
    main()
