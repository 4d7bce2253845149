"""The recipe that was chosen, and its steps in order; each is cached on disk, so that a killed build goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from shouwang.models.blend import Blend
from shouwang.models.encoder import TextEncoder, session
from shouwang.models.mixture import HIGH_HEAD, Mixture
from shouwang.scale import INDICATORS
from shouwang.train.builtin import distil, graph, members, mixing, teach
from shouwang.train.builtin.backbone import SHA256
from shouwang.train.builtin.distil import Distilling
from shouwang.train.builtin.fit import Report
from shouwang.train.builtin.mixing import Said
from shouwang.train.builtin.pools import Pools
from shouwang.train.builtin.sources import Row
from shouwang.train.builtin.stacked import FROZEN, Weights, restored, stored
from shouwang.train.builtin.teach import Draw, Floats, Lesson, Teaching
from shouwang.train.builtin.workshop import Workshop

FOLDS = (1, 2, 3, 4, 5)
Say = Callable[[str], None]

CALM_LESSON = Lesson(Draw(150, 300, 700, 300, 60, 400), Draw(40, 130, 260, 100, 20, 100))
SHARP_LESSON = Lesson(Draw(), Draw())
REPLAY_LESSON = Lesson(Draw(), Draw(sos4k=500))


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that was chosen, on the folds alone.

    Of posts that read like SOS-1K the students hear the levels from `levels` and high and the indicators from `high`
    (places in `teaching.lessons`); of all others everything from the first lesson, which knows ordinary posts.
    """

    teaching: Teaching = field(default_factory=lambda: Teaching((CALM_LESSON, SHARP_LESSON, REPLAY_LESSON), seeds=3))
    levels: tuple[int, ...] = (0, 1)
    high: tuple[int, ...] = (2,)
    distilling: Distilling = field(default_factory=Distilling)
    linear: members.Recipe = field(default_factory=members.Recipe)
    mixture: mixing.Settings = field(default_factory=mixing.Settings)


def fingerprint(plan: Plan, pools: Pools) -> str:
    """Names a cache: another plan, other posts or another backbone give another one (12 hexadecimal digits)."""
    said = hashlib.sha256(f"{plan} {SHA256}".encode())
    for row in (*pools.training, *pools.folds):
        said.update(f"{row}".encode())
    return said.hexdigest()[:12]


def told(shop: Workshop, plan: Plan, report: Report) -> Floats:
    """What the students hear of the texts `distil.asked`: [teach.FOLDS, n, heads]."""
    asked = distil.asked(shop.texts)
    said = _said(shop, plan, asked, report)
    alike = np.isin(asked, np.concatenate([shop.texts.rows(pool) for pool in distil.ALIKE]))
    heard = said[0].copy()
    for k in range(len(teach.FOLDS)):
        heard[k][alike, :HIGH_HEAD] = teach.joined(said[list(plan.levels), k][:, alike])[:, :HIGH_HEAD]
        heard[k][alike, HIGH_HEAD:] = said[list(plan.high), k][:, alike, HIGH_HEAD:].mean(0)
    return np.asarray(heard)


def _said(shop: Workshop, plan: Plan, asked: NDArray[np.int64], report: Report) -> Floats:
    """What each lesson's seeds say together: [lessons, teach.FOLDS, n, heads]. Stage 1 and every lesson are steps."""
    how = plan.teaching
    begun = cache(partial(_begun, shop, how, report))  # read once, and not at all when every lesson was heard

    def heard(i: int) -> Floats:
        own = begun()[i * how.seeds : (i + 1) * how.seeds]
        model = teach.teachers(shop.texts, shop.bank, shop.start, own, how.lessons[i], how, 1 + i, report)
        return teach.by_fold(teach.read(model, shop.bank, asked))

    return np.array([shop.kept_array(f"said-{i}", partial(heard, i)) for i in range(len(how.lessons))])


def _begun(shop: Workshop, how: Teaching, report: Report) -> list[Weights]:
    def make() -> Weights:
        found = teach.beginners(shop.texts, shop.bank, shop.start, how, 0, report)
        return {f"{i}/{name}": value for i, each in enumerate(found) for name, value in each.items()}

    return _parted(shop.kept("begun", make))


def _parted(together: Weights) -> list[Weights]:
    parts: dict[int, Weights] = {}
    for name, value in together.items():
        i, _, own = name.partition("/")
        parts.setdefault(int(i), {})[own] = value
    return [parts[i] for i in sorted(parts)]


def students(
    shop: Workshop, plan: Plan, say: Say = lambda line: None, report: Report = lambda *_: None
) -> list[Weights]:
    """The shallow encoders as the graph holds them, one for each of teach.FOLDS."""
    how = plan.distilling

    def make() -> Weights:
        say("teachers")
        heard = told(shop, plan, report)
        say("a shallow encoder that gives the backbone's hidden states")
        first = shop.kept(
            "general", lambda: distil.general(shop.texts, shop.bank, shop.start, plan.teaching.shape, how, report)
        )
        say("students")
        made = distil.students(shop.texts, shop.bank, shop.start, first, heard, how, report)
        return {f"{k}/{name}": value for k, each in enumerate(made) for name, value in stored(each).items()}

    learned = _parted(shop.kept("students", make))
    say("students, with the posts that came later")
    return [shop.kept(f"closed-{k}", partial(_closed, shop, learned[k], k, how, report)) for k in teach.FOLDS]


def _closed(shop: Workshop, student: Weights, fold: int, how: Distilling, report: Report) -> Weights:
    return stored(distil.closed(shop.texts, shop.bank, shop.start, restored(student), fold, how, report))


