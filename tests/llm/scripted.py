"""A real HTTP server on this machine that speaks as OpenAI-compatible servers do, each in its own dialect."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

Body = dict[str, Any]


def chat(text: str | None, *, end: str = "stop", usage: bool = True, refusal: str | None = None) -> Response:
    """A chat completion that says so."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    body: Body = {
        "id": "c-1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "finish_reason": end, "message": message}],
    }
    if usage:
        body["usage"] = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return Response(json.dumps(body), content_type="application/json")


def error(status: int, code: str | int = "", **headers: str) -> Response:
    body = {"error": {"message": "the post, repeated by the server", "code": code, "type": "x"}}
    return Response(json.dumps(body), status=status, content_type="application/json", headers=headers)


def form(body: Body) -> str:
    return str(body.get("response_format", {}).get("type", "prompt"))


@dataclass
class Scripted:
    """What the server was asked, and the function that answers it."""

    answer: Callable[[Body], Response]
    bodies: list[Body] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    seconds: float = 0.0
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request) -> Response:
        body = json.loads(request.get_data())
        with self._mutex:
            self.bodies.append(body)
            self.names.append(request.headers.get("Idempotency-Key", ""))
            self.keys.append(request.headers.get("Authorization", ""))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.seconds)
        try:
            return self.answer(body)
        finally:
            with self._mutex:
                self.at_once -= 1

    def serve(self, server: HTTPServer) -> str:
        """The endpoint's address."""
        server.expect_request("/v1/chat/completions", method="POST").respond_with_handler(self)
        return server.url_for("/v1")
