"""What stands around every request to the API: the size of its body, and errors that quote nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, TimeoutError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shouwang import database
from shouwang.errors import where
from shouwang.web.guard import limited

log = logging.getLogger("shouwang.api")

LARGEST_BODY = 8 * 2**20  # bytes
SHOWN_ERRORS = 20
RETRY_AFTER = 5  # seconds

GONE = (
    "the database does not answer, so nothing was stored or changed; send the same request again: "
    "posts that are there already are recognised by source and id"
)


class _TooLargeError(HTTPException):
    """Lets itself be raised while FastAPI reads a body."""

    def __init__(self) -> None:
        super().__init__(413, f"the body has more than {LARGEST_BODY} bytes; send fewer posts at once")


class Door:
    """ASGI middleware: refuses bodies that are too large as they come in, and answers what nobody foresaw.

    Neither the log nor the answer has an error's message, which may quote a post; kind and place are enough to find it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noticed(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, limited(receive, Headers(scope=scope), LARGEST_BODY, _TooLargeError), noticed)
        except _TooLargeError as error:
            await _answer(413, error.detail)(scope, receive, send)
        except Exception as error:
            answer = on_database_error(error) if isinstance(error, DBAPIError | TimeoutError) else None
            if answer is None:
                log.error("%s in %s %s", where(error), scope["method"], getattr(scope.get("route"), "path", "?"))
            if started:
                raise
            await (answer or _answer(500, "an error that nobody foresaw; it is in the log of the service"))(
                scope, receive, send
            )


def on_database_error(error: DBAPIError | TimeoutError) -> JSONResponse | None:
    """503 where the database is gone, full or busy; None for an error of ours."""
    if not isinstance(error, database.GONE):
        return None
    log.error("%s: the database does not answer", where(error))
    return _answer(503, GONE, {"Retry-After": str(RETRY_AFTER)})


async def on_invalid(_: Request, error: Exception) -> JSONResponse:
    """422 that says where something is wrong and what, without what was sent."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    found = error.errors()
    told = [{"loc": _place(each), "msg": _said(each), "type": each["type"]} for each in found[:SHOWN_ERRORS]]
    return JSONResponse({"detail": told, "errors": len(found)}, 422)


async def on_http_error(_: Request, error: Exception) -> JSONResponse:
    """FastAPI's own words for a body that is not UTF-8 say nothing of it."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    if error.status_code == 400:
        place = [{"loc": ["body"], "msg": "the body is not JSON in UTF-8", "type": "json_invalid"}]
        return JSONResponse({"detail": place, "errors": 1}, 422)
    return _answer(error.status_code, error.detail, error.headers)


def _place(error: Mapping[str, object]) -> list[object]:
    place = list(error["loc"])  # type: ignore[call-overload]
    return [*place[:-1], "?"] if error["type"] == "extra_forbidden" else place


def _said(error: Mapping[str, object]) -> str:
    return "the body is not JSON in UTF-8" if error["type"] == "json_invalid" else str(error["msg"])


def _answer(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)
