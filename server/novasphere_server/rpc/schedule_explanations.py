"""Explanations of schedules in words, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

from novasphere.schedule.v1 import schedule_pb2
from novasphere.schedule.v1 import schedule_service_pb2 as pb

from novasphere_server.core import instants
from novasphere_server.core.task_explanations import Fact

# By the reason and, where one has several, by which: what it means and what would change it, in English and in
# Chinese.
_WORDS = {
    ("ENDED", "count"): (
        (
            "It has ended: it has fired as often as its max_count allows ({times}).",
            "Give it a larger max_count.",
        ),
        ("它已结束：已触发 {times} 次，达到 max_count 的上限。", "增大 max_count。"),
    ),
    ("ENDED", "once"): (
        ("It has ended: its one time has passed.", "Give it another start_time, or trigger it."),
        ("它已结束：唯一的触发时间已过。", "设置新的 start_time，或手动触发。"),
    ),
    ("ENDED", "time"): (
        ("It has ended: it has no more times.", "Give it a later end_time, or other times."),
        ("它已结束：不再有触发时间。", "设置更晚的 end_time，或其他触发时间。"),
    ),
    ("PAUSED", ""): (
        ("It is paused: its times are skipped.", "Resume it: novasphere schedule resume."),
        ("它已暂停：到点的时间都会被跳过。", "恢复它：novasphere schedule resume。"),
    ),
    ("PAUSED", "noted"): (
        ("It is paused: {note}. Its times are skipped.", "Resume it: novasphere schedule resume."),
        ("它已暂停：{note}。到点的时间都会被跳过。", "恢复它：novasphere schedule resume。"),
    ),
    ("JOB_DISABLED", ""): (
        (
            "Its job {name} is disabled: its times are skipped.",
            "Enable the job: novasphere job enable {name}.",
        ),
        ("其作业 {name} 已禁用：到点的时间都会被跳过。", "启用该作业：novasphere job enable {name}。"),
    ),
    ("TRIGGER", ""): (
        (
            "It has no times of its own: it makes a task whenever it is triggered.",
            "Trigger it: novasphere schedule trigger.",
        ),
        ("它没有自己的触发时间：每次被触发时创建任务。", "触发它：novasphere schedule trigger。"),
    ),
    ("BUFFERED", ""): (
        (
            "Task {subject}, which is {state}, has to end first: it is what {times} of its times wait for.",
            (
                "They fire one after another as it ends. novasphere task explain {subject} says how that stands; "
                "cancelling it lets the next one go."
            ),
        ),
        (
            "有 {times} 个触发时间在等待任务 {subject} 结束，其状态为 {state}。",
            "该任务结束后会依次触发。novasphere task explain {subject} 说明其情况；取消它可让下一个开始。",
        ),
    ),
    ("BLOCKED", ""): (
        (
            "Its task {subject} is {state}; a time that comes before that has ended is skipped.",
            (
                "Let that task end, or cancel it; novasphere task explain {subject} says how it stands. Another "
                "overlap_policy keeps such times."
            ),
        ),
        (
            "其任务 {subject} 状态为 {state}；在它结束之前到点的时间会被跳过。",
            "等待该任务结束或取消它；novasphere task explain {subject} 说明其情况。其他 overlap_policy 可保留这些时间。",
        ),
    ),
    ("DAEMON", "runs"): (
        ("Its task {subject} runs; when that ends, another one is started.", ""),
        ("其任务 {subject} 正在运行；结束后会启动新的任务。", ""),
    ),
    ("DAEMON", "waits"): (
        ("Its task {subject} waits to run.", "novasphere task explain {subject} says for what."),
        ("其任务 {subject} 正在等待运行。", "novasphere task explain {subject} 说明在等待什么。"),
    ),
    ("LATE", ""): (
        (
            "Its time {at} has come; a server is about to come round to it.",
            "If that lasts, see the servers: novasphere version --remote, and their logs.",
        ),
        ("触发时间 {at} 已到；服务器即将处理。", "如持续如此，请检查服务器及其日志。"),
    ),
    ("NEXT", ""): (("It fires next at {at}.", ""), ("下次触发时间：{at}。", "")),
    ("NEXT", "would"): (
        ("Its next time would be {at}.", ""),
        ("若非如此，下次触发时间为 {at}。", ""),
    ),
    ("SKIPPED", "overlap"): (
        (
            "Its last time, {at}, made no task: the task of an earlier one had not ended.",
            "An overlap_policy of allow or buffer_all keeps such times; so do longer intervals.",
        ),
        (
            "上一个时间 {at} 没有创建任务：更早的任务尚未结束。",
            "overlap_policy 为 allow 或 buffer_all 可保留这些时间；也可加大间隔。",
        ),
    ),
    ("SKIPPED", "misfire"): (
        (
            "Its last time, {at}, made no task: it had passed when a server came round to it.",
            "Backfill it: novasphere schedule backfill. A misfire_policy of fire_all makes up for such times.",
        ),
        (
            "上一个时间 {at} 没有创建任务：服务器处理时它已过期。",
            "补跑：novasphere schedule backfill。misfire_policy 为 fire_all 可自动补跑。",
        ),
    ),
    ("SKIPPED", "paused"): (
        (
            "Its last time, {at}, made no task: it was paused then.",
            "Backfill it: novasphere schedule backfill.",
        ),
        ("上一个时间 {at} 没有创建任务：当时处于暂停状态。", "补跑：novasphere schedule backfill。"),
    ),
    ("SKIPPED", "disabled"): (
        (
            "Its last time, {at}, made no task: its job was disabled then.",
            "Backfill it: novasphere schedule backfill.",
        ),
        ("上一个时间 {at} 没有创建任务：当时其作业被禁用。", "补跑：novasphere schedule backfill。"),
    ),
}
_STARTING = ("It is about to start a task.", "即将启动任务。")


def response(
    schedule: schedule_pb2.Schedule,
    last: schedule_pb2.Firing | None,
    facts: Sequence[Fact],
    *,
    in_chinese: bool,
) -> pb.ExplainScheduleResponse:
    """Returns the explanation of a schedule in words."""
    explained = pb.ExplainScheduleResponse(schedule=schedule, last_firing=last)
    for fact in facts:
        said = {"subject": fact.subject, **fact.facts}
        message, remedy = (
            words.format_map(said)
            for words in _WORDS[fact.reason, str(fact.facts.get("how", ""))][in_chinese]
        )
        obstacle = explained.obstacles.add(
            reason=fact.reason, message=message, remedy=remedy, subject=fact.subject
        )
        if fact.since_us is not None:
            obstacle.since.CopyFrom(instants.timestamp(fact.since_us))
        if fact.until_us is not None:
            obstacle.until.CopyFrom(instants.timestamp(fact.until_us))
    # A daemon between two tasks has nothing that holds it.
    explained.summary = explained.obstacles[0].message if facts else _STARTING[in_chinese]
    return explained
