"""Who translates: a language model behind an OpenAI-compatible endpoint, Baidu's HTTP API, models in a local folder.

All speak one protocol, and `Kept` puts a cache on disk before any of them. What goes to another machine is
de-identified first, and goes only to an endpoint that the user named.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from shouwang import lookup
from shouwang.augment.records import in_parts
from shouwang.errors import InputError, MissingExtraError
from shouwang.language import Words, say
from shouwang.llm import EndpointError
from shouwang.text import deidentify

if TYPE_CHECKING:
    from shouwang.llm import Client

CHINESE = "zh"
PIVOTS: dict[str, Words] = {
    "en": Words("English", "英语"),
    "es": Words("Spanish", "西班牙语"),
    "fr": Words("French", "法语"),
    "ar": Words("Arabic", "阿拉伯语"),
    "ja": Words("Japanese", "日语"),
}
NAMES = {CHINESE: "简体中文", **{code: words.zh for code, words in PIVOTS.items()}}


class Translator(Protocol):
    """`name` is part of the cache's key; at most `batch` texts are given at once."""

    batch: int

    @property
    def name(self) -> str:
        """Model and version."""

    def translate(self, texts: Sequence[str], source: str, target: str) -> Iterable[str | None]:
        """One translation per text, as they come; None where there is none to be had. Raises EndpointError when no more
        can be."""


# --- a language model -----------------------------------------------------------------------------------------------

PROMPT_VERSION = "translate-1"
_SYSTEM = (
    "你是翻译。把用户给出的社交媒体帖子从{source}译成{target}。口语译成口语，保持原意和语气的强弱，不增不减，不评论，不劝慰，不解释。"
    "方括号里的占位符（如 [电话]）原样保留。只输出译文。"
)


@dataclass(slots=True)
class LanguageModel:
    """Asks the one client; it de-identifies, paces, retries and keeps the bill."""

    client: Client
    batch: int = 32

    @property
    def name(self) -> str:
        return f"llm:{self.client.endpoint.model}:{PROMPT_VERSION}"

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        from pydantic import BaseModel

        from shouwang.llm import Message, Request

        class Translation(BaseModel):
            translation: str

        system: Message = {
            "role": "system",
            "content": _SYSTEM.format(source=NAMES[source], target=NAMES[target]),
        }
        requests = [
            Request(str(i), PROMPT_VERSION, (system, {"role": "user", "content": text}), Translation)
            for i, text in enumerate(texts)
        ]
        found: list[str | None] = [None] * len(texts)
        for reply in self.client.stream(requests):
            found[int(reply.id)] = (reply.answer.translation.strip() or None) if reply.answer else None
        return found


# --- Baidu ----------------------------------------------------------------------------------------------------------

BAIDU = "https://fanyi-api.baidu.com/api/trans/vip/translate"
BAIDU_PER_SECOND = 1.0
"""Calls that an account which is not verified may make."""
_BAIDU_CODES = {CHINESE: "zh", "en": "en", "es": "spa", "fr": "fra", "ar": "ara", "ja": "jp"}
_BAIDU_BYTES = 6_000
"""Of UTF-8 in one request, as Baidu's documentation says."""
_BAIDU_PASSING = frozenset({"52001", "52002", "54003", "54005"})  # late, system, too often, too often with long texts
_BAIDU_FINAL = {
    "52003": Words("the application id is not known or its service not open", "应用 ID 不存在，或服务未开通"),
    "54001": Words("the signature is refused: check id and key", "签名被拒绝：请检查应用 ID 和密钥"),
    "54004": Words("the account's balance is used up", "账户余额不足"),
    "58000": Words("this machine's address is not allowed for the account", "账户不允许本机的地址"),
    "58002": Words("the service is switched off in the account", "账户已关闭该服务"),
    "90107": Words("the account is not verified", "账户未认证"),
}


