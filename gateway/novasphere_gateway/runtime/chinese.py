"""What went wrong, in Chinese.

Texts are made in English, here and in the server, and reach this place as text alone. So each is found by
its English form: a `{name}` stands for what differs and is carried over. A text without a phrase keeps its
English words behind the meaning of its reason, which the protos hold in both languages.
"""

from __future__ import annotations

import dataclasses
import re
from functools import lru_cache

from novasphere_gateway.model import ErrorRule, Violation
from novasphere_gateway.runtime.failures import Failure

_UNKNOWN = "请求失败。"

PHRASES: tuple[tuple[str, str], ...] = (
    # Of requests as a whole.
    ("no route has the path {path}", "没有路径为 {path} 的路由"),
    ("{path} does not take {method}, only {methods}", "{path} 不接受 {method}，只接受 {methods}"),
    ("this server answers to these names only: {names}", "此服务器只以这些名称应答：{names}"),
    ("the query has more than {count} parameters", "查询参数超过 {count} 个"),
    ("the request is not HTTP that this server reads", "该请求不是此服务器能读取的 HTTP"),
    ("the client went away before the answer", "客户端在收到答复之前已离开"),
    ("a stream is answered as one of {forms}", "流只能以下列形式之一答复：{forms}"),
    ("the server is shutting down", "服务器正在关闭"),
    (
        "the server failed; its log tells more under this request id",
        "服务器出错；其日志中以此请求 ID 记有详情",
    ),
    ("the gateway cannot reach the server; try again shortly", "网关无法连接服务器；请稍后重试"),
    ("the call failed between gateway and server", "调用在网关与服务器之间失败"),
    ("{path} is a WebSocket: ask for it with Upgrade: websocket", "{path} 是 WebSocket：请以 Upgrade: websocket 请求"),
    ("pages of {origin} may not open WebSockets of this server", "来自 {origin} 的页面不得打开此服务器的 WebSocket"),
    ("pages of {origin} may not change anything on this server", "来自 {origin} 的页面不得在此服务器上更改任何内容"),
    (
        "a WebSocket needs Sec-WebSocket-Version: 13 and a Sec-WebSocket-Key of 16 bytes",
        "WebSocket 需要 Sec-WebSocket-Version: 13 和 16 字节的 Sec-WebSocket-Key",
    ),
    # Of bodies and frames.
    ("the body did not arrive within {seconds} s", "请求体未在 {seconds} 秒内到达"),
    ("the body is not encoded as its headers say", "请求体的编码与其标头不符"),
    ("the body's Content-Encoding must be gzip or deflate", "请求体的 Content-Encoding 必须是 gzip 或 deflate"),
    ("the body is larger than {limit} bytes", "请求体大于 {limit} 字节"),
    ("the message takes {size} bytes; at most {limit} are accepted", "消息为 {size} 字节；最多接受 {limit} 字节"),
    (
        "the body's Content-Type must be {known}, and none was given",
        "请求体的 Content-Type 必须是 {known}，但没有给出",
    ),
    (
        "the body's Content-Type must be {known}, not {given}",
        "请求体的 Content-Type 必须是 {known}，不能是 {given}",
    ),
    (
        "the body's Content-Type must be {known}, {given}",
        "请求体的 Content-Type 必须是 {known}：{given}",
    ),
    (
        "the {what} is not JSON: {why} at line {line}, column {column}",
        "{what}不是 JSON：第 {line} 行第 {column} 列：{why}",
    ),
    ("the {what} is nested too deep", "{what}嵌套过深"),
    ("the {what} must be a JSON object, not {kind}", "{what}必须是 JSON 对象，不能是{kind}"),
    ("the {what} must be a JSON object", "{what}必须是 JSON 对象"),
    ("the {what} is not a {message} in protobuf's form", "{what}不是 protobuf 形式的 {message}"),
    ("the message is not a {message}", "该消息不是 {message}"),
    ("this route takes no body", "该路由不接受请求体"),
    (
        "binary frames need the subprotocol {name}; send JSON in text frames",
        "二进制帧需要子协议 {name}；JSON 请以文本帧发送",
    ),
    # Of one value.
    ("must be set", "必须设置"),
    ("must be given once, not with differing values", "只能给出一个值，不能给出不同的值"),
    ("must be given once", "只能给出一次"),
    ("too many parameters", "参数过多"),
    ("must be a whole number, not a fraction", "必须是整数，不能是小数"),
    ("must be a whole number, not {kind}", "必须是整数，不能是{kind}"),
    ("must be a whole number, {rather}", "必须是整数：{rather}"),
    ("must be a whole number", "必须是整数"),
    ("must be a revision: a whole number", "必须是修订号：一个整数"),
    ("must be a number", "必须是数字"),
    ("must be a number, not {kind}", "必须是数字，不能是{kind}"),
    ("must be true or false", "必须是 true 或 false"),
    ("must be true or false, not {kind}", "必须是 true 或 false，不能是{kind}"),
    ("must be a string, not {kind}", "必须是字符串，不能是{kind}"),
    ("must be a list, not {kind}", "必须是列表，不能是{kind}"),
    ("must be a list of strings, or a string, not {kind}", "必须是字符串列表或字符串，不能是{kind}"),
    ("must be an object, not {kind}", "必须是对象，不能是{kind}"),
    ("must be a word, not {kind}", "必须是一个词，不能是{kind}"),
    ("must be {what}, not {kind}", "必须是 {what}，不能是 {kind}"),
    ("must lie between {low} and {high}", "必须在 {low} 与 {high} 之间"),
    ("must be at least {least}, not {value}", "必须不小于 {least}，不能是 {value}"),
    ("must be at most {most}, not {value}", "必须不大于 {most}，不能是 {value}"),
    ("must have at least {least} characters, not {size}", "至少要有 {least} 个字符，现有 {size} 个"),
    ("must have at most {most} characters, not {size}", "最多 {most} 个字符，现有 {size} 个"),
    ("must have at least {least} bytes, not {size}", "至少要有 {least} 字节，现有 {size} 字节"),
    ("must have at most {most} bytes, not {size}", "最多 {most} 字节，现有 {size} 字节"),
    ("must have at least {least} elements, not {size}", "至少要有 {least} 个元素，现有 {size} 个"),
    ("must have at most {most} elements, not {size}", "最多 {most} 个元素，现有 {size} 个"),
    ("must take at most {most} bytes", "最多 {most} 字节"),
    ("must not contain NUL characters", "不能含有 NUL 字符"),
    ("must consist of {meaning}", "只能由下列内容组成：{meaning}"),
    ("must match {pattern}", "必须匹配 {pattern}"),
    ("must be one of {words}, not {value}", "必须是 {words} 之一，不能是 {value}"),
    ("must be one of {words}", "必须是 {words} 之一"),
    ("must be an instant between the years 1 and 9999", "必须是公元 1 年至 9999 年之间的时刻"),
    ("must be base64", "必须是 base64"),
    ("must be UTF-8", "必须是 UTF-8"),
    ("must be printable ASCII", "必须是可打印的 ASCII 字符"),
    ("must not be given beside {name}", "不能与 {name} 同时给出"),
    ("must be a ticket: POST {path} makes one, {form}", "必须是票据：POST {path} 可获得，形如 {form}"),
    ("must hold one credential as base64url", "必须含有一个 base64url 形式的凭证"),
    (
        "{header}: the credential after {name} must be given once, as base64url without padding",
        "{header}：{name} 之后的凭证只能给出一次，且为不带填充的 base64url",
    ),
    ("percent-encoded bytes must be UTF-8", "百分号编码的字节必须是 UTF-8"),
    ("must be {{}}", "必须是 {{}}"),
    ("must be before {other}", "必须早于 {other}"),
    ("must lie in the future", "必须是将来的时间"),
    (
        'must be a time like "2025-01-21T10:00:00Z" or "2025-01-21T18:00:00+08:00"',
        '必须是形如 "2025-01-21T10:00:00Z" 或 "2025-01-21T18:00:00+08:00" 的时间',
    ),
    (
        ('must be a time like "2025-01-21T10:00:00Z" or "2025-01-21T18:00:00+08:00"; '
         'in a URL, write the "+" as %2B'),
        '必须是形如 "2025-01-21T10:00:00Z" 或 "2025-01-21T18:00:00+08:00" 的时间；在 URL 中请将 "+" 写作 %2B',
    ),
    ('must be a duration like "1.5s"', '必须是形如 "1.5s" 的时长'),
    ("is too long", "过长"),
    ("is too large", "过大"),
    ("cannot be read as {message}", "无法读作 {message}"),
    ("only one of {names} may be set", "{names} 只能设置其一"),
    ("is another name of {name}: give one of them", "是 {name} 的另一个名称：只给出其一"),
    ("must be {value}, as in the path", "必须与路径一致，为 {value}"),
    ("is in the body too: give it once", "请求体中也有：只给出一次"),
    ("is given by the path; leave it out of the body", "已由路径给出；请勿写入请求体"),
    ('unknown {what}; did you mean "{name}"?', '未知的{what}；您是指 "{name}" 吗？'),
    ("unknown {what}; known are {names}", "未知的{what}；已知的有 {names}"),
    ('unknown value {value}; did you mean "{name}"?', '未知的值 {value}；您是指 "{name}" 吗？'),
    ("unknown value {value}; known are {names}", "未知的值 {value}；已知的有 {names}"),
    ("unknown value {value}; {hint}", "未知的值 {value}；{hint}"),
    ("unknown field", "未知的字段"),
    ("unknown parameter", "未知的参数"),
    ("must be a cursor from an earlier row, or empty", "必须是先前某行给出的游标，或为空"),
    ("must come from the same request's last page", "必须来自同一请求的上一页"),
    ("must name what is to change: {fields}", "必须指出要更改什么：{fields}"),
    ("cannot change {field}; it may name {fields}", "不能更改 {field}；可以指定的有 {fields}"),
    ("must name scopes such as read or write", "必须是 read、write 之类的权限范围"),
    # Of pages and what they filter.
    ("must name an operator, such as {names}", "必须给出运算符，如 {names}"),
    ("must have no empty elements", "不能有空元素"),
    ("is an operator for texts alone", "该运算符只用于文本"),
    ("is an operator for what has an order", "该运算符只用于可比较大小的值"),
    ("must have {least} to {most} elements, not {size}", "必须有 {least} 至 {most} 个元素，现有 {size} 个"),
    ("must be JSON", "必须是 JSON"),
    # Of jobs, tasks and what they run.
    (
        "must say what runs, in one of cmd, task_type and command_text",
        "必须说明运行什么：cmd、task_type 与 command_text 之一",
    ),
    (
        "must say what runs, in one of cmd, task_type and command_text; {name} is set too",
        "必须说明运行什么：cmd、task_type 与 command_text 只能给出其一；{name} 也已给出",
    ),
    ("must name a program", "必须是程序的名称"),
    ("is for task_type alone", "只能与 task_type 一起给出"),
    ("are for cmd alone", "只能与 cmd 一起给出"),
    ("must be a JSON object", "必须是 JSON 对象"),
    ("must be a text without NUL characters", "必须是不含 NUL 字符的文本"),
    ("{name} cannot be the name of a variable", "{name} 不能作为变量名"),
    (
        "{name} begins with NOVASPHERE_, which is the agent's own",
        "{name} 以 NOVASPHERE_ 开头，该前缀归代理使用",
    ),
    ("{name} is not the name of a label", "{name} 不能作为标签名"),
    (
        "must consist of letters, digits, and dots, dashes and underscores between them, at most 63 characters",
        "只能由字母、数字及其间的点、短横和下划线组成，最多 63 个字符",
    ),
    (
        "must be one of {words}; to delete it use DELETE",
        "必须是 {words} 之一；要删除请用 DELETE",
    ),
    ("must take at most {most} characters", "最多 {most} 个字符"),
    ("must be a type of task, not {kind}: use cmd or command_text", "必须是任务类型，不能是 {kind}：请用 cmd 或 command_text"),
    ("must be a UUID", "必须是 UUID"),
    ("is named before: name each task once", "前面已列出：每个任务只列一次"),
    ("must not name an id twice", "同一 ID 不能出现两次"),
    ("must not be set beside {name}", "不能与 {name} 同时设置"),
    ("must be empty: the batch has one request_id for all of it", "必须为空：整个批次共用一个 request_id"),
    ("must not be set: set it on the batch, for all of it", "不能设置：请在批次上为全部统一设置"),
    (
        "they take {size} bytes together, at most {most} are accepted: send them in several batches",
        "合计 {size} 字节，最多接受 {most} 字节：请分批发送",
    ),
    (
        ("only the first {count} of these commands are small enough to be cancelled together: send them in several "
        "batches"),
        "这些命令中只有前 {count} 个足够小，可以一起取消：请分批发送",
    ),
    ("must not wait for each other in a circle, as these do: {tasks}", "不能循环等待，例如：{tasks}"),
    (
        "must be an instant such as 2026-01-31T12:00:00Z, or seconds since 1970",
        "必须是形如 2026-01-31T12:00:00Z 的时刻，或自 1970 年起的秒数",
    ),
    ("must be one that a row of this output had", "必须是此输出的某一行所带的值"),
    ("must be of attempt {attempt}, which is asked for", "必须属于所请求的第 {attempt} 次尝试"),
    ("must be at most {most}, the last one", "必须不大于 {most}，即最后一个"),
    ("{term} is not a term like {example}", "{term} 不是形如 {example} 的条件"),
    ("{kind} {key} takes {size} bytes; at most {most} are stored", "{kind} {key} 为 {size} 字节；最多存储 {most} 字节"),
    # Of schedules and their times.
    ("flow is not supported; use dependencies between tasks", "不支持 flow；请使用任务之间的依赖"),
    ("must be set for a schedule of this kind", "此类调度必须设置"),
    ("must be a schedule that has times", "必须是有触发时间的调度"),
    ("must not lie in the future", "不能是将来的时间"),
    (
        "must lie in the years from {first} to {last}: nothing fires in others",
        "必须在 {first} 年至 {last} 年之间：其他年份不会触发",
    ),
    (
        "must lie after {time}: up to then its times are settled; make another schedule",
        "必须晚于 {time}：到该时刻为止的触发时间已成定局；请另建调度",
    ),
    (
        "must leave at most {most} times in the range: backfill it in parts",
        "范围内最多有 {most} 个时间点：请分段回填",
    ),
    ("must be 1 or 100, or 0 or 99", "必须是 1 或 100，或者 0 或 99"),
    ("is {value}; use 1 or more", "为 {value}；请使用 1 或更大的值"),
    (
        "{name} is not the name of a time zone in the IANA database; {problem}",
        "{name} 不是 IANA 数据库中的时区名称；{problem}",
    ),
    ("did you mean {name}?", "您是指 {name} 吗？"),
    ("use one such as {name} or {other}", "请使用 {name} 或 {other} 之类的名称"),
    # Of cron expressions.
    ("field {position} ({name}): {problem}", "第 {position} 个字段（{name}）：{problem}"),
    ("{text} has an empty place in its list; remove the comma", "{text} 的列表中有空项；请去掉逗号"),
    ("{word} is none of the {name}; use {known}", "{word} 不在 {name} 的取值之中；请使用 {known}"),
    (
        ("{item} cannot be read; write a value, a range as 1-5, a step as */10, or several of them with commas "
        "between"),
        "{item} 无法识别；请写一个值、形如 1-5 的范围、形如 */10 的步长，或以逗号分隔的多项",
    ),
    (
        ("there is no step of {step} among {size} {name}; use 1 to {most}, or a schedule with an interval for "
        "what does not fit into the calendar"),
        "{size} 个 {name} 中没有 {step} 的步长；请使用 1 至 {most}，与日历不合的周期请用 interval 调度",
    ),
    ("{item} does not say where it ends; write a range, such as {range}", "{item} 没有说明终点；请写范围，如 {range}"),
    ("{item} runs backwards; write the earlier one first", "{item} 前后颠倒；请先写较早的值"),
    (
        ("the days, months, weekdays and years of {text} never come together from {first} to {last}, so it would "
        "never fire; change one of them"),
        "{text} 的日、月、星期和年在 {first} 至 {last} 年间从不同时成立，因此永远不会触发；请修改其一",
    ),
    ("is longer than {most} characters; use ranges and steps", "超过 {most} 个字符；请使用范围和步长"),
    ("{word} does not belong here; give the zone as timezone", "{word} 不应写在这里；时区请以 timezone 给出"),
    (
        "{text} is not known; use {names}, or an interval in place of @every",
        "未知的 {text}；请使用 {names}，@every 请改用 interval",
    ),
    (
        ("{text} has {count} fields; write 5 (minutes hours days months weekdays), 6 (seconds first), or 7 "
        "(seconds first, years last)"),
        "{text} 有 {count} 个字段；请写 5 个（分 时 日 月 星期）、6 个（秒在最前）或 7 个（秒在最前，年在最后）",
    ),
    (
        ("{word} cannot stand here: ? means no particular day, alone in days or in weekdays; use *, and put a 0 "
        "for the seconds in front of an expression of AWS"),
        "{word} 不能写在这里：? 表示不指定日，只能单独用于日或星期；请用 *，AWS 的表达式请在前面加上秒 0",
    ),
    ("? stands in days and in weekdays; write * or the days in one of them", "日与星期都是 ?；请在其一写 * 或具体的日"),
    (
        "{word} may count from Sunday as 0, as cron does, or from Sunday as 1, as Quartz does; use names such as MON",
        "{word} 可能像 cron 那样以 0 为星期日，也可能像 Quartz 那样以 1 为星期日；请使用 MON 之类的名称",
    ),
    (
        ("{item}: W, the nearest weekday, is not supported; say the weekday instead, such as MON#1 for the month's "
        "first Monday or FRIL for its last Friday, in weekdays"),
        "{item}：不支持 W（最近的工作日）；请在星期中指明，如 MON#1 为当月第一个星期一，FRIL 为最后一个星期五",
    ),
    ("{item} is in no month; use L-0 to L-30", "{item} 不在任何月份之中；请使用 L-0 至 L-30"),
    (
        "L alone says no weekday; write FRIL for the month's last Friday, SAT for Saturday",
        "单独的 L 没有指明星期几；当月最后一个星期五请写 FRIL，星期六请写 SAT",
    ),
    (
        "{item} cannot be read; write a weekday and which of the month's it is, 1 to 5, such as MON#1",
        "{item} 无法识别；请写星期几以及是当月的第几个（1 至 5），如 MON#1",
    ),
    # Of devices and what they can run.
    ("no device is registered", "没有已注册的设备"),
    (
        "none of the {count} registered devices could run it; the closest has not {lacks}",
        "已注册的 {count} 台设备都无法执行；最接近的一台缺少 {lacks}",
    ),
    ("device {device} has not {lacks}", "设备 {device} 缺少 {lacks}"),
    ("{wanted} (it has {present})", "{wanted}（现有：{present}）"),
    ("{count} cores", "{count} 核"),
    ("no device runs tasks of type {type}; known are {types}", "没有设备执行类型为 {type} 的任务；已知的类型有 {types}"),
    (
        "device {device} does not run tasks of type {type}; it runs {types}",
        "设备 {device} 不执行类型为 {type} 的任务；它执行 {types}",
    ),
    (
        "device {device} is offline; leave device_id out to let another one run it",
        "设备 {device} 离线；不指定 device_id 则可由其他设备执行",
    ),
    # What the server says.
    ("a credential is needed: send it as Authorization: Bearer TOKEN", "需要凭证：请以 Authorization: Bearer TOKEN 发送"),
    ("the credential is not valid", "凭证无效"),
    (
        (
            "too many credentials from this address, or of this id, were refused; try again later, or with "
            "one that is valid"
        ),
        "来自此地址或此 ID 的凭证多次被拒绝；请稍后重试，或使用有效的凭证",
    ),
    ("the credential of this stream no longer works", "此流的凭证已失效"),
    ("this needs a credential with the scope {scopes}", "此操作需要具有 {scopes} 权限范围的凭证"),
    ("a credential cannot grant the scope {scope}, which it does not hold", "凭证不能授予自己没有的权限范围 {scope}"),
    ("this credential does not reach the namespace {name}", "该凭证不能访问命名空间 {name}"),
    (
        "this credential does not reach all namespaces of the API key {key}",
        "该凭证不能访问 API 密钥 {key} 的全部命名空间",
    ),
    (
        "a credential that is bound to namespaces can only make keys bound to some of them",
        "绑定了命名空间的凭证只能创建绑定到其中一些命名空间的密钥",
    ),
    (
        "a credential that is bound to namespaces has no say in which machines join",
        "绑定了命名空间的凭证不能决定哪些机器加入",
    ),
    (
        "this credential is bound to namespaces; nodes belong to all of them",
        "该凭证绑定了命名空间，而节点属于所有命名空间",
    ),
    ("this server does not offer {method}", "此服务器不提供 {method}"),
    ("node {node} does not exist", "节点 {node} 不存在"),
    ("device {device} does not exist", "设备 {device} 不存在"),
    ("command {command} does not exist", "命令 {command} 不存在"),
    ("node {node} has not sent a metric sample", "节点 {node} 尚未发送指标数据"),
    ("API key {key} does not exist", "API 密钥 {key} 不存在"),
    (
        "API key {key} was revoked and cannot be changed; make a new one",
        "API 密钥 {key} 已被吊销，无法更改；请新建一个",
    ),
    ("join token {token} does not exist", "加入令牌 {token} 不存在"),
    ("Agent {agent} does not exist", "代理 {agent} 不存在"),
    ("an agent named {name} exists already: choose another name", "名为 {name} 的代理已存在：请另选名称"),
    ("Server {server} does not exist", "服务器 {server} 不存在"),
    (
        "server {server} lives: stop its process before you delete it",
        "服务器 {server} 仍在运行：请先停止其进程再删除",
    ),
    (
        "this credential is bound to namespaces; servers belong to all of them",
        "该凭证绑定了命名空间，而服务器属于所有命名空间",
    ),
    ("Job {job} does not exist", "作业 {job} 不存在"),
    (
        "a job named {name} exists already in the namespace {namespace}: choose another name, or change that job",
        "命名空间 {namespace} 中已有名为 {name} 的作业：请另选名称，或更改该作业",
    ),
    (
        "this credential, which is bound to namespaces, reaches no job {job}",
        "该凭证绑定了命名空间，不能访问作业 {job}",
    ),
    (
        "the resource is at version {current}, not {wanted}; read it again and retry",
        "资源的版本是 {current}，不是 {wanted}；请重新读取后再试",
    ),
    (
        "this idempotency key came with a different request within the last 24 h; use a new one",
        "该幂等键在最近 24 小时内已用于另一个不同的请求；请使用新的幂等键",
    ),
    (
        "a node named {node} exists already: choose another --name, or delete that node",
        "名为 {node} 的节点已存在：请用 --name 另选名称，或删除该节点",
    ),
    (
        ("another machine holds the identity of node {node} (was a disk cloned?): start this agent once with "
         "--reset-identity, a join token and another --name; to keep the name, delete node {same} first, which ends "
         "the other agent"),
        ("另一台机器持有节点 {node} 的身份（磁盘是否被克隆？）：请用 --reset-identity、加入令牌和另一个 --name 启动一次此代理；"
         "若要保留名称，请先删除节点 {same}，另一个代理随之结束"),
    ),
    (
        "node {node} was deleted: start the agent again with a join token to join anew",
        "节点 {node} 已被删除：请用加入令牌重新启动代理以再次加入",
    ),
    ("task {task} does not exist", "任务 {task} 不存在"),
    ("task instance {instance} does not exist", "任务实例 {instance} 不存在"),
    ("task {task} exists already", "任务 {task} 已存在"),
    ("task {task} has already ended as {state}", "任务 {task} 已经结束，状态为 {state}"),
    (
        "task {task} is {state}; only one that failed or was cancelled can be retried",
        "任务 {task} 的状态为 {state}；只有失败或已取消的任务可以重试",
    ),
    (
        "this credential, which is bound to namespaces, reaches no task instance {instance}",
        "该凭证绑定了命名空间，不能访问任务实例 {instance}",
    ),
    (
        "this credential, which is bound to namespaces, reaches no task {task}",
        "该凭证绑定了命名空间，不能访问任务 {task}",
    ),
    (
        "this credential, which is bound to namespaces, reaches no command {command}",
        "该凭证绑定了命名空间，不能访问命令 {command}",
    ),
    ("schedule {schedule} does not exist", "调度 {schedule} 不存在"),
    (
        "this credential, which is bound to namespaces, reaches no schedule {schedule}",
        "该凭证绑定了命名空间，不能访问调度 {schedule}",
    ),
    (
        "schedule {schedule} has ended: give it other times, or a greater max_count",
        "调度 {schedule} 已结束：请为其设置其他时间或更大的 max_count",
    ),
    ("job {job} is disabled: enable it first", "作业 {job} 已禁用：请先启用"),
    ("command {command} has already ended as {state}", "命令 {command} 已经结束，状态为 {state}"),
    (
        "the cursor is older than the kept history: start again without a cursor",
        "游标早于所保留的历史：请不带游标重新开始",
    ),
    (
        ("the cursor belongs to another history, as after a restored backup: "
         "start again without a cursor"),
        "游标属于另一段历史（例如恢复备份之后）：请不带游标重新开始",
    ),
    ("the cursor is not one that this API gives", "该游标不是此 API 给出的"),
    ("the page token does not belong to this request", "该分页令牌不属于此请求"),
    ("the database does not answer; try again shortly", "数据库没有响应；请稍后重试"),
    ("more work is waiting than the server accepts", "等待处理的工作超过服务器所能接受的数量"),
    (
        "revision {revision} was not reached; the last one is {last}",
        "尚未到达修订号 {revision}；最新的是 {last}",
    ),
    ("the deadline passed before the answer was ready", "在答复就绪之前已超过截止时间"),
    (
        "the stream was cut because its reader took nothing for {seconds} s; resume it",
        "读取方在 {seconds} 秒内没有接收任何数据，流已被切断；请从断点继续",
    ),
    ("{start} must be before {end}", "{start} 必须早于 {end}"),
)  # fmt: skip

