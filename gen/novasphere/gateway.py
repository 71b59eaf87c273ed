"""Generated from all protos by protoc-gen-novasphere. Do not edit: change the proto."""

from __future__ import annotations

from novasphere_gateway import model

from novasphere.api.v1 import join_token_service_gateway as novasphere_api_v1_join_token_service_gateway
from novasphere.api.v1 import key_service_gateway as novasphere_api_v1_key_service_gateway
from novasphere.api.v1 import ticket_service_gateway as novasphere_api_v1_ticket_service_gateway
from novasphere.node.v1 import command_service_gateway as novasphere_node_v1_command_service_gateway
from novasphere.node.v1 import metric_service_gateway as novasphere_node_v1_metric_service_gateway
from novasphere.node.v1 import node_service_gateway as novasphere_node_v1_node_service_gateway
from novasphere.node.v1 import system_service_gateway as novasphere_node_v1_system_service_gateway


ROUTES: tuple[model.Route, ...] = model.ordered(
    novasphere_api_v1_join_token_service_gateway.ROUTES,
    novasphere_api_v1_key_service_gateway.ROUTES,
    novasphere_api_v1_ticket_service_gateway.ROUTES,
    novasphere_node_v1_command_service_gateway.ROUTES,
    novasphere_node_v1_metric_service_gateway.ROUTES,
    novasphere_node_v1_node_service_gateway.ROUTES,
    novasphere_node_v1_system_service_gateway.ROUTES,
)

