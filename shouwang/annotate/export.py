"""A project as a data-set folder that others can read, trust and cite.

data.jsonl         one labelled post a line, with its fold; `shouwang data audit FOLDER` reads the folds
folds/foldN.jsonl  the same posts fold by fold, near-equal ones together
votes.jsonl        what every annotator said, people under numbers; no notes
left-out.jsonl     ids that are not in the data, and why
DATASHEET.md, DATASHEET.zh.md, LICENCE, SHA256SUMS
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shouwang import ledger
from shouwang.annotate import datasheet
from shouwang.annotate.comparison import compare, final
from shouwang.annotate.labels import Label, Rating
from shouwang.annotate.project import MODEL, Project
from shouwang.errors import InputError
from shouwang.files import write_line
from shouwang.language import LANGUAGES, language, say, use_language
from shouwang.posts import LabelledPost

Folds = Callable[[Sequence[LabelledPost]], Sequence[Sequence[LabelledPost]]]
"""Posts to parts of about equal size and like levels, in which near-equal posts stand together."""


@dataclass(frozen=True, slots=True)
class Exported:
    """Where it went: `posts` with a label, and what is left out, by reason."""

    folder: Path
    posts: int
    folds: int
    left_out: Mapping[str, int]


def export(
    project: Project,
    folder: Path,
    *,
    name: str,
    licence: str,
    folds: Folds,
    answers: Mapping[str, str] | None = None,
    hugging_face: bool = False,
    resamples: int = 2_000,
) -> Exported:
    """Write the folder, which appears whole or not at all.

    Raises InputError when it exists, or when no post has a final label yet.
    """
    if folder.exists():
        raise InputError(say(f"{folder} exists already; name another folder", f"{folder} 已存在；请换一个文件夹名"))
    ratings = project.ratings()
    stands = final(ratings, project.raters)
    rows = [_row(post.id, post.text, *stands[post.id]) for post in project.posts() if post.id in stands]
    if not rows:
        raise InputError(
            say("no post has a final label yet: rate and adjudicate first", "还没有帖子有最终标签：请先标注、裁定")
        )
    parts = folds([LabelledPost(row["id"], row["text"], row["level"], row["high"]) for row in rows])
    fold_of = {post.id: number for number, part in enumerate(parts, 1) for post in part}
    rows = [row | {"fold": fold_of[row["id"]]} for row in rows]
    left_out = _left_out(project, ratings, stands)

    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.mkdir(mode=0o700)  # people's posts: its owner decides who else reads them
    (unfinished / "folds").mkdir()
    _write(unfinished / "data.jsonl", rows)
    for number in range(1, len(parts) + 1):
        _write(unfinished / "folds" / f"fold{number}.jsonl", (row for row in rows if row["fold"] == number))
    _write(unfinished / "votes.jsonl", _votes(ratings, {row["id"] for row in rows}))
    _write(unfinished / "left-out.jsonl", left_out)
    (unfinished / "LICENCE").write_text(licence + "\n", encoding="utf-8")
    facts = datasheet.Facts(
        name, licence, rows, left_out, ratings, compare(ratings, project.raters, resamples=resamples), project.raters
    )
    for each, text in _in_both_languages(lambda: datasheet.datasheet(facts, answers or {})).items():
        (unfinished / ("DATASHEET.md" if each == "en" else "DATASHEET.zh.md")).write_text(text, encoding="utf-8")
    if hugging_face:
        _hugging_face(unfinished, rows, name, licence)
    _checksums(unfinished)
    unfinished.rename(folder)
    with project.writing() as connection:
        sums = hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
        ledger.append(connection, "cli", "exported", f"data-set:{name}", posts=len(rows), sha256=sums)
    reasons = [row["reason"] for row in left_out]
    return Exported(folder, len(rows), len(parts), {reason: reasons.count(reason) for reason in sorted(set(reasons))})


def _row(name: str, text: str, label: Label, why: str) -> dict[str, Any]:
    return {"id": name, "text": text, **label.judgement(), "settled": why}


def _left_out(project: Project, ratings: Iterable[Rating], stands: Mapping[str, object]) -> list[dict[str, Any]]:
    rated = {each.post for each in ratings if each.stage == "blind"}
    open_ = [
        {"id": post.id, "reason": "not settled" if post.id in rated else "not rated", "like": None}
        for post in project.posts()
        if post.id not in stands
    ]
    dropped = [{"id": each["post"], "reason": each["reason"], "like": each["like"]} for each in project.dropped()]
    return open_ + dropped


def _votes(ratings: Iterable[Rating], posts: set[str]) -> list[dict[str, Any]]:
    """Every rating of an exported post; people are "rater-1", "rater-2", … in the order of their first rating."""
    numbers: dict[str, str] = {}
    votes = []
    for each in ratings:
        if each.post not in posts:
            continue
        model = each.who.startswith(MODEL)
        who = each.who if model else numbers.setdefault(each.who, f"rater-{len(numbers) + 1}")
        label = each.label.judgement() if each.label else {}
        votes.append(
            {"post": each.post, "who": who, "stage": each.stage, **label, "votes": each.data.get("votes")}
            | (_marked(each) if model else {})
        )
    return votes


def _marked(rating: Rating) -> dict[str, Any]:
    """Of a model's rating: whether the post may speak to the rater, and what of it (start, end) the model was not shown."""
    return {"instructs": bool(rating.data.get("instructs")), "left_out": rating.data.get("left_out", [])}


def _write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for row in rows:
            write_line(stream, row)


def _in_both_languages(text: Callable[[], str]) -> dict[str, str]:
    before = language()
    found: dict[str, str] = {}
    for each in LANGUAGES:
        use_language(each)
        found[each] = text()
    use_language(before)
    return found


def _hugging_face(folder: Path, rows: Sequence[Mapping[str, Any]], name: str, licence: str) -> None:
    """The layout that the Hugging Face `datasets` package loads by path: Parquet, and a README with its front matter."""
    import polars  # heavy, and only Parquet needs it

    (folder / "data").mkdir()
    told = [{**row, "spans": json.dumps(row["spans"])} for row in rows]
    kept = {"indicators": polars.List(polars.String)}  # also where no post expresses any
    table = polars.DataFrame(told, schema_overrides=kept, infer_schema_length=None)
    table.write_parquet(folder / "data" / "train.parquet")
    front = {
        "pretty_name": name,
        "language": ["zh"],
        "license": licence.lower() if licence.isascii() and " " not in licence else "other",
        "task_categories": ["text-classification"],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "data/train.parquet"}]}],
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()]  # JSON is YAML
    text = (folder / "DATASHEET.md").read_text(encoding="utf-8")
    (folder / "README.md").write_text("\n".join(["---", *lines, "---", "", text]), encoding="utf-8")


def _checksums(folder: Path) -> None:
    """As `sha256sum -c SHA256SUMS` reads them; written last."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
