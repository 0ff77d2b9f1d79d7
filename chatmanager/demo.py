"""People and rooms to try things with, made by the verbs everybody uses."""

import secrets
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction

from accounts.models import User
from accounts.roles import SiteRole
from messages.audience import Audience
from messages.models import Message
from robots.models import Article, Reply, Robot, RobotSeat
from robots.outcome import Outcome
from rooms.models import Room
from rooms.modes import Mode, Role
from threads.models import Sidebar

PEOPLE = [
    ("admin", "Robin Admin", SiteRole.ADMIN),
    ("ada", "Ada Park", SiteRole.AGENT),
    ("sue", "Sue Okafor", SiteRole.SUPERVISOR),
    ("ben", "Ben Costa", SiteRole.MEMBER),
    ("cleo", "Cleo Lind", SiteRole.MEMBER),
]

ARTICLES = {
    "Goods that arrive broken": (
        "We send a new one the same day, and nobody sends the old one back. A photo of the damage "
        "helps with the carrier's insurance, but is not needed.\n\n"
        "From the third case of one batch on, tell the warehouse: they take it off the shelf."
    ),
    "Changing an address": (
        "Customers change their address under *My account*, then *Addresses*. An order that has "
        "not left the warehouse can still be sent to the new one: ask for the order's number."
    ),
    "How long a parcel takes": (
        "Two working days within the country, three to five abroad. Lamps travel by freight, on "
        "Mondays and Thursdays."
    ),
}

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
        _open_rooms(people, _robots(people["admin"]))
        for title, body in ARTICLES.items():
            Article.objects.write(title, body, by=people["ada"], published=True)
    print(
        "\nA demo was made. Sign in as",
        ", ".join(people),
        "- the password of each:",
        password,
        flush=True,
    )
    return password


def _robots(admin: User) -> dict[str, Robot]:
    """Two that need no key and no network."""
    return {
        handle: Robot.objects.add(
            handle, handle.title(), by=admin, model=f"builtin/{handle}", persona=persona
        )
        for handle, persona in [
            ("parrot", "You say back what you hear."),
            ("librarian", "You look things up in the room and in the knowledge articles."),
        ]
    }


def _open_rooms(people: dict[str, User], robots: dict[str, Robot]) -> None:
    _team(people, robots)
    _release(people, robots)
    _direct(people)
    _support(people, robots["librarian"])
    _waiting()


def _team(people: dict[str, User], robots: dict[str, Robot]) -> None:
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
    trial = room.messages.post(
        "Lovely, thank you @cleo. I'll try it on the *staging* machine.", by=ben
    )
    room.messages.post(
        "Between us: shall we surprise Ada with cake at four? 🎂",
        by=ben,
        audience=Audience.ONLY,
        to=[cleo, sue],
    )
    _seat(robots.values(), room, by=ada)
    _exchange(room, robots["parrot"], by=cleo, words="Polly wants a release!")
    room.messages.post(
        "@here the release plan is in *Release 1.0*. Ask me if you want to join.", by=ada
    )
    hello.react("👋", by=ben)
    hello.react("👋", by=cleo)
    hello.react("☕", by=sue)
    script.react("🎉", by=ben)
    script.react("❤️", by=ada)
    _beside_trial(trial, by=ben, cleo=cleo)
    _beside_script(script, by=cleo, ben=ben)


def _beside_trial(trial: Message, *, by: User, cleo: User) -> None:
    """A side-bar that came to its end."""
    sidebar = Sidebar.objects.open(trial, by=by, title="How the script does on staging")
    aside = sidebar.room
    aside.messages.post("It greets everybody but Zoë: `UnicodeEncodeError`.", by=by)
    aside.messages.post("Is `PYTHONUTF8=1` set there?", by=cleo)
    aside.messages.post("It was not. Now even Zoë is greeted.", by=by)
    sidebar.conclude(
        by=by,
        body="The script works on staging, with `PYTHONUTF8=1` set.",
        audience=Audience.EVERYONE,
    )


def _beside_script(script: Message, *, by: User, ben: User) -> None:
    """One that goes on. Ada is named in it, and has it to read."""
    aside = Sidebar.objects.open(script, by=by, title="Whom it greets").room
    aside.messages.post("So far it knows people. What about robots?", by=by)
    aside.messages.post("Parrot would like that.", by=ben)
    aside.messages.post("@ada, what do you say?", by=by)


def _seat(robots: Iterable[Robot], room: Room, *, by: User) -> None:
    for robot in robots:
        RobotSeat.objects.seat(robot, room, by=by)


def _exchange(room: Room, robot: Robot, *, by: User, words: str) -> None:
    """A question, and the answer the robot would give: no worker is there yet."""
    question = room.messages.post(f"@{robot.user.handle} {words}", by=by)
    queued = Reply.objects.get(question=question)
    reply = Reply.objects.take(queued.pk, worker="demo")
    if reply is not None:
        reply.begin_streaming(ttft_ms=120)
        reply.finish(Outcome(text=words, model=robot.model))


def _release(people: dict[str, User], robots: dict[str, Robot]) -> None:
    ada, ben, cleo = (people[handle] for handle in ["ada", "ben", "cleo"])
    room = Room.objects.open(
        "Release 1.0", by=ada, description="What is left to do until Thursday.", people=[ben, cleo]
    )
    plan = room.messages.post(RELEASE_NOTES, by=ada)
    room.messages.post("I take the screenshots.", by=cleo, reply_to=plan)
    room.messages.post("And I run the checks tonight. They took `12 min` the last time.", by=ben)
    plan.react("👍", by=ben)
    _seat(robots.values(), room, by=ada)


def _direct(people: dict[str, User]) -> None:
    room = Room.objects.direct(people["cleo"], by=people["ben"])
    room.messages.post("Lunch at one?", by=people["ben"])
    room.messages.post("Yes! The noodle place?", by=people["cleo"])


def _support(people: dict[str, User], librarian: Robot) -> None:
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
    RobotSeat.objects.seat(librarian, room, by=ada)
    lamp = room.messages.post(
        "Hello! My lamp came today and the glass is cracked. What can I do?", by=mia
    )
    room.messages.post("Hello Mia, I am sorry to hear that. Let me see what we can do.", by=ada)
    note = room.messages.post(
        "Second one this week from the same batch. May I send a new one without the old one back?",
        by=ada,
        audience=Audience.STAFF,
    )
    room.messages.post("Yes, do. I will tell the warehouse.", by=sue, reply_to=note)
    room.messages.post("Good news: a new lamp leaves today, and you can keep the old one.", by=ada)
    room.messages.post("That was quick, thank you so much!", by=mia)
    _among_staff(lamp, by=ada, sue=sue)


def _among_staff(lamp: Message, *, by: User, sue: User) -> None:
    """A side-bar of which no customer knows."""
    aside = Sidebar.objects.open(lamp, by=by, title="Monday’s batch").room
    aside.messages.post("That makes two of six. Shall we hold the other four back?", by=by)
    aside.messages.post("Yes. I ask the warehouse to look at the boxes.", by=sue)


def _waiting() -> None:
    jonas = User.objects.create_customer("Jonas Weber")
    room = Room.objects.open(
        "How do I change my address?",
        by=User.objects.get(handle="ada"),
        mode=Mode.SUPPORT,
        on_behalf_of=jonas,
    )
    room.messages.post("Hi, I have moved house. Where do I change my address?", by=jonas)
