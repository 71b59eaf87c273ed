"""Makes one HTTP request: prints the status line, the headers and the body of the answer.

Its payload was checked by the agent and lies in the attempt's intent: arguments can be read by every user
of the machine. A redirect is an answer like any other and is not followed. The exit code is 0 for an answer
below 400; else, and where none comes, 1.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
import urllib.request

_LONGEST_BODY = 1 << 20
_FIRST_FAILURE = 400


def main() -> int:
    with open("../intent.json", encoding="utf-8") as file:
        payload = json.loads(json.load(file)["payload"])
    timeout = payload.get("timeout") or 30
    signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, timeout)  # for the whole of it, however slowly it drips
    try:
        # Nothing but these handlers: no other schemes, no redirects, and no answer is an exception.
        opener = urllib.request.OpenerDirector()
        for handler in ("ProxyHandler", "HTTPHandler", "HTTPSHandler", "UnknownHandler"):
            if hasattr(urllib.request, handler):  # HTTPS is not in every build
                opener.add_handler(getattr(urllib.request, handler)())
        with opener.open(_request(payload), timeout=timeout) as response:
            body = response.read(_LONGEST_BODY + 1)
            if response.length and len(body) <= _LONGEST_BODY:
                return _fail("the connection broke in the middle of the answer")
    except TimeoutError:
        return _fail(f"no answer within {timeout:g} s")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _fail(str(getattr(error, "reason", "") or error or type(error).__name__))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    _print(response, body)
    if len(body) > _LONGEST_BODY:
        print(f"the body was cut at {_LONGEST_BODY} bytes", file=sys.stderr)
    return 0 if response.status < _FIRST_FAILURE else 1


def _request(payload: dict[str, object]) -> urllib.request.Request:
    data, headers = payload.get("data"), payload.get("headers")
    method = str(payload.get("method") or ("GET" if data is None else "POST"))
    request = urllib.request.Request(str(payload["url"]), method=method.upper())  # noqa: S310 - checked
    if data is not None:
        is_text = isinstance(data, str)
        request.data = data.encode() if isinstance(data, str) else json.dumps(data).encode()
        request.add_header(
            "Content-Type", f"{'text/plain' if is_text else 'application/json'}; charset=utf-8"
        )
    for name, value in headers.items() if isinstance(headers, dict) else ():
        request.add_header(name, value)
    return request


def _print(response: http.client.HTTPResponse, body: bytes) -> None:
    version = "1.0" if response.version == 10 else "1.1"
    lines = [f"HTTP/{version} {response.status} {response.reason}"]
    lines += [f"{name}: {value}" for name, value in response.getheaders()]
    charset = response.headers.get_content_charset("utf-8")
    try:
        text = body[:_LONGEST_BODY].decode(charset, "replace")
    except LookupError:
        text = body[:_LONGEST_BODY].decode("utf-8", "replace")
    sys.stdout.buffer.write(("\n".join(lines) + "\n\n" + text).encode("utf-8", "replace"))
    sys.stdout.flush()


def _give_up(*_: object) -> None:
    raise TimeoutError


def _fail(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
