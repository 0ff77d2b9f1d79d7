"""What workers are told, and recurring work, started by `chatmanager/schedule.py`."""

from celery import shared_task
from celery.signals import worker_process_shutdown, worker_shutdown

from accounts import locks
from robots import moderator, runner
from robots.models import Autopilot, Reply


@shared_task
def run_reply(reply_id: int) -> None:
    """Have this process write a reply, if nobody does. Returns at once."""
    runner.take(reply_id)


@shared_task
def sweep_replies() -> None:
    """End what lost its worker, and tell again of what no worker took."""
    with locks.alone("sweep replies") as alone:
        if alone:
            Reply.objects.sweep()


@shared_task
def advance_autopilot(session_id: int) -> None:
    """Have whose turn it is begin, if it is time."""
    session = Autopilot.objects.filter(pk=session_id).first()
    if session is not None and session.advance():
        runner.do(moderator.decide(session))


@shared_task
def advance_autopilots() -> None:
    """Tell again of the sessions in which it is time for a turn."""
    Autopilot.objects.sweep()


@worker_shutdown.connect
@worker_process_shutdown.connect
def let_go(**_: object) -> None:
    """A worker ends: what it writes is put back, or told to have been broken off."""
    runner.stop()
