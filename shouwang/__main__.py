"""The command line's entry: chooses the language before any help text is made, and turns errors into exit codes."""

from __future__ import annotations

import sys

from shouwang.errors import ShouwangError
from shouwang.language import LANGUAGES, say, use_language
from shouwang.lookup import get

NOTHING_DONE = 2
INTERRUPTED = 130


def main() -> None:
    """Run `shouwang`; exits with 0 (all well), 1 (some records skipped), 2 (nothing done) or 130 (interrupted)."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        _choose_language(sys.argv[1:])
        from shouwang.cli import app

        app()
    except ShouwangError as error:
        sys.stderr.write(say("error: ", "错误：") + f"{error}\n")
        sys.exit(NOTHING_DONE)
    except KeyboardInterrupt:
        sys.stderr.write(say("interrupted\n", "已中断\n"))
        sys.exit(INTERRUPTED)


def _choose_language(arguments: list[str]) -> None:
    for number, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == "--lang":
            value = value or "".join(arguments[number + 1 : number + 2])
            use_language(get({each: each for each in LANGUAGES}, value, "language"))


if __name__ == "__main__":
    main()
