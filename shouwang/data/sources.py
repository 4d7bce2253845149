"""The public data sets, pinned: to add one, add an entry to `SOURCES`.

Text is never part of this package. Every SHA-256 is that of the file as this project measured it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote

from shouwang import lookup
from shouwang.errors import InputError
from shouwang.language import Words, say

Licence = Literal["none stated", "MIT", "CC0-1.0"]
Role = Literal["text", "level", "high"]

ORIGIN = "https://raw.githubusercontent.com"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a source.

    `path` is its place in a local copy, `upstream` its place in the repository. Several files may hold the same posts
    of one split in the same order, each with other labels. `columns` says which column plays which role, `extra` which
    further columns are kept. A `derived` file was made from the upstream file, so only a local copy can be verified.
    """

    path: str
    upstream: str
    split: str
    rows: int
    sha256: str
    columns: Mapping[Role, str]
    extra: tuple[str, ...] = ()
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A data set: what it is, who made it, under which licence, and its files at one commit."""

    name: str
    title: Words
    repository: str
    commit: str
    licence: Licence
    task: Words
    citation: str
    files: tuple[DataFile, ...]
    note: Words
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Names for several splits together."""

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(file.split for file in self.files))

    @property
    def derived(self) -> bool:
        return any(file.derived for file in self.files)

    def rows(self, split: str) -> int:
        return next(file.rows for file in self.files if file.split == split)

    def url(self, file: DataFile, origin: str = ORIGIN) -> str:
        return f"{origin}/{self.repository}/{self.commit}/{quote(file.upstream)}"


FINE: Mapping[Role, str] = {"text": "comment", "level": "myLabel"}
BINARY: Mapping[Role, str] = {"text": "comment", "high": "twoClass"}
WEIBO: Mapping[Role, str] = {"text": "content"}
TEXT: Mapping[Role, str] = {"text": "text"}

SOS_1K_REPOSITORY = "HongzhiQ/FineGrainedSuicideDetection"
SOS_1K_COMMIT = "1322c3b"
SOS_1K_CITATION = (
    "Qi et al., SOS-1K: A Fine-grained Suicide Risk Classification Dataset for Chinese Social Media Analysis, "
    "IEEE SMC 2024, arXiv 2404.12659"
)
PINNED = Words(
    "The checksums pin the copy that this project measured; fetching shows whether upstream still serves those bytes.",
    "校验值固定的是本项目所测的副本；下载时即可知道上游是否仍是同样的字节。",
)


def _sos_1k(
    split: str, rows: int, fine: str, binary: str, names: tuple[str, str] | None = None
) -> tuple[DataFile, ...]:
    first, second = names or (f"{split}.tsv", f"{split}_twoClass.tsv")
    upstream = "suicideDataProcessing/data"
    return (
        DataFile(f"sos-1k/fine-grained/{first}", f"{upstream}/fine-grained/{first}", split, rows, fine, FINE),
        DataFile(f"sos-1k/binary/{second}", f"{upstream}/binary/{second}", split, rows, binary, BINARY),
    )


def _augmented(split: str, rows: int, sha256: str) -> DataFile:
    file = f"{split}/train_data4.tsv"
    return DataFile(f"sos-1k/augmented/{file}", f"ModelTrain/{file}", split, rows, sha256, FINE)