ERRORS: dict[str, model.ErrorRule] = {
    'INVALID_ARGUMENT': model.ErrorRule('INVALID_ARGUMENT', 3, 400, 'A value in the request is not acceptable.', False, {2: model.FaceError('INVALID_REQUEST', 400), 3: model.FaceError('VALIDATION_ERROR', 400), 4: model.FaceError('VALIDATION_ERROR', 400)}),
    'UNKNOWN_FIELD': model.ErrorRule('UNKNOWN_FIELD', 3, 400, 'The request names a field or parameter that does not exist.', False, {2: model.FaceError('INVALID_REQUEST', 400), 3: model.FaceError('VALIDATION_ERROR', 400), 4: model.FaceError('VALIDATION_ERROR', 400)}),
    'MALFORMED_BODY': model.ErrorRule('MALFORMED_BODY', 3, 400, 'The request body cannot be read.', False, {2: model.FaceError('INVALID_REQUEST', 400), 3: model.FaceError('VALIDATION_ERROR', 400), 4: model.FaceError('VALIDATION_ERROR', 400)}),
    'INVALID_TIME_FORMAT': model.ErrorRule('INVALID_TIME_FORMAT', 3, 400, 'A time is not in RFC 3339 form.', False, {}),
    'INVALID_TIME_RANGE': model.ErrorRule('INVALID_TIME_RANGE', 3, 400, 'The start of a time range is not before its end.', False, {}),
    'UNAUTHENTICATED': model.ErrorRule('UNAUTHENTICATED', 16, 401, 'The request carries no valid credential.', False, {2: model.FaceError('AUTHENTICATION_REQUIRED', 401), 3: model.FaceError('UNAUTHORIZED', 401), 4: model.FaceError('UNAUTHORIZED', 401)}),
    'PERMISSION_DENIED': model.ErrorRule('PERMISSION_DENIED', 7, 403, 'The credential does not allow this.', False, {3: model.FaceError('FORBIDDEN', 403), 4: model.FaceError('FORBIDDEN', 403)}),
    'NODE_NOT_FOUND': model.ErrorRule('NODE_NOT_FOUND', 5, 404, 'There is no node of that name.', False, {2: model.FaceError('DEVICE_NOT_FOUND', 404), 4: model.FaceError('NOT_FOUND', 404)}),
    'COMMAND_NOT_FOUND': model.ErrorRule('COMMAND_NOT_FOUND', 5, 404, 'There is no command of that id.', False, {}),
    'NO_METRICS_DATA': model.ErrorRule('NO_METRICS_DATA', 5, 404, 'The node has no metric samples.', False, {}),
    'KEY_NOT_FOUND': model.ErrorRule('KEY_NOT_FOUND', 5, 404, 'There is no API key of that id.', False, {}),
    'JOIN_TOKEN_NOT_FOUND': model.ErrorRule('JOIN_TOKEN_NOT_FOUND', 5, 404, 'There is no join token of that id.', False, {}),
    'ETAG_MISMATCH': model.ErrorRule('ETAG_MISMATCH', 10, 412, 'The resource is not at the version that the request names.', False, {}),
    'IDEMPOTENCY_KEY_REUSED': model.ErrorRule('IDEMPOTENCY_KEY_REUSED', 3, 422, 'The idempotency key was used before with a different request.', False, {}),
    'NODE_NAME_TAKEN': model.ErrorRule('NODE_NAME_TAKEN', 6, 409, 'Another machine holds that node name.', False, {}),
    'DUPLICATE_IDENTITY': model.ErrorRule('DUPLICATE_IDENTITY', 10, 409, "This agent's identity is in use elsewhere; run the agent with --reset-identity.", False, {}),
    'NODE_DELETED': model.ErrorRule('NODE_DELETED', 9, 409, 'The node of this agent was deleted; restart the agent with a join token to join again.', False, {}),
    'STALE_ATTEMPT': model.ErrorRule('STALE_ATTEMPT', 10, 409, 'The report belongs to an older attempt.', False, {}),
    'COMMAND_FINISHED': model.ErrorRule('COMMAND_FINISHED', 10, 409, 'The command has already ended.', False, {}),
    'CURSOR_EXPIRED': model.ErrorRule('CURSOR_EXPIRED', 11, 410, 'The cursor is older than the kept history; start again without a cursor.', False, {}),
    'EPOCH_CHANGED': model.ErrorRule('EPOCH_CHANGED', 11, 410, 'The cursor belongs to another history; start again without a cursor.', False, {}),
    'PAGE_TOKEN_INVALID': model.ErrorRule('PAGE_TOKEN_INVALID', 3, 400, 'The page token does not belong to this request.', False, {}),
    'DATABASE_UNAVAILABLE': model.ErrorRule('DATABASE_UNAVAILABLE', 14, 503, 'The database does not answer; nothing was changed unless a retry with the same idempotency key says so.', True, {2: model.FaceError('INTERNAL_ERROR', 500), 3: model.FaceError('DATABASE_ERROR', 503), 4: model.FaceError('INTERNAL_ERROR', 500), 5: model.FaceError('DATABASE_UNAVAILABLE', 500)}),
    'OVERLOADED': model.ErrorRule('OVERLOADED', 8, 429, 'The server has more work waiting than it accepts.', True, {}),
    'DRAINING': model.ErrorRule('DRAINING', 14, 503, 'The server is shutting down.', True, {}),
    'REVISION_NOT_REACHED': model.ErrorRule('REVISION_NOT_REACHED', 14, 503, 'The server has not reached the requested revision.', True, {}),
    'DEADLINE_EXCEEDED': model.ErrorRule('DEADLINE_EXCEEDED', 4, 504, 'The deadline passed before the answer was ready.', True, {}),
    'SLOW_CONSUMER': model.ErrorRule('SLOW_CONSUMER', 10, 409, 'The stream was cut because its reader took nothing for too long.', True, {}),
    'INTERNAL': model.ErrorRule('INTERNAL', 13, 500, 'The server failed; its log tells more under this request id.', False, {2: model.FaceError('INTERNAL_ERROR', 500), 3: model.FaceError('INTERNAL_ERROR', 500), 4: model.FaceError('INTERNAL_ERROR', 500)}),
    'NOT_IMPLEMENTED': model.ErrorRule('NOT_IMPLEMENTED', 12, 501, 'This server does not offer that method.', False, {}),
    'TOO_LARGE': model.ErrorRule('TOO_LARGE', 3, 413, 'The request is larger than the server accepts.', False, {}),
    'ROUTE_NOT_FOUND': model.ErrorRule('ROUTE_NOT_FOUND', 5, 404, 'No route has that path.', False, {}),
    'METHOD_NOT_ALLOWED': model.ErrorRule('METHOD_NOT_ALLOWED', 12, 405, 'The path does not take that HTTP method.', False, {}),
    'NOT_ACCEPTABLE': model.ErrorRule('NOT_ACCEPTABLE', 3, 406, 'The route cannot answer in the accepted form.', False, {}),
    'UNSUPPORTED_MEDIA_TYPE': model.ErrorRule('UNSUPPORTED_MEDIA_TYPE', 3, 415, 'The route does not read bodies of that media type.', False, {}),
    'CURSOR_INVALID': model.ErrorRule('CURSOR_INVALID', 3, 400, 'The cursor is not one that this API gives.', False, {3: model.FaceError('VALIDATION_ERROR', 400)}),
    'CLIENT_CLOSED': model.ErrorRule('CLIENT_CLOSED', 1, 499, 'The client went away before the answer.', False, {}),
    'LINK_PROTOCOL': model.ErrorRule('LINK_PROTOCOL', 9, 400, 'The agent broke the link protocol; it must reconnect.', True, {}),
    'TOO_MANY_REFUSALS': model.ErrorRule('TOO_MANY_REFUSALS', 8, 429, 'Too many credentials were refused lately; try again later, or with one that is valid.', True, {2: model.FaceError('RATE_LIMIT_EXCEEDED', 429)}),
}
