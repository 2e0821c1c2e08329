#!/usr/bin/env python3
"""A client of pm in one file, written from PROTOCOL.md alone: Python 3.9 or newer, standard library only.

It connects, subscribes, publishes, and continues where it was when a connection is lost, in both encodings:

    pm_client.py --url ws://127.0.0.1:3000/ws --token $TOKEN --channel project:42 listen
    pm_client.py --url ... --token ... --channel project:42 --encoding json publish '{"task": 7}' '{"task": 8}'
    pm_client.py --url ... --token ... --channel project:42 demo

`listen` and `publish` print a line of JSON for each thing that happens. It shows how the protocol works and does the
least that a client must do: one channel, one connection at a time, a token that is not refreshed.
"""

from __future__ import annotations

import argparse
import base64
import collections
import hashlib
import json
import os
import random
import socket
import ssl
import struct
import sys
import time
import urllib.parse
import uuid
from typing import Any, Callable, Deque, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

Message = Dict[str, Any]


class Stopped(Exception):
    """Connecting again would repeat the fault."""


class ConnectionLost(Exception):
    """The connection has ended; `code` is that of the close, 1006 where there was none."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"closed with {code} {reason}".rstrip())
        self.code = code


class Refused(Exception):
    """The server answered a command with an Error."""

    def __init__(self, error: Message) -> None:
        super().__init__(error.get("code", ""))
        self.code: str = error.get("code", "")
        self.retryable: bool = error.get("retryable", False)
        self.retry_after_ms: int = error.get("retry_after_ms", 0)


# --- Messages: the tables of PROTOCOL.md -----------------------------------------------------------------------------


class Field(NamedTuple):
    """A field of a message. `kind` is a scalar, the name of a message, or "enum"."""

    name: str
    kind: str
    repeated: bool = False


MESSAGES: Dict[str, Dict[int, Field]] = {
    "ClientFrame": {1: Field("messages", "ClientMessage", True)},
    "ServerFrame": {1: Field("messages", "ServerMessage", True)},
    "ClientMessage": {
        1: Field("id", "uint32"),
        2: Field("subscribe", "Subscribe"),
        4: Field("publish", "Publish"),
        9: Field("hello", "Hello"),
    },
    "ServerMessage": {
        1: Field("reply_to", "uint32"),
        2: Field("welcome", "Welcome"),
        3: Field("subscribed", "Subscribed"),
        4: Field("unsubscribed", "Unsubscribed"),
        5: Field("published", "Published"),
        8: Field("pong", "Pong"),
        9: Field("publication", "Publication"),
        10: Field("lagged", "Lagged"),
        11: Field("go_away", "GoAway"),
        14: Field("error", "Error"),
    },
    "StreamPosition": {1: Field("epoch", "string"), 2: Field("offset", "uint64"), 3: Field("check", "fixed32")},
    "Payload": {1: Field("data", "bytes"), 2: Field("json", "string")},
    "Hello": {1: Field("session_id", "string"), 2: Field("sdk", "string")},
    "Subscribe": {1: Field("channel", "string"), 2: Field("since", "StreamPosition"), 3: Field("rewind", "uint32")},
    "Publish": {
        1: Field("channel", "string"),
        2: Field("payload", "Payload"),
        3: Field("event", "string"),
        4: Field("idempotency_key", "string"),
    },
    "Welcome": {
        1: Field("connection_id", "string"),
        3: Field("heartbeat_interval_ms", "uint32"),
        4: Field("heartbeat_timeout_ms", "uint32"),
        6: Field("limits", "Limits"),
    },
    "Limits": {5: Field("idempotency_window_ms", "uint32")},
    "Subscribed": {
        1: Field("channel", "string"),
        2: Field("position", "StreamPosition"),
        3: Field("recovered", "bool"),
        4: Field("miss", "enum"),
        5: Field("missed_count", "uint64"),
        6: Field("top", "StreamPosition"),
    },
    "Unsubscribed": {1: Field("channel", "string"), 2: Field("code", "string")},
    "Published": {
        1: Field("position", "StreamPosition"),
        2: Field("duplicate", "bool"),
        3: Field("message_id", "string"),
    },
    "Pong": {},
    "Publication": {
        1: Field("channel", "string"),
        2: Field("offset", "uint64"),
        3: Field("check", "fixed32"),
        4: Field("payload", "Payload"),
        5: Field("event", "string"),
        6: Field("publisher", "string"),
        7: Field("published_at_ms", "int64"),
        8: Field("message_id", "string"),
    },
    "Lagged": {
        1: Field("channel", "string"),
        2: Field("missed_count", "uint64"),
        3: Field("position", "StreamPosition"),
        4: Field("reason", "enum"),
    },
    "GoAway": {1: Field("reconnect_after_ms", "uint32"), 2: Field("reason", "string")},
    "Error": {
        1: Field("code", "string"),
        2: Field("message", "string"),
        3: Field("field", "string"),
        4: Field("error_id", "string"),
        5: Field("retryable", "bool"),
        6: Field("retry_after_ms", "uint32"),
    },
}

RECOVERY_MISS = ["UNSPECIFIED", "EPOCH_CHANGED", "RETENTION", "CHECK_MISMATCH", "AHEAD", "SKIPPED"]
MISS_PREFIX = "RECOVERY_MISS_"


# --- The encoding pm.v1.proto -----------------------------------------------------------------------------------------

VARINT, FIXED64, LENGTH_DELIMITED, FIXED32 = 0, 1, 2, 5
WIRE_TYPES = {"uint32": VARINT, "uint64": VARINT, "int64": VARINT, "bool": VARINT, "enum": VARINT, "fixed32": FIXED32}


def write_varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, at: int) -> Tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def to_proto(name: str, message: Message) -> bytes:
    out = bytearray()
    for number, field in MESSAGES[name].items():
        value = message.get(field.name)
        if value is None:
            continue
        for item in value if field.repeated else [value]:
            out += write_varint(number << 3 | WIRE_TYPES.get(field.kind, LENGTH_DELIMITED))
            out += write_value(field.kind, item)
    return bytes(out)


def write_value(kind: str, value: Any) -> bytes:
    if kind == "fixed32":
        return struct.pack("<I", value)
    if WIRE_TYPES.get(kind) == VARINT:
        return write_varint(int(value))
    content = value.encode() if kind == "string" else value if kind == "bytes" else to_proto(kind, value)
    return write_varint(len(content)) + content


def from_proto(name: str, data: bytes) -> Message:
    message: Message = {}
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        raw, at = read_raw(data, at, tag & 7)
        field = MESSAGES[name].get(tag >> 3)
        if field is None:
            continue
        value = read_value(field.kind, raw)
        if field.repeated:
            message.setdefault(field.name, []).append(value)
        else:
            message[field.name] = value
    return message


def read_raw(data: bytes, at: int, wire_type: int) -> Tuple[Any, int]:
    """The number or the bytes of a field, known or not, and where the next one begins."""
    if wire_type == VARINT:
        return read_varint(data, at)
    if wire_type == LENGTH_DELIMITED:
        length, at = read_varint(data, at)
        return data[at : at + length], at + length
    if wire_type == FIXED32:
        return struct.unpack_from("<I", data, at)[0], at + 4
    if wire_type == FIXED64:
        return struct.unpack_from("<Q", data, at)[0], at + 8
    raise ValueError(f"wire type {wire_type}")


def read_value(kind: str, raw: Any) -> Any:
    if kind == "string":
        return raw.decode()
    if kind == "bool":
        return raw != 0
    if kind == "int64":
        return raw - 2**64 if raw >= 2**63 else raw
    if kind == "enum":
        return RECOVERY_MISS[raw] if raw < len(RECOVERY_MISS) else RECOVERY_MISS[0]
    return from_proto(kind, raw) if kind in MESSAGES else raw


# --- The encoding pm.v1.json ------------------------------------------------------------------------------------------


def camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def to_json(name: str, message: Message) -> Message:
    out: Message = {}
    for field in MESSAGES[name].values():
        value = message.get(field.name)
        if value is not None:
            items = [json_value(field.kind, item) for item in (value if field.repeated else [value])]
            out[camel(field.name)] = items if field.repeated else items[0]
    return out


def json_value(kind: str, value: Any) -> Any:
    if kind in ("uint64", "int64"):
        return str(value)
    if kind == "bytes":
        return base64.b64encode(value).decode()
    return to_json(kind, value) if kind in MESSAGES else value


def from_json(name: str, value: Message) -> Message:
    message: Message = {}
    for field in MESSAGES[name].values():
        given = value.get(camel(field.name))
        if given is not None:
            items = [plain_value(field.kind, item) for item in (given if field.repeated else [given])]
            message[field.name] = items if field.repeated else items[0]
    return message


def plain_value(kind: str, value: Any) -> Any:
    if kind in ("uint64", "int64"):
        return int(value)
    if kind == "bytes":
        return base64.b64decode(value)
    if kind == "enum":
        name = str(value)[len(MISS_PREFIX) :]
        return name if name in RECOVERY_MISS else RECOVERY_MISS[0]
    return from_json(kind, value) if kind in MESSAGES else value


class Encoding(NamedTuple):
    """How frames are written: from a list of messages to the bytes of a WebSocket message, and back."""

    subprotocol: str
    opcode: int
    encode: Callable[[List[Message]], bytes]
    decode: Callable[[bytes], List[Message]]


ENCODINGS = {
    "proto": Encoding(
        "pm.v1.proto",
        2,
        lambda messages: to_proto("ClientFrame", {"messages": messages}),
        lambda data: from_proto("ServerFrame", data).get("messages", []),
    ),
    "json": Encoding(
        "pm.v1.json",
        1,
        lambda messages: json.dumps(to_json("ClientFrame", {"messages": messages})).encode(),
        lambda data: from_json("ServerFrame", json.loads(data or "{}")).get("messages", []),
    ),
}


# --- WebSocket, RFC 6455 ----------------------------------------------------------------------------------------------

ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class HandshakeRefused(Exception):
    """The server answered the upgrade with another status."""

    def __init__(self, status: int, retry_after_s: Optional[float], body: str) -> None:
        super().__init__(f"HTTP {status} {body}".rstrip())
        self.status = status
        self.retry_after_s = retry_after_s


class WebSocket:
    """One WebSocket connection: whole messages out and in. Pings are answered on the way."""

    def __init__(self, url: str, token: str, subprotocol: str, timeout_s: float = 10) -> None:
        parts = urllib.parse.urlsplit(url)
        is_secure = parts.scheme == "wss"
        host, port = parts.hostname or "", parts.port or (443 if is_secure else 80)
        self._socket = socket.create_connection((host, port), timeout_s)
        if is_secure:
            self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)
        self._buffer = b""
        self._upgrade(parts, token, subprotocol)

    def _upgrade(self, parts: urllib.parse.SplitResult, token: str, subprotocol: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {parts.path or '/'} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            f"Sec-WebSocket-Protocol: {subprotocol}",
            f"Authorization: Bearer {token}",
        ]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(status_line.split(" ")[1])
        if status != 101:
            raise HandshakeRefused(status, retry_after(headers), self._buffer.decode("latin-1"))
        accept = base64.b64encode(hashlib.sha1((key + ACCEPT_SUFFIX).encode()).digest()).decode()
        if headers.get("sec-websocket-accept") != accept or headers.get("sec-websocket-protocol") != subprotocol:
            raise Stopped("this is not a server of pm.v1")

    def send(self, opcode: int, content: bytes) -> None:
        """Clients mask what they send."""
        length = len(content)
        if length < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
        elif length < 65536:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, length)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(content))
        try:
            self._socket.sendall(head + mask + masked)
        except OSError as error:
            raise ConnectionLost(1006, str(error)) from error

    def receive(self, timeout_s: float) -> bytes:
        """The next whole message. Nothing at all for so long counts as lost."""
        message = b""
        while True:
            self._set_timeout(timeout_s)
            is_final, opcode, content = self._frame()
            if opcode == PING:
                self.send(PONG, content)
            elif opcode == CLOSE:
                code = struct.unpack("!H", content[:2])[0] if len(content) >= 2 else 1005
                raise ConnectionLost(code, content[2:].decode("utf-8", "replace"))
            elif opcode in (CONTINUATION, TEXT, BINARY):
                message += content
                if is_final:
                    return message

    def _set_timeout(self, timeout_s: float) -> None:
        try:
            self._socket.settimeout(timeout_s)
        except OSError as error:
            raise ConnectionLost(1006, str(error)) from error

    def close(self) -> None:
        """Ends it in order."""
        try:
            self.send(CLOSE, struct.pack("!H", 1000))
        except ConnectionLost:
            pass
        self._socket.close()

    def cut(self) -> None:
        """Ends it as a network does: without a word."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self._socket.close()

    def _frame(self) -> Tuple[bool, int, bytes]:
        first, second = self._take(2)
        length = second & 0x7F
        if length == 126:
            length = struct.unpack("!H", self._take(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self._take(8))[0]
        return first & 0x80 != 0, first & 0x0F, self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _fill(self) -> None:
        try:
            data = self._socket.recv(65536)
        except OSError as error:
            raise ConnectionLost(1006, str(error)) from error
        if data == b"":
            raise ConnectionLost(1006, "end of stream")
        self._buffer += data


def retry_after(headers: Dict[str, str]) -> Optional[float]:
    value = headers.get("retry-after", "")
    return float(value) if value.isdigit() else None


# --- When to connect again --------------------------------------------------------------------------------------------

MAX_BACKOFF_S = 20
HEALTHY_S = 30
STOP_CODES = {1000, 1002, 1003, 1007, 1008}
FROM_1_S = {1011, 4008, 4009, 4029}


class Reconnect:
    """Waits between connections, by the table of close codes."""

    def __init__(self) -> None:
        self._attempt = 0
        self._welcomed_at: Optional[float] = None
        self.go_away_until: Optional[float] = None
        self.error_until: Optional[float] = None

    def welcomed(self) -> None:
        self._welcomed_at = time.monotonic()
        self.go_away_until = self.error_until = None

    def wait_after(self, code: int) -> float:
        """Seconds to wait; raises Stopped where connecting again is useless. Tokens are not refreshed here."""
        if code in STOP_CODES or code >= 4500 or code == 4401:
            raise Stopped(f"the server closed with {code}")
        if self._welcomed_at is not None and time.monotonic() - self._welcomed_at >= HEALTHY_S:
            self._attempt = 0
        self._welcomed_at = None
        hint = self._hint_of(code)
        if hint is not None:
            return max(0.0, hint - time.monotonic())
        if code == 1012:
            return random.uniform(0, 5)
        if code == 1013:
            return random.uniform(5, 30)
        return self._backoff(1 if code in FROM_1_S else 0)

    def wait_after_refusal(self, refusal: HandshakeRefused) -> float:
        if refusal.status in (400, 401, 403):
            raise Stopped(str(refusal))
        wait = self._backoff(0)
        return wait if refusal.retry_after_s is None else refusal.retry_after_s

    def _hint_of(self, code: int) -> Optional[float]:
        if code == 1012:
            return self.go_away_until
        if code == 1013:
            return self.error_until or self.go_away_until
        return self.error_until if code == 4029 else None

    def _backoff(self, least_s: float) -> float:
        base = 1.0 if least_s > 0 else 0.5
        ceiling = min(MAX_BACKOFF_S, least_s + base * 2**self._attempt)
        self._attempt = min(self._attempt + 1, 10)
        return random.uniform(least_s, ceiling)


# --- The client -------------------------------------------------------------------------------------------------------


class Event(NamedTuple):
    """Something that an application has to know: `kind` is publication, missed, lagged, recovered or subscribed."""

    kind: str
    value: Message


class PmClient:
    """One channel over one connection at a time. The cursor is kept: nothing comes twice, or is missed unnoticed."""

    def __init__(self, url: str, token: str, channel: str, encoding: str = "proto") -> None:
        self.url = url
        self.token = token
        self.channel = channel
        self.encoding = ENCODINGS[encoding]
        self.cursor: Optional[Message] = None
        self._session_id = uuid.uuid4().hex
        self._reconnect = Reconnect()
        self._socket: Optional[WebSocket] = None
        self._welcome: Message = {}
        self._next_id = 1
        # Read, and not taken yet.
        self._messages: Deque[Message] = collections.deque()
        # The id of the last Subscribe; until its answer everything about the channel is discarded.
        self._asked: Optional[int] = None
        self._is_subscribing = False

    def connect(self) -> None:
        """Connects, however long it takes; subscribes again when it was subscribed."""
        while True:
            try:
                self._open()
                return
            except HandshakeRefused as refusal:
                wait = self._reconnect.wait_after_refusal(refusal)
                reason = str(refusal)
            except (ConnectionLost, OSError) as error:
                wait = self._reconnect.wait_after(getattr(error, "code", 1006))
                reason = str(error)
            if self._socket is None:
                print(f"pm_client: {self.url}: {reason}; trying on", file=sys.stderr, flush=True)
            time.sleep(wait)

    def reconnect(self, lost: ConnectionLost) -> None:
        self.cut()
        time.sleep(self._reconnect.wait_after(lost.code))
        self.connect()

    def subscribe(self) -> None:
        """Asks for the channel, from the cursor if there is one. `events` tells the answer."""
        self._is_subscribing = True
        since = {"since": self.cursor} if self.cursor is not None else {}
        self._asked = self._send({"subscribe": {"channel": self.channel, **since}})

    def events(self) -> Iterator[Event]:
        """What happens in the channel, for ever, over all connections."""
        while True:
            try:
                event = self._take(self._receive())
                if event is not None:
                    yield event
            except ConnectionLost as lost:
                self.reconnect(lost)

    def publish(self, text: str, event: str = "") -> Tuple[Message, List[Event]]:
        """Publishes JSON text, again after a lost connection, and is in the log once. Also what happened meanwhile."""
        key = uuid.uuid4().hex
        publish = {"channel": self.channel, "payload": {"json": text}, "event": event, "idempotency_key": key}
        window_s = self._welcome.get("limits", {}).get("idempotency_window_ms", 0) / 1000
        deadline = time.monotonic() + window_s
        seen: List[Event] = []
        while True:
            try:
                return self._published(self._send({"publish": publish}), seen), seen
            except ConnectionLost as lost:
                self.reconnect(lost)
            except Refused as refused:
                if not refused.retryable or refused.retry_after_ms == 2**32 - 1:
                    raise
                time.sleep(max(0.1, refused.retry_after_ms / 1000))
            if time.monotonic() > deadline:
                raise TimeoutError("it may be published or not: the idempotency window is over")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def cut(self) -> None:
        if self._socket is not None:
            self._socket.cut()

    def _open(self) -> None:
        self._socket = WebSocket(self.url, self.token, self.encoding.subprotocol)
        self._welcome = {}
        self._asked = None
        self._messages.clear()
        while not self._welcome:
            self._welcome = self._receive().get("welcome", {})
        self._reconnect.welcomed()
        self._send({"hello": {"session_id": self._session_id, "sdk": "pm_client.py/0.1.0"}})
        if self._is_subscribing:
            self.subscribe()

    def _send(self, body: Message) -> int:
        if self._socket is None:
            raise ConnectionLost(1006, "not connected")
        message_id = self._next_id
        self._next_id += 1
        self._socket.send(self.encoding.opcode, self.encoding.encode([{"id": message_id, **body}]))
        return message_id

    def _receive(self) -> Message:
        """The next message. The server pings, so silence means that the connection is lost."""
        if self._socket is None:
            raise ConnectionLost(1006, "not connected")
        interval = self._welcome.get("heartbeat_interval_ms", 5_000)
        silence_s = (interval + self._welcome.get("heartbeat_timeout_ms", 5_000)) / 1000
        while not self._messages:
            frame = self._socket.receive(silence_s)
            try:
                self._messages.extend(self.encoding.decode(frame))
            except (ValueError, LookupError, AttributeError, struct.error) as error:
                raise ConnectionLost(1006, f"a frame cannot be decoded: {error}") from error
        return self._messages.popleft()

    def _published(self, asked: int, seen: List[Event]) -> Message:
        """Waits for the answer to a Publish."""
        while True:
            message = self._receive()
            if message.get("reply_to") != asked:
                event = self._take(message)
                seen.extend([] if event is None else [event])
            elif "error" in message:
                raise Refused(message["error"])
            else:
                return message.get("published", {})

    def _take(self, message: Message) -> Optional[Event]:
        if "subscribed" in message and self._asked is not None and message.get("reply_to") == self._asked:
            self._asked = None
            return self._subscribed(message["subscribed"])
        if "error" in message:
            self._error(message)
        elif "go_away" in message:
            # An example has one connection at a time: it stays on this one until it is closed.
            wait_s = message["go_away"].get("reconnect_after_ms", 0) / 1000
            self._reconnect.go_away_until = time.monotonic() + wait_s
        elif "unsubscribed" in message and message["unsubscribed"].get("channel") == self.channel:
            raise Stopped(f"the server ended the subscription: {message['unsubscribed'].get('code')}")
        elif self._asked is None and self._is_subscribing:
            return self._deliver(message)
        return None

    def _subscribed(self, subscribed: Message) -> Event:
        self.cursor = subscribed["position"]
        if subscribed.get("recovered"):
            return Event("recovered", {"position": self.cursor, "top": subscribed["top"]})
        if "miss" in subscribed:
            count = subscribed.get("missed_count", 0)
            return Event("missed", {"reason": subscribed["miss"], "count": count, "position": self.cursor})
        return Event("subscribed", {"position": self.cursor})

    def _deliver(self, message: Message) -> Optional[Event]:
        """The rules of the cursor."""
        lagged, publication = message.get("lagged", {}), message.get("publication", {})
        if lagged.get("channel") == self.channel:
            self.cursor = lagged["position"]
            count = lagged.get("missed_count", 0)
            return Event("lagged", {"reason": lagged.get("reason"), "count": count, "position": self.cursor})
        if publication.get("channel") != self.channel or self.cursor is None:
            return None
        offset, check = publication["offset"], publication["check"]
        seen = self.cursor.get("offset", 0)
        if offset == seen + 1:
            self.cursor = {"epoch": self.cursor["epoch"], "offset": offset, "check": check}
            return Event("publication", publication)
        if offset > seen or (offset == seen and check != self.cursor.get("check")):
            self.subscribe()
        return None

    def _error(self, message: Message) -> None:
        error = message["error"]
        if error.get("retry_after_ms", 0) > 0:
            self._reconnect.error_until = time.monotonic() + error["retry_after_ms"] / 1000
        if message.get("reply_to", 0) != self._asked or self._asked is None:
            return
        if not error.get("retryable"):
            raise Stopped(f"the channel was refused: {error.get('code')}")
        time.sleep(max(0.1, error.get("retry_after_ms", 0) / 1000))
        self.subscribe()


# --- The command line -------------------------------------------------------------------------------------------------


def show(kind: str, value: Message) -> None:
    """A line of JSON. Bytes are shown as base64."""
    line = {"kind": kind, **value}
    print(json.dumps(line, default=lambda data: base64.b64encode(data).decode()), flush=True)


def listen(client: PmClient, count: int) -> None:
    client.connect()
    client.subscribe()
    publications = 0
    for event in client.events():
        show(event.kind, event.value)
        publications += event.kind == "publication"
        if 0 < count <= publications:
            return


def publish(client: PmClient, texts: Iterable[str]) -> None:
    client.connect()
    for text in texts:
        published, _ = client.publish(text.strip())
        show("published", published)


def demo(client: PmClient, other: PmClient) -> None:
    """Subscribes, publishes, is cut off, and gets what another client has published meanwhile."""
    client.connect()
    client.subscribe()
    events = client.events()
    show_next(events, 1)
    for step in (1, 2):
        published, seen = client.publish(json.dumps({"step": step}), event="demo")
        for event in seen:
            show(event.kind, event.value)
        show("published", published)
        show_next(events, 1 - len([event for event in seen if event.kind == "publication"]))
    client.cut()
    show("cut", {})
    other.connect()
    for step in (3, 4, 5):
        other.publish(json.dumps({"step": step}), event="demo")
    other.close()
    # What was recovered, and the three publications.
    show_next(events, 4)


def show_next(events: Iterator[Event], count: int) -> None:
    for _ in range(count):
        event = next(events)
        show(event.kind, event.value)


def main() -> int:
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description="A client of pm", formatter_class=formatter)
    parser.add_argument("--url", default="ws://127.0.0.1:3000/ws")
    parser.add_argument("--token", required=True)
    parser.add_argument("--channel", default="project:42")
    parser.add_argument("--encoding", choices=sorted(ENCODINGS), default="proto")
    commands = parser.add_subparsers(dest="command", required=True)
    listening = commands.add_parser("listen", help="print what is published")
    listening.add_argument("--count", type=int, default=0, help="end after so many publications; 0: never")
    publishing = commands.add_parser("publish", help="publish JSON texts")
    publishing.add_argument("texts", nargs="*", metavar="JSON", help="without any, the lines of the standard input")
    commands.add_parser("demo", help="subscribe, publish, be cut off, recover")
    given = parser.parse_args()
    client, other = (PmClient(given.url, given.token, given.channel, given.encoding) for _ in range(2))
    try:
        if given.command == "listen":
            listen(client, given.count)
        elif given.command == "publish":
            publish(client, given.texts or sys.stdin)
        else:
            demo(client, other)
    except (Stopped, Refused, TimeoutError) as error:
        print(f"pm_client: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    client.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
