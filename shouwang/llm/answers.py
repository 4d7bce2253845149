"""What a model wrote, to the answer that was wanted: validated whatever the server promised."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)

_THOUGHT, _ANSWER = "<think>", "</think>"
_OBJECTS_TRIED = 20


class InvalidAnswerError(Exception):
    """What is wrong with an answer, in words that quote nothing of it."""


def validated(text: str, answer: type[T]) -> T:
    """The first JSON object of a text that is such an answer, whatever stands around it (thoughts, fences, prose).

    What is thought is no answer, though it may hold several. Raises InvalidAnswerError when there is none.
    """
    problem = "no JSON object in it"
    for part in _parts(text):
        try:
            return _first(part, answer)
        except InvalidAnswerError as error:
            problem = str(error)
    raise InvalidAnswerError(problem)


def _parts(text: str) -> Iterator[str]:
    """What may be the answer, the likeliest first: posts may hold the words that end a thought, and be quoted."""
    starts = [match.end() for match in re.finditer(_ANSWER, text)]
    yield from (text[start:] for start in reversed(starts))
    begun = text.lstrip()
    if begun.startswith(("{", "```")) or not (starts or begun.startswith(_THOUGHT)):  # some templates begin the thought
        yield text


def _first(text: str, answer: type[T]) -> T:
    problem = "no JSON object in it"
    decoder = json.JSONDecoder()
    for match in list(re.finditer(r"\{", text))[:_OBJECTS_TRIED]:
        try:
            found, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        try:
            return answer.model_validate(found)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            problem = f"{'.'.join(map(str, first['loc'])) or 'the object'}: {first['type']}"
    raise InvalidAnswerError(problem)
