"""Who serves a model, as its name tells, and whose models agents may choose."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

OURS = "builtin"
"""Served within the process: nothing is sent anywhere."""
INTERACTIVE = frozenset({"github_copilot", "chatgpt"})
"""Providers to which litellm has somebody sign in by a browser, while all other answers wait."""
REGION = 4
"""The part, as colons divide them, that litellm may take for a region: part of an address."""

# No part of it is dots alone: some providers have it in the path that they are asked at.
MODEL_ID = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._:@+-]*(?:/(?!\.+(?:/|\Z))[A-Za-z0-9._:@+-]+)*\Z",
    "Name a model as litellm does, such as openai/gpt-4o-mini, or builtin/parrot.",
)


def provider_of(model: Any) -> str:
    """As the model's name begins; empty where it is left to litellm to know."""
    provider, slash, _ = str(model).partition("/")
    return provider if slash else ""


def must_name_a_model(name: Any) -> None:
    """Raises ValidationError."""
    MODEL_ID(name)
    if provider_of(name).lower() in INTERACTIVE:
        raise ValidationError("This provider has people sign in by a browser; robots cannot.")
    if any("/" in part for part in str(name).split(":")[1:REGION]):
        raise ValidationError("This would be asked at an address other than its provider's.")


def is_for_agents(model: str) -> bool:
    """Whether it is served where the operator lets agents send words, and keys of the server's.

    Other providers are asked at an address within one's own network, or with what this host may
    do elsewhere: whoever names them reaches farther than an agent is meant to.
    """
    return provider_of(model) in {OURS, *settings.CHAT_ROBOT_PROVIDERS}
