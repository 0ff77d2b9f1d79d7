"""Mail for people who are away: to whom, when, what it says, and how it ends."""

from __future__ import annotations

import re
from datetime import time, timedelta
from email.message import EmailMessage
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.core import mail as sent
from django.test import Client
from django.utils import timezone

from accounts.models import User
from live.models import Presence
from messages.models import Message
from notifications import mail
from notifications.models import Delivery, Notification, Preferences
from notifications.tasks import send_mail, sweep_mail
from rooms.models import Participant
from tests.notifications.test_who_is_told import AUDIENCES, CHANGES, audiences, hearing
from tests.race import race
from tests.world import World, again

pytestmark = pytest.mark.django_db
AFTER = timedelta(minutes=3)


@pytest.fixture(autouse=True)
def _addresses(world: World, settings: pytest.FixtureRequest) -> None:
    """Everybody has one, guests and customers too."""
    settings.CHAT_URL = "https://chat.example.org"
    for name, person in world.people.items():
        User.objects.filter(pk=person.pk).update(email=f"{name}@example.org")


def pass_by(period: timedelta = AFTER) -> None:
    """Some time passes."""
    for row in Notification.objects.filter(mail_due__isnull=False):
        Notification.objects.filter(pk=row.pk).update(
            mail_due=row.mail_due - period, created_at=row.created_at - period
        )
    for row in Delivery.objects.exclude(sent_at=None):
        Delivery.objects.filter(pk=row.pk).update(sent_at=row.sent_at - period)


def deliver() -> list[EmailMessage]:
    """What goes out now."""
    before = len(sent.outbox)
    for user in mail.sweep():
        send_mail(user)
    return sent.outbox[before:]


def to(mails: list[EmailMessage]) -> set[str]:
    return {address.partition("@")[0] for one in mails for address in one.to}


def be_there(user: User, state: str = "online") -> None:
    Presence.objects.hold("here", {user.pk: state})


def people_who(names: set[str], world: World) -> set[str]:
    return {name for name in names if world.people[name].kind == User.Kind.PERSON}


def test_it_says_who_said_what_where_to_who_is_away(world: World) -> None:
    message = world.say(world.team, world.ben, "@cleo look at **this** & that")
    world.say(world.direct, world.ben, "Lunch?")
    assert deliver() == []  # two minutes are not over
    pass_by()
    (one,) = deliver()
    html = one.alternatives[0][0]
    assert one.to == ["cleo@example.org"]
    assert one.subject == "2 messages in 2 rooms"
    assert "@cleo look at this & that" in one.body
    assert "@cleo look at this &amp; that" in html
    link = (
        f"https://chat.example.org/rooms/{world.team.pk}/?around={message.pk}#message-{message.pk}"
    )
    assert link in one.body
    assert one.extra_headers["Auto-Submitted"] == "auto-generated"
    assert one.message().as_bytes()  # its headers are fit to be sent
    pass_by(timedelta(hours=1))
    assert deliver() == []


@pytest.mark.parametrize("which", AUDIENCES)
def test_only_people_who_may_see_it_are_sent_it(world: World, which: str) -> None:
    Participant.objects.update(notify="all", muted=False)
    message = AUDIENCES[which](world)
    pass_by()
    mails = deliver()
    assert to(mails) == people_who(hearing(world, message), world)


@pytest.mark.parametrize("change", CHANGES)
def test_who_may_see_it_no_more_is_not_sent_it(world: World, change: str) -> None:
    Participant.objects.update(notify="all", muted=False)
    said = audiences(world)
    told = {(row.user_id, row.message_id) for row in Notification.objects.all()}
    CHANGES[change](world)
    pass_by()
    mails = deliver()
    for message in said:
        expected = {
            name
            for name in people_who(hearing(world, message), world)
            if (world.people[name].pk, message.pk) in told
        }
        room = f"around={message.pk}#"
        assert to([one for one in mails if room in one.body]) == expected


def _read(message: Message, world: World) -> None:
    message.mark_read(by=world.cleo)


WITHDRAWN = {
    "read": _read,
    "deleted": lambda message, world: again(message).remove(by=world.ben),
    "muted": lambda message, world: world.seat(world.team, world.cleo).set_preferences(muted=True),
    "level": lambda message, world: world.seat(world.team, world.cleo).set_preferences(
        notify="nothing"
    ),
    "put away": lambda message, world: Notification.objects.put_away(by=world.cleo),
    "no mail": lambda message, world: Preferences.objects.of(world.cleo).change(
        by=world.cleo, mail=False
    ),
    "no address": lambda message, world: world.cleo.update_profile(by=world.cleo, email=None),
}


@pytest.mark.parametrize("why", WITHDRAWN)
def test_what_is_no_longer_wanted_is_not_sent(world: World, why: str) -> None:
    message = world.say(world.team, world.ben, "@cleo look")
    WITHDRAWN[why](message, world)
    pass_by()
    assert deliver() == []
    assert not Notification.objects.exclude(mail_due=None).exists()


def test_who_is_there_is_sent_nothing_until_they_were_away_for_long_enough(world: World) -> None:
    world.say(world.team, world.ben, "@cleo look")
    be_there(world.cleo)
    pass_by()
    assert deliver() == []
    Presence.objects.all().delete()
    assert deliver() == []  # they were here just now
    pass_by()
    assert to(deliver()) == {"cleo"}


def test_who_comes_between_the_sweep_and_the_sending_is_left_alone(world: World) -> None:
    world.say(world.team, world.ben, "@cleo look")
    pass_by()
    (user,) = mail.sweep()
    be_there(world.cleo)
    mail.send(user)
    assert sent.outbox == []


