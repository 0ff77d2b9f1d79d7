"""What pages tell of the release they are of."""

from django import template

from chatmanager import shell

register = template.Library()


@register.simple_tag
def release() -> str:
    return shell.release()
