"""Errors that a user can act on, and how a command says that it ended."""

from __future__ import annotations

from shouwang.language import say

ALL_WELL, SOME_SKIPPED, NOTHING_DONE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes of every command."""


class ShouwangError(Exception):
    """Says what was found, what was expected and what to do; never quotes a post."""


class InputError(ShouwangError):
    """A file, a column, a label or an argument is not what it should be."""


class FileError(InputError):
    """A file cannot be read as a whole: `file` as its reader calls it, `what` is wrong, and the `line` that shows it."""

    def __init__(self, file: str, what: str, line: str = "") -> None:
        super().__init__(file, what, line)
        self.file, self.what, self.line = file, what, line

    def __str__(self) -> str:
        return f"{self.place(self.file)}: {self.what}"

    def place(self, file: str) -> str:
        """Where it is, with the file called as it was given."""
        return f"{file}:{self.line}" if self.line else file


class MissingExtraError(ShouwangError):
    """A part of the software needs packages that the plain install leaves out."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(what, extra)  # all of them, so that it can be sent between processes
        self.what, self.extra = what, extra

    def __str__(self) -> str:
        how = f'pip install "shouwang[{self.extra}]"'  # double quotes: cmd.exe knows no others
        return say(
            f"{self.what} needs more packages; install them with: {how}",
            f"{self.what}：还需要别的软件包，请安装：{how}",
        )


def where(error: BaseException) -> str:
    """The kind of error, and the file and line of ours where it came up; never its message, which may quote a post."""
    trace, place = error.__traceback__, "?"
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "shouwang" in file:
            place = f"{file.rpartition('shouwang')[2].lstrip('/')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"
