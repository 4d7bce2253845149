"""Commands started again and again at the price of a fork, in a process that has imported what they need."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence


def one_a_line(arguments: Sequence[str], *, silent: bool = False) -> None:
    """Each line on standard input starts `shouwang` once more with these arguments; its number is printed."""
    from shouwang.cli import app

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever is killed leaves nothing behind
    for _ in sys.stdin:
        number = os.fork()
        if number == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            if silent:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            app(list(arguments), standalone_mode=True)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
