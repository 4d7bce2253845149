"""There and back through a real Label Studio in an environment of its own (`docs/annotate.md` says how to run this)."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from shouwang.annotate.interchange.label_studio import interface
from shouwang.annotate.labels import Label, Span
from shouwang.annotate.project import Project, add_rating
from shouwang.posts import Post
from tests.annotate.invented import add, label
from tests.annotate.test_command import run

pytestmark = pytest.mark.slow

STARTS_WITHIN = 900  # seconds: the first start makes its database
WISH = label(4, spans=(Span(0, 4, "wish"),), indicators=frozenset({"wish"}))
AFTER_EMOJI = label(5, spans=(Span(2, 6, "wish"),), indicators=frozenset({"wish"}))
Json = dict[str, Any]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """Its HTTP API, as a person who is logged in."""
    program = os.environ.get("LABEL_STUDIO") or shutil.which("label-studio")
    if program is None:
        pytest.skip("no Label Studio: install it in its own environment and name it: LABEL_STUDIO=…/bin/label-studio")
    folder, token = tmp_path_factory.mktemp("studio"), secrets.token_hex(20)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    quiet = {"COLLECT_ANALYTICS": "false", "LATEST_VERSION_CHECK": "false", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
    command = [
        *(program, "start", "--no-browser", "--internal-host", "127.0.0.1", "--host", address, "--port", str(port)),
        *("--data-dir", str(folder), "--username", "mei@example.org", "--password", secrets.token_hex(20)),
        *("--user-token", token),
    ]
    log = folder / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            command,
            env=os.environ | quiet | {"LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true", "PYTHONPATH": ""},
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        with httpx2.Client(base_url=address, headers={"Authorization": f"Token {token}"}, timeout=120) as client:
            _wait(client, process, log)
            yield client
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _wait(client: httpx2.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            if client.get("/api/version").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(1)
    pytest.fail(f"Label Studio did not start: {log.read_text()[-2_000:]}")


def asked(response: httpx2.Response) -> Any:
    assert response.is_success, response.text
    return response.json()


def annotate(studio: httpx2.Client, task: Json, made: Label, **more: Any) -> None:
    """As its page does: each result with an id, spans with the words that they quote."""
    results: list[Json] = [
        {"from_name": "level", "type": "choices", "value": {"choices": [str(made.level)]}},
        {"from_name": "high", "type": "choices", "value": {"choices": ["high" if made.high else "low"]}},
    ]
    for span in made.spans:
        words = task["data"]["text"][span.start : span.end]
        value = {"start": span.start, "end": span.end, "text": words, "labels": [span.indicator]}
        results.append({"from_name": "spans", "type": "labels", "value": value})
    for each in results:
        each |= {"id": secrets.token_hex(5), "to_name": "text", "origin": "manual"}
    asked(studio.post(f"/api/tasks/{task['id']}/annotations/", json={"result": results, **more}))


def test_posts_and_predictions_go_out_and_annotations_come_back(studio: httpx2.Client, project: Project) -> None:
    add(project, [Post("e", "😭😭不想活了，好累")])
    with project.writing() as connection:
        add_rating(connection, "p-3", "llm:m/levels@1", "llm", WISH, {"votes": [4]})
    where = ("-p", str(project.path))
    out, back = project.path.parent / "tasks.json", project.path.parent / "export.json"
    assert run("send", "label-studio", str(out), *where).exit_code == 0

    made = asked(studio.post("/api/projects", json={"title": "Invented posts", "label_config": interface()}))
    path = f"/api/projects/{made['id']}"
    sent = json.loads(out.read_text(encoding="utf-8"))
    imported = asked(studio.post(f"{path}/import", json=sent))
    assert (imported["task_count"], imported["prediction_count"]) == (7, 1)
    tasks = {
        task["data"]["id"]: task
        for task in asked(studio.get("/api/tasks", params={"project": made["id"], "fields": "all"}))["tasks"]
    }
    (prediction,) = asked(studio.get("/api/predictions", params={"task": tasks["p-3"]["id"]}))
    assert prediction["model_version"] == "llm:m/levels@1"

    annotate(studio, tasks["p-1"], label(0))
    annotate(studio, tasks["p-2"], label(3), was_cancelled=True)
    annotate(studio, tasks["p-3"], WISH, parent_prediction=prediction["id"])
    annotate(studio, tasks["e"], AFTER_EMOJI)
    exported = studio.get(f"{path}/export", params={"exportType": "JSON"})
    assert exported.is_success, exported.text
    back.write_bytes(exported.content)

    received = run("receive", "label-studio", str(back), *where)
    assert "3 ratings added" in received.stdout
    assert "1 × skipped by its annotator: p-2" in received.stdout
    said = {each.post: (each.stage, each.label) for each in project.ratings() if each.stage != "llm"}
    assert said == {"p-1": ("blind", label(0)), "p-3": ("after", WISH), "e": ("blind", AFTER_EMOJI)}
    assert "0 ratings added" in run("receive", "label-studio", str(back), *where).stdout
