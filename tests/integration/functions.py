"""What the tests of the Lambda functions share: an AWS in memory, a proxy that misbehaves, sandboxes, and items."""
import json
import os
import socket
import subprocess
import threading
import time
import unittest
import uuid
from decimal import Decimal

import conformance
from runtime_emulator import Sandbox

BOOTSTRAP = os.path.realpath(os.environ.get("DYNABACKUP_BOOTSTRAP") or
                             os.path.join(conformance.BUILD, "src", "apps", "lambda", "bootstrap"))
EVENTS = os.path.join(conformance.ROOT, "tests", "data", "events")
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/{}/stream/2026-03-01T00:00:00.000"


def sanitized():
    """Whether the bootstrap was built with AddressSanitizer, whose memory says nothing about ours."""
    with open(BOOTSTRAP, "rb") as file:
        return b"__asan_init" in file.read()


def sample(name):
    with open(os.path.join(EVENTS, name + ".json"), "rb") as file:
        return file.read()


class Aws(conformance.Server):
    """aws-fake on a port of its own, with the options it takes."""

    def __init__(self, *options):
        if not os.access(conformance.FAKE, os.X_OK):
            raise AssertionError(f"no aws-fake: {conformance.FAKE}")
        self.process = subprocess.Popen([conformance.FAKE, "--port", "0", *options], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        url = f"http://127.0.0.1:{self.port}"
        super().__init__({"dynamodb": "aws-fake", "s3": "aws-fake"}, url, url)

    def close(self):
        super().close()
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()

    def ask(self, path):
        return self._exchange(self.s3_url, "GET", "/_fake/" + path, b"", {}).body

    def stats(self):
        return json.loads(self.ask("stats"))

    def keys(self, bucket, prefix=""):
        """{key: etag of its current version, None for a delete marker}"""
        rows = [json.loads(line) for line in self.ask("bucket/" + bucket).splitlines()]
        return {row["key"]: row["etag"] for row in rows if row["key"].startswith(prefix)}

    def new_bucket(self, versioned=True):
        name = "b" + uuid.uuid4().hex[:12]
        self.until_done(lambda: self.s3("PUT", name))
        if versioned:
            body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
            self.until_done(lambda: self.s3("PUT", name, query=[("versioning", None)], body=body))
        return name

    @staticmethod
    def until_done(call):
        """It may have been told to meet faults."""
        for _ in range(20):
            answer = call()
            if answer.status == 200:
                return
        raise AssertionError(answer)

    def new_table(self, name, layout=(("pk", "S"), ("sk", "N"))):
        self.call("DeleteTable", {"TableName": name})
        self.until_done(lambda: self.call("CreateTable", {
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": n, "AttributeType": t} for n, t in layout],
            "KeySchema": [{"AttributeName": n, "KeyType": k} for (n, _), k in zip(layout, ("HASH", "RANGE"))],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}}))

    def items(self, bucket, prefix=""):
        """What the item objects hold, in a form that compares by value."""
        found = []
        for key, etag in self.keys(bucket, prefix).items():
            if etag is not None and "/.dynabackup/" not in "/" + key:
                found.append(normal(json.loads(self.s3("GET", bucket, key).body)["Item"]))
        return sorted(found, key=repr)

    def scan(self, table):
        return sorted((normal(item) for item in self.call("Scan", {"TableName": table}).json["Items"]), key=repr)


def normal(item):
    """An item in DynamoDB JSON, numbers by value and sets without order."""
    def value(typed):
        (kind, content), = typed.items()
        if kind == "N":
            return kind, Decimal(content)
        if kind == "NS":
            return kind, tuple(sorted(Decimal(n) for n in content))
        if kind in ("SS", "BS"):
            return kind, tuple(sorted(content))
        if kind == "L":
            return kind, tuple(value(each) for each in content)
        return (kind, normal(content)) if kind == "M" else (kind, content)
    return tuple(sorted((name, value(typed)) for name, typed in item.items()))


