"""What stands around every request: headers, size of the body, language, and errors that show nothing of the inside."""

from __future__ import annotations

import logging
from collections.abc import Callable

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shouwang import database
from shouwang.errors import where
from shouwang.language import LANGUAGES, Language, use_language

log = logging.getLogger("shouwang.web")

LANGUAGE_COOKIE = "shouwang_language"
LARGEST_FORM = 1_000_000  # bytes

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
}


class BodyTooLargeError(HTTPException):
    """A form of more than `LARGEST_FORM` bytes (FastAPI lets this kind of error through while it reads a body)."""

    def __init__(self) -> None:
        super().__init__(413)


class Guard:
    """ASGI middleware around every page; requests below `open_paths` (an API with rules of its own) get headers only."""

    def __init__(
        self, app: ASGIApp, failed: Callable[[Request, int], Response], open_paths: tuple[str, ...] = ()
    ) -> None:
        self.app = app
        self.failed = failed
        self.open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if scope["path"].startswith(self.open_paths):
            await self.app(scope, receive, with_headers)
            return
        use_language(wanted_language(Request(scope)))
        try:
            await self.app(scope, limited(receive, Headers(scope=scope), LARGEST_FORM, BodyTooLargeError), with_headers)
        except BodyTooLargeError:
            await self.failed(Request(scope), 413)(scope, receive, with_headers)
        except Exception as error:
            # the message may hold what somebody wrote; the kind of error and the place are enough to find it
            log.error("%s in %s %s", where(error), scope["method"], getattr(scope.get("route"), "path", "?"))
            if started:
                raise
            gone = isinstance(error, database.GONE)
            await self.failed(Request(scope), 503 if gone else 500)(scope, receive, with_headers)


def wanted_language(request: Request) -> Language:
    """The language chosen in this browser, else the one it asks for first."""
    for each in LANGUAGES:
        if request.cookies.get(LANGUAGE_COOKIE) == each:
            return each
    asked = request.headers.get("accept-language", "").lower()
    return "en" if asked.startswith("en") else "zh"


def limited(receive: Receive, headers: Headers, largest: int, refusal: Callable[[], Exception]) -> Receive:
    """The same messages, until their body is larger than `largest` bytes: then `refusal()` is raised.

    Where the headers say so it is raised at once.
    """
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > largest:
        raise refusal()
    read = 0

    async def counting() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > largest:
            raise refusal()
        return message

    return counting
