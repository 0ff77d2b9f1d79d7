"""Choosing a persona to begin with, and what that fills in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from robots.presets import PRESETS, Preset, preset


def presets(empty: tuple[str, str]) -> forms.ChoiceField:
    """Choosing one asks for the form anew, with what it means filled in."""
    return forms.ChoiceField(
        required=False,
        choices=[empty, *[(one.name, f"{one.title}: {one.hint}") for one in PRESETS]],
        label="Persona to begin with",
        help_text="Fills in the fields below, which you may change.",
        widget=forms.Select(attrs={"data-look": ""}),
    )


def filled(given: QueryDict | None) -> dict[str, Any]:
    """What was typed so far, with what the preset means."""
    typed: dict[str, Any] = dict((given or QueryDict()).items())
    chosen = preset(typed.get("preset", ""))
    return {**typed, **(_meaning(chosen) if chosen else {})}


def _meaning(chosen: Preset) -> dict[str, Any]:
    return {
        "persona": chosen.persona,
        "style": chosen.style,
        "temperature": chosen.temperature,
    }