def stream_event(records, table="Orders"):
    """records: (what, key, image or None, number)."""
    return {"Records": [{
        "eventID": uuid.uuid4().hex, "eventName": what, "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1", "eventSourceARN": STREAM.format(table), "dynamodb": {
            "ApproximateCreationDateTime": int(time.time()), "Keys": key, **({"NewImage": image} if image else {}),
            "SequenceNumber": str(number), "SizeBytes": 100, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    } for what, key, image, number in records]}


def puts(count, size=10, first=0, table="Orders"):
    """An event of `count` new items of about `size` bytes."""
    rows = []
    for n in range(first, first + count):
        key = {"pk": {"S": f"order#{n}"}, "sk": {"N": "1"}}
        rows.append(("INSERT", key, {**key, "text": {"S": "x" * size}}, 100000000000003498070000 + n))
    return stream_event(rows, table)


def hang_up(*sockets):
    for each in sockets:
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it was


class Proxy:
    """In front of a server: forwards, answers late, swallows, or refuses what begins so; counts what comes, and when the last
    byte came."""

    def __init__(self, port):
        self.upstream = port
        self.delay, self.swallow, self.refuse = 0.0, False, None
        self.connections, self.last_byte = [], 0.0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.accepted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                inside, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            outside = socket.create_connection(("127.0.0.1", self.upstream))
            for each in (inside, outside):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            state = {"dead": False, "ended": 0}
            self.connections.append((inside, outside, state))
            threading.Thread(target=self._copy, args=(inside, outside, state, True), daemon=True).start()
            threading.Thread(target=self._copy, args=(outside, inside, state, False), daemon=True).start()

    def _copy(self, source, sink, state, request):
        try:
            while data := source.recv(65536):
                if request:
                    self.last_byte = time.time()
                elif self.delay:
                    time.sleep(self.delay)
                if request and self.refuse and data.startswith(self.refuse):
                    source.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    break
                if not (self.swallow or state["dead"]):
                    sink.sendall(data)
        except OSError:
            pass
        if not state["dead"]:
            hang_up(source, sink)
        state["ended"] += 1
        if state["ended"] == 2:
            source.close()
            sink.close()

    def deaden(self):
        """The connections that are there swallow everything from here on, and nobody is told."""
        for _, _, state in self.connections:
            state["dead"] = True

    def sever(self):
        """Closes every connection."""
        for inside, outside, _ in self.connections:
            hang_up(inside, outside)
        self.connections = []

    def close(self):
        self.listener.close()
        self.sever()


class FunctionTest(unittest.TestCase):
    """A test with a bucket of its own in an AWS in memory, and with functions that break no rule of the platform."""
    maxDiff = 3000
    options = ()

    @classmethod
    def setUpClass(cls):
        if not os.access(BOOTSTRAP, os.X_OK):
            raise AssertionError(f"no bootstrap: {BOOTSTRAP}")
        cls.aws = Aws(*cls.options)
        cls.addClassCleanup(cls.aws.close)
        cls.aws.new_table("Orders")

    def setUp(self):
        self.bucket = self.aws.new_bucket()
        self.sandboxes = []
        self.allowed_violations = []

    def tearDown(self):
        for sandbox in self.sandboxes:
            log = sandbox.log()
            try:
                for trace in ("terminate called", "AddressSanitizer", "LeakSanitizer", "runtime error:", "Assertion"):
                    self.assertNotIn(trace, log)
                for line in log.splitlines():
                    self.assertNotIn(SECRET, line)
                    if sandbox.environment.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
                        self.assertEqual(set(json.loads(line)) - {"requestId"}, {"timestamp", "level", "message"})
                found = [v for v in sandbox.api.violations if v not in self.allowed_violations]
                self.assertEqual(found, [])
                for answered in (r for r in sandbox.api.requests if r[0] == "POST"):
                    self.assertNotIn(SECRET.encode(), answered[3])
            finally:
                sandbox.__exit__()

    def variables(self, **more):
        given = {
            "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL_DYNAMODB": self.aws.dynamodb_url,
            "S3_ENDPOINT": self.aws.s3_url, "S3_PATH_STYLE": "true", "INCREMENTAL_BUCKET": self.bucket,
            "INCREMENTAL_PREFIX": "items", "SNAPSHOT_BUCKET": self.bucket, "SNAPSHOT_PREFIX": "snapshots", **more}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                given[name] = os.environ[name]
        return {name: value for name, value in given.items() if value is not None}

    def sandbox(self, handler="backup", **environment):
        made = Sandbox(BOOTSTRAP, self.variables(**environment), handler)
        self.sandboxes.append(made)
        return made

    def proxy(self, port=None):
        made = Proxy(port or self.aws.port)
        self.addCleanup(made.close)
        return made

    def recorded(self, outcome, sandbox, **metrics):
        """A batch that was recorded whole, with these numbers."""
        self.assertEqual((outcome.kind, outcome.json if outcome.kind == "response" else outcome.body),
                         ("response", {"batchItemFailures": []}), f"{outcome}\n{sandbox.log()}")
        found = sandbox.metrics()[-1]
        self.assertEqual({name: found[name] for name in metrics}, metrics)

    def failed(self, outcome, error_type, *words):
        self.assertEqual((outcome.kind, outcome.error_type), ("error", error_type), outcome)
        for word in words:
            self.assertIn(word.lower(), outcome.message.lower())
