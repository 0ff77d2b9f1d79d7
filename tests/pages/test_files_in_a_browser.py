"""Files as people send and see them in a browser; and hostile ones, which do nothing there."""

from __future__ import annotations

import wave
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Error, Page, Route, expect

from tests.messages.files import picture
from tests.pages.browsing import IN_CHROMIUM, Visit, faults, load, say
from tests.process import Server
from tests.security.test_files import DOWNLOADED, HARMLESS

pytestmark = IN_CHROMIUM

ROOM = "/rooms/1/"
VIEWER = "dialog.viewer[open]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, size in (("tall.png", (300, 900)), ("wide.png", (900, 300)), ("small.png", (8, 8))):
        (tmp_path / name).write_bytes(picture(size=size, color=120))
    with wave.open(str(tmp_path / "voice.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(8000 * 2 * 60))
    return tmp_path


def choose(page: Page, *files: Path) -> None:
    page.set_input_files("[name=files]", files)
    expect(page.locator(".upload progress:visible")).to_have_count(0)


def send(page: Page, *files: Path) -> str:
    """Returns a selector of the message."""
    mine = page.locator("[data-entry] > .message[data-kind=text]")
    before = mine.count()
    choose(page, *files)
    page.click(".composer-send")
    expect(mine).to_have_count(before + 1)
    return f"#{mine.last.get_attribute('id')}"


def test_pictures_are_shown_in_their_shape_and_looked_through(visit: Visit, folder: Path) -> None:
    ben = visit("ben", ROOM)
    first = ben.locator(send(ben, folder / "tall.png"))
    many = send(ben, folder / "wide.png", folder / "small.png")
    small = first.locator(".picture img")
    expect(small).to_have_js_property("naturalHeight", 720)
    box = small.bounding_box()
    assert (round(box["width"]), round(box["height"])) == (100, 300)
    first.locator(".picture").click()
    viewer = ben.locator(VIEWER)
    shown = viewer.locator("img")
    expect(shown).to_have_js_property("naturalHeight", 900)
    expect(shown).to_have_attribute("alt", "tall.png")
    ben.keyboard.press("ArrowRight")
    expect(viewer.locator("h2")).to_have_text("wide.png")
    viewer.locator("[data-step='1']").click()
    expect(viewer.locator("h2")).to_have_text("small.png")
    with ben.expect_download() as download:
        viewer.locator("[title=Download]").click()
    assert download.value.suggested_filename == "small.png"
    assert faults(ben) == []
    ben.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(first.locator(".picture")).to_be_focused()
    tiles = [tile.bounding_box() for tile in ben.locator(f"{many} .picture").all()]
    assert len({(tile["width"], tile["height"], tile["y"]) for tile in tiles}) == 1


def test_nothing_moves_when_a_picture_comes(visit: Visit, folder: Path) -> None:
    ben, cleo = visit("ben", ROOM), visit("cleo", ROOM)
    held: list[Route] = []
    cleo.route("**/attachments/**", lambda route: held.append(route))
    where = send(ben, folder / "wide.png")
    there = cleo.locator(f"{where} .picture img")
    expect(there).to_be_visible()
    before = there.bounding_box()
    assert (round(before["width"]), round(before["height"])) == (360, 120)
    there.scroll_into_view_if_needed()
    while not held:
        cleo.wait_for_timeout(20)
    before = there.bounding_box()
    for route in held:
        route.continue_()
    expect(there).to_have_js_property("naturalWidth", 720)
    assert there.bounding_box() == before


def test_sound_is_wound_by_parts(visit: Visit, folder: Path) -> None:
    ben = visit("ben", ROOM)
    player = ben.locator(f"{send(ben, folder / 'voice.wav')} audio")
    expect(player).to_have_js_property("duration", 60)
    player.evaluate("(sound) => { sound.muted = true; sound.currentTime = 50 }")
    expect(player).to_have_js_property("seeking", False)
    assert player.evaluate("(sound) => sound.currentTime") == 50
    assert player.evaluate("(sound) => sound.seekable.end(0)") == 60


def test_what_is_wrong_with_a_file_is_said_and_it_is_taken_away(visit: Visit, folder: Path) -> None:
    ben = visit("ben", ROOM)
    (folder / "empty.txt").write_bytes(b"")
    (folder / "large.bin").write_bytes(bytes(25 * 2**20 + 1))
    (folder / "broken.png").write_bytes(DOWNLOADED["half a PNG"])
    names = ["small.png", "empty.txt", "large.bin", "broken.png"]
    choose(ben, *[folder / name for name in names])
    rows = ben.locator(".upload")
    expect(rows.nth(0).locator("img")).to_have_js_property("naturalWidth", 8)
    expect(rows.nth(1)).to_contain_text("The file is empty")
    expect(rows.nth(2)).to_contain_text("larger than 25 MB")
    expect(rows.nth(3)).to_contain_text("no preview")
    ben.click(".composer-send")
    expect(ben.locator(".flash").last).to_contain_text("Take them away")
    for name in ("empty.txt", "large.bin"):
        ben.click(f"[title='Take {name} away']")
    choose(ben, *[folder / "small.png"] * 9)
    trouble = ben.locator(".flash", has_text="At most 10 files")
    trouble.get_by_role("button", name="Dismiss").click()
    expect(trouble).to_have_count(0)
    expect(rows).to_have_count(10)
    while rows.count() > 2:
        rows.last.locator("[title^=Take]").click()
    say(ben, "two files")
    last = ben.locator("[data-entry] > .message").last
    expect(last.locator(".picture")).to_have_count(1)
    expect(last.locator(".attachment")).to_contain_text("it is damaged, or no picture")


def test_a_lost_connection_is_tried_again(visit: Visit, folder: Path) -> None:
    ben = visit("ben", ROOM)
    ben.route("**/api/v1/rooms/1/attachments/", lambda route: route.abort())
    choose(ben, folder / "small.png")
    row = ben.locator(".upload")
    expect(row).to_contain_text("The connection was lost.")
    ben.unroute("**/api/v1/rooms/1/attachments/")
    row.locator("[title^=Try]").click()
    expect(row.locator("img")).to_be_visible()
    expect(row).not_to_have_attribute("data-failed", "")


def test_files_are_dropped_anywhere_on_the_room_and_pasted(visit: Visit) -> None:
    ben = visit("ben", ROOM)
    data = ben.evaluate_handle(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["some words"], "dropped.txt", { type: "text/plain" }));
          return data;
        }"""
    )
    timeline = ben.locator("chat-timeline")
    timeline.dispatch_event("dragover", {"dataTransfer": data})
    expect(ben.locator(".composer-form")).to_have_attribute("data-dropping", "")
    timeline.dispatch_event("drop", {"dataTransfer": data})
    expect(ben.locator(".composer-form")).not_to_have_attribute("data-dropping", "")
    ben.locator(".composer textarea").evaluate(
        """(textarea, clipboardData) => textarea.dispatchEvent(
          new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))""",
        data,
    )
    expect(ben.locator(".upload")).to_contain_text(["dropped.txt", "dropped.txt"])


def test_without_scripts_a_picture_opens_by_itself(visit: Visit, folder: Path) -> None:
    send(visit("ben", ROOM), folder / "tall.png")
    cleo = visit("cleo", ROOM, java_script_enabled=False)
    cleo.locator(".picture").last.click()
    cleo.wait_for_url("**/attachments/*/tall.png")
    assert cleo.locator("img").bounding_box()["height"] > 300


USE = """async (url) => {
  const add = (name, attributes) => {
    const node = Object.assign(document.createElement(name), attributes);
    const told = new Promise((done) => (node.onload = node.onerror = done));
    document.body.append(node);
    return told;
  };
  for (const name of ["iframe", "embed"]) add(name, { src: url });
  add("object", { data: url });
  try {
    new Worker(url);
  } catch {}
  await navigator.serviceWorker?.register(url).catch(() => null);
  await add("link", { rel: "stylesheet", href: url });
  await add("img", { src: url });
  await add("script", { src: url });
}"""


def test_nothing_hostile_runs(server: Server, visit: Visit) -> None:
    """Opened by itself, in a frame, as a script, a style, a picture or a worker of our own page."""
    api = server.sign_in("ben")
    alarms: list[str] = []
    page = visit("cleo", ROOM)
    page.context.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
    for what, content in {**DOWNLOADED, **HARMLESS}.items():
        file = api.post("rooms/1/attachments/", files={"file": ("x.html", content)}).json()
        post = {"client_id": str(uuid4()), "body": what, "attachments": [file["id"]]}
        assert api.post("rooms/1/messages/", json=post).status_code == 201
        page.evaluate(USE, file["url"])
        opened = page.context.new_page()
        with suppress(Error):  # a download is no page
            opened.goto(server.url + file["url"])
        opened.close()
    load(page, f"{server.url}{ROOM}")
    assert alarms == []
    page.evaluate("alert('this would be heard')")
    assert alarms == ["this would be heard"]
