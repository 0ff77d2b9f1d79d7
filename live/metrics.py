"""Figures of the socket for /metrics."""

from prometheus_client import Counter, Gauge

SOCKETS = Gauge("chat_sockets", "Sockets open in this process.")
ROOMS = Gauge("chat_live_rooms", "Rooms that somebody with a socket here is in.")
BULLETINS = Counter("chat_bulletins", "Batches of messages handed on to a room's seats.")
FRAMES_IN = Counter("chat_frames_received", "Frames read from sockets.", ["type"])
REFUSED = Counter("chat_frames_refused", "Frames answered with an error.", ["code"])
DROPPED = Counter("chat_sockets_dropped", "Sockets closed by us.", ["reason"])
