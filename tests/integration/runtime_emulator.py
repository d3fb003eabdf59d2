"""Lambda's Runtime API and sandbox for tests: strict about the protocol, and on request as bad as a network can be.

RuntimeApi answers on a port of its own and holds what the platform holds: starting, ready, invoked. A call in a wrong
state is refused with 403 as the real one does, and noted in `violations`, as is whatever else the protocol forbids.
Sandbox runs a bootstrap against it: invokes it, lets it run into its deadline and kills it then, freezes it and thaws it.
"""
import collections
import json
import os
import queue
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import uuid

PREFIX = "/2018-06-01/runtime"
LARGEST_RESULT = (6 << 20) + 100
FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:under-test"


class Outcome:
    """What became of one invocation: "response", "error", "timeout", "exit" or "lost"."""

    def __init__(self, kind, body=b"", error_type="", exit_code=None):
        self.kind, self.body, self.error_type, self.exit_code = kind, body, error_type, exit_code

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def message(self):
        return self.json["errorMessage"]

    def __repr__(self):
        return f"{self.kind} {self.error_type} {self.exit_code} {self.body[:1500]!r}"


class Event:
    """What /next hands out. `headers` replaces or (None) leaves out some; `send(connection, head, body)` spoils it."""

    def __init__(self, body, seconds=60.0, request_id=None, headers=None, send=None):
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.request_id = request_id or str(uuid.uuid4())
        self.invocation_id = uuid.uuid4().hex
        self.seconds = seconds
        self.headers, self.send = headers or {}, send
        self.deadline = None
        self.over = threading.Event()
        self.outcome = None

    def head(self):
        self.deadline = time.time() + self.seconds
        fields = {
            "Content-Type": "application/json", "Content-Length": str(len(self.body)),
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(self.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
            "Lambda-Runtime-Invocation-Id": self.invocation_id, **self.headers}
        lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
        return ("HTTP/1.1 200 OK\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode()

    def end(self, outcome):
        if not self.over.is_set():
            self.outcome = outcome
            self.over.set()


class HangUp(Exception):
    """The connection is to be closed."""


class RuntimeApi:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.RLock()
        self.state, self.current = "starting", None
        self.events = queue.Queue()         # Events, or functions of a connection that spoil an answer to /next
        self.on_post = collections.deque()  # statuses, or "close", "lost": for the next POSTs, in order
        self.violations, self.requests, self.init_errors = [], [], []
        self.first_next = threading.Event()
        self.first_next_at = None
        self.waiting = 0  # connections in /next
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def close(self):
        self.listener.close()

    def restarted(self):
        """A new process: what the last one was given is over."""
        with self.lock:
            self.state = "starting"
            self.first_next.clear()
            if self.current:
                self.current.end(Outcome("exit"))
            self.current = None

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        received = b""
        try:
            while True:
                while b"\r\n\r\n" not in received:
                    more = connection.recv(65536)
                    if not more:
                        return
                    received += more
                head, received = received.split(b"\r\n\r\n", 1)
                received = self._request(connection, head.decode("latin-1"), received)
        except (OSError, HangUp):
            pass
        finally:
            connection.close()

    def _violation(self, what):
        with self.lock:
            self.violations.append(what)

    def _request(self, connection, head, received):
        first, *lines = head.split("\r\n")
        method, target, version = first.split(" ")
        headers = {}
        for line in lines:
            name, value = line.split(":", 1)
            if name.lower() in headers:
                self._violation(f"{first}: {name} twice")
            headers[name.lower()] = value.strip()
        if version != "HTTP/1.1" or headers.get("host") != self.address:
            self._violation(f"{first}: not HTTP/1.1 to {self.address}")
        for forbidden in ("expect", "transfer-encoding", "authorization", "proxy-connection"):
            if forbidden in headers:
                self._violation(f"{first}: has {forbidden}")
        if method == "POST" and "content-length" not in headers:
            self._violation(f"{first}: no Content-Length")
        length = int(headers.get("content-length", "0"))
        while len(received) < length:
            more = connection.recv(1 << 20)
            if not more:
                raise HangUp
            received += more
        body, received = received[:length], received[length:]
        with self.lock:
            self.requests.append((method, target, headers, body))
        if (method, target) == ("GET", PREFIX + "/invocation/next"):
            if body:
                self._violation("next with a body")
            self._next(connection)
        elif method == "POST":
            self._post(connection, target, headers, body)
        else:
            self._violation(f"no such call: {first}")
            self._answer(connection, 404, "UnknownOperation")
        return received

    def _answer(self, connection, status, error_type=""):
        text = {202: "Accepted", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
                413: "Payload Too Large"}.get(status, "Internal Server Error")
        body = b'{"status":"OK"}\n' if status == 202 else json.dumps(
            {"errorMessage": text, "errorType": error_type}).encode()
        connection.sendall(f"HTTP/1.1 {status} {text}\r\nContent-Type: application/json\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def _next(self, connection):
        with self.lock:
            if self.state == "invoked":
                self.violations.append("next while an invocation is open")
                self._answer(connection, 403, "InvalidStateTransition")
                return
            self.state = "ready"
            if not self.first_next.is_set():
                self.first_next_at = time.monotonic()
                self.first_next.set()
            self.waiting += 1
        try:
            what = self._take(connection)
        finally:
            with self.lock:
                self.waiting -= 1
        if not isinstance(what, Event):
            what(connection)
            return
        with self.lock:
            self.state, self.current = "invoked", what
        try:
            if what.send:
                what.send(connection, what.head(), what.body)
            else:
                connection.sendall(what.head() + what.body)
        except HangUp:
            with self.lock:
                self.state, self.current = "ready", None
            what.end(Outcome("lost"))
            raise

    def _take(self, connection):
        """The next thing in the queue, unless whoever waits has gone."""
        while True:
            try:
                return self.events.get(timeout=0.02)
            except queue.Empty:
                connection.setblocking(False)
                try:
                    if connection.recv(1, socket.MSG_PEEK) == b"":
                        raise HangUp
                    self._violation("something was sent while waiting for an event")
                    raise HangUp
                except BlockingIOError:
                    pass
                finally:
                    connection.setblocking(True)

    def _post(self, connection, target, headers, body):
        scripted = self.on_post.popleft() if self.on_post else None
        if scripted == "close":
            raise HangUp
        if isinstance(scripted, int):
            self._answer(connection, scripted, "Scripted")
            return
        status, error_type = self._take_post(target, headers, body)
        if scripted == "lost":
            raise HangUp
        self._answer(connection, status, error_type)

    def _take_post(self, target, headers, body):
        with self.lock:
            if target == PREFIX + "/init/error":
                if self.state != "starting":
                    self.violations.append("an error of the start after it")
                    return 403, "InvalidStateTransition"
                self._check_error(headers, body)
                self.init_errors.append(Outcome("error", body, headers.get("lambda-runtime-function-error-type", "")))
                return 202, ""
            match = re.fullmatch(re.escape(PREFIX) + "/invocation/([^/]+)/(response|error)", target)
            if not match:
                self.violations.append(f"no such call: POST {target}")
                return 404, "UnknownOperation"
            request_id, kind = match.groups()
            if self.state != "invoked":
                return 403, "InvalidStateTransition"
            if request_id != self.current.request_id:
                self.violations.append(f"an answer to {request_id}, open is {self.current.request_id}")
                return 400, "InvalidRequestID"
            echoed = headers.get("lambda-runtime-invocation-id")
            if echoed is not None and echoed != self.current.invocation_id:
                self.violations.append("an invocation id that was not given")
                return 400, "InvalidInvocationId"
            if kind == "response" and len(body) > LARGEST_RESULT:
                return 413, "RequestEntityTooLarge"
            if kind == "error":
                self._check_error(headers, body)
            else:
                try:
                    json.loads(body)
                except ValueError:
                    self.violations.append(f"a result that is not JSON: {body[:200]!r}")
            event, self.current, self.state = self.current, None, "answered"
        event.end(Outcome(kind, body, headers.get("lambda-runtime-function-error-type", "")))
        return 202, ""

    def _check_error(self, headers, body):
        if not re.fullmatch(r"[A-Z]\w*\.[A-Z]\w*", headers.get("lambda-runtime-function-error-type", "")):
            self.violations.append(f"error type {headers.get('lambda-runtime-function-error-type')!r}")
        if not headers.get("content-type", "").startswith("application/"):
            self.violations.append("an error without Content-Type")
        try:
            document = json.loads(body)
            if not (isinstance(document["errorMessage"], str) and isinstance(document["errorType"], str)
                    and document["stackTrace"] == []):
                self.violations.append(f"error document {body[:300]!r}")
        except (ValueError, KeyError):
            self.violations.append(f"error document {body[:300]!r}")


class Sandbox:
    """One bootstrap process at a time, as Lambda runs it."""

    def __init__(self, bootstrap, environment, handler="backup"):
        self.bootstrap, self.handler = bootstrap, handler
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "AWS_LAMBDA_FUNCTION_NAME": "under-test",
                            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_LOG_FORMAT": "JSON", **environment}
        self.api = RuntimeApi()
        self.process = None
        self.frozen = False
        self.output = tempfile.TemporaryFile()
        self.errors = tempfile.TemporaryFile()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.api.close()
        self.output.close()
        self.errors.close()

    def start(self, wait=True):
        self.api.restarted()
        self.frozen = False
        environment = {**self.environment, "AWS_LAMBDA_RUNTIME_API": self.api.address, "_HANDLER": self.handler}
        self.started_at = time.monotonic()
        self.process = subprocess.Popen([self.bootstrap], env={n: v for n, v in environment.items() if v is not None},
                                        stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.errors)
        if wait and not self.api.first_next.wait(20):
            raise AssertionError(f"no /next: {self.log()}")
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def exit_code(self, seconds=20):
        return self.process.wait(seconds)

    def idle(self, seconds=20):
        """Waits until the function asks for the next event."""
        ends = time.monotonic() + seconds
        while not self.api.waiting:
            if self.process.poll() is not None or time.monotonic() > ends:
                raise AssertionError(f"not asking for an event; exit code {self.process.poll()}: {self.log()}")
            time.sleep(0.005)

    def freeze(self):
        self.idle()
        self.process.send_signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)
        self.frozen = False

    def invoke(self, body, **options):
        """Hands an event over and waits for what becomes of it; a function past its deadline is killed."""
        return self.deliver(Event(body, **options))

    def deliver(self, event):
        if self.process is None or self.process.poll() is not None:
            self.start()
        self.api.events.put(event)
        if self.frozen:
            self.thaw()
        ends = time.monotonic() + 30 + event.seconds
        while not event.over.wait(0.02):
            late = event.deadline is not None and event.seconds > 0 and time.time() > event.deadline
            if self.process.poll() is not None:
                event.end(Outcome("exit", exit_code=self.process.returncode))
            elif late or time.monotonic() > ends:
                self.stop()
                event.end(Outcome("timeout"))
        return event.outcome

    def log(self):
        self.errors.seek(0)
        return self.errors.read().decode()

    def metrics(self):
        self.output.seek(0)
        return [json.loads(line) for line in self.output.read().splitlines()]

    def memory_kib(self, name="VmRSS"):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii", errors="replace") as status:
            return int(re.search(rf"^{name}:\s+(\d+) kB", status.read(), re.MULTILINE).group(1))


# --- what a platform or a network may do to an answer to /next; each is put into RuntimeApi.events before an event

def status(number, body=b'{"errorMessage":"no","errorType":"Scripted"}'):
    def behave(connection):
        connection.sendall(f"HTTP/1.1 {number} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    return behave


def close(_connection):
    raise HangUp


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise HangUp


def raw(data):
    def behave(connection):
        connection.sendall(data)
        raise HangUp
    return behave


# --- and to an event on its way: Event(send=…)

def truncated(connection, head, body):
    connection.sendall(head + body[:len(body) // 2])
    raise HangUp


def truncated_head(connection, head, _body):
    connection.sendall(head[:len(head) // 2])
    raise HangUp


def reset_in_body(connection, head, body):
    connection.sendall(head + body[:len(body) // 2])
    time.sleep(0.05)
    reset(connection)


def dripping(connection, head, body):
    for byte in head + body:
        connection.sendall(bytes([byte]))
        time.sleep(0.001)


def longer_than_said(connection, head, body):
    connection.sendall(head + body + b"surplus")


def shorter_than_said(connection, head, body):
    """Says more than comes, and keeps the connection open."""
    connection.sendall(head + body)
    while connection.recv(4096):
        pass
    raise HangUp
