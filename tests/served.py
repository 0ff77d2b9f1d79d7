"""The settings of servers under test: the real ones, but for passwords, which take half a second of
a core each to make and to check.
"""

from chatmanager.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
