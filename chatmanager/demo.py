"""People and rooms to try things with, made by the verbs everybody uses."""

import secrets

from django.conf import settings
from django.db import transaction

from accounts.models import User
from accounts.roles import SiteRole
from messages.audience import Audience
from rooms.models import Room
from rooms.modes import Mode, Role

PEOPLE = [
    ("admin", "Robin Admin", SiteRole.ADMIN),
    ("ada", "Ada Park", SiteRole.AGENT),
    ("sue", "Sue Okafor", SiteRole.SUPERVISOR),
    ("ben", "Ben Costa", SiteRole.MEMBER),
    ("cleo", "Cleo Lind", SiteRole.MEMBER),
]

RELEASE_NOTES = """\
Here is the plan for **Thursday**:

1. freeze at noon
2. run the [checks](https://example.org/checks)
3. ship before tea

- [x] changelog
- [ ] screenshots
"""

SCRIPT = """\
This is all the script does:

```python
def greet(name: str) -> str:
    return f"Hello, {name}!"
```

> Simple is better than complex.
"""


def is_wanted() -> bool:
    """Only an empty database is filled: no people in it yet."""
    return not User.objects.exclude(kind=User.Kind.SYSTEM).exists()


def make() -> str:
    """Fill the database, and print who can sign in. Returns the password they share."""
    password = settings.CHAT_DEMO_PASSWORD or secrets.token_urlsafe(9)
    with transaction.atomic():
        people = {
            handle: User.objects.create_person(handle, name, password, role)
            for handle, name, role in PEOPLE
        }
        _open_rooms(people)
    print(
        "\nA demo was made. Sign in as",
        ", ".join(people),
        "- the password of each:",
        password,
        flush=True,
    )
    return password


def _open_rooms(people: dict[str, User]) -> None:
    _team(people)
    _release(people)
    _direct(people)
    _support(people)
    _waiting()


def _team(people: dict[str, User]) -> None:
    ada, sue, ben, cleo = (people[handle] for handle in ["ada", "sue", "ben", "cleo"])
    room = Room.objects.open(
        "Lounge",
        by=ada,
        visibility="public",
        description="Where the day begins. Anybody may come in.",
        people=[people["admin"], sue, ben, cleo],
    )
    hello = room.messages.post("Good morning, everybody! ☀️", by=ada)
    question = room.messages.post("Morning! Has anyone got the new greeting script?", by=ben)
    script = room.messages.post(SCRIPT, by=cleo, reply_to=question)
    room.messages.post("Lovely, thank you @cleo. I'll try it on the *staging* machine.", by=ben)
    room.messages.post(
        "Between us: shall we surprise Ada with cake at four? 🎂",
        by=ben,
        audience=Audience.ONLY,
        to=[cleo, sue],
    )
    room.messages.post(
        "@here the release plan is in *Release 1.0*. Ask me if you want to join.", by=ada
    )
    hello.react("👋", by=ben)
    hello.react("👋", by=cleo)
    hello.react("☕", by=sue)
    script.react("🎉", by=ben)
    script.react("❤️", by=ada)


def _release(people: dict[str, User]) -> None:
    ada, ben, cleo = (people[handle] for handle in ["ada", "ben", "cleo"])
    room = Room.objects.open(
        "Release 1.0", by=ada, description="What is left to do until Thursday.", people=[ben, cleo]
    )
    plan = room.messages.post(RELEASE_NOTES, by=ada)
    room.messages.post("I take the screenshots.", by=cleo, reply_to=plan)
    room.messages.post("And I run the checks tonight. They took `12 min` the last time.", by=ben)
    plan.react("👍", by=ben)


def _direct(people: dict[str, User]) -> None:
    room = Room.objects.direct(people["cleo"], by=people["ben"])
    room.messages.post("Lunch at one?", by=people["ben"])
    room.messages.post("Yes! The noodle place?", by=people["cleo"])


def _support(people: dict[str, User]) -> None:
    ada, sue = people["ada"], people["sue"]
    mia = User.objects.create_customer("Mia Torres")
    room = Room.objects.open(
        "Order 4711 arrived broken",
        by=ada,
        mode=Mode.SUPPORT,
        people=[mia],
        description="A lamp, sent on Monday.",
    )
    room.invite(sue, by=ada, role=Role.SUPERVISOR)
    room.messages.post("Hello! My lamp came today and the glass is cracked. What can I do?", by=mia)
    room.messages.post("Hello Mia, I am sorry to hear that. Let me see what we can do.", by=ada)
    note = room.messages.post(
        "Second one this week from the same batch. May I send a new one without the old one back?",
        by=ada,
        audience=Audience.STAFF,
    )
    room.messages.post("Yes, do. I will tell the warehouse.", by=sue, reply_to=note)
    room.messages.post("Good news: a new lamp leaves today, and you can keep the old one.", by=ada)
    room.messages.post("That was quick, thank you so much!", by=mia)


def _waiting() -> None:
    jonas = User.objects.create_customer("Jonas Weber")
    room = Room.objects.open(
        "How do I change my address?",
        by=User.objects.get(handle="ada"),
        mode=Mode.SUPPORT,
        on_behalf_of=jonas,
    )
    room.messages.post("Hi, I have moved house. Where do I change my address?", by=jonas)
