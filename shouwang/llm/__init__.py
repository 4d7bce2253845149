"""The one client for OpenAI-compatible endpoints: structured output, cache, budget, retries; de-identifies before it sends."""

from __future__ import annotations

from shouwang.llm.client import Client
from shouwang.llm.endpoint import Costs, Endpoint, EndpointError, Message, Reply, Request

__all__ = ["Client", "Costs", "Endpoint", "EndpointError", "Message", "Reply", "Request"]