@dataclass(slots=True)
class Baidu:
    """Baidu's general text translation, as its documentation describes it: sign = md5(appid + q + salt + key).

    Lines of one request are translated one by one, so several posts travel together. A failing request is tried
    `retries` more times.
    """

    app_id: str
    key: str = field(repr=False)
    url: str = BAIDU
    timeout: float = 20.0
    retries: int = 3
    per_second: float = BAIDU_PER_SECOND
    name: str = "baidu"
    batch: int = 10
    _next: float = field(default=0.0, repr=False)

    def __post_init__(self) -> None:
        if not (self.app_id and self.key):
            raise InputError(
                say(
                    "Baidu's API needs an application id and a key, in SHOUWANG_BAIDU_ID and SHOUWANG_BAIDU_KEY; nothing "
                    "was sent",
                    "百度接口需要应用 ID 和密钥，分别写在 SHOUWANG_BAIDU_ID 和 SHOUWANG_BAIDU_KEY 中；没有发送任何内容",
                )
            )
        if find_spec("httpx2") is None:
            raise MissingExtraError(say("translation over HTTP", "通过 HTTP 翻译"), "llm")

    def translate(self, texts: Sequence[str], source: str, target: str) -> Iterator[str | None]:
        lines = [[line for line in deidentify(text).text.splitlines() if line.strip()] for text in texts]
        lines = [each if all(len(line.encode()) <= _BAIDU_BYTES for line in each) else [] for each in lines]
        found = (
            line
            for request in _requests([line for each in lines for line in each])
            for line in self._ask(request, _BAIDU_CODES[source], _BAIDU_CODES[target])
        )
        for each in lines:
            yield "\n".join(islice(found, len(each))).strip() or None

    def _ask(self, lines: Sequence[str], source: str, target: str) -> list[str]:
        """As many translations as lines. Raises EndpointError after the last attempt, or at once where none would help."""
        why = ""
        for attempt in range(self.retries + 1):
            self._pace(attempt)
            why, results = self._once("\n".join(lines), source, target)
            if results is not None and len(results) == len(lines):
                return results
            n = len(results or ())
            why = why or say(f"{n} translations for {len(lines)} lines", f"{len(lines)} 行只得到 {n} 行译文")
        raise EndpointError(
            say(
                f"{self.url}: {why}, {self.retries + 1} times; what arrived is kept: run the same command again later",
                f"{self.url}：{why}，共 {self.retries + 1} 次；已收到的都已保存：请稍后再运行同一命令",
            )
        )

    def _once(self, text: str, source: str, target: str) -> tuple[str, list[str] | None]:
        import httpx2

        salt = hashlib.sha256(text.encode()).hexdigest()[:10]
        signed = hashlib.md5(f"{self.app_id}{text}{salt}{self.key}".encode(), usedforsecurity=False).hexdigest()
        form = {"q": text, "from": source, "to": target, "appid": self.app_id, "salt": salt, "sign": signed}
        try:
            answer = httpx2.post(self.url, data=form, timeout=self.timeout, follow_redirects=False)
            found: Any = answer.json()
        except httpx2.TimeoutException:
            return say(f"no answer within {self.timeout:g} s", f"{self.timeout:g} 秒内没有回答"), None
        except httpx2.HTTPError:
            return say("no connection", "无法连接"), None
        except ValueError:
            return say("what came back is no JSON", "返回的不是 JSON"), None
        if not isinstance(found, dict):
            return say("what came back is no translation", "返回的不是译文"), None
        code = str(found.get("error_code", "52000"))
        if code in _BAIDU_FINAL:
            raise EndpointError(
                say(
                    f"{self.url}: {_BAIDU_FINAL[code]} (error {code})",
                    f"{self.url}：{_BAIDU_FINAL[code]}（错误 {code}）",
                )
            )
        if code != "52000":
            if code not in _BAIDU_PASSING:
                raise EndpointError(
                    say(
                        f"{self.url}: error {code[:10]}; see Baidu's list of error codes",
                        f"{self.url}：错误 {code[:10]}；请查百度的错误码列表",
                    )
                )
            return say(f"error {code}", f"错误 {code}"), None
        results = found.get("trans_result")
        if not isinstance(results, list) or not all(isinstance(each, dict) and "dst" in each for each in results):
            return say("what came back is no translation", "返回的不是译文"), None
        return "", [str(each["dst"]).encode("utf-8", "replace").decode() for each in results]

    def _pace(self, attempt: int) -> None:
        """At most `per_second`, and slower with every failure."""
        now = time.monotonic()
        time.sleep(max(0.0, self._next - now))
        self._next = time.monotonic() + (1 + attempt) / self.per_second


def _requests(lines: Sequence[str]) -> Iterator[list[str]]:
    """The lines in order, as many at once as one request may hold."""
    request: list[str] = []
    size = 0
    for line in lines:
        more = len(line.encode()) + 1
        if request and size + more > _BAIDU_BYTES:
            yield request
            request, size = [], 0
        request.append(line)
        size += more
    if request:
        yield request


# --- a local folder -------------------------------------------------------------------------------------------------


