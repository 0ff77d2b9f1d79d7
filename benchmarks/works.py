"""What servers are put to, and what is wanted of ours."""

from dataclasses import dataclass, field

from benchmarks.wanted import AtLeast, Wanted


@dataclass(frozen=True)
class Work:
    """One load. `targets` is the file of who is connected to what: see load/load.c.

    `wanted` is how many times the `number` of each kind of peer ours is to reach; `p99` what our
    own deliveries are to take, in milliseconds.
    """

    name: str
    targets: str
    number: str = "deliveries_per_s"
    window: int = 0
    senders: str = "first"
    wanted: dict[str, AtLeast] = field(default_factory=dict)
    p99: Wanted | None = None

    def options(self, rate: float = 0) -> tuple[str, ...]:
        """Of the generator. `rate` is for works that have no window, in messages a second."""
        pace = ("--window", str(self.window)) if self.window else ("--rate", f"{rate:.2f}")
        return (*pace, "--senders", self.senders)


FAN_OUT = Work(
    "fan-out",
    "fan-out",
    window=8,
    wanted={"tutorial": AtLeast(60, 150), "socketio": AtLeast(1.5, 3), "ejabberd": AtLeast(5, 10)},
)
LONE = Work("lone", "fan-out", window=1, wanted={"socketio": AtLeast(0.6, 1)})
HALF_LOAD = Work("half-load", "fan-out", p99=Wanted(20, 10))
MANY_ROOMS = Work(
    "many-rooms",
    "many-rooms",
    number="messages_per_s",
    window=256,
    senders="everybody",
    wanted={"tutorial": AtLeast(12, 35), "socketio": AtLeast(0.3, 1), "ejabberd": AtLeast(1.5, 3)},
)
WORKS = {work.name: work for work in (FAN_OUT, LONE, HALF_LOAD, MANY_ROOMS)}
