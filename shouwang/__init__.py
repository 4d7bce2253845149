"""shouwang 守望: how much suicide risk Chinese social-media posts express, and why.

    import shouwang
    model = shouwang.load()
    model.assess(["..."])

It grades text, never people: it ranks posts for the people who decide.
"""

from __future__ import annotations
