"""Fetching from a hub: a real HTTP server that answers as the hub does."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from shouwang.errors import InputError, ShouwangError
from shouwang.models.catalog import ENCODERS, Choice, choose
from shouwang.models.download import download
from shouwang.models.hub import load_backbone
from tests.models.checkpoints import save

COMMIT = ENCODERS["macbert"].revision or ""
BYTES = re.compile("/hfl/chinese-macbert-base/resolve/.*")


class Hub:
    """Serves one folder as hfl/chinese-macbert-base at its pinned commit; counts what was fetched."""

    def __init__(self, server: HTTPServer, folder: Path) -> None:
        self.folder, self.fetched = folder, list[str]()
        (folder / "modeling_own.py").write_text("raise SystemExit\n")
        (folder / "tf_model.h5").write_bytes(b"not wanted")
        tree = f"/api/models/hfl/chinese-macbert-base/tree/{COMMIT}"
        server.expect_request(tree).respond_with_handler(self.tree)
        server.expect_request(BYTES).respond_with_handler(self.bytes)
        server.expect_request(re.compile("/api/models/.*")).respond_with_data(
            "", status=404, headers={"X-Error-Code": "RepoNotFound"}
        )
        server.expect_request(re.compile(".*")).respond_with_data("", status=404)

    def tree(self, _: Request) -> Response:
        rows = [
            {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": path.name}
            for path in sorted(self.folder.iterdir())
        ]
        return Response(json.dumps(rows), mimetype="application/json")

    def bytes(self, request: Request) -> Response:
        path = self.folder / Path(request.path).name
        content = path.read_bytes()
        if request.method == "GET":
            self.fetched.append(path.name)
        return Response(
            content,
            headers={"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT},  # noqa: S324
        )


@pytest.fixture(autouse=True)
def hub_settings(httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    endpoint = httpserver.url_for("").rstrip("/")
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, endpoint)
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)


def test_a_pickle_is_fetched_only_where_there_is_nothing_better(httpserver: HTTPServer, tmp_path: Path) -> None:
    hub = Hub(httpserver, save(tmp_path / "published", "bert", pickled=True))
    folder = download(choose("macbert"))
    assert folder.name == COMMIT
    assert sorted(hub.fetched) == ["config.json", "pytorch_model.bin", "vocab.txt"]


def test_safetensors_come_first_and_code_never(httpserver: HTTPServer, tmp_path: Path) -> None:
    published = save(tmp_path / "published", "bert")
    (published / "pytorch_model.bin").write_bytes(b"not wanted")
    hub = Hub(httpserver, published)
    download(choose("macbert"))
    assert sorted(hub.fetched) == ["config.json", "model.safetensors", "vocab.txt"]


def test_a_name_of_the_catalogue_is_one_line_and_works_offline_afterwards(
    httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    hub = Hub(httpserver, save(tmp_path / "published", "bert", pickled=True))
    first = load_backbone("macbert", heads={"levels": 11}, cache=tmp_path / "cache")
    assert (first.source, first.revision, first.entry) == (ENCODERS["macbert"].id, COMMIT, ENCODERS["macbert"])
    count = len(hub.fetched)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    again = load_backbone("macbert", heads={"levels": 11}, cache=tmp_path / "cache")
    assert (again.revision, len(hub.fetched)) == (COMMIT, count)


def test_another_architecture_than_the_catalogue_says_is_refused(httpserver: HTTPServer, tmp_path: Path) -> None:
    Hub(httpserver, save(tmp_path / "published", "electra"))
    with pytest.raises(InputError, match="says 'electra', expected 'bert'"):
        load_backbone("macbert", heads={"levels": 11}, cache=tmp_path / "cache")


def test_a_name_that_the_hub_does_not_know_gets_the_closest_one(httpserver: HTTPServer, tmp_path: Path) -> None:
    Hub(httpserver, save(tmp_path / "published", "bert"))
    with pytest.raises(InputError, match="Did you mean 'hfl/chinese-macbert-base'"):
        download(choose("hfl/chinese-macbert-bse"))


def test_without_a_network_the_way_round_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ShouwangError, match=f"hf download hfl/chinese-macbert-base --revision {COMMIT}"):
        download(choose("macbert"))
    with pytest.raises(ShouwangError, match="HF_ENDPOINT"):
        download(Choice(repository="someone/else"))
