"""What baselines answer. Needs nothing but Python: it is used in other environments too."""

from __future__ import annotations

import json


def node() -> dict[str, object]:
    """Returns what a node looks like in JSON: the constant that baselines answer."""
    text = """{"id":1,"node_id":"node-001","hostname":"server-01","ip_address":"192.168.1.100",
    "os_info":"Ubuntu 22.04 LTS","status":"online","last_heartbeat":"2025-01-21T10:00:00Z",
    "registered_at":"2025-01-21T09:00:00Z","updated_at":"2025-01-21T10:00:00Z","uid":"4f0c",
    "revision":12,"labels":{"zone":"a"},"role":"worker","platform":{"system":"linux","release":"6.1.0",
    "machine":"x86_64","distribution":"Debian GNU/Linux 12","python_version":"3.11.7","is_virtual":true},
    "resources":{"cpu_count":2,"memory_total_bytes":25769803776,"storage_total_bytes":270582939648,
    "gpu_count":0},"capabilities":["shell"],"conditions":[],"connection":"ONLINE","offline_faces":[],
    "capacity":8,"free_slots":8,"agent_version":"0.1.0","tags":[],"boot_id":"b"}"""
    node: dict[str, object] = json.loads(text)
    return node
