"""Posts from a NATS JetStream: a message is acknowledged once its posts are committed. Needs the extra `nats`.

A message holds one post or `{"posts": [...]}`, as `POST /v1/posts` takes them. Until it is acknowledged the server keeps
it; one that comes again is recognised by source and id. What can never be stored is handed to `refuse`, then let go of.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import nats
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from shouwang.errors import InputError
from shouwang.language import say
from shouwang.triage.intake import MOST_AT_ONCE, Incoming, Receipt
from shouwang.triage.messages import Delivery, PostIn

log = logging.getLogger("shouwang.stream")

ACK_WAIT = 60.0  # seconds after which a message that was not acknowledged comes again
FETCHED = 200  # messages at once
WAIT = 1.0  # seconds for the next message
PAUSE = 2.0  # seconds after an error
ANSWER = 10.0  # seconds within which the server must answer at first
_EITHER: TypeAdapter[Delivery | PostIn] = TypeAdapter(Delivery | PostIn)

Take = Callable[[Sequence[Incoming]], Receipt]
Refuse = Callable[["Refused"], None]


@dataclass(frozen=True, slots=True)
class Source:
    """Where posts come from; consumers of one `durable` name share the stream's messages."""

    url: str
    stream: str
    subject: str = ">"
    durable: str = "shouwang"


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that cannot be stored: its number in the stream, why (without its words), and what it holds."""

    number: int
    why: str
    data: bytes


async def consume(source: Source, take: Take, refuse: Refuse, stop: asyncio.Event) -> int:
    """Hand messages to `take`, which commits them, until told to stop; a batch in hand is finished. How many posts.

    `take` and `refuse` run in a thread. Raises InputError where the server or the stream is not there at the start;
    later on both are waited for, and so is the database.
    """
    server, subscription = await _connected(source)
    try:
        taken = 0
        while not stop.is_set():
            try:
                if server.is_closed:  # after an error that the server named, its client does not connect again
                    server, subscription = await _connected(source)
                messages = await subscription.fetch(FETCHED, timeout=WAIT)
            except TimeoutError:
                continue
            except (NatsError, OSError, InputError) as error:
                log.error("%s: no messages; trying again", type(error).__name__)
                await asyncio.sleep(PAUSE)
                continue
            taken += await _batch(messages, take, refuse)
        return taken
    finally:
        await server.close()


async def _connected(source: Source) -> tuple[Any, Any]:
    """The server and its subscription; raises InputError where there is none."""
    try:
        connecting = nats.connect(source.url, max_reconnect_attempts=-1, error_cb=_trouble)
        server = await asyncio.wait_for(connecting, ANSWER)
    except (OSError, NatsError, TimeoutError) as error:
        kind = type(error).__name__
        raise InputError(
            say(f"no NATS server answers at the URL given ({kind})", f"所给网址没有 NATS 服务器响应（{kind}）")
        ) from None
    try:
        return server, await _subscribe(server.jetstream(), source)
    except BaseException:
        await server.close()
        raise


async def _trouble(error: Exception) -> None:
    log.warning("%s in the connection to NATS", type(error).__name__)


async def _subscribe(stream: Any, source: Source) -> Any:
    wanted = ConsumerConfig(
        ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_WAIT, max_deliver=-1, max_ack_pending=10 * FETCHED
    )
    try:
        await stream.stream_info(source.stream)
        return await stream.pull_subscribe(source.subject, source.durable, source.stream, wanted)
    except NotFoundError:
        raise InputError(
            say(
                f"the NATS server has no JetStream '{source.stream}'; make it first (nats stream add)",
                f"NATS 服务器上没有 JetStream“{source.stream}”；请先创建（nats stream add）",
            )
        ) from None


async def _batch(messages: Sequence[Any], take: Take, refuse: Refuse) -> int:
    """Store what can be stored; acknowledge what was, let go of what never can be, keep the rest. How many posts."""
    good: list[tuple[Any, list[Incoming]]] = []
    for message in messages:
        try:
            good.append((message, _posts(message.data)))
        except ValidationError as error:
            await _refuse(message, refuse, _told(error))
    taken = 0
    for group in _groups(good):
        posts = [post for _, some in group for post in some]
        try:
            receipt = await asyncio.to_thread(take, posts)
        except SQLAlchemyError as error:
            log.error("%s: %d posts are not stored; they come again", type(error).__name__, len(posts))
            for message, _ in group:
                await _answer(message.nak(delay=PAUSE))
            await asyncio.sleep(PAUSE)
            continue
        taken += len(posts)
        for message, some in group:
            if any((post.source, post.id) in receipt.conflicts for post in some):
                await _refuse(message, refuse, "a post of that source and id is there already with another text")
            else:
                await _answer(message.ack())
    return taken


async def _answer(answer: Awaitable[None]) -> None:
    """Tell the server what became of a message. Where that fails the message comes again, and its posts are known."""
    try:
        await answer
    except (NatsError, OSError) as error:
        log.error("%s: a message cannot be answered; it comes again", type(error).__name__)


def _posts(data: bytes) -> list[Incoming]:
    found = _EITHER.validate_json(data)
    return [post.incoming() for post in (found.posts if isinstance(found, Delivery) else [found])]


def _groups(messages: Sequence[tuple[Any, list[Incoming]]]) -> list[list[tuple[Any, list[Incoming]]]]:
    """Whole messages, together no more posts than one transaction takes."""
    groups: list[list[tuple[Any, list[Incoming]]]] = []
    room = 0
    for message, posts in messages:
        if len(posts) > room:
            groups.append([])
            room = MOST_AT_ONCE
        groups[-1].append((message, posts))
        room -= len(posts)
    return groups


async def _refuse(message: Any, refuse: Refuse, why: str) -> None:
    await asyncio.to_thread(refuse, Refused(message.metadata.sequence.stream, why, message.data))
    await _answer(message.term())


def _told(error: ValidationError) -> str:
    """Where it is wrong and of what kind, without the value."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"] if part not in ("Delivery", "PostIn"))
    return f"{place or 'message'}: {first['type']}"
