"""What was measured, as a table: medians, ours beside each peer, what is wanted and missed."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.servers import PINNED, Peer
from benchmarks.wanted import Wanted
from benchmarks.works import WORKS, Work

Rounds = list[dict[str, Any]]
Results = dict[str, dict[str, Rounds]]

HEADINGS = (
    f"{'':38}{'a second':>12}{'lowest-highest':>20}{'p50 ms':>9}{'p99 ms':>9}"
    f"{'server':>8}{'client':>8}{'MiB':>6}"
)


@dataclass(frozen=True)
class Comparison:
    """One of the figures that are wanted of ours: times what a peer does, or milliseconds."""

    work: str
    ours: str
    peer: str | None
    value: float
    wanted: Wanted
    a_core_second: float | None = None
    """The same for each second that the server's core worked."""

    def __str__(self) -> str:
        return f"{self.ours}: " + (
            f"{times(self.value)} {self.peer}" if self.peer else f"p99 {self.value:,.1f} ms"
        )

    def line(self) -> str:
        told = f"must {self.wanted.must:g}, aim {self.wanted.aim:g}"
        if self.a_core_second:
            told += f"; {times(self.a_core_second)} for a second of the server's core"
        return f"{'':13}{self} ({told})"

    def missed(self) -> Iterator[str]:
        return self.wanted.missed(f"{self.work}: {self}", self.value)


def times(ratio: float) -> str:
    return f"{ratio:,.1f}x" if ratio >= 1 else f"{ratio:.2f}x"


def comparisons(peers: Sequence[Peer], results: Results) -> list[Comparison]:
    return [found for work in WORKS.values() for found in compared(work, peers, results)]


def compared(work: Work, peers: Sequence[Peer], results: Results) -> Iterator[Comparison]:
    measured = [peer for peer in peers if results[peer.name].get(work.name)]
    for ours in measured:
        if ours.kind != "ours":
            continue
        rounds = results[ours.name][work.name]
        if not are_sound(rounds):
            continue
        if work.p99:
            yield Comparison(work.name, ours.name, None, median(rounds, "p99_ms"), work.p99)
        for peer in measured:
            theirs = results[peer.name][work.name]
            if peer.kind in work.wanted and compare_fairly(ours, peer) and are_sound(theirs):
                yield ratio(work, ours, rounds, peer, theirs)


def are_sound(*several: Rounds) -> bool:
    """Whether their figures mean anything: not where messages were lost, doubled or refused."""
    return not any(result["faults"] for rounds in several for result in rounds)


def compare_fairly(ours: Peer, peer: Peer) -> bool:
    """What ours does on PostgreSQL is held against what does it there, too."""
    return ours.database == "SQLite" or peer.database == ours.database


def ratio(work: Work, ours: Peer, rounds: Rounds, peer: Peer, theirs: Rounds) -> Comparison:
    value = median(rounds, work.number) / median(theirs, work.number)
    # What a database server of its own computes is not in the server's time.
    alone = ours.database == peer.database == "SQLite"
    core = a_core_second(rounds, work.number) / a_core_second(theirs, work.number)
    wanted = work.wanted[peer.kind]
    return Comparison(work.name, ours.name, peer.name, value, wanted, core if alone else None)


def median(rounds: Rounds, name: str) -> float:
    return statistics.median(result[name] for result in rounds)


def cell(results: Rounds, figure: str, form: str) -> str:
    """The median, and from which to which."""
    values = [result[figure] for result in results if figure in result]
    if not values:
        return ""
    low, middle, high = (form.format(of(values)) for of in (min, statistics.median, max))
    return f"{middle} ({low}-{high})" if low != high else middle


def a_core_second(rounds: Rounds, number: str) -> float:
    """What is done for each second that a core worked: it stands when others use the machine."""
    return statistics.median(result[number] / max(result["server_cpu"], 0.001) for result in rounds)


def table(results: Results, found: Sequence[Comparison]) -> str:
    where = "The server on one core, the generator on another." if PINNED else "Not pinned."
    lines = [where, "", HEADINGS]
    for work in WORKS.values():
        rows = [
            row(work.name, name, works[work.name], work.number)
            for name, works in results.items()
            if works.get(work.name)
        ]
        if rows:
            lines += [*rows, *(one.line() for one in found if one.work == work.name), ""]
    lines += [line for one in found for line in one.missed()]
    return "\n".join([*lines, *(f"INVALID {fault}" for fault in faults(results))])


def row(work: str, name: str, rounds: Rounds, number: str) -> str:
    values = [result[number] for result in rounds]
    spread = f"{min(values):,.0f}-{max(values):,.0f}"
    return (
        f"{work:13}{name:25}{median(rounds, number):>12,.0f}{spread:>20}"
        f"{median(rounds, 'p50_ms'):>9.1f}{median(rounds, 'p99_ms'):>9.1f}"
        f"{median(rounds, 'server_cpu'):>8.2f}{median(rounds, 'client_cpu'):>8.2f}"
        f"{median(rounds, 'server_mebibytes'):>6.0f}"
    )


def faults(results: Results) -> list[str]:
    found = {
        f"{name}, {work}: {', '.join(result['faults'])}"
        for name, works in results.items()
        for work, rounds in works.items()
        for result in rounds
        if result["faults"]
    }
    return sorted(found)
