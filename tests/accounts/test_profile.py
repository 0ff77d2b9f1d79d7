"""How one is shown to others: on the page and over the API."""

from collections.abc import Callable
from io import BytesIO

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from accounts.errors import Forbidden
from accounts.models import User

pytestmark = pytest.mark.django_db
As = Callable[[User], APIClient]

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
PICTURES = {
    "png": PNG,
    "jpg": b"\xff\xd8\xff\xe0" + b"\0" * 40,
    "gif": b"GIF89a" + b"\0" * 40,
    "webp": b"RIFF\0\0\0\0WEBP" + b"\0" * 40,
}
NOT_PICTURES = {
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "html": b"<!doctype html><script>alert(1)</script>",
    "wav": b"RIFF\0\0\0\0WAVE" + b"\0" * 40,
}


def picture(content: bytes = PNG, name: str = "x.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_i_am_told_who_i_am(ada: User, api_as: As) -> None:
    me = api_as(ada).get("/api/v1/me/").json()
    assert me == {
        **ada.public(),
        "email": None,
        "status": None,
        "time_zone": "",
        "site_role": "member",
        "created_at": me["created_at"],
    }
    assert me["created_at"].endswith("Z")


def test_a_guest_is_told_too(guest: User, client: Client) -> None:
    client.force_login(guest)
    me = client.get("/api/v1/me/").json()
    assert (me["kind"], me["site_role"]) == ("guest", None)


def test_name_and_address_are_changed_one_by_one(ada: User, api_as: As) -> None:
    api = api_as(ada)
    assert api.patch("/api/v1/me/", {"name": "Ada L."}).json()["name"] == "Ada L."
    changed = api.patch("/api/v1/me/", {"email": "Ada@Example.org"}).json()
    assert (changed["name"], changed["email"]) == ("Ada L.", "ada@example.org")
    assert api.patch("/api/v1/me/", {"email": None}).json()["email"] is None
    assert api.patch("/api/v1/me/", {}).status_code == 200


def test_a_time_zone_is_chosen_changed_and_given_up(ada: User, api_as: As) -> None:
    api = api_as(ada)
    assert (ada.time_zone, str(ada.zone)) == ("", "UTC")
    changed = api.patch("/api/v1/me/", {"time_zone": "Europe/Berlin"}).json()
    assert changed["time_zone"] == "Europe/Berlin"
    ada.refresh_from_db()
    assert str(ada.zone) == "Europe/Berlin"
    assert api.patch("/api/v1/me/", {"name": "Ada"}).json()["time_zone"] == "Europe/Berlin"
    assert api.patch("/api/v1/me/", {"time_zone": ""}).json()["time_zone"] == ""


@pytest.mark.parametrize(
    "odd", ["Mars/Olympus", "../etc/passwd", "posix/Europe/Berlin", "x" * 65, "a\0b", None, 5]
)
def test_what_is_no_time_zone_is_refused(ada: User, api_as: As, odd: object) -> None:
    answer = api_as(ada).patch("/api/v1/me/", {"time_zone": odd})
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["time_zone"])


def test_who_has_chosen_no_time_zone_has_the_sites(ada: User, settings: object) -> None:
    settings.CHAT_TIME_ZONE = "Asia/Tokyo"
    assert str(ada.zone) == "Asia/Tokyo"
    ada.time_zone = "Gone/Away"  # the database of zones has become another
    assert str(ada.zone) == "Asia/Tokyo"


def test_the_page_offers_every_place(ada: User, client: Client) -> None:
    ada.update_profile(by=ada, time_zone="Africa/Nairobi")
    client.force_login(ada)
    page = client.get("/profile/").content.decode()
    assert '<option value="Africa/Nairobi" selected>Nairobi</option>' in page
    assert "Shown to people you share rooms with" in page
    form = {"name": "Ada", "time_zone": "America/Argentina/Ushuaia"}
    client.post("/profile/", form)
    ada.refresh_from_db()
    assert ada.time_zone == "America/Argentina/Ushuaia"


def test_what_one_may_not_change_is_left_alone(ada: User, api_as: As) -> None:
    forged = {"handle": "root", "kind": "system", "is_superuser": True, "site_role": "admin"}
    assert api_as(ada).patch("/api/v1/me/", forged).json()["handle"] == "ada"
    ada.refresh_from_db()
    assert (ada.handle, ada.kind, ada.is_superuser) == ("ada", "person", False)


def test_anothers_address_is_refused_by_field(ada: User, ben: User, api_as: As) -> None:
    ben.update_profile(by=ben, email="ben@example.org")
    answer = api_as(ada).patch("/api/v1/me/", {"email": "BEN@example.org"})
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": "invalid",
        "message": "Some of what was sent is not valid.",
        "retryable": False,
        "details": {"email": ["This address is used by somebody else."]},
    }


def test_others_profiles_are_for_admins(ada: User, ben: User, root: User) -> None:
    with pytest.raises(Forbidden):
        ada.update_profile(by=ben, name="Fool")
    with pytest.raises(Forbidden):
        ada.set_avatar(None, by=ben)
    with pytest.raises(Forbidden):
        ada.update_profile(by=ada, handle="adele")
    ada.update_profile(by=root, handle="adele")
    assert User.objects.get(pk=ada.pk).handle == "adele"