_MARIAN_TOKENS = 500
"""Marian's models know 512 positions; a longer post is not translated."""


@dataclass(slots=True)
class Local:
    """CTranslate2 models in `folder/zh-en`, `folder/en-zh`, …, each with `source.spm` and `target.spm`: no text leaves.

    What `ct2-transformers-converter` makes of a Marian checkpoint (such as Helsinki-NLP/opus-mt-zh-en) with
    `--copy_files source.spm target.spm`. Raises MissingExtraError without the extra `translate`.
    """

    folder: Path
    batch: int = 32
    _models: dict[str, Callable[[Sequence[str]], list[str]]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not (find_spec("ctranslate2") and find_spec("sentencepiece")):
            raise MissingExtraError(say("translation on this machine", "在本机翻译"), "translate")

    @property
    def name(self) -> str:
        return f"local:{self.folder.resolve()}"

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        direction = f"{source}-{target}"
        if direction not in self._models:
            self._models[direction] = _loaded(self.folder / direction)
        return [text or None for text in self._models[direction](texts)]


def _loaded(folder: Path) -> Callable[[Sequence[str]], list[str]]:
    import ctranslate2
    import sentencepiece

    missing = [name for name in ("model.bin", "source.spm", "target.spm") if not (folder / name).is_file()]
    if missing:
        raise InputError(
            say(
                f"{folder}: no {', '.join(missing)}; expected a CTranslate2 model with its SentencePiece files",
                f"{folder}：缺少 {'、'.join(missing)}；应是 CTranslate2 模型及其 SentencePiece 文件",
            )
        )
    try:
        model = ctranslate2.Translator(str(folder), intra_threads=1)
        pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
        back = sentencepiece.SentencePieceProcessor(model_file=str(folder / "target.spm"))
    except (RuntimeError, OSError) as error:
        raise InputError(
            say(f"{folder}: cannot be loaded ({error}); convert it again", f"{folder}：无法加载（{error}）；请重新转换")
        ) from None

    def translate(texts: Sequence[str]) -> list[str]:
        tokens = [[*pieces.encode(text, out_type=str), "</s>"] for text in texts]
        short = [each for each in tokens if len(each) <= _MARIAN_TOKENS]
        found = iter(model.translate_batch(short, beam_size=2, max_decoding_length=_MARIAN_TOKENS))
        return ["" if len(each) > _MARIAN_TOKENS else str(back.decode(next(found).hypotheses[0])) for each in tokens]

    return translate


# --- the cache ------------------------------------------------------------------------------------------------------


class Kept:
    """A translator whose answers are kept in an SQLite file: none is asked for twice, also after an interruption."""

    def __init__(self, translator: Translator, path: Path) -> None:
        self._inner = translator
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # translations are posts: for its owner alone
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.execute("CREATE TABLE IF NOT EXISTS translation (key TEXT PRIMARY KEY, text TEXT NOT NULL)")
        except (OSError, sqlite3.Error) as error:
            raise InputError(
                say(
                    f"{path} cannot be used as a cache of translations ({error})", f"{path} 不能用作译文缓存（{error}）"
                )
            ) from None

    def close(self) -> None:
        self._db.close()

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        found = {text: self._get(text, source, target) for text in dict.fromkeys(texts)}
        for part in in_parts([text for text, known in found.items() if known is None], self._inner.batch):
            for text, new in zip(part, self._inner.translate(part, source, target), strict=True):
                found[text] = new
                if new is not None:
                    self._keep(self._key(text, source, target), new)
        return [found[text] for text in texts]

    def _keep(self, key: str, text: str) -> None:
        try:
            self._db.execute("INSERT OR REPLACE INTO translation VALUES (?, ?)", (key, text))
        except sqlite3.OperationalError as error:
            raise EndpointError(
                say(
                    f"the cache of translations cannot be written ({error}); make room on the disk and run again: what it "
                    "holds is kept",
                    f"译文缓存写不进去（{error}）；请腾出磁盘空间再运行：已有的都在",
                )
            ) from None

    def _get(self, text: str, source: str, target: str) -> str | None:
        key = self._key(text, source, target)
        row = self._db.execute("SELECT text FROM translation WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _key(self, text: str, source: str, target: str) -> str:
        return hashlib.sha256(json.dumps([self._inner.name, source, target, text]).encode()).hexdigest()


def pivots(names: Sequence[str]) -> tuple[str, ...]:
    """Raises InputError for a language that is no pivot."""
    for name in names:
        lookup.get(PIVOTS, name, "pivot")
    return tuple(names)
