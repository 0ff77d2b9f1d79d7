"""The one application every server runs: HTTP, sockets, and what starts and stops with the process."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatmanager.settings")

http = get_asgi_application()
application = http
