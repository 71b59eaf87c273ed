"""Explanations of tasks in words, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

from novasphere.schedule.v1 import task_pb2
from novasphere.schedule.v1 import task_service_pb2 as pb

from novasphere_server.core import instants
from novasphere_server.core import task_states as states
from novasphere_server.core.task_explanations import Fact

# By the reason: what it means and what would change it, in English and in Chinese.
_WORDS = {
    "SCHEDULED": (
        ("Its time has not come.", "It goes by itself; submit it again without a time to run it now."),
        ("尚未到预定时间。", "到时会自动开始；如需立即执行，请重新提交且不指定时间。"),
    ),
    "RETRY": (
        (
            "Attempt {attempt} failed ({why}); it pauses before the next one.",
            "It goes by itself; a smaller retry_interval makes the pause shorter next time.",
        ),
        (
            "第 {attempt} 次尝试失败（{why}）；正在等待重试。",
            "到时会自动重试；更小的 retry_interval 可缩短间隔。",
        ),
    ),
    "DEPENDENCY": (
        (
            "It depends on task {subject}, which is {state} and must be {must}.",
            "Let that task end, or cancel this one.",
        ),
        ("它依赖任务 {subject}：当前 {state}，必须达到 {must}。", "等待该任务结束，或取消本任务。"),
    ),
    "NO_AGENT": (
        ("There is no node that could run it.", "Start an agent: novasphere agent --server HOST:PORT."),
        ("没有可执行它的节点。", "启动一个代理：novasphere agent --server HOST:PORT。"),
    ),
    "NO_MATCH": (
        (
            "None of {nodes} nodes has what it asks for. The nearest, {subject}, lacks: {lacks}.",
            "Give a node what is missing, or submit the task with smaller demands.",
        ),
        (
            "{nodes} 个节点都不满足要求。最接近的 {subject} 缺少：{lacks}。",
            "为节点补齐所缺条件，或降低要求后重新提交。",
        ),
    ),
    "AGENT_OFFLINE": (
        ("Every node that could run it is offline; {subject} is one.", "Start the agent on {subject}."),
        ("所有可执行它的节点都离线，例如 {subject}。", "启动 {subject} 上的代理。"),
    ),
    "NO_SLOT": (
        (
            "All nodes that could run it are busy; {subject} is one of {nodes}.",
            "It goes when work ends there; more agents, or a larger --capacity, run more at once.",
        ),
        (
            "可执行它的节点都在忙；{subject} 是 {nodes} 个之一。",
            "有工作结束后它会开始；增加代理或更大的 --capacity 可同时执行更多任务。",
        ),
    ),
    "NEXT": (
        ("Nothing holds it up: it is about to be sent to a node, perhaps to {subject}.", ""),
        ("没有任何阻碍：即将发送到节点，可能是 {subject}。", ""),
    ),
    "CANCELLING": (
        (
            "{by} asked for it to be cancelled; {subject} has yet to confirm.",
            "{subject} kills it once it hears.",
        ),
        ("{by} 已请求取消；{subject} 尚未确认。", "{subject} 收到后即终止它。"),
    ),
    "DISPATCHED": (
        ("It was sent to {subject}, whose agent has yet to say that it runs.", ""),
        ("已发送到 {subject}，其代理尚未确认已开始执行。", ""),
    ),
    "RUNNING": (
        (
            "It runs on {subject}.",
            "It ends by itself, or is killed after {timeout} s; cancelling ends it sooner.",
        ),
        ("正在 {subject} 上运行。", "它会自行结束，或在 {timeout} 秒后被终止；取消可使其提前结束。"),
    ),
}
# Of what a node that is away has.
_AWAY = (
    (
        "{subject}, which has it, is offline; what it does there is not known until that is back.",
        "Bring {subject} back in time; otherwise its policy, {policy}, decides.",
    ),
    (
        "执行它的 {subject} 已离线；在其恢复之前，无法得知那里的情况。",
        "及时恢复 {subject}；否则按其策略 {policy} 处理。",
    ),
)
_SUCCEEDED = (("It succeeded on {subject}.", ""), ("它已在 {subject} 上成功完成。", ""))
_ENDED = (
    ("It ended as {state}: {why}.", "Do it again once that is mended: novasphere task retry."),
    ("它以 {state} 结束：{why}。", "排除问题后重试：novasphere task retry。"),
)
_PERHAPS = (
    ("It ended as {state}: {why}.", "Find out on {subject} whether it ran, before you run it again."),
    ("它以 {state} 结束：{why}。", "再次执行前，请先在 {subject} 上确认它是否已经执行过。"),
)


def response(task: task_pb2.Task, facts: Sequence[Fact], *, in_chinese: bool) -> pb.ExplainTaskResponse:
    """Returns the explanation of a task in words."""
    explained = pb.ExplainTaskResponse(task=task)
    for fact in facts:
        message, remedy = (
            words.format_map({"subject": fact.subject, **fact.facts})
            for words in _words(task, fact)[in_chinese]
        )
        explained.summary = explained.summary or message
        if states.is_terminal(task.state):
            explained.remedy = remedy
            continue
        obstacle = explained.obstacles.add(
            reason=fact.reason, message=message, remedy=remedy, subject=fact.subject
        )
        if fact.since_us is not None:
            obstacle.since.CopyFrom(instants.timestamp(fact.since_us))
        if fact.until_us is not None:
            obstacle.until.CopyFrom(instants.timestamp(fact.until_us))
    return explained


def _words(task: task_pb2.Task, fact: Fact) -> tuple[tuple[str, str], tuple[str, str]]:
    if task.state == task_pb2.WORK_STATE_SUCCEEDED:
        return _SUCCEEDED
    if task.state in (task_pb2.WORK_STATE_LOST, task_pb2.WORK_STATE_UNKNOWN):
        return _PERHAPS
    if states.is_terminal(task.state):
        return _ENDED
    if fact.reason == "AGENT_OFFLINE" and task.state in states.ON_NODE:
        return _AWAY
    return _WORDS[fact.reason]
