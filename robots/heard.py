"""What has been heard of an answer, as far as people may be shown it."""

from __future__ import annotations

import re

from django.conf import settings

from robots import goal
from robots.prompts import DECLINE

NOT_TEXT = re.compile(r"[\x00\ud800-\udfff]")
"""What no database and no socket takes: NULs, and halves of surrogate pairs."""


class TooLong(Exception):
    """A message holds no more."""


class Heard:
    """The text so far. What may turn out not to be for people is held back.

    That is DECLINE and nothing else; and in a turn of a session, the mark that ends it. Only `end`
    tells for certain. Where it is not called, what is held is let go of: nobody has seen it.
    """

    def __init__(self, text: str = "", *, may_decline: bool = False, is_turn: bool = False) -> None:
        self.text = text
        """What may be shown, and what stays: it only grows."""
        self.begun = False
        """Whether anything new may be shown."""
        self.is_at_goal = False
        """Whether the mark was there. Asked at the end."""
        self._held = ""
        self._may_decline = may_decline
        self._is_turn = is_turn

    def add(self, piece: str) -> None:
        """Raises TooLong, after taking what fits."""
        self._held += NOT_TEXT.sub("", piece)
        if not self.text:  # no answer begins with blanks
            self._held = self._held.lstrip()
        if not self.begun and (self._is_blank or self._may_be_declining):
            return
        said = self._line + self._held
        self._release(goal.sure(said) if self._is_turn else said)

    def end(self) -> None:
        """That was all. Raises TooLong."""
        if not self.begun and (self._is_blank or self.declined):
            return
        said = self._line + self._held
        if self._is_turn:
            said, self.is_at_goal = goal.split(said)
        self._release(said)

    @property
    def declined(self) -> bool:
        """Whether that is all so far. Asked at the end."""
        return self._may_decline and self._held.strip() == DECLINE

    @property
    def _is_blank(self) -> bool:
        return not self._held.strip()

    @property
    def _may_be_declining(self) -> bool:
        may_become_it = self._may_decline and DECLINE.startswith(self._held.lstrip())
        return may_become_it or self.declined

    @property
    def _line(self) -> str:
        """The last line of what is shown, which may go on."""
        return self.text[self.text.rfind("\n") + 1 :]

    def _release(self, said: str) -> None:
        """Show that the last line goes on so, with what was held back or the beginning of it."""
        new = said[len(self._line) :]
        self._held = self._held[len(new) :]
        left = settings.CHAT_MESSAGE_MAX_LENGTH - len(self.text)
        self.text += new[:left]
        self.begun = self.begun or bool(new[:left])
        if len(new) > left:
            raise TooLong
