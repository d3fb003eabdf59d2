"""One set of cases, several servers: the wire, spoken by hand, and what is known to differ from AWS.

A case states what AWS does. Where a server is known to do something else, KNOWN says what, and the case then asserts
that: a server that changes, for better or worse, fails. Nothing is left out for a server.
"""
import hashlib
import http.client
import json
import os
import re
import subprocess
import unittest
import urllib.parse
import uuid
import xml.etree.ElementTree
import zlib

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
# Beside the binary that is tested, in its build folder.
BUILD = os.path.join(os.path.dirname(os.environ["DYNABACKUP_BINARY"]), *[".."] * 3) if os.environ.get(
    "DYNABACKUP_BINARY") else os.path.join(ROOT, "build")
FAKE = os.path.realpath(
    os.environ.get("DYNABACKUP_AWS_FAKE") or os.path.join(BUILD, "tests", "fakes", "server", "aws-fake"))
REGION = "us-east-1"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """AWS's error code, of either protocol; "" when there is none."""
        if self.body[:1] == b"{":
            return self.json.get("__type", "").split("#")[-1]
        found = re.search(rb"<Code>([^<]*)</Code>", self.body)
        return found.group(1).decode() if found else ""

    @property
    def outcome(self):
        return (self.status, self.code)

    @property
    def xml(self):
        """The body's elements without namespaces."""
        tree = xml.etree.ElementTree.fromstring(self.body)
        for element in tree.iter():
            element.tag = element.tag.split("}")[-1]
        return tree

    def __repr__(self):
        return f"{self.status} {dict(self.headers)}\n{self.body[:2000]!r}"


class Server:
    """One keep-alive connection to each of the two services."""

    def __init__(self, name, dynamodb, s3, key="LOCALSTACKKEY", secret="secret"):
        self.names = name
        self.credentials = Credentials(key, secret)
        self.dynamodb_url, self.s3_url = dynamodb, s3
        self.connections = {}

    def _exchange(self, endpoint, method, target, body, headers):
        url = urllib.parse.urlsplit(endpoint)
        for attempt in (1, 2):
            if url.netloc not in self.connections:
                self.connections[url.netloc] = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
            connection = self.connections[url.netloc]
            try:
                connection.request(method, target, body, headers)
                answer = connection.getresponse()
                return Answer(answer.status, answer.headers, answer.read())
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.reset()  # the server had closed the idle connection
                if attempt == 2:
                    raise

    def call(self, operation, body, api="DynamoDB_20120810"):
        """A DynamoDB call; `body` is JSON text, or what json.dumps takes. The signature has the shape, no more."""
        headers = {
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"{api}.{operation}",
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": "AWS4-HMAC-SHA256 Credential=LOCALSTACKKEY/20260101/us-east-1/dynamodb/aws4_request, "
            "SignedHeaders=host;x-amz-date;x-amz-target, Signature=" + "0" * 64,
        }
        text = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self._exchange(self.dynamodb_url, "POST", "/", text.encode() if isinstance(text, str) else text, headers)

    def stream_call(self, operation, body):
        return self.call(operation, body, "DynamoDBStreams_20120810")

    def s3(self, method, bucket, key="", query=(), body=b"", **headers):
        """An S3 call, signed. `query`: pairs; a value of None is a name alone. Header names: _ for -."""
        path = "/" + bucket + ("/" + urllib.parse.quote(key, safe="/-._~") if key else "")
        pairs = [(name, "" if value is None else str(value)) for name, value in query]
        target = path + ("?" + urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote) if pairs else "")
        request = AWSRequest(method, self.s3_url + target, {n.replace("_", "-"): v for n, v in headers.items()}, body)
        request.headers["x-amz-content-sha256"] = hashlib.sha256(body).hexdigest()
        S3SigV4Auth(self.credentials, "s3", REGION).add_auth(request)
        return self._exchange(self.s3_url, method, target, body, dict(request.headers.items()))

    def reset(self):
        """New connections from here on."""
        for connection in self.connections.values():
            connection.close()
        self.connections = {}

    def close(self):
        self.reset()


def stack_server():
    """DynamoDB Local and Ceph, wherever the environment says they are."""
    server = _stack_server()
    if "Jetty" not in (server.call("ListTables", {}).headers["Server"] or ""):
        server.close()
        raise unittest.SkipTest("the stack's DynamoDB is not DynamoDB Local, whose differences are the ones known here")
    return server


def _stack_server():
    return Server({"dynamodb": "DynamoDB Local", "s3": "Ceph"}, os.environ["AWS_ENDPOINT_URL_DYNAMODB"],
                  os.environ["AWS_ENDPOINT_URL_S3"], os.environ["AWS_ACCESS_KEY_ID"],
                  os.environ["AWS_SECRET_ACCESS_KEY"])


class FakeServer(Server):
    """aws-fake on a port of its own."""

    def __init__(self):
        if not os.access(FAKE, os.X_OK):
            raise AssertionError(f"no aws-fake: {FAKE}")
        self.process = subprocess.Popen([FAKE, "--port", "0"], stdout=subprocess.PIPE, text=True)
        port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        url = f"http://127.0.0.1:{port}"
        super().__init__({"dynamodb": "aws-fake", "s3": "aws-fake"}, url, url)

    def arrange(self, operation, body):
        """What only the fake can do: Fake.SplitShards, Fake.ProcessAtMost."""
        answer = self.call(operation, body, "Fake")
        assert answer.status == 200, answer

    def close(self):
        super().close()
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


class ConformanceTest(unittest.TestCase):
    """The base of the cases; a subclass a server says which."""
    maxDiff = 4000
    service = ""  # "dynamodb" or "s3"
    known = {}  # (server, case): (what it does instead, why that is believed)
    make_server = None
    seen = set()  # the cases that asked
    ran = 0

    @classmethod
    def setUpClass(cls):
        cls.server = cls.make_server()
        cls.name = cls.server.names[cls.service]
        cls.addClassCleanup(cls.server.close)
        cls.seen, cls.ran = set(), 0

    @classmethod
    def tearDownClass(cls):
        """A difference that no case asks about any more is not known but forgotten."""
        if cls.ran == len(unittest.defaultTestLoader.getTestCaseNames(cls)):
            forgotten = [case for server, case in cls.known if server == cls.name and case not in cls.seen]
            assert not forgotten, f"KNOWN has cases that {cls.name} was not asked: {forgotten}"

    def setUp(self):
        type(self).ran += 1

    def unique(self, kind="t"):
        return f"conform-{kind}-{uuid.uuid4().hex[:10]}"

    def same(self, case, found, aws):
        """What was found is what AWS does, or what this server is known to do instead."""
        self.seen.add(case)
        expected = self.known[(self.name, case)][0] if (self.name, case) in self.known else aws
        self.assertEqual(found, expected, f"{self.name}: {case}")

    def assert_checksum(self, answer):
        self.assertEqual(answer.headers["x-amz-crc32"], str(zlib.crc32(answer.body)))
