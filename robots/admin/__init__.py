"""Robots in the Django admin. What changes one goes through the verbs, so that it is audited."""

from robots.admin import article, autopilot, hold, reply, robot, seat, summary

__all__ = ["article", "autopilot", "hold", "reply", "robot", "seat", "summary"]
