"""The whole service, one FastAPI app around a `Watch`: the API below /v1, health, and the worker that goes with them."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

import shouwang
from shouwang.triage import intake, schema
from shouwang.triage.metrics import Timed
from shouwang.triage.service import Watch, api
from shouwang.triage.worker import Worker

STUCK = 60.0  # seconds that a post waits until the service no longer counts as ready


def app(watch: Watch) -> FastAPI:
    """The whole service: `/v1`, `/healthz`, `/readyz`; the worker lives as long as it does."""

    @asynccontextmanager
    async def alive(_: FastAPI) -> AsyncIterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=_work, args=(watch.worker, stop), name="worker")
        thread.start()
        yield
        stop.set()
        if watch.worker:
            watch.worker.wake.set()
        thread.join()

    whole = FastAPI(title="shouwang", lifespan=alive, openapi_url=None)
    whole.state.served = watch
    whole.add_middleware(Timed, metrics=watch.metrics)
    whole.add_api_route("/healthz", healthy, methods=["GET"])
    whole.add_api_route("/readyz", ready, methods=["GET"])
    whole.mount("/v1", api(watch))
    return whole


def _work(worker: Worker | None, stop: threading.Event) -> None:
    if worker:
        worker.run(stop)


def healthy() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok", "version": shouwang.__version__}


def ready(request: Request) -> JSONResponse:
    """The database answers, is of this version, and posts do not pile up (503 otherwise)."""
    watch: Watch = request.app.state.served
    try:
        current = schema.is_current(watch.engine)
        with watch.engine.connect() as connection:
            count, since = intake.waiting(connection) if current else (0, 0.0)
    except SQLAlchemyError as error:
        return JSONResponse({"ready": False, "why": f"the database does not answer ({type(error).__name__})"}, 503)
    age = watch.clock() - since if count else 0.0
    why = "" if current else "the database is of another version"
    if age > STUCK:
        why = f"a post has been waiting for {age:.0f} s"
    return JSONResponse(
        {"ready": not why, "why": why, "waiting": count, "oldest_s": round(age, 1)}, 503 if why else 200
    )
