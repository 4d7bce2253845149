"""The client: bounded concurrency and pace, the ladder of structured output, retries, and a bill that is never exceeded.

The ladder is `json_schema` → `json_object` → the schema in the prompt; servers differ in what they honour, and some answer
500 to what they do not know. The rung that a server first answered on is kept. Whatever the rung, answers are
validated, and one that is not as wanted is asked for again with a word on what was wrong.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from shouwang.errors import MissingExtraError
from shouwang.llm.endpoint import Costs, Endpoint, EndpointError, Message, Reply, Request, T
from shouwang.text import deidentify

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion

    from shouwang.llm.calls import Arrived

RUNGS = ("json_schema", "json_object", "prompt")
ATTEMPTS = 3
"""Answers that are paid for at most, for one question, before it counts as invalid."""

FAILURES_IN_A_ROW = 5
"""Questions in a row without an answer from the server, after which the run stops."""

_NOT_KNOWN = frozenset({400, 415, 422, 500, 501})  # what servers say to a response_format that they do not know
_HOPELESS = {401: "the key is refused", 403: "the key is refused", 404: "no such address or model"}


class Client:
    """Asks one endpoint. A context manager: leaving it waits for calls under way, which are paid for.

    `cache` is an SQLite file, made if missing. Raises MissingExtraError without the extra `llm`.
    """

    def __init__(self, endpoint: Endpoint, cache: Path) -> None:
        try:
            import openai

            from shouwang.llm.calls import Calls
        except ImportError:
            raise MissingExtraError("asking a language model", "llm") from None
        self.endpoint = endpoint
        self._calls = Calls(cache)
        self._openai = openai.OpenAI(
            base_url=endpoint.url,
            api_key=endpoint.key or "none",
            timeout=endpoint.timeout,
            max_retries=endpoint.retries,
            http_client=openai.DefaultHttpx2Client(follow_redirects=False),  # to nobody but the endpoint that was named
        )
        self._pace = _Pace(endpoint.per_minute)
        self._mutex = threading.Lock()
        self._rung = 0
        self._proven = False
        self._failures = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._openai.close()
        self._calls.__exit__()

    @property
    def rung(self) -> str:
        """What the answers are asked for with: "json_schema", "json_object" or "prompt"."""
        return RUNGS[self._rung]

    def costs(self) -> Costs:
        return self._calls.costs()

    def stream(self, requests: Iterable[Request[T]]) -> Iterator[Reply[T]]:
        """Replies as they arrive, in any order; requests are taken as they are needed.

        Raises EndpointError when the endpoint cannot be used (key, address), has failed several times in a row, or the
        budget is used up; what arrived is in the cache, and the same requests go on from there.
        """
        waiting = iter(requests)
        with ThreadPoolExecutor(self.endpoint.concurrency) as pool:
            under_way: set[Future[Reply[T]]] = set()
            try:
                while True:
                    while len(under_way) < self.endpoint.concurrency and (request := next(waiting, None)) is not None:
                        under_way.add(pool.submit(self.ask, request))
                    if not under_way:
                        return
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            finally:
                for future in under_way:
                    future.cancel()

    def ask(self, request: Request[T]) -> Reply[T]:
        """The reply to one request, from the cache where it has arrived before. Errors as in `stream`."""
        from shouwang.llm.answers import InvalidAnswerError, validated

        key, cached, detail = request.key(self.endpoint.model), True, ""
        for attempt in range(ATTEMPTS):
            kept = self._calls.arrived(key, attempt)
            cached = cached and kept is not None
            arrived = kept or self._send(request, key, attempt, detail)
            if isinstance(arrived, Reply):
                return arrived
            if arrived.end in ("refusal", "content_filter"):
                return Reply(request.id, None, "refused", "the model declined", cached)
            try:
                return Reply(request.id, validated(arrived.text, request.answer), cached=cached)
            except InvalidAnswerError as error:
                detail = "cut short" if arrived.end == "length" else str(error)
        return Reply(request.id, None, "invalid", f"{detail}, {ATTEMPTS} times", cached)

    # --- one call ---------------------------------------------------------------------------------------------------

    def _send(self, request: Request[T], key: str, attempt: int, wrong: str) -> Arrived | Reply[T]:
        """Send one attempt; what arrived, or the reply that says why nothing did."""
        import httpx2
        import openai

        messages = _deidentified(request.messages)
        if wrong:
            messages.append({"role": "user", "content": _again(wrong)})
        self._reserve(key, attempt, messages)
        try:
            completion, rung = self._down_the_ladder(request, messages, f"{key}-{attempt}")
        except openai.APIConnectionError as error:
            reached = not isinstance(error.__cause__, (httpx2.ConnectError, httpx2.ConnectTimeout))
            self._calls.failed(key, attempt, maybe_charged=reached)
            late = isinstance(error, openai.APITimeoutError)
            how = "the connection broke" if reached else "no connection"
            how = f"no answer within {self.endpoint.timeout:g} s" if late else how
            return self._failed(Reply(request.id, None, "unreachable", how))
        except openai.APIStatusError as error:
            self._calls.failed(key, attempt, maybe_charged=False)
            return self._failed(Reply(request.id, None, "rejected", self._status(error)))
        except (openai.OpenAIError, ValueError):  # also a body that is no JSON
            self._calls.failed(key, attempt, maybe_charged=False)
            return self._failed(Reply(request.id, None, "rejected", "what came back is no chat completion"))
        return self._keep(key, attempt, messages, completion, rung)

    def _down_the_ladder(self, request: Request[T], messages: list[Message], name: str) -> tuple[ChatCompletion, int]:
        """What came back, and on which rung. Raises what `openai` raises on the last one."""
        import openai

        rung = self._rung
        while True:
            try:
                return self._create(request, messages, name, rung), rung
            except openai.APIStatusError as error:
                if self._proven or rung == len(RUNGS) - 1 or error.status_code not in _NOT_KNOWN:
                    raise
            rung += 1

    def _create(self, request: Request[T], messages: list[Message], name: str, rung: int) -> ChatCompletion:
        sent = [dict(message) for message in messages]
        schema = request.answer.model_json_schema()
        form: dict[str, Any] = {}
        if RUNGS[rung] == "json_schema":
            named = {"name": request.answer.__name__, "schema": schema, "strict": True}
            form = {"response_format": {"type": "json_schema", "json_schema": named}}
        else:
            sent[0]["content"] = f"{sent[0]['content']}\n\n{_schema_in_words(schema)}"
            if RUNGS[rung] == "json_object":
                form = {"response_format": {"type": "json_object"}}
        self._pace.wait()
        create: Any = self._openai.chat.completions.create
        completion = create(
            model=self.endpoint.model,
            messages=sent,
            temperature=request.temperature,
            max_tokens=self.endpoint.max_tokens,
            extra_headers={"Idempotency-Key": name},  # whoever knows it charges once for a call sent again
            extra_body=dict(self.endpoint.extra) or None,
            **({"seed": request.sample} if request.sample else {}),
            **form,
        )
        if not getattr(completion, "choices", None):
            raise ValueError("no choices")
        return cast("ChatCompletion", completion)

    def _reserve(self, key: str, attempt: int, messages: list[Message]) -> None:
        estimate = self.endpoint.price(_characters(messages), self.endpoint.max_tokens)
        if not self._calls.sending(key, attempt, self.endpoint.model, estimate, self.endpoint.budget):
            spent = self.costs().cost
            raise EndpointError(
                f"the budget of {self.endpoint.budget:g} is used up (spent {spent:.4f}, the next call may cost "
                f"{estimate:.4f}); what arrived is kept: give a larger budget to go on"
            )

    def _keep(self, key: str, attempt: int, messages: list[Message], completion: ChatCompletion, rung: int) -> Arrived:
        """Written down before anybody looks at it."""
        from shouwang.llm.calls import Arrived

        choice = completion.choices[0]
        text = choice.message.content or ""
        end: str | None = "refusal" if choice.message.refusal else choice.finish_reason  # None from some servers
        usage = completion.usage
        tokens_in = usage.prompt_tokens if usage else _characters(messages)
        tokens_out = usage.completion_tokens if usage else len(text)
        arrived = Arrived(text, end or "stop")
        self._calls.keep(
            key,
            attempt,
            arrived,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            unmetered=usage is None,
            cost=self.endpoint.price(tokens_in, tokens_out),
        )
        with self._mutex:
            self._failures = 0
            if not self._proven:
                self._rung, self._proven = rung, True
        return arrived

    def _status(self, error: openai.APIStatusError) -> str:
        """What the server said, without its words. Raises EndpointError where the next question would fare no better."""
        status = error.status_code
        if status in _HOPELESS:
            raise EndpointError(
                f"{self.endpoint.url}: {_HOPELESS[status]} (HTTP {status}); check address, key and model"
            )
        return f"HTTP {status}" + (f", {error.code}" if error.code and error.code.isidentifier() else "")

    def _failed(self, reply: Reply[T]) -> Reply[T]:
        with self._mutex:
            self._failures += 1
            failures = self._failures
        if failures >= FAILURES_IN_A_ROW:
            raise EndpointError(
                f"{self.endpoint.url}: {failures} questions in a row failed ({reply.detail}); "
                "what arrived is kept: run the same command again when the endpoint works"
            )
        return reply


class _Pace:
    """At most so many calls a minute, evenly spaced."""

    def __init__(self, per_minute: float | None) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._mutex = threading.Lock()

    def wait(self) -> None:
        with self._mutex:
            now = time.monotonic()
            at = max(now, self._next)
            self._next = at + self._gap
        time.sleep(at - now)


def _deidentified(messages: Iterable[Message]) -> list[Message]:
    return [{"role": each["role"], "content": deidentify(each["content"]).text} for each in messages]


def _characters(messages: Iterable[Message]) -> int:
    return sum(len(each["content"]) for each in messages)


def _schema_in_words(schema: dict[str, Any]) -> str:
    return f"只输出一个 JSON 对象，不要输出其他文字。它必须符合这个 JSON Schema：\n{json.dumps(schema, ensure_ascii=False)}"


def _again(wrong: str) -> str:
    return f"上一次的回答不符合要求（{wrong}）。请重新回答，只输出符合要求的 JSON 对象。"
