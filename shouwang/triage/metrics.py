"""What Prometheus is told of a watch: counts and times, never a text, a name or an id. Needs the extra `serve`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine, func, literal_column, or_, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import shouwang
from shouwang.triage import intake
from shouwang.triage.policy import PRIORITY_NAMES, Priority
from shouwang.triage.tables import cases, posts

log = logging.getLogger("shouwang.access")

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
RECENT = 300.0  # seconds of assessed posts of which the times are told
"""Of this process: requests. Of the database, read when Prometheus asks: what waits, open cases, how long posts took."""


class Metrics:
    """The registry of one service."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "shouwang_http_request_seconds",
            "Time to answer a request, by route",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=SECONDS,
        )
        self.registry.register(_Watch(engine, clock))

    def page(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)


class Timed:
    """ASGI middleware that times and logs every request by the template of its route: no id, no query."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.requests = metrics.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            took = time.perf_counter() - started
            labels = {"method": _method(scope), "route": _route(scope), "status": str(status)}
            self.requests.labels(**labels).observe(took)
            log.info("request", extra={"fields": labels | {"ms": round(1000 * took, 1)}})


class _Watch(Collector):
    """Reads the database when asked; where it does not answer, `shouwang_database_up` is 0 and the rest is missing."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self.engine, self.clock = engine, clock

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not need the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily("shouwang_build_info", "The version that runs", labels=["version"])
        build.add_metric([shouwang.__version__], 1)
        yield build
        try:
            found = list(self._read())
        except SQLAlchemyError:
            found = []
        yield GaugeMetricFamily("shouwang_database_up", "Whether the database answers", value=float(bool(found)))
        yield from found

    def _read(self) -> Iterator[Metric]:
        now = self.clock()
        with self.engine.connect() as connection:
            count, since = intake.waiting(connection)
            yield GaugeMetricFamily("shouwang_posts_waiting", "Posts that wait to be assessed", value=count)
            age = max(0.0, now - since) if count else 0.0
            yield GaugeMetricFamily("shouwang_posts_waiting_seconds", "How long the oldest of them waits", value=age)
            recent = posts.c.received_at >= now - RECENT
            took = func.max(posts.c.assessed_at - posts.c.received_at)
            slowest, failed = connection.execute(select(took, func.count(posts.c.failed)).where(recent)).one()
            help_text = "Longest time from receipt to assessment among posts of the last five minutes"
            yield GaugeMetricFamily("shouwang_assessment_slowest_seconds", help_text, value=slowest or 0.0)
            yield GaugeMetricFamily("shouwang_posts_failed", "Of these, posts that could not be assessed", value=failed)
            yield from _cases(connection, now)


def _cases(connection: Connection, now: float) -> Iterator[Metric]:
    """Every figure comes from an index: thousands of cases may be open."""
    count = GaugeMetricFamily("shouwang_cases_open", "Open cases", labels=["priority", "held"])
    help_text = "How long the oldest open case was claimed by nobody"
    oldest = GaugeMetricFamily("shouwang_case_unclaimed_seconds", help_text, labels=["priority"])
    is_open = cases.c.state == literal_column("'open'")  # a bound value would hide the partial index of held cases
    by_priority = select(cases.c.priority, func.count()).where(is_open).group_by(cases.c.priority)
    open_now = {row[0]: row[1] for row in connection.execute(by_priority)}
    taken = by_priority.where(cases.c.assignee.is_not(None), cases.c.lease_until > now)
    held = {row[0]: row[1] for row in connection.execute(taken)}
    free = or_(cases.c.assignee.is_(None), cases.c.lease_until <= now)
    for priority in Priority:
        name = PRIORITY_NAMES[priority].en
        count.add_metric([name, "yes"], held.get(priority, 0))
        count.add_metric([name, "no"], open_now.get(priority, 0) - held.get(priority, 0))
        first = select(cases.c.opened_at).where(is_open, cases.c.priority == int(priority), free)
        since = connection.execute(first.order_by(cases.c.opened_at).limit(1)).scalar_one_or_none()
        oldest.add_metric([name], 0.0 if since is None else max(0.0, now - since))
    yield count
    yield oldest


def _method(scope: Scope) -> str:
    return (
        scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
    )


def _route(scope: Scope) -> str:
    route = getattr(scope.get("route"), "path", None)
    return f"{scope.get('root_path', '')}{route}" if isinstance(route, str) else "none"
