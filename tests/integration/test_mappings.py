"""follow beside AWS Lambda: it warns of a function that reads the same stream, and follows whatever Lambda answers."""
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

import conformance
import hand_out

BINARY = os.environ.get("DYNABACKUP_BINARY") or os.path.join(conformance.BUILD, "src", "apps", "cli", "dynamodb-backup")
VERSIONED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:backup"
UUID = "14e0db71-5d35-4eb5-b481-8945cf9d10c2"


class Lambda(hand_out.Server):
    """Answers every request by `reply`, and keeps what was asked: (path, query, Authorization)."""

    def __init__(self, reply):
        super().__init__()
        self.reply, self.asked, self.over = reply, [], threading.Event()
        self.server.handle_error = lambda *_: None  # some answers are too long or too late: the client hangs up

    def answer(self, handler, body):
        url = urllib.parse.urlsplit(handler.path)
        self.asked.append((handler.command, url.path, urllib.parse.parse_qs(url.query), handler.headers.get("Authorization", "")))
        status, content = self.reply(self)
        return status, [("Content-Type", "application/json")], content

    def stop(self):
        self.over.set()
        super().stop()


def page(*mappings, marker=None):
    return 200, json.dumps({"EventSourceMappings": [
        {"UUID": uuid, "FunctionArn": FUNCTION, "EventSourceArn": stream, "State": state, "BatchSize": 100, "LastModified": 1.79e9}
        for uuid, state, stream in mappings], "NextMarker": marker}).encode()


