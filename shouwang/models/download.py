"""From the hub to a folder: settings, vocabulary and weights at one commit; never code."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from shouwang.errors import InputError, ShouwangError
from shouwang.models.catalog import ENCODERS, Choice
from shouwang.models.weights import PICKLED, SAFE, SMALL


def download(choice: Choice) -> Path:
    """The folder of a repository's snapshot, named after its commit: from the hub's own cache, or fetched into it.

    pytorch_model.bin is fetched only where there are no safetensors. Raises InputError for a name or revision that the
    hub does not have, ShouwangError when the hub cannot be reached.
    """
    from httpx2 import HTTPError
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        folder = _snapshot(choice, SAFE)
        return folder if any(folder.glob(SAFE)) else _snapshot(choice, PICKLED)
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise _unknown(choice, error) from None
    except (HTTPError, OSError) as error:
        raise _out_of_reach(choice, error) from None


def _snapshot(choice: Choice, weights: str) -> Path:
    from huggingface_hub import snapshot_download

    patterns = [*SMALL, weights]
    return Path(snapshot_download(str(choice.repository), revision=choice.revision, allow_patterns=patterns))


def _unknown(choice: Choice, error: Exception) -> InputError:
    close = get_close_matches(str(choice.repository), [entry.id for entry in ENCODERS.values()], n=1)
    hint = f"Did you mean '{close[0]}'?" if close else "Check its name on the hub; a private one needs HF_TOKEN."
    at = choice.revision or "main"
    return InputError(f"The hub has no model '{choice.repository}' at revision {at} ({type(error).__name__}). {hint}")


def _out_of_reach(choice: Choice, error: Exception) -> ShouwangError:
    at = f" --revision {choice.revision}" if choice.revision else ""
    return ShouwangError(
        f"{choice.repository}: not in the cache, and the hub could not be reached ({type(error).__name__}); name a "
        "mirror in HF_ENDPOINT, or run this where there is a network and give the folder as the model: "
        f"hf download {choice.repository}{at} --local-dir FOLDER"
    )
