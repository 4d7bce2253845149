from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from shouwang.data.fetch import FetchError, cache_folder, fetch, is_here
from shouwang.data.sources import Source
from shouwang.errors import InputError
from tests.data.invented import BINARY, FINE, TEST, a_file, a_source, write

LONG = "comment\tmyLabel\n" + "今天下雨了，不想出门\t0\n" * 10_000


def serve(server: HTTPServer, **texts: str) -> None:
    """Like the origin: one address per file at one commit."""
    for name, text in ({"fine": FINE, "binary": BINARY, "test": TEST} | texts).items():
        path = f"/someone/tiny/abc1234/up stream/tiny/{name}.tsv"
        server.expect_request(path).respond_with_data(text.encode())


def upstream(server: HTTPServer) -> str:
    return server.url_for("").rstrip("/")


def test_files_are_downloaded_verified_and_found_in_the_cache(tiny: Source, httpserver: HTTPServer) -> None:
    serve(httpserver)
    seen: list[tuple[str, int, int | None]] = []
    fetched = fetch(
        tiny, upstream=upstream(httpserver), progress=lambda file, done, total: seen.append((file.path, done, total))
    )
    assert [each.how for each in fetched] == ["downloaded"] * 3
    assert (cache_folder() / "tiny/fine.tsv").read_text("utf-8") == FINE
    assert ("tiny/fine.tsv", len(FINE.encode()), len(FINE.encode())) in seen
    assert is_here(tiny)


def test_what_is_there_is_kept_and_only_the_rest_is_asked_for(
    tiny: Source, httpserver: HTTPServer, tmp_path: Path
) -> None:
    serve(httpserver)
    write(tmp_path, {"tiny/fine.tsv": FINE, "tiny/binary.tsv": "damaged"})
    fetched = fetch(tiny, upstream=upstream(httpserver), folder=tmp_path)
    assert [each.how for each in fetched] == ["kept", "downloaded", "downloaded"]
    assert len(httpserver.log) == 2


def test_other_bytes_are_refused_and_not_kept(tiny: Source, httpserver: HTTPServer, tmp_path: Path) -> None:
    serve(httpserver, binary="not what was pinned")
    with pytest.raises(
        InputError, match=r"binary.tsv: SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}.*nothing was kept"
    ):
        fetch(tiny, upstream=upstream(httpserver), folder=tmp_path)
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == ["fine.tsv"]


def test_a_download_that_breaks_off_goes_on_where_it_stopped(httpserver: HTTPServer, tmp_path: Path) -> None:
    source, whole = a_source(a_file("tiny/long.tsv", "train", LONG, "level")), LONG.encode()
    asked: list[str | None] = []

    def flaky(request: Request) -> Response:
        asked.append(request.headers.get("Range"))
        if not asked[-1]:  # the first time the line goes dead
            return Response(iter([whole[:200_000]]), headers={"Content-Length": str(len(whole))})
        start = int(asked[-1].removeprefix("bytes=").removesuffix("-"))
        return Response(whole[start:], 206)

    httpserver.expect_request("/someone/tiny/abc1234/up stream/tiny/long.tsv").respond_with_handler(flaky)
    with pytest.raises(FetchError, match=r"broke off.*run the same command again"):
        fetch(source, upstream=upstream(httpserver), folder=tmp_path)
    assert fetch(source, upstream=upstream(httpserver), folder=tmp_path)[0].path.read_bytes() == whole
    assert asked[0] is None
    assert asked[1] is not None


def test_a_rest_that_the_server_cannot_continue_is_fetched_anew(
    tiny: Source, httpserver: HTTPServer, tmp_path: Path
) -> None:
    source, text = a_source(a_file("tiny/fine.tsv", "train", FINE, "level")), FINE.encode()

    def strict(request: Request) -> Response:
        return Response(status=416) if request.headers.get("Range") else Response(text)

    httpserver.expect_request("/someone/tiny/abc1234/up stream/tiny/fine.tsv").respond_with_handler(strict)
    write(tmp_path, {"tiny/fine.tsv.partial": FINE + "more than all"})
    assert fetch(source, upstream=upstream(httpserver), folder=tmp_path)[0].path.read_bytes() == text


def test_a_file_that_the_server_has_not_is_named(tiny: Source, httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/someone/tiny/abc1234/up stream/tiny/fine.tsv").respond_with_data("", 404)
    with pytest.raises(FetchError, match=r"fine.tsv: 404 .*NOT FOUND; check the address"):
        fetch(tiny, upstream=upstream(httpserver), folder=tmp_path)


def test_a_server_that_is_down_is_named(tiny: Source, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(FetchError, match=f"127.0.0.1:{port}.*never started.*--from"):
        fetch(tiny, upstream=f"http://127.0.0.1:{port}", folder=tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full stands in for a full disk")
def test_a_full_disk_is_named(tiny: Source, httpserver: HTTPServer, tmp_path: Path) -> None:
    serve(httpserver)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/fine.tsv.partial").symlink_to("/dev/full")
    with pytest.raises(FetchError, match=r"fine.tsv: the disk is full; free some space or name another folder"):
        fetch(tiny, upstream=upstream(httpserver), folder=tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tiny: Source, httpserver: HTTPServer, tmp_path: Path) -> None:
    (tmp_path / "tiny").write_text("a file where a folder should be")
    with pytest.raises(FetchError, match="cannot be written"):
        fetch(tiny, upstream=upstream(httpserver), folder=tmp_path)


def test_a_local_copy_is_verified_and_copied(tiny: Source, copy: Path, tmp_path: Path) -> None:
    fetched = fetch(tiny, origin=copy, folder=tmp_path / "to")
    assert [each.how for each in fetched] == ["copied"] * 3
    assert (tmp_path / "to/tiny/test.tsv").read_text("utf-8") == TEST
    (copy / "tiny/test.tsv").unlink()
    with pytest.raises(InputError, match=r"no such file; the folder after --from must hold tiny/test.tsv"):
        fetch(tiny, origin=copy, folder=tmp_path / "other")


def test_a_copy_may_stand_on_a_server(tiny: Source, copy: Path, httpserver: HTTPServer, tmp_path: Path) -> None:
    for file in tiny.files:
        httpserver.expect_request(f"/mirror/{file.path}").respond_with_data((copy / file.path).read_bytes())
    fetched = fetch(tiny, origin=httpserver.url_for("/mirror/"), folder=tmp_path / "to")
    assert [each.how for each in fetched] == ["downloaded"] * 3


def test_the_copy_named_by_the_environment_is_used_in_place(
    tiny: Source, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOUWANG_DATA", str(copy))
    assert {each.how for each in fetch(tiny)} == {"in place"}
    assert not cache_folder().exists()


def test_a_derived_file_comes_only_from_a_copy(copy: Path, tmp_path: Path) -> None:
    source = a_source(a_file("tiny/fine.tsv", "train", FINE, "level", derived=True))
    with pytest.raises(InputError, match=r"derived from someone/tiny.*--from DIR"):
        fetch(source, folder=tmp_path / "to")
    assert fetch(source, origin=copy, folder=tmp_path / "to")[0].how == "copied"
