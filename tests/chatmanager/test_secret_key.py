"""The key that is made where none is given."""

import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from chatmanager import secret_key


def test_it_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    made = secret_key.read_or_make(path)
    assert len(made) >= 50
    assert secret_key.read_or_make(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_processes_that_race_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    with ProcessPoolExecutor(4) as pool:
        keys = set(pool.map(secret_key.read_or_make, [path] * 16))
    assert len(keys) == 1
    assert list(tmp_path.iterdir()) == [path]
