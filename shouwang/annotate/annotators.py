"""Language models as annotators: ask, check what they quote, count votes, write down. Resumes where it was stopped."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from shouwang import scale
from shouwang.annotate.answers import Graded, Judged
from shouwang.annotate.guideline import Strategy
from shouwang.annotate.instructions import instructs, left_out
from shouwang.annotate.labels import Label, Span, majority
from shouwang.annotate.project import MODEL, Project, add_rating
from shouwang.llm import Client, Reply, Request
from shouwang.posts import Post
from shouwang.scale import GRADES, INDICATORS, Indicator

Answer = Judged | Graded
VOTING_TEMPERATURE = 0.7


@dataclass(slots=True)
class Annotated:
    """What became of the posts: `rated` now, `there` before; `problems` by kind; quotes that the posts do not hold.

    `instructing` posts may speak to the rater; of `shortened` ones the model was not shown all.
    """

    rated: int = 0
    there: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    instructing: int = 0
    shortened: int = 0
    quotes: int = 0
    misquoted: int = 0


def name_of(model: str, strategy: Strategy, votes: int = 1) -> str:
    """What an annotator's ratings are signed with."""
    return f"{MODEL}{model}/{strategy.version}" + (f"x{votes}" if votes > 1 else "")


def annotate(
    project: Project,
    client: Client,
    strategy: Strategy,
    *,
    votes: int = 1,
    progress: Callable[[int], None] = lambda count: None,
) -> Annotated:
    """Have a model rate every post that this annotator has not rated: once at temperature 0, or by several votes.

    Each rating is written down as soon as its last vote is in. A post with a vote that the server turned down, or for
    which there was no server, stays open for the next run, and so does one whose answers were all of no use: asked with
    other settings the model may do better. Raises EndpointError where nothing more can be asked.
    """
    who = name_of(client.endpoint.model, strategy, votes)
    done = {each.post for each in project.ratings() if each.who == who}
    posts = {post.id: post for post in project.posts()}
    found = Annotated(there=len(done & posts.keys()))
    progress(found.there)
    waiting: dict[str, list[Reply[Answer]]] = defaultdict(list)

    def requests() -> Iterator[Request[Answer]]:
        temperature = 0.0 if votes == 1 else VOTING_TEMPERATURE
        for post in posts.values():
            if post.id not in done:
                messages = strategy.messages(post)
                for sample in range(votes):
                    yield Request(post.id, strategy.version, messages, strategy.answer, temperature, sample)

    for reply in client.stream(requests()):
        replies = waiting[reply.id]
        replies.append(reply)
        if len(replies) == votes:
            _write(project, posts[reply.id], who, waiting.pop(reply.id), found)
            progress(1)
    return found


def _write(project: Project, post: Post, who: str, replies: Sequence[Reply[Answer]], found: Annotated) -> None:
    problems = [reply.problem for reply in replies if reply.problem]
    found.problems.update(problems)
    answers = [reply.answer for reply in replies if reply.answer is not None]
    if "rejected" in problems or "unreachable" in problems or (not answers and "invalid" in problems):
        return
    label, data = judged(post, answers)
    found.rated += label is not None
    found.instructing += bool(data["instructs"])
    found.shortened += bool(data["left_out"])
    found.quotes += data["quotes"]
    found.misquoted += data["misquoted"]
    with project.writing() as connection:
        add_rating(connection, post.id, who, "llm", label, data | {"problems": problems})


def judged(post: Post, answers: Sequence[Answer]) -> tuple[Label | None, dict[str, Any]]:
    """The label that votes come to, and what stands behind it; no label without a vote.

    The level is the median, upwards between two; high where half or more say so. `spread` is the distance between the
    lowest and the highest vote. Only quotes that stand in the post count. `left_out` is what the model was not shown.
    """
    each = [_label(post, answer) for answer in answers]
    quotes = sum(len(answer.quotes) for answer in answers)
    data: dict[str, Any] = {
        "votes": [label.level for label in each],
        "quotes": quotes,
        "misquoted": quotes - sum(len(label.spans) for label in each),
        "instructs": instructs(post.text) or any(answer.instructs for answer in answers),
        "left_out": [list(span) for span in left_out(post.text)],
    }
    if not each:
        return None, data
    levels = sorted(data["votes"])
    data["spread"] = levels[-1] - levels[0]
    spans = tuple(sorted({span for label in each for span in label.spans}))
    high = 2 * sum(label.high for label in each) >= len(each)
    return Label(levels[len(levels) // 2], high, majority(each), spans), data


def _label(post: Post, answer: Answer) -> Label:
    spans = [span for quote in answer.quotes if (span := _found(post.text, quote.text, quote.indicator))]
    if isinstance(answer, Graded):
        grades: dict[Indicator, str] = {name: getattr(answer, name) for name in INDICATORS}
        named = frozenset(name for name in INDICATORS if grades[name] != GRADES[name][0].name)
        return Label(scale.level_from(grades), answer.high, named, tuple(spans))
    return Label(answer.level, answer.high, frozenset(span.indicator for span in spans), tuple(spans))


def _found(text: str, quote: str, indicator: Indicator) -> Span | None:
    """Where a quote stands, word for word; None where it does not."""
    words = quote.strip().strip("“”\"'「」『』…")
    start = text.find(words) if words else -1
    return None if start < 0 else Span(start, start + len(words), indicator)
