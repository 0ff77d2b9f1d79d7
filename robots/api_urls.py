"""The addresses of robots below /api/v1/."""

from django.urls import path

from robots.api import autopilot, replies, robots, routing, seats, summaries
from rooms import ids  # noqa: F401  # registers <id:…>

urlpatterns = [
    path("robots/", robots.RobotsView.as_view(), name="api_robots"),
    path("robots/route/", routing.RouteView.as_view(), name="api_route"),
    path("robots/<id:robot>/", robots.RobotView.as_view(), name="api_robot"),
    path("robots/<id:robot>/avatar/", robots.RobotAvatarView.as_view(), name="api_robot_avatar"),
    path("rooms/<id:room>/robots/", seats.SeatsView.as_view(), name="api_room_robots"),
    path("rooms/<id:room>/robots/policy/", seats.PolicyView.as_view(), name="api_robot_policy"),
    path("rooms/<id:room>/robots/<id:robot>/", seats.SeatView.as_view(), name="api_room_robot"),
    path("rooms/<id:room>/summary/", summaries.SummariesView.as_view(), name="api_summaries"),
    path("messages/<id:message>/ask/", replies.AskView.as_view(), name="api_ask"),
    path("rooms/<id:room>/autopilot/", autopilot.AutopilotView.as_view(), name="api_autopilot"),
    path(
        "rooms/<id:room>/autopilot/pause/",
        autopilot.PauseView.as_view(),
        name="api_autopilot_pause",
    ),
    path(
        "rooms/<id:room>/autopilot/resume/",
        autopilot.ResumeView.as_view(),
        name="api_autopilot_resume",
    ),
    path("messages/<id:message>/stop/", replies.StopView.as_view(), name="api_stop"),
    path("messages/<id:message>/retry/", replies.RetryView.as_view(), name="api_retry"),
    path("messages/<id:message>/continue/", replies.ContinueView.as_view(), name="api_continue"),
]
