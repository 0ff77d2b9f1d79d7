"""What is said and done in the demo's rooms before every page of them is looked at."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
from django.core import signing
from django.urls import reverse
from PIL import Image, ImageDraw, ImageFilter

from notifications import digest
from tests.messages.files import WAV
from tests.process import Server

TABLE = "| lamp | left | to come |\n|---|--:|--:|\n| Ada | 4 | 12 |\n| Grace | 0 | 30 |"
HEBREW = "שלום לכולם, מה שלומכם היום?"
WIDE = f"```\n{'a line that does not end ' * 20}\n```\n\n|{'a long cell|' * 9}\n|{'-|' * 9}"
LONG_TITLE = "A title that is so long that it does not fit anywhere"
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


def lamp() -> bytes:
    """A picture of one, on a table in the evening."""
    size = (900, 600)
    evening = Image.linear_gradient("L").resize(size)
    room = Image.composite(
        Image.new("RGB", size, "#5b3a35"), Image.new("RGB", size, "#1d2b3a"), evening
    )
    light = Image.new("L", size, 0)
    ImageDraw.Draw(light).ellipse((230, 80, 670, 520), fill=190)
    room.paste("#ffd68a", mask=light.filter(ImageFilter.GaussianBlur(70)))
    pen = ImageDraw.Draw(room)
    pen.rectangle((0, 500, 900, 600), fill="#3a2420")
    pen.rectangle((442, 320, 458, 490), fill="#c9a26b")
    pen.ellipse((370, 475, 530, 515), fill="#c9a26b")
    pen.polygon([(390, 170), (510, 170), (580, 330), (320, 330)], fill="#fff0c9")
    file = BytesIO()
    room.save(file, "PNG")
    return file.getvalue()


class Story:
    """`places` maps a name to the id of a room, message, side-bar or robot, for use in paths."""

    def __init__(self, server: Server) -> None:
        self.ada, self.ben, self.cleo = (server.sign_in(who) for who in ("ada", "ben", "cleo"))
        rooms = {room["name"]: room["id"] for who in (self.ada, self.ben) for room in _rooms(who)}
        self.places: dict[str, Any] = {
            "lounge": rooms["Lounge"],
            "release": rooms["Release 1.0"],
            "support": rooms["Order 4711 arrived broken"],
            "person": self.ben.get("me/").json()["id"],
            "robot": self.ada.get("robots/").json()["results"][0]["id"],
            "greets": _sidebar(self.ben, rooms["Lounge"], "Whom it greets"),
            "mail-ended": self._end_of_mail(server),
        }
        self._read(self.ben, rooms["Lounge"])
        self._direct()
        self._lamps()
        self._talk()
        self._side_bars()
        self._closed_room()
        self._invitation()

    def path(self, pattern: str) -> str:
        return pattern.format(**self.places)

    def _direct(self) -> None:
        cleo = self.cleo.get("me/").json()["id"]
        self.places["direct"] = _made(self.ben.post("rooms/direct/", json={"user": cleo}))["id"]

    def _end_of_mail(self, server: Server) -> str:
        """The link in a mail to Ben, as the server signs it."""
        key = (server.folder / "secret_key").read_text().strip()
        return reverse(
            "notifications_unsubscribe",
            args=[signing.dumps(self.ben.get("me/").json()["id"], key=key, salt=digest.SALT)],
        )

    def _read(self, who: httpx.Client, room: int) -> None:
        newest = who.get(f"rooms/{room}/messages/?limit=1").json()["messages"][-1]["id"]
        _made(who.post(f"rooms/{room}/read/", json={"message": newest}))

    def _lamps(self) -> None:
        """A room for whatever is long, wide or of many kinds."""
        robots = [robot["id"] for robot in self.ada.get("robots/").json()["results"]]
        people = [who.get("me/").json()["id"] for who in (self.ben, self.cleo)]
        about = {"name": "Lamps", "description": "What we make, and how many of each are left."}
        opened = self.ada.post("rooms/", json={**about, "people": people, "robots": robots})
        self.lamps = self.places["lamps"] = _made(opened)["id"]

    def _talk(self) -> None:
        files = [
            self._upload("lamp.png", lamp()),
            self._upload("what-she-said.wav", WAV),
            self._upload("prices.txt", b"4 and 12"),
        ]
        self._say(self.cleo, "This is how it looks, and what she said.", attachments=files)
        self._say(self.ada, WIDE)
        mine = self._say(self.ben, f"{TABLE}\n\nWhich of them goes to the {LONG_WORD}?")
        self.places["message"] = mine["id"]
        self._say(self.cleo, HEBREW, reply_to=mine["id"])
        mistaken = self._say(self.ben, "At five.")
        _made(self.ben.patch(f"messages/{mistaken['id']}/", json={"body": "At *six*."}))
        gone = self._say(self.ben, "Never mind.")
        self.ben.delete(f"messages/{gone['id']}/").raise_for_status()
        self.cleo.put(f"messages/{mine['id']}/reactions/🎉/").raise_for_status()

    def _side_bars(self) -> None:
        anchor = f"messages/{self.places['message']}/sidebars/"
        opened = _made(self.cleo.post(anchor, json={"title": LONG_TITLE}))
        self.places["sidebar"] = opened["id"]
        self._say(self.cleo, "To the one with the longer name.", room=opened["id"])

    def _closed_room(self) -> None:
        room = _made(self.ada.post("rooms/", json={"name": "Spring sale", "people": []}))
        self.places["closed"] = room["id"]
        self.ada.post(f"rooms/{room['id']}/close/", json={"outcome": "success"}).raise_for_status()

    def _invitation(self) -> None:
        link = _made(
            self.ada.post(f"rooms/{self.places['lounge']}/invitations/", json={"role": "member"})
        )
        self.places["invitation"] = reverse("join", args=[link["token"]])

    def _upload(self, name: str, content: bytes) -> int:
        answer = self.cleo.post(f"rooms/{self.lamps}/attachments/", files={"file": (name, content)})
        return int(_made(answer)["id"])

    def _say(
        self, who: httpx.Client, body: str, *, room: int | None = None, **how: Any
    ) -> dict[str, Any]:
        sent = {"client_id": str(uuid4()), "body": body, **how}
        return _made(who.post(f"rooms/{room or self.lamps}/messages/", json=sent))


def _sidebar(who: httpx.Client, room: int, title: str) -> int:
    stubs = who.get(f"rooms/{room}/sidebars/").json()["results"]
    return next(int(stub["id"]) for stub in stubs if stub["title"] == title)


def _rooms(who: httpx.Client) -> list[dict[str, Any]]:
    return list(who.get("rooms/").json()["results"])


def _made(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, answer.text
    return dict(answer.json())
