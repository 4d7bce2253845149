"""What a model wrote, to the answer that was wanted: validated whatever the server promised."""

from __future__ import annotations

import json
import re
from typing import TypeVar

from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_OBJECTS_TRIED = 20


class InvalidAnswerError(Exception):
    """What is wrong with an answer, in words that quote nothing of it."""


def validated(text: str, answer: type[T]) -> T:
    """The first JSON object of a text that is such an answer, whatever stands around it (thoughts, fences, prose).

    Raises InvalidAnswerError when there is none.
    """
    problem = "no JSON object in it"
    decoder = json.JSONDecoder()
    text = _THOUGHT.sub("", text)
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
