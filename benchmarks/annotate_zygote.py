"""Starts `shouwang annotate …` again and again at the price of a fork: everything is imported once, before the first.

    python benchmarks/annotate_zygote.py llm --project …

Each line on standard input starts one more process with these arguments; its number is printed.
"""

from __future__ import annotations

import sys

from forks import one_a_line


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
    from shouwang.text import clean, deidentify

    deidentify(clean("茶").text)
    one_a_line(["annotate", *arguments], silent=True)


if __name__ == "__main__":
    main(sys.argv[1:])
