"""Explanations in words, in both languages."""

from __future__ import annotations

from typing import NamedTuple

from novasphere.node.v1 import command_explanation_pb2 as why
from novasphere.node.v1 import command_pb2 as pb
from novasphere.node.v1 import command_service_pb2 as api


class _Words(NamedTuple):
    """What a cause is called, and what would change it."""

    message: str
    remedy: str = ""


_RAN_PERHAPS = "Find out on {node} whether it ran, before you run it again."
_RAN_PERHAPS_ZH = "再次执行前，请先在 {node} 上确认它是否已经执行过。"

# What is said of a command that waits, where that differs from one that its node has.
_WAITING = {
    why.COMMAND_CAUSE_NODE_AWAY: (
        _Words(
            "It waits for {node}, whose agent has no link to the server.",
            "Start the agent on {node} or mend its network; or cancel the command.",
        ),
        _Words(
            "命令正在等待 {node}：该节点的代理未连接到服务器。",
            "启动 {node} 上的代理或修复其网络；或者取消该命令。",
        ),
    ),
    why.COMMAND_CAUSE_NODE_LOST: (
        _Words(
            "It waits for {node}, which has been away for so long that the work it had was given up.",
            "Start the agent on {node} again; or cancel the command.",
        ),
        _Words(
            "命令正在等待 {node}：该节点离线过久，其手中的工作已被放弃。",
            "重新启动 {node} 上的代理；或者取消该命令。",
        ),
    ),
}

# What is said of a command that a foreign node has: the server times it, and nothing kills it there.
_FOREIGN = {
    why.COMMAND_CAUSE_NODE_AWAY: (
        _Words(
            "The connection of {node} is down; what the command does there is not known until it is back.",
            "Bring {node} back: its result counts until the command times out, {timeout} s after it was sent.",
        ),
        _Words(
            "{node} 的连接已断开；在其恢复之前，无法得知命令在那里的情况。",
            "恢复 {node}：在命令下发 {timeout} 秒后超时之前，其结果仍然有效。",
        ),
    ),
    why.COMMAND_CAUSE_NOT_CONFIRMED: (
        _Words(
            "It was sent to {node}, which has yet to say that it runs.",
            "Its result ends it; without one it times out {timeout} s after it was sent.",
        ),
        _Words(
            "命令已发送到 {node}，该节点尚未确认已开始执行。",
            "收到结果后命令即结束；否则在下发 {timeout} 秒后超时。",
        ),
    ),
    why.COMMAND_CAUSE_RUNNING: (
        _Words(
            "It runs on {node}.",
            "Its result ends it; without one it times out {timeout} s after it was sent. {node} cannot be "
            "told to stop it.",
        ),
        _Words(
            "命令正在 {node} 上运行。",
            "收到结果后命令即结束；否则在下发 {timeout} 秒后超时。无法通知 {node} 停止该命令。",
        ),
    ),
    why.COMMAND_CAUSE_TIMEOUT: (
        _Words(
            "No result came within {timeout} s after it was sent. {node} cannot be told to stop it, so it "
            "may still run there.",
            "A larger `timeout` allows more.",
        ),
        _Words(
            "命令下发后 {timeout} 秒内没有收到结果。无法通知 {node} 停止该命令，它可能仍在那里运行。",
            "更大的 `timeout` 允许运行更久。",
        ),
    ),
}

