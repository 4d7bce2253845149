"""`shouwang serve`: the watch's API, pages and worker on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from shouwang import lookup
from shouwang.cli.options import ModelFolder, listening
from shouwang.cli.watch_options import Database, Secret, opened, secret_of
from shouwang.errors import InputError
from shouwang.language import say

if TYPE_CHECKING:
    from shouwang.models.model import Model
    from shouwang.triage.policy import Policy
    from shouwang.triage.service import Watch
    from shouwang.triage.worker import Shadow, Worker

GRACE = 10  # seconds that requests may take to end

ShadowModel = Annotated[
    Path | None,
    typer.Option(help=say("A second model beside the first; only compared.", "在旁对照的第二个模型，只作比较。")),
]
ShadowPolicy = Annotated[
    Path | None,
    typer.Option(
        help=say(
            "A second policy beside the one in force, as JSON (see PUT /v1/policy); only compared.",
            "在旁对照的第二个策略，JSON 文件（格式同 PUT /v1/policy），只作比较。",
        )
    ),
]


def command(
    database: Database = None,
    secret: Secret = None,
    host: Annotated[
        str,
        typer.Option(help=say("The address to listen on; this machine alone if not given.", "监听地址；默认仅本机。")),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help=say("The port; 0 for a free one.", "端口；0 为任一空闲端口。"))] = 8000,
    model: ModelFolder = None,
    operating_point: Annotated[
        str | None,
        typer.Option(
            help=say(
                "From where on a post is high, until a policy is set: recall95, balanced, … (see operating-points).",
                "设定策略之前，从何处起算高风险：recall95、balanced 等（见 operating-points）。",
            )
        ),
    ] = None,
    per_day: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=say("Cases a day that people can read, in place of that.", "改为按人力：每天能看多少个个案。"),
        ),
    ] = None,
    shadow_model: ShadowModel = None,
    shadow_policy: ShadowPolicy = None,
    worker: Annotated[
        bool,
        typer.Option("--worker/--no-worker", help=say("Assess in this process too.", "同时在本进程中评估帖子。")),
    ] = True,
) -> None:
    """Build, listen, and end gracefully."""
    engine = opened(database)
    import uvicorn

    from shouwang.triage import logs, service, serving
    from shouwang.triage.pages.app import attach

    loaded, default = _model(model, operating_point, per_day)
    watch = service.Watch(engine, secret_of(engine, secret), _points(loaded, operating_point), default)
    if worker:
        watch.worker = _worker(watch, loaded, _shadow(shadow_model, shadow_policy, watch.points))
        _warm(loaded)
    app = serving.app(watch)
    site = attach(app, engine, points=watch.points, default=default, stated=_stated(loaded))
    logs.to_standard_error()
    settings = uvicorn.Config(
        app,
        host,
        port,
        log_config=None,
        server_header=False,
        access_log=False,
        timeout_graceful_shutdown=GRACE,
        lifespan="on",
    )
    server = uvicorn.Server(settings)
    bound = listening(host, port)
    base = f"http://{host}:{bound.getsockname()[1]}"
    _print_welcome(base, site.setup_address(base) if site.accounts.empty() else None)
    server.run(sockets=[bound])
    engine.dispose()


def work(
    database: Database = None,
    model: ModelFolder = None,
    shadow_model: ShadowModel = None,
    shadow_policy: ShadowPolicy = None,
    operating_point: Annotated[str | None, typer.Option(help=say("As with serve.", "同 serve。"))] = None,
    per_day: Annotated[int | None, typer.Option(min=1, help=say("As with serve.", "同 serve。"))] = None,
) -> None:
    """Assess what waits, until told to stop."""
    engine = opened(database)
    import signal
    import threading

    from shouwang.triage import logs
    from shouwang.triage.worker import Worker

    logs.to_standard_error()
    loaded, default = _model(model, operating_point, per_day)
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    points = _points(loaded, operating_point)
    Worker(engine, loaded.stream, points, default, _shadow(shadow_model, shadow_policy, points)).run(stop)
    engine.dispose()


def _model(folder: Path | None, point: str | None, per_day: int | None) -> tuple[Model, Policy]:
    """The model, and the policy until one is set."""
    from shouwang.models import store
    from shouwang.triage.policy import Policy

    loaded = store.load(folder)
    if point:
        loaded = loaded.at(point)
    basis = loaded.point if loaded.operating else "threshold"
    policy = Policy(basis, high=loaded.threshold)
    return loaded, replace(policy, basis="capacity", per_day=per_day) if per_day else policy


def _points(model: Model, chosen: str | None) -> dict[str, float]:
    """The model's thresholds on p_high by name."""
    points = {name: point.threshold for name, point in model.operating.points.items()} if model.operating else {}
    return points | ({chosen: model.threshold} if chosen else {})


def _stated(model: Model) -> dict[str, tuple[float | None, float | None, float | None]]:
    """What the model card says: the shares of everyday, low and high posts that reach each threshold."""
    points = model.operating.points if model.operating else {}
    return {name: (point.flagged_everyday, point.flagged_low, point.recall) for name, point in points.items()}


def _worker(watch: Watch, model: Model, shadow: Shadow | None) -> Worker:
    from shouwang.triage.worker import Worker

    return Worker(watch.engine, model.stream, watch.points, watch.default, shadow)


def _warm(model: Model) -> None:
    """Load what a model loads with its first post, so that nobody's post waits for it."""
    model.assess(["今天下雨了"])


def _shadow(folder: Path | None, policy: Path | None, points: Mapping[str, float]) -> Shadow | None:
    """What reads the same posts beside the watch, named after its model and its policy's file.

    `points` are the first model's thresholds by name; a second model has its own.
    """
    if folder is None and policy is None:
        return None
    from shouwang.models import store
    from shouwang.triage.worker import Shadow

    other: Any = store.load(folder) if folder else None
    names = ([f"{other.name} {other.version}"] if other else []) + ([policy.stem] if policy else [])
    if other:
        points = _points(other, None)
    return Shadow(", ".join(names), other.stream if other else None, _policy_in(policy, points) if policy else None)


def _policy_in(file: Path, points: Mapping[str, float]) -> Policy:
    """The policy in a JSON file, laid out as `PUT /v1/policy` takes it; what is not said is the default's.

    An operating point becomes its threshold. Capacity is refused: it follows from what the first model said.
    """
    from shouwang.triage.policy import Policy

    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(
            say(
                f"{file}: not JSON in UTF-8 ({error}); write the settings as PUT /v1/policy takes them",
                f"{file}：不是 UTF-8 的 JSON（{error}）；请按 PUT /v1/policy 的格式书写",
            )
        ) from None
    if not isinstance(found, dict):
        example = '{"high": 0.3}'
        raise InputError(
            say(
                f"{file}: an object of settings is expected, such as {example}", f"{file}：应为设置的对象，如 {example}"
            )
        )
    policy = Policy.from_json(found)
    if policy.basis == "capacity":
        raise InputError(
            say(
                f"{file}: a shadow has no capacity of its own; give it an operating point or a threshold",
                f"{file}：对照策略没有自己的人力；请改用工作点或阈值",
            )
        )
    if policy.basis == "threshold":
        return policy
    return replace(policy, high=lookup.get(points, policy.basis, "operating point"))


def _print_welcome(base: str, setup: str | None) -> None:
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    console.print(say(f"The watch is at {base} (stop it with Ctrl-C).", f"守望已启动：{base}（按 Ctrl-C 停止）。"))
    if setup:
        console.print(say(f"Make the first account here: {setup}", f"请在此创建第一个账户：{setup}"))
