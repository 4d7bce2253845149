"""Starts `shouwang annotate …` again and again at the price of a fork: everything is imported once, before the first.

    python benchmarks/annotate_zygote.py llm --project …

Each line on standard input starts one more process with these arguments; its number is printed.
"""

from __future__ import annotations

import os
import signal
import sys


def main(arguments: list[str]) -> None:
    import openai.resources.chat  # noqa: F401
    import uvicorn.lifespan.on
    import uvicorn.loops.auto
    import uvicorn.protocols.http.auto  # noqa: F401  the server loads them by name

    import shouwang.annotate.annotators
    import shouwang.annotate.order
    import shouwang.annotate.pages
    import shouwang.llm.answers
    import shouwang.llm.calls  # noqa: F401  what commands import when they run
    from shouwang.cli import app
    from shouwang.text import clean, deidentify

    deidentify(clean("茶").text)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever is killed leaves nothing behind
    for _ in sys.stdin:
        number = os.fork()
        if number == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            app(["annotate", *arguments], standalone_mode=True)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
