"""Choices with their hints, as radio buttons show them."""

from __future__ import annotations

from robots.choices import Explained
from rooms.forms import Labelled


def explained(choices: type[Explained]) -> list[tuple[str, Labelled]]:
    return [(one.value, Labelled(one.label, one.hint)) for one in choices]
