"""shouwang 守望: how much suicide risk Chinese social-media posts express, and why.

    import shouwang
    model = shouwang.load()
    model.assess(["..."])

It grades text, never people: it ranks posts for the people who decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shouwang.models.model import Model as Model
    from shouwang.models.store import load as load
    from shouwang.posts import Assessment as Assessment
    from shouwang.posts import LabelledPost as LabelledPost
    from shouwang.posts import Post as Post
    from shouwang.scale import LEVELS as LEVELS

__version__ = "0.1.0"

_HOMES = {
    "Assessment": "shouwang.posts",
    "LEVELS": "shouwang.scale",
    "LabelledPost": "shouwang.posts",
    "Model": "shouwang.models.model",
    "Post": "shouwang.posts",
    "load": "shouwang.models.store",
}
__all__ = ["LEVELS", "Assessment", "LabelledPost", "Model", "Post", "load"]


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first used: `import shouwang.scale` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'shouwang' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
