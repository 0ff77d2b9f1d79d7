"""How the tokens of a robot's window are shared out between what it is told and its answer."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from robots.models import Robot


@dataclass(frozen=True, slots=True)
class Window:
    """All in tokens."""

    size: int
    answer: int
    """How long the answer may be."""

    @classmethod
    def of(cls, robot: Robot, smaller: int | None = None) -> Window:
        """An answer never takes more than half: what it answers needs room as well."""
        size = min(robot.context_window, smaller or robot.context_window)
        return cls(size, min(robot.max_tokens, size // 2))

    @property
    def most(self) -> int:
        """What may be sent: beyond it, what was said first is summarised or left out."""
        return int((self.size - self.answer) * settings.CHAT_CONTEXT_FULL)

    @property
    def verbatim(self) -> int:
        """What stays of what was said last, word for word, once the rest is summarised."""
        return int((self.size - self.answer) * settings.CHAT_CONTEXT_VERBATIM)

    @property
    def summary(self) -> int:
        """How long a summary may be."""
        return int((self.size - self.answer) * settings.CHAT_CONTEXT_SUMMARY)

    @property
    def summarised(self) -> int:
        """What may be sent to have a summary written."""
        return int((self.size - self.summary) * settings.CHAT_CONTEXT_FULL)