def encoder_graph(shop: Workshop, student: Weights, plan: Plan) -> bytes:
    """The ONNX encoder."""
    shape = plan.distilling.shape
    frozen = {name: shop.start[name] for name in FROZEN}
    model = graph.build({**frozen, **student}, shape.layers, shape.heads, shape.epsilon, bottom=plan.distilling.frozen)
    return bytes(model.SerializeToString(deterministic=True))


def frozen_features(shop: Workshop, encoder: bytes, rows: Sequence[Row]) -> NDArray[np.float32]:
    """Pooled output of the frozen layers, which all students share, for each row: [n, 2·hidden]."""

    def read() -> Floats:
        run = session(encoder).run
        return np.concatenate([run(["bottom"], {"ids": ids[None]})[0] for ids in shop.ids(rows)])

    return shop.kept_array("frozen", read)


def linear_table(shop: Workshop, encoder: bytes, recipe: members.Recipe) -> members.Table:
    rows, part = members.chosen(shop.pools, recipe)
    return members.table(rows, part, frozen_features(shop, encoder, rows), recipe)


def blend(shop: Workshop, table: members.Table, encoder: bytes, plan: Plan, fold: int) -> Blend:
    """The model without `fold` (0: of all folds), its mixture still even."""
    linear, dense = members.fit(table, fold, shop.pools.leaks, plan.linear)
    tokenizer = (shop.cache / "tokenizer.json").read_bytes()
    return Blend(linear, dense, TextEncoder(encoder, tokenizer, shop.table), EVEN)


EVEN = Mixture(
    np.full(2, 0.5),
    np.zeros(HIGH_HEAD),
    np.full(6, 1 / 6),
    0.0,
    np.full((len(INDICATORS), 2), 0.5),
    np.zeros(len(INDICATORS)),
)


def measured(shop: Workshop, fold: int) -> dict[str, list[Row]]:
    """What a fold's model is asked: its own posts, and its fifth of every set that no model was trained on."""
    p = shop.pools
    sets = {
        "virus": p.held_virus[:1500],
        "invented": p.held_invented,
        "rated": p.new_rated,
        "usual": p.new_usual,
        "unrelated": p.new_unrelated,
    }
    return {"fold": [row for row in p.folds if row.fold == fold]} | {k: v[fold - 1 :: 5] for k, v in sets.items()}


Read = tuple[Said, NDArray[np.int64]]
"""What the members said of a set's posts, and which fold's model read each post."""


def read_by_folds(shop: Workshop, blends: Mapping[int, Blend]) -> dict[str, Read]:
    """By set; "fold" is in the order of `shop.pools.folds`, the other sets fold after fold."""
    found: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64], int]]] = {}
    for fold in FOLDS:
        for name, rows in measured(shop, fold).items():
            found.setdefault(name, []).append((*blends[fold].members([row.text for row in rows]), fold))
    return {
        name: (
            Said(np.concatenate([e for e, _, _ in parts]), np.concatenate([x for _, x, _ in parts])),
            np.repeat([fold for _, _, fold in parts], [len(e) for e, _, _ in parts]),
        )
        for name, parts in found.items()
    }


def mixture(shop: Workshop, read: Mapping[str, Read], settings: mixing.Settings, without: int = 0) -> Mixture:
    """The mixture fitted on what was read of every fold but one (0: of all)."""
    said, fold = read["fold"]
    levels, high = (np.array([getattr(row, name) for row in shop.pools.folds]) for name in ("level", "high"))
    own = fold != without
    parts = [each.take(number != without) for each, number in (read[name] for name in CALM)]
    calm = Said(np.concatenate([p.encoder for p in parts]), np.concatenate([p.linear for p in parts]))
    return mixing.fit(said.take(own), levels[own], high[own], calm, settings)


CALM = ("virus", "invented")
"""Held-out sets of ordinary posts that the mixture learns from; the others only measure."""


@dataclass(frozen=True, slots=True)
class Built:
    """Finished models by fold left out (0: none); and by set the posts, the log-odds (n, heads) that a model gave which
    had not seen them, and the fold (n,) of that model."""

    blends: dict[int, Blend]
    rows: dict[str, list[Row]]
    logits: dict[str, NDArray[np.float64]]
    fold: dict[str, NDArray[np.int64]]


def build(shop: Workshop, plan: Plan, say: Say = lambda line: None, report: Report = lambda *_: None) -> Built:
    """Train what the cache lacks, then put every fold's model together."""
    say("vocabulary")
    shop.prune()
    graphs = [encoder_graph(shop, each, plan) for each in students(shop, plan, say, report)]
    with threadpool_limits(limits=1):
        say("linear members")
        table = linear_table(shop, graphs[0], plan.linear)
        blends = {fold: blend(shop, table, graphs[fold], plan, fold) for fold in (*FOLDS, 0)}
        say("mixture")
        read = read_by_folds(shop, blends)
        blends = {k: replace(each, mixture=mixture(shop, read, plan.mixture, k)) for k, each in blends.items()}
    return Built(
        blends,
        {name: [row for fold in FOLDS for row in measured(shop, fold)[name]] for name in read},
        {name: _mixed(blends, *each) for name, each in read.items()},
        {name: fold for name, (_, fold) in read.items()},
    )


def _mixed(blends: Mapping[int, Blend], said: Said, fold: NDArray[np.int64]) -> NDArray[np.float64]:
    out = np.zeros_like(said.linear)
    for k in FOLDS:
        mine = said.take(fold == k)
        out[fold == k] = blends[k].mixture(mine.encoder, mine.linear)
    return out
