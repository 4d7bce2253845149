"""The pre-trained Chinese encoders, pinned: to add one, add an entry to `ENCODERS`.

A revision was read on the hub's page of that commit, in a stored copy; no weights were fetched while this was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shouwang import lookup
from shouwang.errors import InputError
from shouwang.language import Words, say

Architecture = Literal["bert", "ernie", "electra", "nezha"]


@dataclass(frozen=True, slots=True)
class Encoder:
    """A published encoder: where it is, at which commit, how it is built, and how many tokens it reads at most.

    `revision` is None where no commit could be verified: the user names one.
    """

    title: str
    id: str
    revision: str | None
    architecture: Architecture
    max_length: int
    licence: str
    note: Words


@dataclass(frozen=True, slots=True)
class Choice:
    """What a user meant: a folder, or a repository on the hub at a revision (None: the newest commit)."""

    folder: Path | None = None
    repository: str | None = None
    revision: str | None = None
    entry: Encoder | None = None


ENCODERS: dict[str, Encoder] = {
    "bert-wwm-ext": Encoder(
        title="BERT-wwm-ext",
        id="hfl/chinese-bert-wwm-ext",
        revision="2a995a880017c60e4683869e817130d8af548486",
        architecture="bert",
        max_length=512,
        licence="apache-2.0",
        note=Words("Publishes pytorch_model.bin only.", "只发布了 pytorch_model.bin。"),
    ),
    "roberta-wwm-ext": Encoder(
        title="RoBERTa-wwm-ext",
        id="hfl/chinese-roberta-wwm-ext",
        revision="5c58d0b8ec1d9014354d691c538661bf00bfdb44",
        architecture="bert",
        max_length=512,
        licence="apache-2.0",
        note=Words(
            "A BERT by architecture, despite its name. Commits before this one give padding the wrong id (1, not 0). "
            "Publishes pytorch_model.bin only.",
            "名为 RoBERTa，结构是 BERT。此前的提交把填充符的编号写错（1，应为 0）。只发布了 pytorch_model.bin。",
        ),
    ),
    "macbert": Encoder(
        title="MacBERT",
        id="hfl/chinese-macbert-base",
        revision="a986e004d2a7f2a1c2f5a3edef4e20604a974ed1",
        architecture="bert",
        max_length=512,
        licence="apache-2.0",
        note=Words("Publishes pytorch_model.bin only.", "只发布了 pytorch_model.bin。"),
    ),
    "ernie-3.0": Encoder(
        title="ERNIE 3.0",
        id="nghuyong/ernie-3.0-base-zh",
        revision="8ad12310fa2e9668f9df5dd15e3857e374ab8147",
        architecture="ernie",
        max_length=2048,
        licence="none stated",
        note=Words(
            "A conversion of Baidu's weights whose page states no licence: ask before redistributing. The commit "
            "before this one is for a patched BERT. Publishes pytorch_model.bin only.",
            "由百度权重转换而来，页面未写许可：再分发前请先询问。此前的提交用于改过的 BERT。只发布了 pytorch_model.bin。",
        ),
    ),
    "nezha": Encoder(
        title="NeZha",
        id="sijunhe/nezha-cn-base",
        revision="bc68bfa5072f5c06055a2b59ba4858e9eea5183f",
        architecture="nezha",
        max_length=512,
        licence="afl-3.0",
        note=Words(
            "transformers 5 no longer has it; shouwang brings its own. Publishes pytorch_model.bin only.",
            "transformers 5 已删去它；守望自带实现。只发布了 pytorch_model.bin。",
        ),
    ),
    "electra": Encoder(
        title="ELECTRA",
        id="hfl/chinese-electra-base-discriminator",
        revision="378510c6f428bd4b43b259838a1868d7d5405e07",
        architecture="electra",
        max_length=512,
        licence="apache-2.0",
        note=Words(
            "The commit before the newest, which only adds a tokenizer.json. Publishes pytorch_model.bin only.",
            "最新提交的前一个；最新提交只多了 tokenizer.json。只发布了 pytorch_model.bin。",
        ),
    ),
    "mentalbert": Encoder(
        title="Chinese MentalBERT",
        id="zwzzz/Chinese-MentalBERT",
        revision="3e28fec868efc518654157cf4936f312b795e429",
        architecture="bert",
        max_length=512,
        licence="apache-2.0",
        note=Words(
            "Saved as a masked language model, by its size without a pooler: the pooler starts anew with the head. "
            "Publishes pytorch_model.bin only.",
            "以掩码语言模型保存，从文件大小看不含 pooler：pooler 随分类头重新初始化。只发布了 pytorch_model.bin。",
        ),
    ),
}


def choose(name_or_path: str | Path, revision: str | None = None) -> Choice:
    """What is meant by a short name ("macbert"), a hub id ("hfl/chinese-macbert-base") or a local folder.

    An existing folder comes first, then the catalogue; another "owner/name" is taken for a hub id. `revision` overrides
    the pinned one. Raises InputError for a name that is none of these, with the closest one, and for a revision of a folder.
    """
    text = str(name_or_path)
    if Path(text).expanduser().is_dir():
        if revision:
            raise InputError(
                say(
                    f"{text} is a folder here, which has no revisions; leave --revision out, or give the hub id",
                    f"{text} 是本地文件夹，没有版本之分；请去掉 --revision，或改用 hub 上的名字",
                )
            )
        return Choice(folder=Path(text).expanduser())
    entry = next((known for name, known in ENCODERS.items() if text in (name, known.id)), None)
    if entry:
        if not (revision or entry.revision):
            raise InputError(
                say(
                    f"'{text}' has no verified revision; name the commit to use with --revision",
                    f"“{text}”没有核实过的版本；请用 --revision 指明提交号",
                )
            )
        return Choice(repository=entry.id, revision=revision or entry.revision, entry=entry)
    if text.startswith((".", "/", "~", "\\")) or text.count("/") > 1:
        raise InputError(
            say(
                f"{text}: no such folder; expected the folder of a checkpoint, a hub id or one of {_names()}",
                f"{text}：没有这个文件夹；应是检查点所在的文件夹、hub 上的名字，或下列之一：{_names()}",
            )
        )
    if "/" in text:
        return Choice(repository=text, revision=revision)
    lookup.get(ENCODERS, text, "encoder")
    raise AssertionError  # not reached: the name is not in the catalogue


def _names() -> str:
    return ", ".join(ENCODERS)
