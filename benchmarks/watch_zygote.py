"""Starts `shouwang` again and again at the price of a fork: everything is imported once, before the first.

    python benchmarks/watch_zygote.py serve --database …

Each line on standard input starts one more process with these arguments; its number is printed.
"""

from __future__ import annotations

import os
import signal
import sys


def main(arguments: list[str]) -> None:
    import uvicorn.lifespan.on
    import uvicorn.loops.auto
    import uvicorn.protocols.http.auto  # noqa: F401  the server loads them by name

    import shouwang.models.store
    import shouwang.triage.backup
    import shouwang.triage.pages.app  # noqa: F401  what commands import when they run
    from shouwang.cli import app

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever is killed leaves nothing behind
    for _ in sys.stdin:
        number = os.fork()
        if number == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            app(arguments, standalone_mode=True)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
