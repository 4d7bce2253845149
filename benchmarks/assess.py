"""Speed, start-up and memory of `shouwang assess`, on invented posts, as a Markdown table.

    python benchmarks/assess.py [--model FOLDER] [--format jsonl|csv|parquet] [POSTS ...]

Every figure is that of a process of its own: posts per second is the whole command, reading, writing and start-up
included; memory is the peak resident set (ru_maxrss). Beside it, the same posts go through scikit-learn's character
1–3-gram TF-IDF and logistic regression (11 classes), called directly on texts that are in memory already: only
`predict_proba` is timed, in chunks of 10,000, on no more than 100,000 of the posts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

PARTS = (
    ("今天", "昨晚", "最近", "下班以后", "周末", "刚刚", "又到了这个点，", "说真的，"),
    ("我", "朋友", "同事", "楼下的阿姨", "我们班", "妈妈", "隔壁的猫", "新来的同学"),
    ("喝到了很好喝的豆浆", "看完了一部电影", "等了很久的车", "把作业写到一半", "在路上淋了雨", "煮糊了一锅汤", "听了一整天的歌", "忘了带钥匙"),
    ("，心里有点累", "，觉得没什么意思", "，真好", "，有点想哭", "，想早点睡", "，笑了好久", "，谁也不想见", "，日子还要过"),
)  # fmt: skip
ENDINGS = ("。", "！", "……", "😀", "", "#日常#", " [笑cry]", "😮‍💨")
MOST_SKLEARN = 100_000
CHUNK = 10_000
STARTS = 5


def invented(rng: random.Random) -> str:
    """A post of one to three sentences put together from parts; 13 to 100 characters."""
    sentences = (
        "".join(rng.choice(parts) for parts in PARTS) + rng.choice(ENDINGS) for _ in range(rng.choice((1, 1, 2, 3)))
    )
    return "".join(sentences)


def write_posts(path: Path, count: int) -> None:
    rng = random.Random(0)  # noqa: S311
    with path.open("w", encoding="utf-8") as out:
        for number in range(count):
            out.write(json.dumps({"id": number, "text": invented(rng)}, ensure_ascii=False) + "\n")


def measured(command: list[str]) -> tuple[float, float, str]:
    """Seconds, peak MB and standard output of a process that must end well."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read()
    if process.returncode:
        sys.exit(f"{command} ended with {process.returncode}")
    return time.perf_counter() - start, used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3), said


def sklearn_seconds(path: Path) -> None:
    """Print how long the pipeline takes for the posts of a file, and how many they are."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    rng = random.Random(1)  # noqa: S311
    train = [invented(rng) for _ in range(2_000)]
    pipeline = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True), LogisticRegression(max_iter=200)
    )
    pipeline.fit(train, [rng.randrange(11) for _ in train])
    with path.open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in islice(lines, MOST_SKLEARN)]
    start = time.perf_counter()
    for at in range(0, len(texts), CHUNK):
        pipeline.predict_proba(texts[at : at + CHUNK])
    print(json.dumps([time.perf_counter() - start, len(texts)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("posts", nargs="*", type=int, default=[1_000, 10_000])
    parser.add_argument("--model", type=Path, help="a model folder; the built-in one if not given")
    parser.add_argument("--format", default="jsonl", help="of the output")
    parser.add_argument("--sklearn", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.sklearn:
        sklearn_seconds(given.sklearn)
        return
    model = ["--model", str(given.model.absolute())] if given.model else []
    assess = [sys.executable, "-m", "shouwang", "assess", *model, "--json", "--top", "1"]
    with tempfile.TemporaryDirectory() as folder:
        posts, output = Path(folder, "posts.jsonl"), Path(folder, f"out.{given.format}")
        write_posts(posts, 1)
        starts = [measured([*assess, str(posts)])[0] for _ in range(STARTS)]
        print(f"First result of one post after {statistics.median(starts):.2f} s (median of {STARTS} starts).\n")
        print(f"| posts | seconds | posts/s | peak MB | scikit-learn posts/s | ratio |\n|{'---:|' * 6}")
        for count in given.posts:
            write_posts(posts, count)
            seconds, peak, _ = measured([*assess, "--output", str(output), str(posts)])
            output.unlink()
            took, of = json.loads(measured([sys.executable, __file__, "--sklearn", str(posts)])[2])
            speed, other = count / seconds, of / took
            print(
                f"| {count:,} | {seconds:.1f} | {speed:,.0f} | {peak:,.0f} | {other:,.0f} | {speed / other:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
