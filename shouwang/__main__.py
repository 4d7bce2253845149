"""The command line's entry: chooses the language before any help text is made, and turns errors into exit codes."""

from __future__ import annotations

import sys

from shouwang.errors import INTERRUPTED, NOTHING_DONE, ShouwangError
from shouwang.language import LANGUAGES, language, say, use_language
from shouwang.lookup import get


def main() -> None:
    """Run `shouwang`; exits with 0 (all well), 1 (some records skipped), 2 (nothing done) or 130 (interrupted)."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        sys.argv[1:] = _choose_language(sys.argv[1:])
        from shouwang.cli import application  # its help texts are made in the language that has been chosen

        application(sys.argv[1:])()
    except ShouwangError as error:
        _fail(str(error))
    except OSError as error:
        _fail(": ".join(str(part) for part in (error.filename, error.strerror or error) if part))
    except KeyboardInterrupt:
        sys.stderr.write(say("interrupted\n", "已中断\n"))
        sys.exit(INTERRUPTED)


def _fail(why: str) -> None:
    sys.stderr.write(say("error: ", "错误：") + why + "\n")
    sys.exit(NOTHING_DONE)


def _choose_language(arguments: list[str]) -> list[str]:
    """The arguments without `--lang zh`, which may stand anywhere."""
    use_language(language())
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        name, _, value = argument.partition("=")
        if name == "--lang":
            use_language(get({each: each for each in LANGUAGES}, value or next(remaining, ""), "language"))
        else:
            rest.append(argument)
            if argument == "--":
                rest += remaining
    return rest


if __name__ == "__main__":
    main()
