from robots.models.article import Article
from robots.models.autopilot import Autopilot
from robots.models.hold import HeldSummons, Hold
from robots.models.policy import RobotPolicy
from robots.models.reply import Reply
from robots.models.robot import Robot
from robots.models.seat import RobotSeat
from robots.models.summary import Summary

__all__ = [
    "Article",
    "Autopilot",
    "HeldSummons",
    "Hold",
    "Reply",
    "Robot",
    "RobotPolicy",
    "RobotSeat",
    "Summary",
]
