"""Choices that say what they mean to whoever chooses."""

from __future__ import annotations

from django.db import models


class Explained(models.TextChoices):
    """Members are written as value, hint and label."""

    hint: str

    def __new__(cls, value: str, hint: str) -> Explained:
        one = str.__new__(cls, value)
        one._value_ = value
        one.hint = hint
        return one