_WORDS = {
    why.COMMAND_CAUSE_NODE_AWAY: (
        _Words(
            "The link to {node} is down; what the command does there is not known until it is back.",
            "Bring {node} back. If it stays away, the command ends as LOST.",
        ),
        _Words(
            "与 {node} 的连接已断开；在其恢复之前，无法得知命令在那里的情况。",
            "恢复 {node}。如果它一直不回来，命令将以 LOST 结束。",
        ),
    ),
    why.COMMAND_CAUSE_NODE_LOST: (
        _Words(
            "{node} has been away for too long; the command is about to be given up.",
            "If {node} comes back first, the command goes on; otherwise it ends as LOST.",
        ),
        _Words(
            "{node} 离线过久；命令即将被放弃。",
            "如果 {node} 先恢复，命令将继续；否则将以 LOST 结束。",
        ),
    ),
    why.COMMAND_CAUSE_NODE_FAULT: (
        _Words(
            "{node} reports a fault of its own: {fault}",
            "Mend it on {node}: until then its agent may refuse what it is sent.",
        ),
        _Words("{node} 报告自身故障：{fault}", "在 {node} 上排除故障：在此之前代理可能拒绝收到的命令。"),
    ),
    why.COMMAND_CAUSE_NO_FREE_SLOT: (
        _Words(
            "{node} takes no more work now: it has {running} of at most {capacity} commands, and {ahead} "
            "more come first.",
            "A command that ends on {node} makes room, and so does cancelling one; an agent with a larger "
            "--capacity, or a foreign node that registers with a larger `capacity`, runs more at once.",
        ),
        _Words(
            "{node} 目前不再接收工作：它已有 {running} 条命令（最多 {capacity} 条），前面还有 {ahead} 条在等待。",
            "{node} 上有命令结束或被取消时即可腾出位置；以更大的 --capacity 启动代理，或让外部节点以更大的 `capacity` 注册，可同时执行更多命令。",
        ),
    ),
    why.COMMAND_CAUSE_NEXT: (
        _Words("Nothing holds it up: it is about to be sent to {node}, after {ahead} others."),
        _Words("没有任何阻碍：命令即将发送到 {node}，前面还有 {ahead} 条。"),
    ),
    why.COMMAND_CAUSE_LINK_ELSEWHERE: (
        _Words(
            "{node} is online, but its link does not end at this server, which therefore does not know "
            "what its agent could take.",
            "Ask again in a moment, or ask the server that holds the link.",
        ),
        _Words(
            "{node} 在线，但其连接不在本服务器上，因此这里无法得知其代理能否接收命令。",
            "稍后再问，或询问持有该连接的服务器。",
        ),
    ),
    why.COMMAND_CAUSE_NOT_CONFIRMED: (
        _Words(
            "It was sent to {node}, whose agent has yet to say that it runs.",
            "The agent says so within moments; if the link breaks first, the command is sent again and "
            "still runs once.",
        ),
        _Words(
            "命令已发送到 {node}，其代理尚未确认已开始执行。",
            "代理很快会确认；如果连接先断开，命令会重新发送，但仍只执行一次。",
        ),
    ),
    why.COMMAND_CAUSE_RUNNING: (
        _Words(
            "It runs on {node}; {output} bytes of its output have arrived.",
            "It ends by itself, or is killed after {timeout} s; cancelling ends it sooner. Its end is "
            "told after all of its output.",
        ),
        _Words(
            "命令正在 {node} 上运行；已收到 {output} 字节输出。",
            "命令会自行结束，或在 {timeout} 秒后被终止；取消可使其提前结束。全部输出到达之后才会报告结束。",
        ),
    ),
    why.COMMAND_CAUSE_PAST_TIMEOUT: (
        _Words(
            "It is past its timeout of {timeout} s, and {node} has yet to report the end, which follows "
            "all of its output; {output} bytes have arrived.",
            "It ends when that report arrives. If {node} stays away for too long, it ends as LOST.",
        ),
        _Words(
            "命令已超过 {timeout} 秒的时限，{node} 尚未报告结束；结束报告在全部输出之后到达，已收到 {output} 字节。",
            "报告到达后命令即结束。如果 {node} 离线过久，命令将以 LOST 结束。",
        ),
    ),
    why.COMMAND_CAUSE_CANCELLING: (
        _Words(
            "{canceller} asked for it to be cancelled; {node} has yet to confirm.",
            "The agent kills it, with SIGKILL once its grace is over, and confirms when nothing of it is "
            "left.",
        ),
        _Words(
            "{canceller} 已请求取消；{node} 尚未确认。",
            "代理会终止该命令，宽限期过后使用 SIGKILL，并在全部进程结束后确认。",
        ),
    ),
    why.COMMAND_CAUSE_SUCCEEDED: (
        _Words("It ended with exit code 0."),
        _Words("命令以退出码 0 结束。"),
    ),
    why.COMMAND_CAUSE_EXIT_CODE: (
        _Words("It ended with exit code {exit_code}.", "What it printed may say why."),
        _Words("命令以退出码 {exit_code} 结束。", "原因可能在其输出中。"),
    ),
    why.COMMAND_CAUSE_SIGNAL: (
        _Words("It was ended by signal {signal}.", "What it printed may say why."),
        _Words("命令被信号 {signal} 终止。", "原因可能在其输出中。"),
    ),
    why.COMMAND_CAUSE_TIMEOUT: (
        _Words(
            "It ran past its timeout of {timeout} s and was killed.", "A larger `timeout` allows more."
        ),
        _Words("命令运行超过 {timeout} 秒的时限，已被终止。", "更大的 `timeout` 允许运行更久。"),
    ),
    why.COMMAND_CAUSE_QUEUE_TIMEOUT: (
        _Words(
            "{node} did not take it within {queue_timeout} s; it never ran.",
            "Create it again; a larger `queue_timeout` lets it wait longer.",
        ),
        _Words(
            "{node} 未在 {queue_timeout} 秒内接收；命令从未执行。",
            "请重新提交；更大的 `queue_timeout` 允许等待更久。",
        ),
    ),
    why.COMMAND_CAUSE_CANCELLED: (
        _Words("{canceller} cancelled it: {reason}."),
        _Words("{canceller} 取消了该命令：{reason}。"),
    ),
    why.COMMAND_CAUSE_LOST: (
        _Words("{node} stayed away for too long; it may have run there.", _RAN_PERHAPS),
        _Words("{node} 离线过久；命令可能已在那里执行。", _RAN_PERHAPS_ZH),
    ),
    why.COMMAND_CAUSE_UNKNOWN: (
        _Words("The agent of {node} cannot tell how it ended: {reason}.", _RAN_PERHAPS),
        _Words("{node} 的代理无法得知命令如何结束：{reason}。", _RAN_PERHAPS_ZH),
    ),
    why.COMMAND_CAUSE_NOT_ALLOWED: (
        _Words(
            "The agent of {node} refused it: {reason}.",
            "Which work an agent runs is set on its node, by --allow.",
        ),
        _Words("{node} 的代理拒绝了该命令：{reason}。", "代理执行哪些工作由其节点上的 --allow 决定。"),
    ),
    why.COMMAND_CAUSE_SPAWN_FAILED: (
        _Words(
            "The agent of {node} could not start it: {reason}.",
            "Mend that on {node}; then run it again.",
        ),
        _Words("{node} 的代理无法启动该命令：{reason}。", "请在 {node} 上排除问题，然后重新执行。"),
    ),
    why.COMMAND_CAUSE_NOT_PLACED: (
        _Words(
            "No node has been given it yet: it is a task that several may run.",
            "GET /api/v1/tasks/{command}:explain says what it waits for.",
        ),
        _Words(
            "它是可由多个节点执行的任务，尚未分配给任何节点。",
            "GET /api/v1/tasks/{command}:explain 会说明它在等待什么。",
        ),
    ),
    why.COMMAND_CAUSE_ENDED: (
        _Words("It ended, as {word}: {reason}."),
        _Words("它已结束（{word}）：{reason}。"),
    ),
    why.COMMAND_CAUSE_LATE_REPORT: (
        _Words("A report came after that, and is kept beside it: {late}."),
        _Words("此后又收到一份报告，已一并保存：{late}。"),
    ),
}


def put_into_words(response: api.ExplainCommandResponse, *, in_chinese: bool) -> None:
    """Adds to each explanation what it says to people."""
    command = response.command
    facts = {
        "command": command.command_id,
        "word": command.reason,
        "node": command.target_node_id,
        "capacity": response.node.capacity,
        "fault": response.node.fault,
        "running": response.queue.running_count,
        "ahead": response.queue.ahead_count,
        "output": response.output_bytes,
        "timeout": command.timeout_seconds,
        "queue_timeout": command.queue_timeout_seconds,
        "canceller": command.cancel_requested_by or ("客户端" if in_chinese else "A client"),
        "exit_code": command.exit_code,
        "signal": response.signal,
        "reason": command.reason_message,
        "late": response.late_result.message,
    }
    is_waiting = command.state == pb.COMMAND_STATE_PENDING
    for explanation in response.explanations:
        words = _WORDS[explanation.cause]
        if is_waiting:
            words = _WAITING.get(explanation.cause, words)
        elif command.HasField("run_deadline"):
            words = _FOREIGN.get(explanation.cause, words)
        explanation.message = words[in_chinese].message.format_map(facts)
        explanation.remedy = words[in_chinese].remedy.format_map(facts)