SOURCES: dict[str, Source] = {
    "sos-1k": Source(
        name="sos-1k",
        title=Words("SOS-1K", "SOS-1K 细粒度自杀风险"),
        repository=SOS_1K_REPOSITORY,
        commit=SOS_1K_COMMIT,
        licence="none stated",
        task=Words(
            "comments under one Weibo tree hole: levels 0–10 and, annotated separately, high/low",
            "同一微博“树洞”下的评论：0–10 级，另有单独标注的高/低",
        ),
        citation=SOS_1K_CITATION,
        files=(
            *_sos_1k(
                "fold1",
                200,
                "bc83de8398f7bd584eed594210a2aa5a5a563892f1d62791e28625c770980e49",
                "e2b2fc5d70d009fc3e9ab48f45c52d3a3951af27edfb292f2bfc8600abed6da3",
            ),
            *_sos_1k(
                "fold2",
                200,
                "6c64b8eacf4bb74143613a2584a0f31d03a89b0008cbeb6702dc27afbdc805f8",
                "c77c4146bb12fea08b83ee11cdf6ac9b9ae5a62a5d740be21748486dbe0dbba4",
            ),
            *_sos_1k(
                "fold3",
                200,
                "82aacc13ccd6dca30108026648ed36ae5e8ccea7e6799f22d5593e419d2f90bf",
                "39af27c78020a7c8847c78450e2dd55eec73eed34f21df20efc08d7b9b8d7307",
            ),
            *_sos_1k(
                "fold4",
                200,
                "e18da3262be1148c030a64ad033e8ca655e2bf55da53aeb699500f5240110375",
                "0516ba2476585c4b4a1b9bdb79908937add2a63570424db5206808b331d1c254",
            ),
            *_sos_1k(
                "fold5",
                199,
                "115a6369fab104fe2a6a58834d37053c98d4602aa641a17ff8e35af9e9404cac",
                "0a55b4420d5466deb199477917083ad884cb4cb4f71a21583f4529f40bae064c",
            ),
            *_sos_1k(
                "test",
                250,
                "2f231da894f7d65e6a627677c033cbaf6694a8ee0aba90b63946b04b3601a812",
                "47d4505c813a059cabd3bf808166491e653e670332740c825755daa7938cb2bd",
                ("test_data.tsv", "testdata_twoClass.tsv"),
            ),
        ),
        note=Words(
            "The published five folds and test set. One test post also stands in the folds. No user ids, no dates. "
            + PINNED.en,
            "论文公布的五折与测试集。有一条测试帖也在五折之中。没有用户标识和日期。" + PINNED.zh,
        ),
        groups={"folds": ("fold1", "fold2", "fold3", "fold4", "fold5")},
    ),
    "sos-1k-augmented": Source(
        name="sos-1k-augmented",
        title=Words("SOS-1K, the authors' augmented training sets", "SOS-1K 作者的增强训练集"),
        repository=SOS_1K_REPOSITORY,
        commit=SOS_1K_COMMIT,
        licence="none stated",
        task=Words(
            "training sets for validation on fold 4, balanced by augmentation: levels 0–10",
            "以第 4 折作验证的训练集，经增强而平衡：0–10 级",
        ),
        citation=SOS_1K_CITATION,
        files=(
            _augmented(
                "synonym-replacement-1", 1350, "09e3f078f96811ca3e0b0747f468b6c7a88e71f32b9c78f5445951a2a157345b"
            ),
            _augmented(
                "synonym-replacement-2", 1692, "c13654cfd9e053e739997db6ce4fdfd7d6fe40f4e005e20661151d899a85350d"
            ),
            _augmented("back-translation-1", 1279, "1c46fedd2564ca2dccd1a85ed90691347d33ec00a63f48aafa904c76b102853e"),
            _augmented("back-translation-2", 1736, "e5865debd92734a256ca4430c2fac3474aa27dd217567d21a53f861ade1eecd8"),
            _augmented("LLMs-G-1", 1350, "169028f99666c9dcc7e2bfc68bb582d2da334170f1e23d05148f1cd98198ba19"),
            _augmented("LLMs-G-2", 1738, "d53b04fe4d08197cb0b82d905fb986cf9546129dcc26dbf3381b3744d2ca26b2"),
            _augmented("LLMs-G-3", 3476, "bbb688250039211d23dca71e5875ad5cc04c0895cfe9f3b4b01decd09514797a"),
        ),
        note=Words(
            "Each set repeats the other four folds and holds 1–4 rows that equal a test post. " + PINNED.en,
            "每一份都含另外四折的原文，并有 1–4 行与某条测试帖相同。" + PINNED.zh,
        ),
    ),
    "sos-4k": Source(
        name="sos-4k",
        title=Words("SOS-4K", "SOS-4K"),
        repository="HongzhiQ/RSLF-Framework-and-SOS4K-Dataset",
        commit="ba5c0c0a11bf16c6f6854f5180bfbbd2c9f775e3",
        licence="none stated",
        task=Words(
            "the successor of SOS-1K: levels 0–10 with an explanation written by a language model",
            "SOS-1K 的后继：0–10 级，附语言模型写的解释",
        ),
        citation="Qi et al., RSLF framework and SOS-4K data set (see the repository's README)",
        files=(
            DataFile(
                path="sos-4k/train.tsv",
                upstream="data_final/data/train_data_withExplainFewShot.tsv",
                split="train",
                rows=2526,
                sha256="c9d2c6b0daff0426250fd844e934d782137b01b07ee587d00477ffdcb993ceed",
                columns=FINE,
                extra=("explain",),
                derived=True,
            ),
            DataFile(
                path="sos-4k/val.tsv",
                upstream="data_final/data/val_data_withExplainFewShot.tsv",
                split="val",
                rows=636,
                sha256="53e9431ccdcc76e832345cfeaedcea5c5f800d618e601df62f96c6a653b48b96",
                columns=FINE,
                extra=("explain",),
                derived=True,
            ),
        ),
        note=Words(
            "Derived copy: some upstream rows are left out, among them every post that equals a SOS-1K test post. "
            "It still contains most of SOS-1K's folds, dozens of them with another level.",
            "派生副本：去掉了上游的部分行，包括与 SOS-1K 测试帖相同的所有帖子。"
            "其中仍含 SOS-1K 五折的大部分，有几十条的等级不同。",
        ),
    ),
    "everyday": Source(
        name="everyday",
        title=Words("Everyday Weibo posts (SMP2020-EWECT)", "日常微博（SMP2020-EWECT）"),
        repository="BrownSweater/BERT_SMP2020-EWECT",
        commit="e928cec",
        licence="none stated",
        task=Words(
            "ordinary posts with one of six emotions; no risk level",
            "普通微博，六种情绪之一；没有风险等级",
        ),
        citation="SMP2020 Evaluation of Weibo Emotion Classification Technology (SMP2020-EWECT)",
        files=(
            DataFile(
                path="everyday/smp2020-ewect-usual-eval.tsv",
                upstream="data/raw/usual_eval_labeled.txt",
                split="usual-eval",
                rows=2000,
                sha256="81ed863f77087630b879db2e91e426ca76f6f0decfba83d21056b19706134343",
                columns=WEIBO,
                extra=("emotion",),
                derived=True,
            ),
            DataFile(
                path="everyday/smp2020-ewect-virus-train.tsv",
                upstream="data/raw/virus_train.txt",
                split="virus-train",
                rows=8606,
                sha256="9ffc5526b07a6250c01cd293be0f46d598d1fd22e6ca57a327a8f86c527f32d2",
                columns=WEIBO,
                extra=("emotion",),
                derived=True,
            ),
        ),
        note=Words(
            "Derived copy: upstream's JSON array as tab-separated rows. Emotions are not risk levels: a few posts may "
            "express real distress.",
            "派生副本：上游的 JSON 数组改为制表符分隔。情绪不是风险等级：少数帖子可能流露真实的痛苦。",
        ),
    ),
    "psyguard": Source(
        name="psyguard",
        title=Words("PsySUICIDE (PsyGUARD), validation part", "PsySUICIDE（PsyGUARD）验证部分"),
        repository="qiuhuachuan/PsyGUARD",
        commit="e16397b",
        licence="MIT",
        task=Words(
            "counselling turns and social-media posts with any of 11 labels in Chinese; no 0–10 level",
            "咨询话语与社交媒体帖子，11 个中文标签可多选；没有 0–10 级",
        ),
        citation="Qiu et al., PsyGUARD: An Automated System for Suicide Detection and Risk Assessment in Psychological "
        "Counseling, EMNLP 2024",
        files=(
            DataFile(
                path="psyguard/valid.jsonl",
                upstream="data/valid.json",
                split="valid",
                rows=1480,
                sha256="0f41bcb972ceeabf0ba9888d7582b2018f1a3ae27f5782c1d5d47776fa85859a",
                columns=TEXT,
                extra=(
                    "idx",
                    "labels",
                    "data_source",
                ),
                derived=True,
            ),
        ),
        note=Words(
            "Derived copy: upstream's JSON array as one object per line, without its vector of labels.",
            "派生副本：上游的 JSON 数组改为每行一个对象，去掉了标签向量。",
        ),
    ),
    "smilechat": Source(
        name="smilechat",
        title=Words("SmileChat, client turns", "SmileChat 来访者话语"),
        repository="qiuhuachuan/smile",
        commit="9f8afc0",
        licence="CC0-1.0",
        task=Words(
            "what clients say in counselling dialogues expanded by a language model; unlabelled",
            "由语言模型扩写的咨询对话中来访者的话；没有标签",
        ),
        citation="Qiu et al., SMILE: Single-turn to Multi-turn Inclusive Language Expansion via ChatGPT for Mental "
        "Health Support, Findings of EMNLP 2024",
        files=(
            DataFile(
                path="smilechat/client-turns.jsonl.gz",
                upstream="data/*.json",
                split="client-turns",
                rows=294133,
                sha256="b63eed40950cf7d0ff319da55034445f5078700d7d025c9d8bf527861a7d02b8",
                columns=TEXT,
                extra=(
                    "dialogue",
                    "turn",
                ),
                derived=True,
            ),
        ),
        note=Words(
            "Derived copy: the client turns of upstream's thousands of dialogue files, without repetitions.",
            "派生副本：取自上游数千个对话文件中来访者的话语，已去重。",
        ),
    ),
}


def get(name: str) -> Source:
    """The source called `name`; raises InputError that names the closest one."""
    return lookup.get(SOURCES, name, "data set")


def parse(spec: str) -> tuple[Source, tuple[str, ...]]:
    """A source and the splits meant by "sos-1k", "sos-1k/test" or "sos-1k/folds" (a group of splits)."""
    name, _, part = spec.partition("/")
    source = get(name)
    if not part:
        return source, source.splits
    if part in source.groups:
        return source, source.groups[part]
    if part in source.splits:
        return source, (part,)
    there = ", ".join((*source.splits, *source.groups))
    raise InputError(
        say(
            f"data set '{name}' has no part '{part}'; there are: {there}",
            f"数据集“{name}”没有“{part}”这一部分；可用的有：{there}",
        )
    )
