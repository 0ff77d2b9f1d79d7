"""The line by which a robot says that the goal of its session is reached. It is not for people."""

from __future__ import annotations

MARK = "GOAL_REACHED"
"""What a robot writes alone on its last line, where it may."""
AROUND = " \t*`_.!#>-\"'()[]"
"""What robots put around it."""


def split(text: str) -> tuple[str, bool]:
    """The text without the mark on its last line, however often, and whether it was there."""
    rest, is_marked = text, False
    while _last_line(rest.rstrip()).strip(AROUND) == MARK:
        rest, is_marked = rest.rstrip().rpartition("\n")[0].rstrip(), True
    return rest, is_marked


def sure(text: str) -> str:
    """As much of the text as `split` leaves there, whatever else is written after it."""
    before, _, last = text.rpartition("\n")
    may_become_one = MARK.startswith(last.lstrip(AROUND))
    rest, _ = split(before if may_become_one else text)
    return rest.rstrip()


def _last_line(text: str) -> str:
    return text[text.rfind("\n") + 1 :]
