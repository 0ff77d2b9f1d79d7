"""The addresses of robots' pages."""

from django.urls import path

from robots.views import asking, autopilot, replies, robots, seats, summaries
from rooms import ids  # noqa: F401  # registers <id:…>

urlpatterns = [
    path("robots/", robots.robots, name="robots"),
    path("robots/new/", robots.new, name="robot_new"),
    path("robots/<id:robot>/", robots.robot, name="robot"),
    path("robots/<id:robot>/edit/", robots.edit, name="robot_edit"),
    path("robots/<id:robot>/retire/", robots.retire, name="robot_retire"),
    path("robots/<id:robot>/talk/", robots.talk, name="robot_talk"),
    path("rooms/<id:room>/robots/", seats.seats, name="room_robots"),
    path("rooms/<id:room>/robots/<str:handle>/", seats.seat, name="room_robot"),
    path("rooms/<id:room>/summary/", summaries.summaries, name="room_summary"),
    path("rooms/<id:room>/autopilot/", autopilot.autopilot, name="room_autopilot"),
    path("messages/<id:message>/ask/", asking.ask, name="message_ask"),
    path("messages/<id:message>/stop/", replies.stop, name="reply_stop"),
    path("messages/<id:message>/retry/", replies.retry, name="reply_retry"),
    path("messages/<id:message>/continue/", replies.go_on, name="reply_continue"),
]
