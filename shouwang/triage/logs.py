"""Logs as one JSON object a line: time, level, logger, message. No message of ours quotes a post."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

OURS = ("shouwang", "uvicorn")


class JsonLines(logging.Formatter):
    """A record as JSON, with what it has in `fields`; of an exception only the kind: its message may quote a post."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[0]:
            told["error"] = record.exc_info[0].__name__
        return json.dumps(told, ensure_ascii=False)


def to_standard_error(level: int = logging.INFO) -> None:
    """Send our logs, and the server's, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in OURS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False