def test_quiet_hours_put_it_off(world: World) -> None:
    own = Preferences.objects.of(world.cleo)
    own.change(by=world.cleo, quiet_from=time(0), quiet_until=time(0))
    world.say(world.team, world.ben, "@cleo look")
    pass_by()
    assert deliver() == []
    assert Notification.objects.get().mail_due == own.quiet_end()
    own.change(by=world.cleo, quiet_from=None, quiet_until=None)
    pass_by(timedelta(days=1))
    assert to(deliver()) == {"cleo"}


def test_one_follows_another_only_after_a_while(world: World) -> None:
    world.say(world.team, world.ben, "@cleo one")
    pass_by()
    assert len(deliver()) == 1
    world.say(world.team, world.ben, "@cleo two")
    world.say(world.team, world.ben, "@cleo three")
    pass_by()
    assert deliver() == []
    pass_by(timedelta(minutes=20))
    (one,) = deliver()
    assert "two" in one.body
    assert "three" in one.body


def test_without_content_it_says_that_something_waits(
    world: World, settings: pytest.FixtureRequest
) -> None:
    settings.CHAT_MAIL_CONTENT = False
    world.whisper(world.team, world.ben, world.cleo, body="the secret plan")
    pass_by()
    (one,) = deliver()
    whole = one.message().as_string() + one.alternatives[0][0] + one.body
    assert one.subject == "Something waits for you"
    assert "https://chat.example.org/notifications/" in one.body
    for told in ("secret", "Ben", "Team", f"rooms/{world.team.pk}"):
        assert told not in whole


def test_names_do_not_break_out_of_the_headers_or_the_page(world: World) -> None:
    User.objects.filter(pk=world.ben.pk).update(name="<b>Ben</b>\nBcc: all@example.org")
    world.say(world.team, again(world.ben), "@cleo <script>alert(1)</script>")
    pass_by()
    (one,) = deliver()
    assert "Bcc" not in one.message()
    assert "<script>" not in one.alternatives[0][0]
    assert "<b>Ben" not in one.alternatives[0][0]


# Sending


def test_sent_twice_it_is_one(world: World) -> None:
    world.say(world.team, world.ben, "@cleo look")
    pass_by()
    (user,) = mail.sweep()
    send_mail(user)
    send_mail(user)
    assert len(sent.outbox) == 1
    sweep_mail()


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_one(world: World) -> None:
    world.say(world.team, world.ben, "@cleo look")
    pass_by()
    assert race(*[lambda: mail.send(world.cleo.pk)] * 4) == [None] * 4
    assert len(sent.outbox) == 1


def test_what_a_dead_worker_held_is_sent_by_another_and_is_the_same_mail(world: World) -> None:
    world.say(world.team, world.ben, "@cleo look")
    pass_by()
    late = Delivery.objects.take(world.cleo.pk, "mail")
    assert deliver() == []
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    (one,) = deliver()
    row = Notification.objects.get()
    assert one.extra_headers["Message-ID"] == (
        f"<notifications-{world.cleo.pk}-{row.pk}-{row.pk}@chat.example.org>"
    )
    Notification.objects.update(mail_due=timezone.now())
    late.finish([row], sent=True)
    assert Notification.objects.get().mail_due is not None, "its token is void"


def test_a_server_that_is_away_is_asked_again_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.say(world.team, world.ben, "@cleo look")
    pass_by()

    def broken(_: object) -> None:
        raise SMTPServerDisconnected("bye")

    with monkeypatch.context() as away:
        away.setattr("django.core.mail.EmailMultiAlternatives.send", broken)
        assert deliver() == []
    delivery = Delivery.objects.get()
    assert (delivery.failures, delivery.sent_at) == (1, None)
    assert deliver() == []  # not at once
    Delivery.objects.update(lease_until=timezone.now())
    assert to(deliver()) == {"cleo"}
    assert Delivery.objects.get().failures == 0


def test_an_address_that_takes_nothing_is_not_tried_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: object) -> None:
        raise SMTPRecipientsRefused({})

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refused)
    world.say(world.team, world.ben, "@cleo look")
    pass_by()
    deliver()
    assert mail.sweep() == []
    assert not Notification.objects.exclude(mail_due=None).exists()


def test_what_could_not_be_sent_for_days_is_given_up(world: World) -> None:
    world.say(world.team, world.ben, "@cleo look")
    pass_by(timedelta(days=4))
    assert mail.sweep() == []


# Ending it


def unsubscribe_link(world: World) -> str:
    world.say(world.team, world.ben, "@cleo look")
    pass_by()
    (one,) = deliver()
    assert one.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = re.fullmatch(
        r"<https://chat\.example\.org(/\S+)>", one.extra_headers["List-Unsubscribe"]
    ).group(1)
    assert f"No more mail: https://chat.example.org{link}" in one.body
    return link


def test_one_click_ends_it_without_signing_in(world: World) -> None:
    link = unsubscribe_link(world)
    stranger = Client(enforce_csrf_checks=True)
    page = stranger.get(link)
    assert "Send no more" in page.content.decode()
    assert not Preferences.objects.filter(user=world.cleo, mail=False).exists()
    done = stranger.post(link, {"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert not Preferences.objects.of(world.cleo).mail
    world.say(world.team, world.ben, "@cleo again")
    pass_by(timedelta(hours=1))
    assert deliver() == []


def test_a_link_that_was_not_given_ends_nothing(world: World) -> None:
    link = unsubscribe_link(world)
    for forged in (link[:-3] + "x/", "/notifications/unsubscribe/1/", f"{link[:-1]}x/"):
        assert Client().post(forged).status_code == 404
    assert Preferences.objects.of(world.cleo).mail
