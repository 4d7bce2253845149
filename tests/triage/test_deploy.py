"""What lies in deploy/ is read by what will read it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from typer.testing import CliRunner
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from shouwang.cli import application

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze on this machine")
    unit = tmp_path / "shouwang.service"
    unit.write_text((DEPLOY / "shouwang.service").read_text().replace("/opt/shouwang/bin/shouwang", "/bin/true"))
    found = subprocess.run([program, "verify", unit], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_every_command_of_the_compose_file_is_one_and_only_the_front_is_open() -> None:
    told: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for name in ("watch", "worker"):
        words = [word for word in told["services"][name]["command"] if not word.startswith("-")][:2]
        assert (
            CliRunner().invoke(application(), [*(words if words[0] == "watch" else words[:1]), "--help"]).exit_code == 0
        )
        assert told["services"][name]["read_only"] and told["services"][name]["cap_drop"] == ["ALL"]
    opened = {name: service["ports"] for name, service in told["services"].items() if "ports" in service}
    assert opened == {"watch": ["127.0.0.1:8000:8000"]}
    assert told["networks"]["inside"]["internal"]


def test_nothing_but_the_package_is_copied_into_the_image() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    copied = [each for line in lines if line.startswith("COPY ") for each in line.split()[1:-1]]
    assert copied == ["pyproject.toml", "README.md", "LICENSE", "NOTICE", "shouwang"]  # no deploy/.env, no posts


def test_the_proxy_in_front_of_the_containers_is_believed_and_nobody_else() -> None:
    told = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["watch"]["environment"]
    seen: list[tuple[str, str]] = []

    async def service(scope: Any, *_: object) -> None:
        seen.append((scope["client"][0], scope["scheme"]))

    headers = [(b"x-forwarded-for", b"203.0.113.5"), (b"x-forwarded-proto", b"https")]
    for neighbour in ("172.18.0.1", "198.51.100.7"):
        scope: Any = {"type": "http", "scheme": "http", "client": (neighbour, 1), "headers": headers}
        asyncio.run(ProxyHeadersMiddleware(service, told["FORWARDED_ALLOW_IPS"])(scope, None, None))  # type: ignore[arg-type]
    assert seen == [("203.0.113.5", "https"), ("198.51.100.7", "http")]
