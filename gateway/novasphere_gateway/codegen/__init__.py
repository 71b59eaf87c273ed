"""The protoc plugin that makes the gateway's routes, codecs and OpenAPI document out of protos.

Three stages: `reader` turns protoc's request into the frozen `schema`; `resolver` works out what every
HTTP binding means, and refuses what cannot work; the emitters (`codecs`, `routes`, `errors`, `openapi`)
turn that into text. No service is known by name.
"""
