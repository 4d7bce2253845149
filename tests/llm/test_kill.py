"""A kill -9 at any moment: no answer that arrived is paid for twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from pytest_httpserver import HTTPServer

from tests.llm.scripted import Scripted, chat

ASKS = """
import sys
from pathlib import Path
from shouwang.llm import Client, Endpoint
from tests.llm.test_client import asking
with Client(Endpoint(sys.argv[1], "scripted", concurrency=2, retries=0), Path(sys.argv[2])) as client:
    for reply in client.stream(asking(f"第{n}杯茶", f"p-{n}") for n in range(60)):
        assert reply.answer
        print("up", flush=True)
    print("done", client.costs().lost, flush=True)
"""


def test_no_answer_that_arrived_is_paid_for_twice(server: HTTPServer, tmp_path: Path) -> None:
    model = Scripted(lambda body: chat('{"level": 1, "why": "累"}'), seconds=0.02)
    url, rng = model.serve(server), random.Random(6)
    command = [sys.executable, "-c", ASKS, url, str(tmp_path / "answers.sqlite")]
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            time.sleep(rng.random() * 0.2)
            os.kill(process.pid, signal.SIGKILL)
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=60)
    lost = int(done.stdout.split()[-1])
    sent_again = sum(count - 1 for count in Counter(model.names).values())
    assert sent_again <= lost <= 2 * 2, done.stderr
    assert len(set(model.names)) == 60
