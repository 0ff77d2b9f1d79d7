"""How long what failed is left alone until it is tried again."""

from datetime import timedelta

FIRST, LONGEST = timedelta(minutes=1), timedelta(hours=1)


def after(failures: int) -> timedelta:
    """So many failures, one after the other: a little longer each time."""
    return min(FIRST * (1 << min(failures - 1, 10)), LONGEST)
