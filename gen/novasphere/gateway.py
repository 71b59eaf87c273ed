"""Generated from all protos by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from novasphere_gateway import model

from novasphere.api.v1 import join_token_service_gateway as novasphere_api_v1_join_token_service_gateway
from novasphere.api.v1 import key_service_gateway as novasphere_api_v1_key_service_gateway
from novasphere.api.v1 import ticket_service_gateway as novasphere_api_v1_ticket_service_gateway
from novasphere.fleet.v1 import device_task_service_gateway as novasphere_fleet_v1_device_task_service_gateway
from novasphere.fleet.v1 import stats_service_gateway as novasphere_fleet_v1_stats_service_gateway
from novasphere.node.v1 import command_service_gateway as novasphere_node_v1_command_service_gateway
from novasphere.node.v1 import metric_service_gateway as novasphere_node_v1_metric_service_gateway
from novasphere.node.v1 import node_service_gateway as novasphere_node_v1_node_service_gateway
from novasphere.node.v1 import system_service_gateway as novasphere_node_v1_system_service_gateway
from novasphere.schedule.v1 import agent_service_gateway as novasphere_schedule_v1_agent_service_gateway
from novasphere.schedule.v1 import job_service_gateway as novasphere_schedule_v1_job_service_gateway
from novasphere.schedule.v1 import schedule_service_gateway as novasphere_schedule_v1_schedule_service_gateway
from novasphere.schedule.v1 import server_service_gateway as novasphere_schedule_v1_server_service_gateway
from novasphere.schedule.v1 import task_instance_service_gateway as novasphere_schedule_v1_task_instance_service_gateway
from novasphere.schedule.v1 import task_service_gateway as novasphere_schedule_v1_task_service_gateway
from novasphere.schedule.v1 import token_service_gateway as novasphere_schedule_v1_token_service_gateway


ROUTES: tuple[model.Route, ...] = model.ordered(
    novasphere_api_v1_join_token_service_gateway.ROUTES,
    novasphere_api_v1_key_service_gateway.ROUTES,
    novasphere_api_v1_ticket_service_gateway.ROUTES,
    novasphere_fleet_v1_device_task_service_gateway.ROUTES,
    novasphere_fleet_v1_stats_service_gateway.ROUTES,
    novasphere_node_v1_command_service_gateway.ROUTES,
    novasphere_node_v1_metric_service_gateway.ROUTES,
    novasphere_node_v1_node_service_gateway.ROUTES,
    novasphere_node_v1_system_service_gateway.ROUTES,
    novasphere_schedule_v1_agent_service_gateway.ROUTES,
    novasphere_schedule_v1_job_service_gateway.ROUTES,
    novasphere_schedule_v1_schedule_service_gateway.ROUTES,
    novasphere_schedule_v1_server_service_gateway.ROUTES,
    novasphere_schedule_v1_task_instance_service_gateway.ROUTES,
    novasphere_schedule_v1_task_service_gateway.ROUTES,
    novasphere_schedule_v1_token_service_gateway.ROUTES,
)

ERRORS: dict[str, model.ErrorRule] = {
    'INVALID_ARGUMENT': model.ErrorRule('INVALID_ARGUMENT', 3, 400, 'A value in the request is not acceptable.', False, {2: model.FaceError('INVALID_REQUEST', 400), 3: model.FaceError('VALIDATION_ERROR', 400), 4: model.FaceError('VALIDATION_ERROR', 400)}, '请求中的某个值不可接受。'),
    'UNKNOWN_FIELD': model.ErrorRule('UNKNOWN_FIELD', 3, 400, 'The request names a field or parameter that does not exist.', False, {2: model.FaceError('INVALID_REQUEST', 400), 3: model.FaceError('VALIDATION_ERROR', 400), 4: model.FaceError('VALIDATION_ERROR', 400)}, '请求中有不存在的字段或参数。'),
    'MALFORMED_BODY': model.ErrorRule('MALFORMED_BODY', 3, 400, 'The request body cannot be read.', False, {2: model.FaceError('INVALID_REQUEST', 400), 3: model.FaceError('VALIDATION_ERROR', 400), 4: model.FaceError('VALIDATION_ERROR', 400)}, '无法读取请求体。'),
    'INVALID_TIME_FORMAT': model.ErrorRule('INVALID_TIME_FORMAT', 3, 400, 'A time is not in RFC 3339 form.', False, {}, '时间不符合 RFC 3339 格式。'),
    'INVALID_TIME_RANGE': model.ErrorRule('INVALID_TIME_RANGE', 3, 400, 'The start of a time range is not before its end.', False, {}, '时间范围的起点不早于终点。'),
    'UNAUTHENTICATED': model.ErrorRule('UNAUTHENTICATED', 16, 401, 'The request carries no valid credential.', False, {2: model.FaceError('AUTHENTICATION_REQUIRED', 401), 3: model.FaceError('UNAUTHORIZED', 401), 4: model.FaceError('UNAUTHORIZED', 401)}, '请求没有携带有效的凭证。'),
    'PERMISSION_DENIED': model.ErrorRule('PERMISSION_DENIED', 7, 403, 'The credential does not allow this.', False, {3: model.FaceError('FORBIDDEN', 403), 4: model.FaceError('FORBIDDEN', 403)}, '该凭证不允许此操作。'),
    'NODE_NOT_FOUND': model.ErrorRule('NODE_NOT_FOUND', 5, 404, 'There is no node of that name.', False, {2: model.FaceError('DEVICE_NOT_FOUND', 404), 4: model.FaceError('NOT_FOUND', 404)}, '没有该名称的节点。'),
    'COMMAND_NOT_FOUND': model.ErrorRule('COMMAND_NOT_FOUND', 5, 404, 'There is no command of that id.', False, {}, '没有该 ID 的命令。'),
    'NO_METRICS_DATA': model.ErrorRule('NO_METRICS_DATA', 5, 404, 'The node has no metric samples.', False, {}, '该节点没有指标数据。'),
    'KEY_NOT_FOUND': model.ErrorRule('KEY_NOT_FOUND', 5, 404, 'There is no API key of that id.', False, {}, '没有该 ID 的 API 密钥。'),
    'JOIN_TOKEN_NOT_FOUND': model.ErrorRule('JOIN_TOKEN_NOT_FOUND', 5, 404, 'There is no join token of that id.', False, {}, '没有该 ID 的加入令牌。'),
    'ETAG_MISMATCH': model.ErrorRule('ETAG_MISMATCH', 10, 412, 'The resource is not at the version that the request names.', False, {}, '资源不是请求所指的版本。'),
    'IDEMPOTENCY_KEY_REUSED': model.ErrorRule('IDEMPOTENCY_KEY_REUSED', 3, 422, 'The idempotency key was used before with a different request.', False, {}, '该幂等键已用于另一个不同的请求。'),
    'NODE_NAME_TAKEN': model.ErrorRule('NODE_NAME_TAKEN', 6, 409, 'Another machine holds that node name.', False, {4: model.FaceError('VALIDATION_ERROR', 409)}, '该节点名称已被另一台机器占用。'),
    'DUPLICATE_IDENTITY': model.ErrorRule('DUPLICATE_IDENTITY', 10, 409, "This agent's identity is in use elsewhere; run the agent with --reset-identity.", False, {}, '该代理的身份正在别处使用；请以 --reset-identity 启动代理。'),
    'NODE_DELETED': model.ErrorRule('NODE_DELETED', 9, 409, 'The node of this agent was deleted; restart the agent with a join token to join again.', False, {}, '该代理的节点已被删除；请用加入令牌重新启动代理以再次加入。'),
    'STALE_ATTEMPT': model.ErrorRule('STALE_ATTEMPT', 10, 409, 'The report belongs to an older attempt.', False, {}, '该报告属于较早的一次执行。'),
    'COMMAND_FINISHED': model.ErrorRule('COMMAND_FINISHED', 10, 409, 'The command has already ended.', False, {}, '该命令已经结束。'),
    'CURSOR_EXPIRED': model.ErrorRule('CURSOR_EXPIRED', 11, 410, 'The cursor is older than the kept history; start again without a cursor.', False, {}, '游标早于所保留的历史；请不带游标重新开始。'),
    'EPOCH_CHANGED': model.ErrorRule('EPOCH_CHANGED', 11, 410, 'The cursor belongs to another history; start again without a cursor.', False, {}, '游标属于另一段历史；请不带游标重新开始。'),
    'PAGE_TOKEN_INVALID': model.ErrorRule('PAGE_TOKEN_INVALID', 3, 400, 'The page token does not belong to this request.', False, {}, '该分页令牌不属于此请求。'),
    'DATABASE_UNAVAILABLE': model.ErrorRule('DATABASE_UNAVAILABLE', 14, 503, 'The database does not answer; nothing was changed unless a retry with the same idempotency key says so.', True, {2: model.FaceError('INTERNAL_ERROR', 500), 3: model.FaceError('DATABASE_ERROR', 503), 4: model.FaceError('INTERNAL_ERROR', 500), 5: model.FaceError('DATABASE_UNAVAILABLE', 500)}, '数据库没有响应；除非用同一幂等键重试后得知，否则没有任何更改。'),
    'OVERLOADED': model.ErrorRule('OVERLOADED', 8, 429, 'The server has more work waiting than it accepts.', True, {}, '等待处理的工作超过服务器所能接受的数量。'),
    'DRAINING': model.ErrorRule('DRAINING', 14, 503, 'The server is shutting down.', True, {}, '服务器正在关闭。'),
    'REVISION_NOT_REACHED': model.ErrorRule('REVISION_NOT_REACHED', 14, 503, 'The server has not reached the requested revision.', True, {}, '服务器尚未到达所请求的修订号。'),
    'DEADLINE_EXCEEDED': model.ErrorRule('DEADLINE_EXCEEDED', 4, 504, 'The deadline passed before the answer was ready.', True, {}, '在答复就绪之前已超过截止时间。'),
    'SLOW_CONSUMER': model.ErrorRule('SLOW_CONSUMER', 10, 409, 'The stream was cut because its reader took nothing for too long.', True, {}, '读取方过久没有接收数据，流已被切断。'),
    'INTERNAL': model.ErrorRule('INTERNAL', 13, 500, 'The server failed; its log tells more under this request id.', False, {2: model.FaceError('INTERNAL_ERROR', 500), 3: model.FaceError('INTERNAL_ERROR', 500), 4: model.FaceError('INTERNAL_ERROR', 500)}, '服务器出错；其日志中以此请求 ID 记有详情。'),
    'NOT_IMPLEMENTED': model.ErrorRule('NOT_IMPLEMENTED', 12, 501, 'This server does not offer that method.', False, {}, '此服务器不提供该方法。'),
    'TOO_LARGE': model.ErrorRule('TOO_LARGE', 3, 413, 'The request is larger than the server accepts.', False, {}, '请求超过服务器所接受的大小。'),
    'ROUTE_NOT_FOUND': model.ErrorRule('ROUTE_NOT_FOUND', 5, 404, 'No route has that path.', False, {}, '没有该路径的路由。'),
    'METHOD_NOT_ALLOWED': model.ErrorRule('METHOD_NOT_ALLOWED', 12, 405, 'The path does not take that HTTP method.', False, {}, '该路径不接受此 HTTP 方法。'),
    'NOT_ACCEPTABLE': model.ErrorRule('NOT_ACCEPTABLE', 3, 406, 'The route cannot answer in the accepted form.', False, {}, '该路由无法以所接受的形式答复。'),
    'UNSUPPORTED_MEDIA_TYPE': model.ErrorRule('UNSUPPORTED_MEDIA_TYPE', 3, 415, 'The route does not read bodies of that media type.', False, {}, '该路由不读取此媒体类型的请求体。'),
    'CURSOR_INVALID': model.ErrorRule('CURSOR_INVALID', 3, 400, 'The cursor is not one that this API gives.', False, {3: model.FaceError('VALIDATION_ERROR', 400)}, '该游标不是此 API 给出的。'),
    'CLIENT_CLOSED': model.ErrorRule('CLIENT_CLOSED', 1, 499, 'The client went away before the answer.', False, {}, '客户端在收到答复之前已离开。'),
    'LINK_PROTOCOL': model.ErrorRule('LINK_PROTOCOL', 9, 400, 'The agent broke the link protocol; it must reconnect.', True, {}, '代理违反了链路协议；它必须重新连接。'),
    'TOO_MANY_REFUSALS': model.ErrorRule('TOO_MANY_REFUSALS', 8, 429, 'Too many credentials were refused lately; try again later, or with one that is valid.', True, {2: model.FaceError('RATE_LIMIT_EXCEEDED', 429)}, '近期被拒绝的凭证过多；请稍后重试，或使用有效的凭证。'),
    'KEY_REVOKED': model.ErrorRule('KEY_REVOKED', 10, 409, 'The API key was revoked and cannot be changed any more.', False, {}, '该 API 密钥已被吊销，无法再更改。'),
    'SERVER_UNREACHABLE': model.ErrorRule('SERVER_UNREACHABLE', 14, 503, 'The gateway cannot reach the server; the call may have been executed.', True, {}, '网关无法连接服务器；该调用可能已被执行。'),
    'UPGRADE_REQUIRED': model.ErrorRule('UPGRADE_REQUIRED', 9, 426, 'The route is a WebSocket; ask for it with an upgrade.', False, {}, '该路由是 WebSocket；请以协议升级方式请求。'),
    'TASK_NOT_FOUND': model.ErrorRule('TASK_NOT_FOUND', 5, 404, 'The task does not exist.', False, {4: model.FaceError('NOT_FOUND', 404)}, '任务不存在。'),
    'TASK_FINISHED': model.ErrorRule('TASK_FINISHED', 9, 409, 'The task has already ended.', False, {2: model.FaceError('TASK_NOT_CANCELLABLE', 409), 4: model.FaceError('VALIDATION_ERROR', 409)}, '任务已经结束。'),
    'TASK_NOT_RETRYABLE': model.ErrorRule('TASK_NOT_RETRYABLE', 9, 409, 'The task cannot be retried as it stands.', False, {}, '任务当前状态不可重试。'),
    'INVALID_TASK_TYPE': model.ErrorRule('INVALID_TASK_TYPE', 3, 400, 'The task type does not exist.', False, {4: model.FaceError('VALIDATION_ERROR', 400)}, '任务类型不存在。'),
    'DEVICE_OFFLINE': model.ErrorRule('DEVICE_OFFLINE', 9, 409, 'The device is offline.', False, {2: model.FaceError('DEVICE_OFFLINE', 400)}, '设备离线。'),
    'INSUFFICIENT_RESOURCES': model.ErrorRule('INSUFFICIENT_RESOURCES', 8, 409, 'No device has what the task needs.', False, {2: model.FaceError('INSUFFICIENT_RESOURCES', 400)}, '没有设备满足任务所需的资源。'),
    'TASK_EXISTS': model.ErrorRule('TASK_EXISTS', 6, 409, 'A task with that id exists already.', False, {}, '该 ID 的任务已存在。'),
    'TASK_INSTANCE_NOT_FOUND': model.ErrorRule('TASK_INSTANCE_NOT_FOUND', 5, 404, 'The task instance does not exist.', False, {4: model.FaceError('NOT_FOUND', 404)}, '任务实例不存在。'),
    'JOB_NOT_FOUND': model.ErrorRule('JOB_NOT_FOUND', 5, 404, 'The job does not exist.', False, {4: model.FaceError('NOT_FOUND', 404)}, '作业不存在。'),
    'JOB_EXISTS': model.ErrorRule('JOB_EXISTS', 6, 409, 'Another job of the namespace has that name.', False, {4: model.FaceError('VALIDATION_ERROR', 409)}, '该命名空间中已有同名的作业。'),
    'SERVER_NOT_FOUND': model.ErrorRule('SERVER_NOT_FOUND', 5, 404, 'The server does not exist.', False, {4: model.FaceError('NOT_FOUND', 404)}, '服务器不存在。'),
    'SERVER_ALIVE': model.ErrorRule('SERVER_ALIVE', 9, 409, 'The server lives and cannot be deleted.', False, {4: model.FaceError('VALIDATION_ERROR', 409)}, '服务器仍在运行，无法删除。'),
    'SCHEDULE_NOT_FOUND': model.ErrorRule('SCHEDULE_NOT_FOUND', 5, 404, 'The schedule does not exist.', False, {4: model.FaceError('NOT_FOUND', 404)}, '调度计划不存在。'),
    'JOB_DISABLED': model.ErrorRule('JOB_DISABLED', 9, 409, 'The job is disabled.', False, {4: model.FaceError('VALIDATION_ERROR', 409)}, '作业已禁用。'),
    'SCHEDULE_ENDED': model.ErrorRule('SCHEDULE_ENDED', 9, 409, 'The schedule has ended.', False, {4: model.FaceError('VALIDATION_ERROR', 409)}, '调度已结束。'),
}