# What phrases carry over and is itself a word of ours.
_WORDS = {
    "null": "null",
    "a boolean": "布尔值",
    "a string": "字符串",
    "a number": "数字",
    "a list": "列表",
    "an object": "对象",
    "field": "字段",
    "parameter": "参数",
    "body": "请求体",
    "frame": "帧",
    "none": "无",
    "a GPU": "GPU",
}
# What phrases carry over and is itself a phrase, or several with semicolons between.
_TEXTS = frozenset({"problem", "wanted", "present"})
_LISTS = frozenset({"lacks"})


def _pattern(english: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\{\}\}|\{\w+\})", english)
    return re.compile(
        "".join(
            re.escape("{}") if part == "{{}}"
            else f"(?P<{part[1:-1]}>.+?)" if part.startswith("{")
            else re.escape(part)
            for part in parts
        ),
        re.DOTALL,
    )  # fmt: skip


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Returns the compiled phrases: those that leave least to chance first."""
    ordered = sorted(PHRASES, key=lambda phrase: -len(re.sub(r"\{\w+\}", "", phrase[0])))
    return tuple((_pattern(english), chinese) for english, chinese in ordered)


@lru_cache(maxsize=1024)
def phrase(english: str) -> str | None:
    """Returns the text in Chinese; None: there is no phrase for it."""
    for pattern, chinese in _patterns():
        found = pattern.fullmatch(english)
        if found is not None:
            return chinese.format(**{k: _carried(k, v) for k, v in found.groupdict().items()})
    return None


def _carried(name: str, text: str) -> str:
    if name in _LISTS:
        return "；".join(phrase(each) or each for each in text.split("; "))
    if name in _TEXTS:
        return _WORDS.get(text) or phrase(text) or text
    return _WORDS.get(text, text)


def localized(failure: Failure, rule: ErrorRule) -> tuple[Failure, ErrorRule]:
    """Returns a failure and its rule in Chinese."""
    meaning = rule.meaning_zh or _UNKNOWN
    violations = [Violation(v.field, phrase(v.description) or v.description) for v in failure.violations]
    listed = "; ".join(f"{v.field}: {v.description}" for v in failure.violations)
    if violations and failure.message == listed:
        message = "；".join(f"{v.field}：{v.description}" for v in violations)
    else:
        message = phrase(failure.message) or f"{meaning}（{failure.message}）"
    return (
        Failure(
            failure.reason,
            message,
            grpc_code=failure.grpc_code,
            metadata=failure.metadata,
            violations=violations,
            retry_after=failure.retry_after,
            headers=failure.headers,
        ),
        dataclasses.replace(rule, meaning=meaning),
    )
