"""The client: bounded concurrency and pace, the ladder of structured output, retries, and a bill that is never exceeded.

The ladder is `json_schema` → `json_object` → the schema in the prompt; servers differ in what they honour, and some answer
500 to what they do not know. The rung that a server first answered on is kept. Whatever the rung, answers are
validated, and one that is not as wanted is asked for again with a word on what was wrong.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from shouwang.errors import MissingExtraError
from shouwang.language import Words, language, say, use_language
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

REJECTED_IN_A_ROW = 50
"""The same, before any answer, where each may have been turned down for its own sake: they are asked first in every run."""

_NOT_KNOWN = frozenset({400, 415, 422, 500, 501})  # what servers say to a response_format that they do not know
_OF_THIS_POST = frozenset({400, 413, 422})  # too long, say; where another was answered the endpoint is well
_PASSING = frozenset({408, 409, 429, *range(500, 600)})  # worth another try
_TOO_LATE = frozenset({504, 524})  # of a gateway, behind which the model may have worked
_DECLINED = frozenset({"content_filter", "data_inspection_failed", "datainspectionfailed", "1301"})
"""Codes of services (Azure, Alibaba, Zhipu) that let their model see no such post."""

_REFUSED = Words("the key is refused", "密钥被拒绝")
_HOPELESS = {401: _REFUSED, 403: _REFUSED, 404: Words("no such address or model", "没有这个地址或模型")}


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
            max_retries=0,  # see `_persistently`: each may be charged
            http_client=openai.DefaultHttpx2Client(follow_redirects=False),  # to nobody but the endpoint that was named
        )
        self._pace = _Pace(endpoint.per_minute)
        self._mutex = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        self._rung = 0
        self._proven = False
        self._failures = 0
        self._tokens_per_character = 1.0  # at the most, as far as answers have told

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
        stopped: EndpointError | None = None
        with ThreadPoolExecutor(self.endpoint.concurrency, initializer=use_language, initargs=(language(),)) as pool:
            under_way: set[Future[Reply[T]]] = set()
            try:
                while True:
                    while (
                        stopped is None
                        and len(under_way) < self.endpoint.concurrency
                        and (request := next(waiting, None)) is not None
                    ):
                        under_way.add(pool.submit(self.ask, request))
                    if not under_way:
                        break
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    for future in done:
                        if isinstance(error := future.exception(), EndpointError):
                            stopped = error  # when the others have been answered, which are paid for
                        else:
                            yield future.result()
            finally:
                for future in under_way:
                    future.cancel()
        if stopped is not None:
            raise stopped

    def ask(self, request: Request[T]) -> Reply[T]:
        """The reply to one request, from the cache where it has arrived before. Errors as in `stream`."""
        key = request.key(self.endpoint)
        with self._mutex:
            alone = self._asking.setdefault(key, threading.Lock())
        with alone:  # two posts may come to the same question, which is paid for once
            return self._ask(request, key)

    def _ask(self, request: Request[T], key: str) -> Reply[T]:
        from shouwang.llm.answers import InvalidAnswerError, validated

        cached, detail = True, ""
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
        import openai

        messages = _deidentified(request.messages)
        if wrong:
            messages.append({"role": "user", "content": _again(wrong)})
        try:
            return self._down_the_ladder(request, messages, key, attempt)
        except openai.APIConnectionError as error:
            late = isinstance(error, openai.APITimeoutError)
            how = say("the connection broke", "连接中断") if _maybe_charged(error) else say("no connection", "连不上")
            seconds = f"{self.endpoint.timeout:g}"
            how = say(f"no answer within {seconds} s", f"{seconds} 秒内没有回答") if late else how
            return self._failed(Reply(request.id, None, "unreachable", how))
        except openai.APIStatusError as error:
            if _declined(error):
                return Reply(request.id, None, "refused", "the service declined")
            reply: Reply[T] = Reply(request.id, None, "rejected", self._status(error))
            if error.status_code in _OF_THIS_POST:
                return reply if self._proven else self._failed(reply, REJECTED_IN_A_ROW)
            return self._failed(reply)
        except (openai.OpenAIError, ValueError):  # also a body that is no JSON
            return self._failed(
                Reply(request.id, None, "rejected", say("what came back is no chat completion", "返回的不是聊天回答"))
            )

    def _down_the_ladder(self, request: Request[T], messages: list[Message], key: str, attempt: int) -> Arrived:
        """What came back. Raises what `openai` raises on the last rung."""
        import openai

        rung = self._rung
        while True:
            try:
                return self._persistently(request, _on_rung(rung, request, messages), key, attempt, rung)
            except openai.APIStatusError as error:
                lowest = self._rung if self._proven else len(RUNGS) - 1  # proven also by another question, meanwhile
                if rung >= lowest or error.status_code not in _NOT_KNOWN or _declined(error):
                    raise
            rung = max(rung + 1, self._rung)

    def _persistently(self, request: Request[T], messages: list[Message], key: str, attempt: int, rung: int) -> Arrived:
        """What came back on that rung, asked again where the endpoint was away or busy; each time is in the bill."""
        import openai

        again = 0
        while True:
            self._reserve(key, attempt, messages)
            try:
                completion = self._create(request, messages, f"{key}-{attempt}", rung)
                return self._keep(key, attempt, messages, completion, rung)
            except (openai.OpenAIError, ValueError) as error:
                self._calls.failed(key, attempt, maybe_charged=_maybe_charged(error))
                if again >= self.endpoint.retries or not _passing(error):
                    raise
                time.sleep(_pause(error, again))
            again += 1

    def _create(self, request: Request[T], messages: list[Message], name: str, rung: int) -> ChatCompletion:
        form: dict[str, Any] = {}
        if RUNGS[rung] == "json_schema":
            schema = request.answer.model_json_schema()
            named = {"name": request.answer.__name__, "schema": schema, "strict": True}
            form = {"response_format": {"type": "json_schema", "json_schema": named}}
        elif RUNGS[rung] == "json_object":
            form = {"response_format": {"type": "json_object"}}
        self._pace.wait()
        create: Any = self._openai.chat.completions.create
        completion = create(
            model=self.endpoint.model,
            messages=messages,
            temperature=request.temperature,
            max_tokens=self.endpoint.max_tokens,
            extra_headers={"Idempotency-Key": name},  # whoever knows it charges once for a call sent again
            extra_body=dict(self.endpoint.extra) or None,
            **({"seed": request.sample} if request.sample else {}),
            **form,
        )
        choices = getattr(completion, "choices", None)
        message = getattr(choices[0], "message", None) if isinstance(choices, list) and choices else None
        if not isinstance(getattr(message, "content", 0), str | None):
            raise ValueError("no message")
        return cast("ChatCompletion", completion)

    def _reserve(self, key: str, attempt: int, messages: list[Message]) -> None:
        tokens_in = math.ceil(_characters(messages) * self._tokens_per_character)
        estimate = self.endpoint.price(tokens_in, self.endpoint.longest_answer)
        if not self._calls.sending(key, attempt, self.endpoint.model, estimate, self.endpoint.budget):
            spent = self.costs().cost
            raise EndpointError(
                say(
                    f"the budget of {self.endpoint.budget:g} is used up (spent {spent:.4f}, the next call may cost "
                    f"{estimate:.4f}); what arrived is kept: give a larger budget to go on",
                    f"预算 {self.endpoint.budget:g} 已用完（已花 {spent:.4f}，下一次请求可能要 {estimate:.4f}）；"
                    "已收到的都在：提高预算即可继续",
                )
            )

    def _keep(self, key: str, attempt: int, messages: list[Message], completion: ChatCompletion, rung: int) -> Arrived:
        """Written down before anybody looks at it."""
        from shouwang.llm.calls import Arrived

        choice = completion.choices[0]
        text = choice.message.content or ""
        end: str | None = "refusal" if choice.message.refusal else choice.finish_reason  # None from some servers
        asked: Any = getattr(completion.usage, "prompt_tokens", None)
        answered: Any = getattr(completion.usage, "completion_tokens", None)
        metered = isinstance(asked, int) and isinstance(answered, int)
        tokens_in, tokens_out = (asked, answered) if metered else (_characters(messages), len(text))
        arrived = Arrived(text, end or "stop")
        self._calls.keep(
            key,
            attempt,
            arrived,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            unmetered=not metered,
            cost=self.endpoint.price(tokens_in, tokens_out),
        )
        with self._mutex:
            self._failures = 0
            self._tokens_per_character = max(self._tokens_per_character, tokens_in / _characters(messages))
            if not self._proven:
                self._rung, self._proven = rung, True
        return arrived

    def _status(self, error: openai.APIStatusError) -> str:
        """What the server said, without its words. Raises EndpointError where the next question would fare no better."""
        status = error.status_code
        if status in _HOPELESS:
            raise EndpointError(
                say(
                    f"{self.endpoint.url}: {_HOPELESS[status].en} (HTTP {status}); check address, key and model",
                    f"{self.endpoint.url}：{_HOPELESS[status].zh}（HTTP {status}）；请检查地址、密钥与模型",
                )
            )
        code = str(error.code or "")
        return f"HTTP {status}" + (f", {code}" if code.isidentifier() else "")

    def _failed(self, reply: Reply[T], most: int = FAILURES_IN_A_ROW) -> Reply[T]:
        with self._mutex:
            self._failures += 1
            failures = self._failures
        if failures >= most:
            raise EndpointError(
                say(
                    f"{self.endpoint.url}: {failures} questions in a row failed ({reply.detail}); "
                    "what arrived is kept: run the same command again when the endpoint works",
                    f"{self.endpoint.url}：连续 {failures} 次提问失败（{reply.detail}）；"
                    "已收到的都在：接口恢复后再运行同一命令",
                )
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


def _on_rung(rung: int, request: Request[T], messages: list[Message]) -> list[Message]:
    """Below json_schema the schema stands in the prompt."""
    if RUNGS[rung] == "json_schema":
        return messages
    first, *others = messages
    schema = _schema_in_words(request.answer.model_json_schema())
    return [{"role": first["role"], "content": f"{first['content']}\n\n{schema}"}, *others]


def _maybe_charged(error: Exception) -> bool:
    """Whether the server may have worked although no answer came."""
    import httpx2
    import openai

    if isinstance(error, openai.APIConnectionError):
        return not isinstance(error.__cause__, (httpx2.ConnectError, httpx2.ConnectTimeout))
    return isinstance(error, openai.APIStatusError) and error.status_code in _TOO_LATE


def _passing(error: Exception) -> bool:
    """Whether the same call may be answered a little later."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return error.status_code in _PASSING and not _declined(error)
    return isinstance(error, openai.APIConnectionError)


def _pause(error: Exception, again: int) -> float:
    """Seconds: as the server asks, if that is at most a minute, else twice as long every time."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        asked = float(headers.get("retry-after", ""))
    except ValueError:  # also a date
        asked = 0.0
    return asked if 0 < asked <= 60 else min(0.5 * 2**again, 8.0)


def _declined(error: openai.APIStatusError) -> bool:
    return str(error.code).lower() in _DECLINED


def _schema_in_words(schema: dict[str, Any]) -> str:
    return f"只输出一个 JSON 对象，不要输出其他文字。它必须符合这个 JSON Schema：\n{json.dumps(schema, ensure_ascii=False)}"


def _again(wrong: str) -> str:
    return f"上一次的回答不符合要求（{wrong}）。请重新回答，只输出符合要求的 JSON 对象。"
