"""From upstream or a local copy to files whose SHA-256 is right."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shouwang.data.sources import ORIGIN, DataFile, Source
from shouwang.errors import InputError, ShouwangError
from shouwang.language import say

VARIABLE = "SHOUWANG_DATA"
TIMEOUT_S = 30
CHUNK = 1 << 16

How = Literal["kept", "in place", "copied", "downloaded"]
Progress = Callable[[DataFile, int, int | None], None]
"""Called with a file, the bytes of it that are here so far, and all its bytes if the server says."""


class FetchError(ShouwangError):
    """A file could not be had: the server, the network or the disk; never a post's fault."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Where a verified file is, and how it got there."""

    file: DataFile
    path: Path
    how: How


# --- finding what is here -------------------------------------------------------------------------------------------


def local_copy() -> Path | None:
    """The folder named by SHOUWANG_DATA, whose files are used in place."""
    value = os.environ.get(VARIABLE)
    if value and not Path(value).is_dir():
        raise InputError(
            say(
                f"{VARIABLE} names '{value}', which is not a folder; correct or unset it",
                f"{VARIABLE} 指向“{value}”，它不是文件夹；请改正或取消该变量",
            )
        )
    return Path(value) if value else None


def cache_folder() -> Path:
    """Where fetched files go unless a folder is named: the user's cache."""
    import platformdirs

    return platformdirs.user_cache_path("shouwang") / "data"


def find(source: Source, file: DataFile, folder: Path | None = None) -> Path:
    """The verified file: in `folder` if one is given, else in the local copy, else in the cache.

    Raises InputError when it is nowhere (how to get it), or when its bytes are not the pinned ones.
    """
    for place in _places(folder):
        if (path := place / file.path).is_file():
            verify(path, file)
            return path
    how = f"shouwang data fetch {source.name}" + (" --from DIR" if file.derived else "")
    raise InputError(
        say(
            f"data set '{source.name}' is not here ({file.path}); get it with: {how}, or name a local copy in {VARIABLE}",
            f"数据集“{source.name}”不在本地（{file.path}）；获取：{how}，或用 {VARIABLE} 指明本地副本",
        )
    )


def is_here(source: Source, folder: Path | None = None) -> bool:
    """Whether every file is somewhere that `find` looks; the bytes are not checked."""
    return all(any((place / file.path).is_file() for place in _places(folder)) for file in source.files)


def _places(folder: Path | None) -> list[Path]:
    return [folder] if folder else [place for place in (local_copy(), cache_folder()) if place]


def verify(path: Path, file: DataFile) -> None:
    """Raises InputError when the SHA-256 of `path` is not the pinned one."""
    found = sha256(path)
    if found != file.sha256:
        raise InputError(
            say(
                f"{path}: SHA-256 is {found}, expected {file.sha256} for {file.path}; the file is damaged or another "
                "version: remove it and fetch it again, or point to a copy with the pinned bytes",
                f"{path}：SHA-256 为 {found}，{file.path} 应为 {file.sha256}；文件损坏或是另一版本：请删去后重新获取，"
                "或指向内容相符的副本",
            )
        )


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# --- getting what is not --------------------------------------------------------------------------------------------


def fetch(
    source: Source,
    *,
    origin: str | Path | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
    upstream: str = ORIGIN,
) -> list[Fetched]:
    """Every file of a source, verified, in `folder` (default: the cache); what is already there is kept.

    `origin` is a local copy, or the http(s) address of one; without it files come from SHOUWANG_DATA (used in place)
    or else from the source's repository. A download that breaks off goes on where it stopped.
    Raises FetchError (server, network, disk) or InputError (wrong bytes, a derived file without a copy); files that
    were finished before stay, so that the same call goes on.
    """
    target = folder or cache_folder()
    return [_fetch_one(source, file, origin, target, progress, upstream) for file in source.files]


