"""What people say in a room of work, made up: at random, but the same each time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random

SEED = 2026
SENTENCES = [
    "I have the figures of last week with me.",
    "Shall we meet at noon?",
    "The second batch left the warehouse this morning, and the third is to follow on Thursday.",
    "Nobody has seen the key to the small room since the party.",
    "It works here; what does the log say on your side?",
    "We said that **nothing ships on a Friday**, and I should like to keep it so.",
    "See https://example.org/plans/autumn?view=all#notes for what was decided.",
    "The customer in Porto called again, and again it was about the blue lamps.",
    "Could somebody look at `deliver.py` with me before I break something?",
    "As far as I can see it is *only* the label that is wrong, not what is in the box.",
    "Thanks!",
    "I'll take that one.",
    "No.",
    "Let me ask Ines, she was there when it was set up; there was a reason for it, I think.",
    "Lunch?",
    "Back in ten minutes 🙂",
]
LISTS = [
    "Before we go on:\n\n1. freeze at noon\n2. run the checks\n3. ship before tea",
    "Still open:\n\n- the invoice of March\n- two chairs\n- who opens on Monday",
    "| | planned | done |\n|---|---|---|\n| lamps | 120 | 118 |\n| shades | 300 | 301 |",
    "## What changed\n\n- shelves are numbered **from the door**\n- returns go to `R4`",
]
CODE = [
    """\
```python
def deliver(order: Order) -> Parcel:
    parcel = pack(order.items)
    if parcel.weight > 30:
        raise TooHeavy(f"{parcel.weight} kg")
    return send(parcel, to=order.address)
```
""",
    """\
It says:

```
Traceback (most recent call last):
  File "deliver.py", line 12, in deliver
    return send(parcel, to=order.address)
AttributeError: 'NoneType' object has no attribute 'address'
```
""",
    """\
```sql
SELECT shelf, count(*) FROM parcels
WHERE left_at IS NULL
GROUP BY shelf
ORDER BY 2 DESC
LIMIT 10;
```

gives what you asked for.
""",
]
EMOJI = ["👍", "🎉", "😄", "👀", "❤️"]


@dataclass(frozen=True)
class Said:
    """By which of the people, how long after what was said before, and what else comes of it."""

    by: int
    pause: timedelta
    body: str
    answers: int = 0
    """How many messages before it is the one it quotes, from 1 on; 0: none."""
    reactions: tuple[str, ...] = ()
    has_picture: bool = False
    comes_and_goes: bool = False
    """Before it somebody was brought in and taken out again: two notes of the system."""


def talk(people: int) -> Iterator[Said]:
    """Without an end. Two or three speak in turn, a few messages each, until others do."""
    random = Random(SEED)
    while True:
        speakers = random.sample(range(people), random.choice([2, 2, 3]))
        begins = timedelta(minutes=random.choice([12, 40, 150, 900]))
        for turn in range(random.randint(2, 9)):
            speaker = speakers[turn % len(speakers)]
            for at in range(random.choice([1, 1, 2, 3])):
                pause = timedelta(seconds=random.randint(8, 200))
                yield said(random, speaker, pause if turn or at else begins)


def said(random: Random, by: int, pause: timedelta) -> Said:
    chance = random.random
    return Said(
        by,
        pause,
        body(random),
        answers=random.randint(1, 40) if chance() < 0.08 else 0,
        reactions=tuple(random.sample(EMOJI, random.choice([1, 1, 2]))) if chance() < 0.1 else (),
        has_picture=chance() < 0.005,
        comes_and_goes=chance() < 0.015,
    )


def body(random: Random) -> str:
    kind = random.random()
    if kind < 0.03:
        return random.choice(CODE)
    if kind < 0.05:
        return random.choice(LISTS)
    if kind < 0.07:
        return f"> {random.choice(SENTENCES)}\n\n{sentences(random, 2)}"
    if kind < 0.09:
        return "\n\n".join(sentences(random, random.randint(3, 6)) for _ in range(3))
    return sentences(random, random.choice([1, 1, 1, 1, 2, 2, 3]))


def sentences(random: Random, count: int) -> str:
    return " ".join(random.choices(SENTENCES, k=count))