class FollowBesideLambda(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.aws = conformance.FakeServer()
        self.addCleanup(self.aws.close)
        self.aws.s3("PUT", "backup")
        self.aws.s3("PUT", "backup", query=[("versioning", None)], body=VERSIONED)
        made = self.aws.call("CreateTable", {
            "TableName": "items", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}})
        self.assertEqual(made.status, 200, made)
        self.stream = self.aws.call("DescribeTable", {"TableName": "items"}).json["Table"]["LatestStreamArn"]

    def served(self, reply):
        server = Lambda(reply)
        self.addCleanup(server.stop)
        return server

    def stored(self):
        """How many items have an object."""
        return sum(b"/.dynabackup/" not in key for key in self.aws.s3("GET", "backup", query=[("list-type", "2")]).body.split(b"<Key>")[1:])

    def wait_for_items(self, count, seconds):
        ends = time.monotonic() + seconds
        while self.stored() < count:
            self.assertLess(time.monotonic(), ends, f"{self.stored()} of {count} items after {seconds} s")
            time.sleep(0.05)

    def follow(self, within=20, **environment):
        """Follows until changes before and meanwhile are recorded. What it reports, what it says, and how long the first change took."""
        environment = {
            "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1", "S3_PATH_STYLE": "true", "INCREMENTAL_BUCKET": "backup", "INCREMENTAL_PREFIX": "items/",
            "AWS_ENDPOINT_URL_S3": self.aws.s3_url, "AWS_ENDPOINT_URL_DYNAMODB": self.aws.s3_url,
            **{name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS") if name in os.environ}, **environment}
        self.assertEqual(self.aws.call("PutItem", {"TableName": "items", "Item": {"id": {"S": "before"}}}).status, 200)
        begun = time.monotonic()
        with tempfile.TemporaryFile() as said, subprocess.Popen(
                [BINARY, "follow", "items", "--output", "json"], env=environment, stdout=subprocess.PIPE, stderr=said) as process:
            try:
                self.wait_for_items(1, within)
                took = time.monotonic() - begun
                self.assertEqual(self.aws.call("PutItem", {"TableName": "items", "Item": {"id": {"S": "meanwhile"}}}).status, 200)
                self.wait_for_items(2, 20)
                process.send_signal(signal.SIGINT)
                report = json.loads(process.communicate(timeout=30)[0])
            finally:
                process.kill()
            said.seek(0)
            text = said.read().decode()
        self.assertEqual(report["exit_code"], 130, report)
        self.assertEqual(report["changes"]["puts"], 2)
        self.assertEqual((report["retries"], report["throttles"]), (0, 0))
        self.assertNotIn("secret", text)
        return report, text, took

    def test_an_enabled_mapping_is_warned_of_once_by_name_with_the_way_to_stop_it(self):
        pages = [page(("0" * 8, "Disabled", self.stream), marker="more/+="), page((UUID, "Enabled", self.stream))]
        server = self.served(lambda server: pages[len(server.asked) - 1])
        report, text, _ = self.follow(AWS_ENDPOINT_URL_LAMBDA=server.url)
        self.assertEqual(len(report["warnings"]), 1)
        for word in (FUNCTION, UUID, "s3://backup/items/", f"aws lambda update-event-source-mapping --uuid {UUID} --no-enabled"):
            self.assertIn(word, report["warnings"][0])
        self.assertIn("warning: " + report["warnings"][0], text)
        self.assertLess(text.index(FUNCTION), text.index("following arn:"))
        self.assertEqual([(method, path, query) for method, path, query, _ in server.asked], [
            ("GET", "/2015-03-31/event-source-mappings/", {"EventSourceArn": [self.stream]}),
            ("GET", "/2015-03-31/event-source-mappings/", {"EventSourceArn": [self.stream], "Marker": ["more/+="]})])
        for *_, authorization in server.asked:
            self.assertRegex(authorization, r"Credential=KEY/\d{8}/us-east-1/lambda/aws4_request")

    def test_a_general_endpoint_is_lambdas_too(self):
        server = self.served(lambda server: page((UUID, "Enabled", self.stream)))
        report, *_ = self.follow(AWS_ENDPOINT_URL=server.url)
        self.assertEqual((len(server.asked), len(report["warnings"])), (1, 1))

    def test_a_disabled_mapping_and_one_of_another_stream_are_nobodys_business(self):
        server = self.served(lambda server: page((UUID, "Disabled", self.stream), (UUID, "Enabled", self.stream + "0")))
        report, text, _ = self.follow(AWS_ENDPOINT_URL_LAMBDA=server.url)
        self.assertEqual((len(server.asked), report["warnings"]), (1, []))
        self.assertNotIn("warning", text)

    def test_it_follows_whatever_lambda_answers(self):
        refusal = b'{"Message":"User: x is not authorized to perform: lambda:ListEventSourceMappings"}'
        for status, content in ((403, refusal), (404, b"<Error><Code>NoSuchBucket</Code></Error>"), (500, b"<html/>"), (503, b""), (200, b""),
                                (200, b"garbage"), (200, b'{"EventSourceMappings":[{"UUID":"$(reboot)","State":"Enabled"}]}'),
                                (200, b'{"EventSourceMappings":' + b"[" * 500_000), (200, b" " * (5 << 20))):
            with self.subTest(status=status, content=content[:60]):
                self.setUp()
                server = self.served(lambda server, answer=(status, content): answer)
                report, text, took = self.follow(AWS_ENDPOINT_URL_LAMBDA=server.url)
                self.assertEqual((len(server.asked), report["warnings"]), (1, []))
                self.assertNotIn("warning", text)
                self.assertLess(took, 6)

    def test_it_waits_three_seconds_for_one_that_hangs(self):
        def hang(server):
            server.over.wait(60)
            return 500, b""
        server = self.served(hang)
        report, _, took = self.follow(AWS_ENDPOINT_URL_LAMBDA=server.url)
        self.assertEqual((len(server.asked), report["warnings"]), (1, []))
        self.assertGreater(took, 2.5)
        self.assertLess(took, 8)

    def test_it_follows_where_nobody_listens(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound, and not listening
            report, _, took = self.follow(AWS_ENDPOINT_URL_LAMBDA=f"http://127.0.0.1:{taken.getsockname()[1]}")
        self.assertEqual(report["warnings"], [])
        self.assertLess(took, 6)


if __name__ == "__main__":
    unittest.main()
