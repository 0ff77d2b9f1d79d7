"""Which environment variables may be named as the one that holds a provider's key."""

import re

from django.conf import settings

from accounts.errors import Invalid

_OWN = {"SECRET_KEY", "DJANGO_SECRET_KEY"}


def must_be_nameable(name: str) -> None:
    """Raises Invalid for a name that does not look like a key's, or is one of the server's own.

    Else whoever sets robots up could have the server send its secrets to an address of theirs.
    """
    if not re.fullmatch(settings.CHAT_ROBOT_KEY_PATTERN, name) or _is_own(name.upper()):
        raise Invalid(
            details={"key_env": ["Name an environment variable that holds a provider's key."]}
        )


def _is_own(name: str) -> bool:
    return name in _OWN or name.startswith("CHAT_") or name in settings.CHAT_VARIABLES_READ
