"""Browsers in which no page is open: the standards, the addresses, and who is told what."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from django.utils import timezone

from accounts.models import Login, User
from live.models import Presence
from messages.models import Message
from notifications import push, push_service, webpush
from notifications.models import Notification, Preferences, Subscription
from notifications.models.subscription import FAILURES_MAX
from notifications.tasks import send_pushes, sweep_pushes
from rooms.models import Participant
from tests.callers import Caller
from tests.notifications.test_who_is_told import CHANGES, audiences, hearing
from tests.world import World, again

pytestmark = pytest.mark.django_db


class Browser:
    """The receiving end: it has a private key, and reads what came."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(webpush.CURVE)
        self.public, self.secret = webpush.public_bytes(self.key), b"sixteen bytes it"

    @property
    def keys(self) -> dict[str, str]:
        return {"p256dh": webpush.encode(self.public), "auth": webpush.encode(self.secret)}

    def read(self, body: bytes) -> dict[str, str]:
        salt, theirs, sealed = body[:16], body[21:86], body[86:]
        point = ec.EllipticCurvePublicKey.from_encoded_point(webpush.CURVE, theirs)
        shared = self.key.exchange(ec.ECDH(), point)
        key = webpush._derive(shared, self.secret, b"WebPush: info\0" + self.public + theirs, 32)
        cipher = webpush._derive(key, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = webpush._derive(key, salt, b"Content-Encoding: nonce\0", 12)
        return json.loads(AESGCM(cipher).decrypt(nonce, sealed, None).rstrip(b"\x02"))


class Service(ThreadingHTTPServer):
    """A push service that answers as it is told, over real HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = f"127.0.0.1:{self.server_port}"
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 201
        self.statuses: dict[str, int] = {}
        """By path, where they are others."""


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.came.append((self.path, headers, body))
        self.send_response(self.server.statuses.get(self.path, self.server.status))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service(settings: pytest.FixtureRequest) -> Iterator[Service]:
    with Service() as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        settings.CHAT_PUSH_HOSTS = [service.host]
        yield service
        service.shutdown()


def subscribe(user: User, service: Service, browser: Browser, name: str = "") -> Subscription:
    login = Login.objects.start(again(user), kind=Login.Kind.TOKEN)
    endpoint = f"http://{service.host}/{name or user.handle}"
    return Subscription.objects.subscribe(login, endpoint=endpoint, **browser.keys)


def deliver() -> None:
    for user in push.sweep():
        send_pushes(user)


# The standards


def test_the_example_of_rfc_8291() -> None:
    sender = int.from_bytes(webpush.decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    body = webpush.encrypt(
        b"When I grow up, I want to be a watermelon",
        receiver=webpush.decode(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        secret=webpush.decode("BTBZMqHH6r4Tts7J_aSIgg"),
        salt=webpush.decode("DGv6ra1nlYgDCS1FRnbzlw"),
        sender=ec.derive_private_key(sender, webpush.CURVE),
    )
    assert webpush.encode(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
        "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
        "lcy4a-fN"
    )


def test_the_header_says_who_sends_and_to_whom_as_rfc_8292_wants_it() -> None:
    header = webpush.authorization("https://push.example.org/some/where?x=1")
    token, key = header.removeprefix("vapid t=").split(", k=")
    head, claims, signature = token.split(".")
    assert json.loads(webpush.decode(head)) == {"typ": "JWT", "alg": "ES256"}
    said = json.loads(webpush.decode(claims))
    assert said["aud"] == "https://push.example.org"
    assert 0 < said["exp"] - timezone.now().timestamp() <= 24 * 3600
    raw = webpush.decode(signature)
    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    point = ec.EllipticCurvePublicKey.from_encoded_point(webpush.CURVE, webpush.decode(key))
    point.verify(encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))


# The addresses


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.org/x",
        "https://localhost/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://10.1.2.3/x",
        "https://169.254.169.254/latest",
        "https://push.example.org:8443/x",
        "https://me@push.example.org/x",
        "https://push.example.org/x\r\nHost: y",
        "https://push.example.org:x/",
        "ftp://push.example.org/x",
        "//push.example.org",
        "https://push.example.org/" + "x" * 1000,
        "",
    ],
)
def test_an_address_that_is_none_is_refused(world: World, endpoint: str) -> None:
    body = {"endpoint": endpoint, "keys": Browser().keys}
    assert Caller(world.cleo).post("me/push/", **body).status_code == 400
    assert not push_service.is_allowed(endpoint)
    with pytest.raises(push_service.Unreachable):
        push_service.post(endpoint, b"", {})


def test_a_name_that_leads_inside_is_not_asked(
    service: Service, settings: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT_PUSH_HOSTS = []
    place = (2, 1, 6, "", ("127.0.0.1", service.server_port))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [place])
    assert push_service.is_allowed("https://push.example.org/x")
    with pytest.raises(push_service.Unreachable, match="inside"):
        push_service.post("https://push.example.org/x", b"", {})
    assert service.came == []


class Dripping(socketserver.BaseRequestHandler):
    """Begins to answer, and never gets to the end: a byte now and then."""

    def handle(self) -> None:
        try:
            self.request.sendall(b"HTTP/1.1 2")
            for _ in range(200):
                self.server.is_over.wait(0.02)
                self.request.sendall(b"x")
        except OSError:
            self.server.hung_up.set()


def test_who_answers_a_byte_at_a_time_holds_nobody_up(
    settings: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_service, "TIMEOUT", 0.3)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dripping) as server:
        server.is_over, server.hung_up = threading.Event(), threading.Event()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        host = f"127.0.0.1:{server.server_address[1]}"
        settings.CHAT_PUSH_HOSTS = [host]
        with pytest.raises(push_service.Unreachable):
            push_service.post(f"http://{host}/x", b"", {})
        server.is_over.set()
        server.shutdown()
    assert server.hung_up.is_set()


@pytest.mark.parametrize(
    "keys", [{"p256dh": "x", "auth": "y"}, {"p256dh": "B" * 87, "auth": "A" * 22}]
)
def test_keys_that_are_none_are_refused(world: World, keys: dict[str, str]) -> None:
    body = {"endpoint": "https://push.example.org/x", "keys": keys}
    assert Caller(world.cleo).post("me/push/", **body).status_code == 400


# Whose they are


def test_a_browser_is_ones_own_until_one_signs_out(world: World, service: Service) -> None:
    cleo, ben = Caller(world.cleo), Caller(world.ben)
    endpoint = f"http://{service.host}/x"
    made = cleo.post("me/push/", endpoint=endpoint, keys=Browser().keys).json()
    assert set(made) == {"id", "agent", "created_at"}
    assert cleo.get("me/push/").json()["key"] == webpush.public_key()
    assert [row["id"] for row in cleo.get("me/push/").json()["results"]] == [made["id"]]
    assert ben.get("me/push/").json()["results"] == []
    assert ben.delete(f"me/push/{made['id']}/").status_code == 404
    again_made = cleo.post("me/push/", endpoint=endpoint, keys=Browser().keys).json()
    assert again_made["id"] == made["id"]
    Subscription.objects.get().login.end()
    assert not Subscription.objects.exists()
    taken = ben.post("me/push/", endpoint=endpoint, keys=Browser().keys).json()
    assert ben.delete(f"me/push/{taken['id']}/").status_code == 204


def test_who_signs_in_there_as_somebody_else_takes_it_over(world: World, service: Service) -> None:
    body = {"endpoint": f"http://{service.host}/x", "keys": Browser().keys}
    Caller(world.cleo).post("me/push/", **body)
    Caller(world.ben).post("me/push/", **body)
    assert Subscription.objects.get().user == world.ben


# Who is told what


def test_it_says_who_said_what_and_where_it_leads(world: World, service: Service) -> None:
    browser = Browser()
    subscribe(world.cleo, service, browser)
    message = world.say(world.team, world.ben, "@cleo **look**")
    deliver()
    deliver()
    ((path, headers, body),) = service.came
    assert (path, headers["content-encoding"], headers["ttl"]) == ("/cleo", "aes128gcm", "86400")
    assert browser.read(body) == {
        "title": "Ben mentioned you in Team",
        "body": "@cleo look",
        "tag": f"message-{message.pk}",
        "url": f"/rooms/{world.team.pk}/?around={message.pk}#message-{message.pk}",
    }
    sweep_pushes()


@pytest.mark.parametrize("change", ["nothing", *CHANGES])
def test_who_may_see_it_is_told_and_nobody_else(
    world: World, service: Service, change: str
) -> None:
    """Of each message, on its own browser, as things are when it is sent."""
    Participant.objects.update(notify="all", muted=False)
    browsers = {}
    for name, person in world.people.items():
        if again(person).may_sign_in:
            browsers[name] = Browser()
            subscribe(person, service, browsers[name], name)
    said = audiences(world)
    told = {(row.user_id, row.message_id) for row in Notification.objects.all()}
    CHANGES.get(change, lambda world: None)(world)
    for message in said:
        Notification.objects.update(push_due=None)
        Notification.objects.filter(message=message).update(push_due=timezone.now())
        service.came.clear()
        deliver()
        heard = {
            path.strip("/")
            for path, _, body in service.came
            if browsers[path.strip("/")].read(body)["tag"] == f"message-{message.pk}"
        }
        assert len(service.came) == len(heard)
        assert heard == {
            name for name in hearing(world, message) if (world.people[name].pk, message.pk) in told
        }


def test_many_are_told_as_one_and_nothing_where_nothing_may_be_said(
    world: World, service: Service, settings: pytest.FixtureRequest
) -> None:
    browser = Browser()
    subscribe(world.cleo, service, browser)
    for n in range(4):
        world.say(world.team, world.ben, f"@cleo {n}")
    deliver()
    settings.CHAT_PUSH_CONTENT = False
    world.whisper(world.team, world.ben, world.cleo, body="secret")
    deliver()
    many, bare = (browser.read(body) for _, _, body in service.came)
    assert (many["title"], many["url"]) == ("4 things wait for you", "/notifications/")
    assert bare["body"] == ""


def test_who_looks_sleeps_or_wants_none_is_left_alone(world: World, service: Service) -> None:
    subscribe(world.cleo, service, Browser())
    own = Preferences.objects.of(world.cleo)
    Presence.objects.hold("here", {world.cleo.pk: "online"})
    world.say(world.team, world.ben, "@cleo one")
    deliver()
    push.send(world.cleo.pk)
    assert service.came == []
    Presence.objects.all().delete()
    Notification.objects.update(push_due=timezone.now())
    own.change(by=world.cleo, quiet_from=time(0), quiet_until=time(0))
    deliver()
    assert service.came == []
    assert Notification.objects.get().push_due == own.quiet_end()
    own.change(by=world.cleo, quiet_from=None, quiet_until=None, push=False)
    Notification.objects.update(push_due=timezone.now())
    deliver()
    assert service.came == []
    assert Notification.objects.get().push_due is None


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(world: World, service: Service, status: int) -> None:
    subscribe(world.cleo, service, Browser())
    service.status = status
    world.say(world.team, world.ben, "@cleo")
    deliver()
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("status", [302, 400, 401, 403, 413, 429, 503])
def test_a_service_in_trouble_is_asked_again_later(
    world: World, service: Service, status: int
) -> None:
    subscribe(world.cleo, service, Browser())
    service.status = status
    world.say(world.team, world.ben, "@cleo")
    deliver()
    deliver()
    assert len(service.came) == 1
    service.status = 201
    retry()
    assert len(service.came) == 2
    browser = Subscription.objects.get()
    assert (browser.failures, browser.owed_from, browser.retry_at) == (0, None, None)


def retry() -> None:
    """Once the pause is over in which a browser that failed is left alone."""
    Subscription.objects.exclude(retry_at=None).update(retry_at=timezone.now())
    deliver()


def test_what_one_browser_took_is_not_lost_to_another_nor_told_again(
    world: World, service: Service
) -> None:
    for name in ("phone", "desk", "old"):
        subscribe(world.cleo, service, Browser(), name)
    service.statuses = {"/desk": 503, "/old": 410}
    world.say(world.team, world.ben, "@cleo")
    deliver()
    service.statuses = {}
    service.came.clear()
    retry()
    retry()
    assert [path for path, _, _ in service.came] == ["/desk"]
    assert Notification.objects.get().push_due is None


def test_a_browser_in_trouble_holds_no_other_up_and_has_all_it_missed_later(
    world: World, service: Service
) -> None:
    """In the order said, and nothing that was read meanwhile."""
    desk, phone = Browser(), Browser()
    subscribe(world.cleo, service, desk, "desk")
    subscribe(world.cleo, service, phone, "phone")
    world.say(world.team, world.ben, "@cleo before")
    deliver()
    service.statuses = {"/desk": 503}
    for words in ("zero", "one", "two"):
        world.say(world.team, world.ben, f"@cleo {words}")
        deliver()
    assert [path for path, _, _ in service.came] == ["/desk", "/phone"] * 2 + ["/phone"] * 2
    retry()
    assert [path for path, _, _ in service.came[6:]] == ["/desk"]  # in vain again
    Message.objects.get(body="@cleo zero").mark_read(by=world.cleo)
    service.statuses = {}
    service.came.clear()
    retry()
    assert [path for path, _, _ in service.came] == ["/desk", "/desk"]
    assert [desk.read(body)["body"] for _, _, body in service.came] == ["@cleo one", "@cleo two"]


def test_a_browser_in_trouble_is_left_alone_longer_each_time_and_forgotten_in_the_end(
    world: World, service: Service
) -> None:
    subscribe(world.cleo, service, Browser())
    service.status = 503
    world.say(world.team, world.ben, "@cleo")
    pauses = []
    while (browser := Subscription.objects.first()) is not None:
        began = timezone.now()
        retry() if browser.failures else deliver()
        if left := Subscription.objects.first():
            pauses.append((left.retry_at - began) // timedelta(minutes=1))
    assert pauses == [1, 2, 4, 8, 16, 32] + [60] * 13
    assert len(service.came) == FAILURES_MAX


def test_what_a_browser_is_owed_waits_for_quiet_hours_to_end(
    world: World, service: Service
) -> None:
    subscribe(world.cleo, service, Browser())
    service.status = 503
    world.say(world.team, world.ben, "@cleo")
    deliver()
    own = Preferences.objects.of(world.cleo)
    own.change(by=world.cleo, quiet_from=time(0), quiet_until=time(0))
    retry()
    assert len(service.came) == 1
    assert Subscription.objects.get().retry_at == own.quiet_end()
    own.change(by=world.cleo, quiet_from=None, quiet_until=None, push=False)
    retry()
    assert len(service.came) == 1
    assert Subscription.objects.get().retry_at is None  # who wants none is owed none


def test_no_redirect_is_followed(world: World, service: Service) -> None:
    subscribe(world.cleo, service, Browser())
    service.status = 302
    world.say(world.team, world.ben, "@cleo")
    deliver()
    assert len(service.came) == 1