def test_the_page_saves_and_says_so(ada: User, client: Client) -> None:
    client.force_login(ada)
    form = {"name": "Ada L.", "email": "ada@example.org"}
    page = client.post("/profile/", form, follow=True).content.decode()
    assert "Your profile is saved." in page
    assert 'value="Ada L."' in page
    ada.refresh_from_db()
    assert (ada.name, ada.email) == ("Ada L.", "ada@example.org")


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"name": "Ada", "email": "no"}, "valid email address"),
        ({"name": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_the_page_says_what_is_wrong(ada: User, client: Client, form: dict, sentence: str) -> None:
    client.force_login(ada)
    assert sentence in client.post("/profile/", form).content.decode()
    ada.refresh_from_db()
    assert ada.name == "Ada Lovelace"


def test_a_name_is_text_on_the_page_never_html(ada: User, client: Client) -> None:
    client.force_login(ada)
    client.post("/profile/", {"name": "<script>alert(1)</script>"})
    assert "<script>alert" not in client.get("/profile/").content.decode()


@pytest.mark.parametrize("extension", PICTURES)
def test_a_picture_is_shown_as_what_it_is(ada: User, client: Client, extension: str) -> None:
    client.force_login(ada)
    upload = picture(PICTURES[extension], "anything.html")
    client.post("/profile/", {"name": "Ada", "picture": upload})
    ada.refresh_from_db()
    assert ada.avatar_url is not None
    assert ada.avatar_url.endswith(f".{extension}")
    shown = client.get(ada.avatar_url)
    assert b"".join(shown.streaming_content) == PICTURES[extension]
    assert shown["Content-Type"].startswith("image/")
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in shown["Cache-Control"]


@pytest.mark.parametrize("extension", NOT_PICTURES)
def test_what_is_no_picture_is_refused(
    ada: User, client: Client, api_as: As, extension: str
) -> None:
    client.force_login(ada)
    upload = picture(NOT_PICTURES[extension])
    page = client.post("/profile/", {"name": "Ada", "picture": upload})
    assert "Send a PNG, JPEG, GIF or WebP picture." in page.content.decode()
    upload = picture(NOT_PICTURES[extension])
    answer = api_as(ada).put("/api/v1/me/avatar/", {"avatar": upload}, format="multipart")
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["avatar"])
    ada.refresh_from_db()
    assert not ada.avatar


def test_a_picture_has_a_size_it_may_be(ada: User, api_as: As, settings: object) -> None:
    settings.CHAT_AVATAR_MAX_SIZE = 30
    answer = api_as(ada).put("/api/v1/me/avatar/", {"avatar": picture()}, format="multipart")
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["avatar"])


def test_a_new_picture_replaces_the_old_file(
    ada: User, api_as: As, django_capture_on_commit_callbacks: Callable
) -> None:
    api = api_as(ada)
    with django_capture_on_commit_callbacks(execute=True):
        api.put("/api/v1/me/avatar/", {"avatar": picture()}, format="multipart")
    ada.refresh_from_db()
    old, old_url = ada.avatar.name, ada.avatar_url
    with django_capture_on_commit_callbacks(execute=True):
        me = api.put("/api/v1/me/avatar/", {"avatar": picture()}, format="multipart").json()
    assert me["avatar"] != old_url
    assert not default_storage.exists(old)
    assert api.get(old_url).status_code in (302, 404)
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete("/api/v1/me/avatar/").status_code == 204
    ada.refresh_from_db()
    assert ada.avatar_url is None


def test_a_picture_is_removed_on_the_page(ada: User, client: Client) -> None:
    ada.set_avatar(picture(), by=ada)
    client.force_login(ada)
    assert "Remove my picture" in client.get("/profile/").content.decode()
    client.post("/profile/", {"name": "Ada", "remove_picture": "on"})
    ada.refresh_from_db()
    assert not ada.avatar
    assert "Remove my picture" not in client.get("/profile/").content.decode()


def test_pictures_are_for_those_signed_in(ada: User, client: Client) -> None:
    ada.set_avatar(picture(), by=ada)
    assert client.get(ada.avatar_url).status_code == 302
    client.force_login(ada)
    assert client.get(ada.avatar_url).status_code == 200
    for path in (
        f"/avatars/{ada.pk}/other.png",
        f"/avatars/{ada.pk + 99}/x.png",
        f"/avatars/{ada.pk}/..%2f..%2fsecret_key",
        f"/avatars/{10**30}/x.png",
    ):
        assert client.get(path).status_code == 404, path


def test_a_lost_file_is_not_found(ada: User, client: Client) -> None:
    ada.set_avatar(picture(), by=ada)
    default_storage.delete(ada.avatar.name)
    client.force_login(ada)
    assert client.get(ada.avatar_url).status_code == 404


@pytest.mark.parametrize("body", [b"", b"junk", b"--x\r\n\r\n"])
def test_a_broken_upload_is_invalid(ada: User, api_as: As, body: bytes) -> None:
    api = api_as(ada)
    for content_type in ("multipart/form-data; boundary=x", "multipart/form-data"):
        answer = api.generic("PUT", "/api/v1/me/avatar/", BytesIO(body).read(), content_type)
        assert answer.status_code == 400
