"""Starts `shouwang` again and again at the price of a fork: everything is imported once, before the first.

    python benchmarks/watch_zygote.py serve --database …

Each line on standard input starts one more process with these arguments; its number is printed.
"""

from __future__ import annotations

import sys

from forks import one_a_line


def main(arguments: list[str]) -> None:
    import uvicorn.lifespan.on
    import uvicorn.loops.auto
    import uvicorn.protocols.http.auto  # noqa: F401  the server loads them by name

    import shouwang.models.store
    import shouwang.triage.backup
    import shouwang.triage.pages.app  # noqa: F401  what commands import when they run

    one_a_line(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
