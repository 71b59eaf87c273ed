"""REST, SSE and NDJSON over the gRPC API, generated from its protos."""
