"""Each command and each Lambda function takes only the rights that docs/iam.md gives it: asked of an AWS in memory, request by request."""
import http.server
import json
import os
import signal
import subprocess
import threading
import time
import unittest

import conformance
import rights

CLI = os.path.join(conformance.BUILD, "src", "apps", "cli", "dynamodb-backup")
BOOTSTRAP = os.path.join(conformance.BUILD, "src", "apps", "lambda", "bootstrap")
NAMES = {"INCREMENTAL_BUCKET": "incremental", "INCREMENTAL_PREFIX": "backup", "SNAPSHOT_BUCKET": "snapshots",
         "SNAPSHOT_PREFIX": "files", "TABLE": "items"}
VERSIONED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"


def invoke(environment, handler, event):
    """What the function answers to one event: ("response" or "error", JSON)."""
    answers = []
    over = threading.Event()

    class Platform(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if answers or getattr(self.server, "given", False):
                over.wait(60)
                return
            self.server.given = True
            body = json.dumps(event).encode()
            self.send_response(200)
            for name, value in (("Lambda-Runtime-Aws-Request-Id", "request"), ("Lambda-Runtime-Deadline-Ms", "4102444800000"),
                                ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:f"),
                                ("Content-Type", "application/json"), ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answers.append((self.path.rsplit("/", 1)[1], json.loads(body)))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            over.set()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    platform = {"_HANDLER": handler, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_address[1]}"}
    with subprocess.Popen([BOOTSTRAP], env={**environment, **platform}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            over.wait(60)
        finally:
            process.kill()
            over.set()
            server.shutdown()
            server.server_close()
    return answers[0] if answers else ("nothing", None)


class RightsTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        for program in (CLI, BOOTSTRAP):
            self.assertTrue(os.access(program, os.X_OK), f"no program: {program}")
        self.aws = conformance.FakeServer()
        self.addCleanup(self.aws.close)
        for bucket in ("incremental", "snapshots"):
            self.aws.s3("PUT", bucket)
            self.aws.s3("PUT", bucket, query=[("versioning", None)], body=VERSIONED)
        for table in ("items", "restored"):
            made = self.aws.call("CreateTable", {
                "TableName": table, "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}})
            self.assertEqual(made.status, 200, made)
        self.stream = self.aws.call("DescribeTable", {"TableName": "items"}).json["Table"]["LatestStreamArn"]
        for number in range(30):
            self.assertEqual(self.aws.call("PutItem", {"TableName": "items", "Item": {"id": {"S": f"i{number}"}}}).status, 200)
        self.watch = rights.Watch(self.aws.s3_url)
        self.addCleanup(self.watch.close)
        self.environment = {
            "INCREMENTAL_BUCKET": "incremental", "INCREMENTAL_PREFIX": "backup/", "SNAPSHOT_BUCKET": "snapshots",
            "SNAPSHOT_PREFIX": "files/", "DYNAMODB_REGION": "us-east-1", "S3_PATH_STYLE": "true", "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": self.watch.url, "AWS_ENDPOINT_URL_DYNAMODB": self.watch.url,
            "AWS_ENDPOINT_URL_LAMBDA": self.watch.url, "AWS_ACCESS_KEY_ID": "LOCALSTACKKEY", "AWS_SECRET_ACCESS_KEY": "secret", "HOME": "/nonexistent"}

    def command(self, *arguments):
        done = subprocess.run([CLI, *arguments], env=self.environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)

    def function(self, handler, event, **variables):
        kind, answer = invoke({**self.environment, **variables}, handler, event)
        self.assertEqual(kind, "response", answer)
        return answer

    def took(self, heading, *must, table="items", and_under=None):
        """Nothing but what is documented under `heading` (and another one) since the last time, and at least the actions `must`."""
        used, self.watch.used = self.watch.used, set()
        allowed = rights.documented(heading) | (rights.documented(and_under) if and_under else set())
        self.assertEqual(rights.lacking(used, allowed, {**NAMES, "TABLE": table}), set())
        self.assertEqual(set(must) - {action for action, _ in used}, set())

    def changes(self, *changes):
        return {"Records": [{
            "eventID": str(number), "eventName": name, "eventVersion": "1.1", "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
            "eventSourceARN": self.stream, "dynamodb": {
                "ApproximateCreationDateTime": 1764000000 + number, "Keys": {"id": {"S": key}}, "SequenceNumber": str(1000 + number),
                "SizeBytes": 10, "StreamViewType": "NEW_IMAGE",
                **({} if name == "REMOVE" else {"NewImage": {"id": {"S": key}, "n": {"N": str(number)}}})}}
            for number, (name, key) in enumerate(changes)]}

    def test_a_backfill_then_snapshots_and_restores_by_command_and_by_function(self):
        self.command("backfill", "items")
        self.took("backfill", "dynamodb:Scan", "s3:PutObject", "s3:GetBucketVersioning", "s3:ListBucketVersions", "s3:DeleteObjectVersion")
        self.command("snapshot", "first.json")
        self.took("snapshot", "s3:ListBucket", "s3:GetObject", "s3:PutObject")
        self.command("snapshot", "past.json", "--at", "-0s")
        self.took("snapshot", "s3:ListBucketVersions", "s3:GetObjectVersion", "s3:GetLifecycleConfiguration", "s3:GetBucketVersioning",
                  and_under="snapshot --at")
        self.function("snapshot", {"snapshotFilename": "second.json"})
        self.took("snapshot", "s3:ListBucket", "s3:GetObject", "s3:PutObject")
        self.command("restore", "restored", "first.json", "--state", "s3")
        self.took("restore", "dynamodb:BatchWriteItem", "s3:GetObject", table="restored")
        self.command("restore", "restored", "--at", "-0s")
        self.took("restore --at", "dynamodb:BatchWriteItem", "s3:GetObjectVersion", "s3:ListBucketVersions", table="restored")
        self.function("restore", {"tableName": "restored", "snapshotFilename": "second.json"})
        self.took("restore", "dynamodb:BatchWriteItem", "s3:GetObject", table="restored")

    def test_the_versions_of_an_item(self):
        self.command("backfill", "items")
        self.function("backup", self.changes(("MODIFY", "i1"), ("REMOVE", "i1")))
        self.watch.used = set()
        self.command("history", "--key", "id=i1")
        self.took("history and show", "s3:GetBucketVersioning", "s3:ListBucketVersions", "s3:GetObjectVersion", "s3:GetObject", "s3:ListBucket")
        self.command("show", "--key", "id=i2")
        self.took("history and show", "s3:GetObjectVersion")
        self.command("show", "--key", "id=i2", "--at", "-0s")
        self.took("history and show", "s3:GetObjectVersion", "s3:GetLifecycleConfiguration")
        self.command("show", "--key", "id=never-was")
        self.took("history and show", "s3:ListBucketVersions")

    def test_a_snapshot_in_parts(self):
        for number in range(30):
            item = {"id": {"S": f"i{number}"}, "large": {"S": os.urandom(190_000).hex()}}
            self.assertEqual(self.aws.call("PutItem", {"TableName": "items", "Item": item}).status, 200)
        self.command("backfill", "items")
        self.took("backfill")
        self.command("snapshot", "large.json", "--compression", "none")
        self.took("snapshot", "s3:DeleteObjectVersion")

    def test_recording_into_an_empty_prefix_and_what_is_delivered_again(self):
        event = self.changes(("INSERT", "a"), ("MODIFY", "a"), ("REMOVE", "a"), ("INSERT", "b"), ("REMOVE", "never-there"))
        self.assertEqual(self.function("backup", event), {"batchItemFailures": []})
        self.took("The backup function", "dynamodb:DescribeTable", "s3:GetBucketVersioning", "s3:ListBucket", "s3:PutObject", "s3:GetObject",
                  "s3:DeleteObject", "s3:DeleteObjectVersion")
        self.assertEqual(self.function("backup", event, DYNABACKUP_PARTIAL_BATCH="true"), {"batchItemFailures": []})
        self.took("The backup function", "s3:GetObject")

    def test_a_dead_letter(self):
        event = self.changes(("INSERT", "a"))
        event["Records"][0]["dynamodb"]["NewImage"]["n"] = {"N": "no number"}
        self.assertEqual(self.function("backup", event, DYNABACKUP_DEAD_LETTERS="true"), {"batchItemFailures": []})
        self.took("The backup function", "s3:PutObject")

    def test_following_a_stream(self):
        with subprocess.Popen([CLI, "follow", "items"], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            self.addCleanup(process.kill)
            until = time.monotonic() + 30
            deleted = None
            while time.monotonic() < until and not any(action == "s3:DeleteObject" for action, _ in self.watch.used):
                recorded = sum(action == "s3:PutObject" and ".dynabackup" not in resource for action, resource in set(self.watch.used))
                if recorded >= 30 and not deleted:
                    deleted = self.aws.call("DeleteItem", {"TableName": "items", "Key": {"id": {"S": "i3"}}})
                time.sleep(0.1)
            # The lease is written again, over its own version, while there is news.
            while time.monotonic() < until and not any(
                    action == "s3:DeleteObjectVersion" and resource.endswith("recorder.json") for action, resource in set(self.watch.used)):
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            self.assertIn(process.wait(30), (0, 130))
        self.took("follow", "dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords", "s3:PutObject", "s3:GetObject",
                  "s3:DeleteObject", "s3:DeleteObjectVersion", "lambda:ListEventSourceMappings")


if __name__ == "__main__":
    unittest.main()
