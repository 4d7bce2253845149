"""Times as pages show them."""

from __future__ import annotations

from datetime import datetime

from shouwang.language import say


def clock(seconds: float) -> str:
    """Date and time in the server's time zone, to the minute."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def zone() -> str:
    """The server's time zone as pages name it, such as UTC+08:00."""
    return "UTC" + datetime.now().astimezone().isoformat()[-6:]


def moment(iso: str) -> str:
    """The same for a time as the ledger keeps it (ISO 8601)."""
    return clock(datetime.fromisoformat(iso).timestamp())


def span(seconds: float) -> str:
    """A length of time in its largest sensible unit, cut down ("4 min", "2 h", "3 d")."""
    for size, en, zh in ((86_400, "d", "天"), (3_600, "h", "小时"), (60, "min", "分钟")):
        if seconds >= size:
            return say(f"{int(seconds // size)} {en}", f"{int(seconds // size)} {zh}")
    return say("under 1 min", "不到 1 分钟")


def percent(share: float) -> str:
    """A probability in whole percent; what is nearly sure is not called sure."""
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{100 * share:.0f}%"