def _fetch_one(
    source: Source, file: DataFile, origin: str | Path | None, target: Path, progress: Progress | None, upstream: str
) -> Fetched:
    path = target / file.path
    if path.is_file() and sha256(path) == file.sha256:
        return Fetched(file, path, "kept")
    if origin is None and (copy := local_copy()) and (copy / file.path).is_file():
        verify(copy / file.path, file)
        return Fetched(file, copy / file.path, "in place")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if origin is not None and not str(origin).startswith(("http://", "https://")):
            _copy(Path(origin) / file.path, path, file)
            return Fetched(file, path, "copied")
        _download(_address(source, file, origin, upstream), path, file, progress)
    except OSError as error:
        raise _disk_error(path, error) from None
    return Fetched(file, path, "downloaded")


def _address(source: Source, file: DataFile, origin: str | Path | None, upstream: str) -> str:
    if origin is not None:
        return f"{str(origin).rstrip('/')}/{file.path}"
    if file.derived:
        raise InputError(
            say(
                f"{file.path} was derived from {source.repository} ({file.upstream}) and cannot be downloaded from there; "
                f"fetch it from a copy that you have: shouwang data fetch {source.name} --from DIR",
                f"{file.path} 由 {source.repository}（{file.upstream}）派生，无法从那里下载；"
                f"请取自您已有的副本：shouwang data fetch {source.name} --from 目录",
            )
        )
    return source.url(file, upstream)


def _copy(origin: Path, path: Path, file: DataFile) -> None:
    if not origin.is_file():
        raise InputError(
            say(
                f"{origin}: no such file; the folder after --from must hold {file.path}",
                f"{origin}：没有这个文件；--from 之后的文件夹里应有 {file.path}",
            )
        )
    verify(origin, file)
    partial = path.with_name(path.name + ".partial")
    shutil.copyfile(origin, partial)
    partial.replace(path)


def _download(url: str, path: Path, file: DataFile, progress: Progress | None) -> None:
    import pooch  # type: ignore[import-untyped]
    import requests

    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            url,
            known_hash=f"sha256:{file.sha256}",
            fname=path.name,
            path=path.parent,
            downloader=_resuming(path.with_name(path.name + ".partial"), file, progress),
        )
    except requests.HTTPError as error:
        answer = str(error).partition(" for url")[0]
        raise FetchError(
            say(
                f"{url}: {answer}; check the address, or use a copy with --from",
                f"{url}：{answer}；请检查地址，或用 --from 取自副本",
            )
        ) from None
    except requests.RequestException as error:
        raise FetchError(
            say(
                f"{url}: the download broke off or never started ({type(error).__name__}); what came is kept: run the "
                "same command again, or use a copy with --from",
                f"{url}：下载中断或没能开始（{type(error).__name__}）；已下载的部分保留：请再次运行同一命令，"
                "或用 --from 取自副本",
            )
        ) from None


def _resuming(partial: Path, file: DataFile, progress: Progress | None) -> Callable[[str, Any, Any], None]:
    """A downloader for pooch that appends to what an earlier try left in `partial`."""

    def download(url: str, output_file: str, _pooch: object) -> None:
        import requests

        done = partial.stat().st_size if partial.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as reply:
            if reply.status_code == requests.codes.requested_range_not_satisfiable:
                partial.unlink()  # all of it, or of something else, was here: begin anew
                return download(url, output_file, _pooch)
            reply.raise_for_status()
            resumed = reply.status_code == requests.codes.partial_content
            length = int(reply.headers.get("Content-Length", 0))
            total = (done if resumed else 0) + length if length else None
            with partial.open("ab" if resumed else "wb") as out:
                for chunk in reply.iter_content(CHUNK):
                    out.write(chunk)
                    if progress:
                        progress(file, out.tell(), total)
        _refuse_other_bytes(url, partial, file)
        partial.replace(output_file)
        return None

    return download


def _refuse_other_bytes(url: str, partial: Path, file: DataFile) -> None:
    if (found := sha256(partial)) != file.sha256:
        partial.unlink()
        raise InputError(
            f"{url}: SHA-256 is {found}, expected {file.sha256} for {file.path}; nothing was kept. Try again; if it "
            "stays so, upstream has changed: use a copy with --from"
        )


def _disk_error(path: Path, error: OSError) -> FetchError:
    if error.errno == errno.ENOSPC:
        return FetchError(f"{path}: the disk is full; free some space or name another folder with --to")
    return FetchError(f"{path}: cannot be written ({error.strerror or error}); name another folder with --to")
