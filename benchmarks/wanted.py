"""What is wanted of a figure, and whether it is reached."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    """At most so much it must be, and so much it is aimed for."""

    must: float
    aim: float

    def missed(self, what: str, value: float) -> Iterator[str]:
        if value > self.must:
            yield f"MISSED  {what}, at most {self.must:g} is wanted ({self.aim:g} is the aim)"
        elif value > self.aim:
            yield f"MISSED  {what}, below {self.must:g} as is wanted, but {self.aim:g} is the aim"


class AtLeast(Wanted):
    """At least so much it must be, and so much it is aimed for."""

    def missed(self, what: str, value: float) -> Iterator[str]:
        if value < self.must:
            yield f"MISSED  {what}, at least {self.must:g} is wanted ({self.aim:g} is the aim)"
        elif value < self.aim:
            yield f"MISSED  {what}, above {self.must:g} as is wanted, but {self.aim:g} is the aim"
