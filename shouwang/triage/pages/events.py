"""Events of the ledger in words."""

from __future__ import annotations

from collections.abc import Callable

from shouwang.language import Words, say
from shouwang.ledger import Recorded
from shouwang.triage.acts import OUTCOMES

WORDS: dict[str, Words] = {
    "opened": Words("opened", "开启个案"),
    "saw": Words("viewed", "查看"),
    "claimed": Words("claimed", "认领"),
    "released": Words("released", "放回"),
    "rated": Words("rated", "评定"),
    "noted": Words("wrote a note", "写备注"),
    "closed": Words("closed", "结案"),
    "reopened": Words("reopened", "重新打开"),
    "handed-over": Words("handed over", "移交"),
    "asked-second": Words("asked for a second opinion", "请求二次评定"),
    "lease-ran-out": Words("claim ran out", "认领到期"),
    "assessed": Words("assessed posts", "评估帖子"),
    "received": Words("received posts", "接收帖子"),
    "set-policy": Words("set the policy", "更改策略"),
    "caught-up": Words("applied a policy to recent posts", "将策略用于近期帖子"),
    "raised": Words("raised the priority", "调高优先级"),
    "erased": Words("erased an author", "删除作者"),
    "key-added": Words("made an API key", "创建 API 密钥"),
    "key-revoked": Words("revoked an API key", "撤销 API 密钥"),
    "login": Words("logged in", "登录"),
    "login-failed": Words("wrong password", "密码错误"),
    "logout": Words("logged out", "退出"),
    "logout-everywhere": Words("logged out everywhere", "全部退出"),
    "account-added": Words("added an account", "添加账户"),
    "account-changed": Words("changed an account", "更改账户"),
    "password-changed": Words("changed a password", "更改密码"),
}


def told(event: Recorded, name: Callable[[str | None], str]) -> str:
    """What happened, with what matters of its data."""
    what = str(WORDS.get(event.what, event.what))
    data = event.data
    if event.what == "account-changed" and not data.get("active", True):
        return f"{what} ({say('may not log in', '不可登录')})"
    if event.what == "rated":
        return f"{what} {data['level']}" + (say(" (second opinion)", "（二次评定）") if data.get("second") else "")
    if event.what == "closed":
        outcome = str(data.get("outcome"))
        return f"{what}{say(': ', '：')}{OUTCOMES.get(outcome, outcome)}"
    if event.what == "handed-over":
        return f"{what} → {name(str(data.get('to')))}"
    if event.what == "lease-ran-out":
        return f"{what} ({name(str(data.get('of')))})"
    return what
