"""What makes it an app of its own: the worker, the manifest, the page without a line."""

import json
import re

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from PIL import Image

from accounts.models import User

pytestmark = pytest.mark.django_db


def shell(client: Client) -> dict[str, object]:
    source = client.get("/sw.js").content.decode()
    return json.loads(re.match(r"self\.shell = (.*);\n", source).group(1))


def test_the_worker_is_asked_for_anew_and_serves_the_whole_site(client: Client) -> None:
    answer = client.get("/sw.js")
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert "no-cache" in answer["Cache-Control"]
    assert answer["Service-Worker-Allowed"] == "/"
    (handlers,) = re.findall(r"importScripts\(\.\.\.(\[.*\])\);", answer.content.decode())
    for address in json.loads(handlers):
        assert finders.find(address.removeprefix(settings.STATIC_URL)), address


def test_only_what_is_nobodys_is_kept(client: Client) -> None:
    kept = shell(client)
    assert kept["outbox"] == "/outbox/"
    for address in kept["files"]:
        assert finders.find(address.removeprefix(settings.STATIC_URL)), address
    ben = User.objects.create_person("ben", "Ben", "correct horse battery staple")
    client.force_login(ben, backend="django.contrib.auth.backends.ModelBackend")
    assert shell(client) == kept


def test_what_the_page_without_a_line_is_made_of_is_kept(client: Client) -> None:
    page = client.get("/outbox/").content.decode()
    kept = set(shell(client)["files"])
    needed = set(re.findall(r'(?:src|rel="stylesheet" href)="(/static/[^"]+)"', page))
    imports = json.loads(re.search(r'<script type="importmap"[^>]*>(.*)</script>', page).group(1))
    assert needed
    assert needed | set(imports["imports"].values()) <= kept


def test_the_worker_s_scripts_are_no_modules_of_pages(client: Client) -> None:
    assert "js/sw/" not in client.get("/outbox/").content.decode()


def test_a_page_tells_of_its_release(client: Client) -> None:
    assert client.get("/release").json() == {"release": shell(client)["release"]}


def test_the_manifest_names_icons_that_are_there(client: Client) -> None:
    answer = client.get("/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    manifest = answer.json()
    for icon in manifest["icons"]:
        path = finders.find(icon["src"].removeprefix(settings.STATIC_URL))
        if icon["sizes"] != "any":
            with Image.open(path) as picture:
                assert "x".join(map(str, picture.size)) == icon["sizes"]
    purposes = {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]}
    assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} <= purposes
    for shortcut in manifest["shortcuts"]:
        assert client.get(shortcut["url"]).status_code in (200, 302)
