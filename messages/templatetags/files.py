"""How the files of a message are shown: pictures, what can be played, and everything else."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from messages.sniffing import PLAYED, SHOWN

register = template.Library()

File = Mapping[str, Any]

BOX = 360, 300
"""Points that a single picture takes at most, and that any takes at least."""
LEAST = 44
ICONS = {
    "image": "picture",
    "audio": "sound",
    "video": "film",
    "text": "text",
    "application/pdf": "text",
    "application/zip": "archive",
    "application/x-gzip": "archive",
}


@register.filter
def pictures(files: Sequence[File]) -> list[File]:
    """Those there is a thumbnail of."""
    return [file for file in files if file.get("thumbnail")]


@register.filter
def others(files: Sequence[File]) -> list[File]:
    return [file for file in files if not file.get("thumbnail")]


@register.filter
def player(file: File) -> str:
    """`audio`, `video`, or nothing where it is not played."""
    return file["type"].partition("/")[0] if file["type"] in PLAYED else ""


@register.filter
def file_icon(file: File) -> str:
    kind = file["type"]
    return ICONS.get(kind) or ICONS.get(kind.partition("/")[0]) or "file"


@register.filter
def fitted(file: File) -> tuple[int, int]:
    """Width and height in the page, in its own shape, so that nothing moves when it comes."""
    width, height = file["width"] or 1, file["height"] or 1
    scale = min(1, BOX[0] / width, BOX[1] / height)
    return max(LEAST, round(width * scale)), max(LEAST, round(height * scale))


@register.filter
def no_preview(file: File) -> str:
    """Why a picture is not shown, where it is one by its first bytes."""
    if file["type"] not in SHOWN or file.get("thumbnail"):
        return ""
    if file.get("width"):
        return f"too large for a preview: {file['width']} × {file['height']} pixels"
    return "cannot be shown: it is damaged, or no picture"


@register.simple_tag
def upload_limits() -> SafeString:
    """What the page's script need not ask the server about."""
    size, count = settings.CHAT_ATTACHMENT_MAX_SIZE, settings.CHAT_ATTACHMENTS_MAX
    return format_html('data-max-size="{}" data-max-files="{}"', size, count)
