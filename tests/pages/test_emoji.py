"""The emoji that pages offer."""

import re
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from accounts.emoji import checked_emoji

ROOT = Path(settings.BASE_DIR)


def test_the_list_is_as_its_maker_writes_it() -> None:
    asked = [sys.executable, str(ROOT / "bin" / "emoji"), "--check"]
    ran = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_all_that_is_offered_may_stand_under_a_message() -> None:
    listed = (ROOT / "static" / "js" / "emoji" / "list.js").read_text()
    offered = re.findall(r'^    \["([^"]+)"', listed, re.MULTILINE)
    assert len(offered) > 600
    assert [checked_emoji(emoji) for emoji in offered] == offered
