from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js import JetStreamContext
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from shouwang import database
from shouwang.errors import InputError
from shouwang.triage import intake, stream
from shouwang.triage.intake import Incoming, Receipt
from shouwang.triage.stream import Refused, Source
from shouwang.triage.tables import posts
from tests.triage.invented import PSEUDONYMS


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A NATS server with JetStream of this module's own."""
    program = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
    if program is None:
        pytest.skip("no nats-server on this machine: apt-get install nats-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = tmp_path_factory.mktemp("nats")
    with (store / "log").open("w") as log:
        running = subprocess.Popen([program, "-js", "-sd", store, "-a", "127.0.0.1", "-p", str(port)], stderr=log)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"nats://127.0.0.1:{port}"
        running.terminate()
        running.wait(20)


@pytest.fixture
def source(server: str, tmp_path: Path) -> Source:
    name = f"s{time.time_ns()}"
    return Source(server, name, f"{name}.>")


def publish(url: str, name: str, messages: Sequence[object]) -> None:
    """A stream of that name with these messages."""

    async def all_of_it() -> None:
        client = await nats.connect(url)
        await _publish(client.jetstream(), name, messages)
        await client.close()

    asyncio.run(all_of_it())


async def _publish(streams: JetStreamContext, name: str, messages: Sequence[object]) -> None:
    await streams.add_stream(name=name, subjects=[f"{name}.>"], retention="workqueue")
    for message in messages:
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        await streams.publish(f"{name}.weibo", raw)


def run(source: Source, messages: Sequence[object], wanted: int, take: stream.Take) -> tuple[list[Refused], int]:
    """Publish these, consume until that many messages are done with; what was refused, and how many are left."""
    refused: list[Refused] = []

    async def all_of_it() -> int:
        client = await nats.connect(source.url)
        streams = client.jetstream()
        await _publish(streams, source.stream, messages)
        stop = asyncio.Event()
        at_work = asyncio.create_task(stream.consume(source, take, refused.append, stop))
        for _ in range(300):
            left = (await streams.stream_info(source.stream)).state.messages
            if left <= len(messages) - wanted:
                break
            await asyncio.sleep(0.05)
        stop.set()
        await at_work
        await client.close()
        return left

    return refused, asyncio.run(all_of_it())


def post(number: int, text: str = "3 雨") -> dict[str, object]:
    return {"source": "weibo", "id": f"w{number}", "text": text}


def storing(engine: Engine) -> stream.Take:
    def take(some: Sequence[Incoming]) -> Receipt:
        with database.writing(engine) as connection:
            return intake.accept(connection, some, PSEUDONYMS, "nats:s")

    return take


def stored(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(posts.c.external_id).order_by(posts.c.id)).scalars())


def test_posts_alone_and_in_lots_are_stored_and_acknowledged(engine: Engine, source: Source) -> None:
    refused, left = run(source, [post(1), {"posts": [post(2), post(3)]}, post(1)], 3, storing(engine))
    assert (stored(engine), refused, left) == (["w1", "w2", "w3"], [], 0)


def test_what_cannot_be_stored_is_handed_over_and_holds_up_no_other(engine: Engine, source: Source) -> None:
    messages = [b"\xff\xfe", {"source": "weibo", "id": "w1"}, post(2, "3 雪"), post(2, "6 别的话"), post(3)]
    refused, left = run(source, messages, 5, storing(engine))
    assert (stored(engine), left) == (["w2", "w3"], 0)
    assert [each.number for each in refused][:2] == [1, 2] and len(refused) >= 3
    assert "别" not in "".join(each.why for each in refused)


def test_without_the_database_messages_stay_and_come_again(
    engine: Engine, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PAUSE", 0.2)
    working, failures = storing(engine), iter(range(2))

    def gone_for_a_while(some: Sequence[Incoming]) -> Receipt:
        if next(failures, None) is not None:
            raise OperationalError("INSERT", {}, Exception())
        return working(some)

    refused, left = run(source, [post(1), post(2)], 2, gone_for_a_while)
    assert (sorted(stored(engine)), refused, left) == (["w1", "w2"], [], 0)


def test_a_commit_whose_acknowledgement_was_lost_makes_no_second_post(engine: Engine, source: Source) -> None:
    working, failures = storing(engine), iter(range(1))

    def killed_after_commit(some: Sequence[Incoming]) -> Receipt:
        receipt = working(some)
        if next(failures, None) is not None:
            raise OperationalError("COMMIT", {}, Exception())
        return receipt

    assert run(source, [post(1)], 1, killed_after_commit) == ([], 0)
    assert stored(engine) == ["w1"]


def test_a_connection_that_is_closed_before_the_acknowledgement_is_made_anew(
    engine: Engine, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PAUSE", 0.2)
    monkeypatch.setattr(stream, "ACK_WAIT", 1.0)
    working, connect, made = storing(engine), nats.connect, []

    async def kept(*where: Any, **how: Any) -> Any:
        made.append((await connect(*where, **how), asyncio.get_running_loop()))
        return made[-1][0]

    def closed_after_the_first_commit(some: Sequence[Incoming]) -> Receipt:
        receipt = working(some)
        if len(made) == 2:  # the test's own and the first of those at work
            asyncio.run_coroutine_threadsafe(made[-1][0].close(), made[-1][1]).result()
        return receipt

    monkeypatch.setattr(nats, "connect", kept)
    assert run(source, [post(1)], 1, closed_after_the_first_commit) == ([], 0)
    assert stored(engine) == ["w1"]


def test_a_stream_that_is_not_there_is_named(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "ANSWER", 1.0)
    with pytest.raises(InputError, match="no JetStream 'nowhere'"):
        asyncio.run(stream.consume(Source(server, "nowhere"), storing, lambda _: None, asyncio.Event()))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no NATS server"):
        asyncio.run(stream.consume(Source("nats://127.0.0.1:1", "s"), storing, lambda _: None, asyncio.Event()))  # type: ignore[arg-type]
