"""A message as pages show it: one element, the same for every reader."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import structlog
from django.template import Context, Engine, Template
from django.utils.html import format_html
from django.utils.safestring import SafeString

logger = structlog.get_logger(__name__)


def article(message: Mapping[str, Any]) -> SafeString:
    """The element of an encoded message. One that fails never takes the others with it."""
    try:
        return _template().render(Context({"message": message}, use_l10n=False))
    except Exception:
        logger.exception("message_not_rendered", message=message["id"])
        return format_html(
            '<article class="message" id="message-{0}" data-id="{0}" data-version="{1}"'
            ' data-author="{2}"'
            ' data-kind="system" data-audience="{3}" data-created="{4}" tabindex="-1">'
            '<div class="system-line">This message cannot be shown.</div></article>',
            message["id"],
            message["version"],
            message["author"]["id"],
            message["audience"],
            message["created_at"],
        )


@cache
def _template() -> Template:
    return Engine.get_default().get_template("messages/_message.html")
