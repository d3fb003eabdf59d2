"""The functions of bootstrap: every sample event has its outcome written here and gives it; backup, snapshot and restore
in every form that they are called in; deadlines and budgets; and one whole run against the local stack."""
import base64
import gzip
import json
import os
import re
import subprocess
import threading
import time
import uuid

import functions
import harness
from functions import FunctionTest, normal, puts, sample, stream_event
from runtime_emulator import Event

ORDERS = (("pk", "S"), ("sk", "N"))
BINARY_KEYS = (("pk", "B"), ("sk", "B"))

# What `backup` makes of an event: ("recorded", metrics), or ("failed", error type, words of the message).
RECORDED = {
    "ddb-stream-batch-mixed": dict(Records=10, Puts=8, Deletes=2),
    "ddb-stream-binary-and-sets": dict(Records=1, Puts=1),
    "ddb-stream-binary-keys": dict(Records=1, Puts=1),
    "ddb-stream-duplicate-delivery": dict(Records=3, Puts=2, Repeats=1),
    "ddb-stream-empty-records": dict(Records=0, Puts=0, Deletes=0),
    "ddb-stream-insert": dict(Records=1, Puts=1),
    "ddb-stream-modify": dict(Records=1, Puts=1),
    "ddb-stream-new-image": dict(Records=2, Puts=1, Deletes=1),
    "ddb-stream-numbers": dict(Records=1, Puts=1),
    "ddb-stream-remove": dict(Records=1, Deletes=1),
    "ddb-stream-timestamps": dict(Records=5, Puts=5),
    "ddb-stream-ttl-remove": dict(Records=2, Deletes=2),
    "ddb-stream-tumbling-window": dict(Records=2, Puts=2),
    "ddb-stream-unicode-escaped": dict(Records=1, Puts=1),
    "ddb-stream-unicode-raw": dict(Records=1, Puts=1),
    "ddb-stream-unknown-fields": dict(Records=1, Puts=1),
}
REFUSED = {
    "ddb-stream-keys-only": ("Function.Refused", "KEYS_ONLY"),
    "ddb-stream-old-image": ("Function.Refused", "OLD_IMAGE"),
    "ddb-stream-malformed-event-name": ("Function.BatchFailed", "from sequence number 100000000000003498070539"),
    "ddb-stream-malformed-no-dynamodb": ("Function.BatchFailed", "without a sequence number"),
    "ddb-stream-malformed-number": ("Function.BatchFailed", "number"),
    "ddb-on-failure-s3-object": ("Function.Malformed", "Records"),
    "ddb-on-failure-sqs-body": ("Function.Malformed", "Records"),
    "direct-invoke": ("Function.Malformed", "Records"),
    "direct-invoke-null": ("Function.Malformed", "event"),
    "direct-invoke-number": ("Function.Malformed", "event"),
    "direct-invoke-string": ("Function.Malformed", "event"),
    "response-batch-one-failure": ("Function.Malformed", "Records"),
    "response-batch-success": ("Function.Malformed", "Records"),
    "response-http-v1": ("Function.Malformed", "Records"),
    "response-http-v2": ("Function.Malformed", "Records"),
    "runtime-error-body": ("Function.Malformed", "Records"),
    "apigw-v1-http-api-format-1.0": ("Function.Malformed", "Records"),
    "apigw-v1-rest-base64": ("Function.Malformed", "Records"),
    "apigw-v1-rest-get-nulls": ("Function.Malformed", "Records"),
    "apigw-v1-rest-post": ("Function.Malformed", "Records"),
    "apigw-v2-http-base64": ("Function.Malformed", "Records"),
    "apigw-v2-http-get-minimal": ("Function.Malformed", "Records"),
    "apigw-v2-http-post": ("Function.Malformed", "Records"),
    "function-url-iam-base64": ("Function.Malformed", "Records"),
    "function-url-post": ("Function.Malformed", "Records"),
}
# What `restore` makes of it: an HTTP answer (status, words), or an error of the invocation.
MISSING = "tableName is missing"
RESTORE_ANSWERS = {
    "apigw-v1-http-api-format-1.0": (400, MISSING), "apigw-v1-rest-base64": (400, MISSING),
    "apigw-v1-rest-get-nulls": (400, MISSING), "apigw-v1-rest-post": (400, MISSING),
    "apigw-v2-http-base64": (400, "not JSON"), "apigw-v2-http-get-minimal": (400, MISSING),
    "apigw-v2-http-post": (400, MISSING), "function-url-iam-base64": (400, "not JSON"),
    "function-url-post": (400, MISSING),
}
RESTORE_ERRORS = {
    "direct-invoke-number": ("Function.Malformed", "not JSON"),  # 1e400: no double, and nobody's request
    "direct-invoke-string": ("Function.BadRequest", "not a JSON object"),
}


def names():
    return sorted(name[:-5] for name in os.listdir(functions.EVENTS) if name.endswith(".json"))


class Samples(FunctionTest):
    def test_every_sample_has_an_outcome_as_a_backup(self):
        self.assertEqual(sorted([*RECORDED, *REFUSED]), names())
        for name in names():
            with self.subTest(name):
                self.bucket = self.aws.new_bucket()
                self.aws.new_table("Orders", BINARY_KEYS if name == "ddb-stream-binary-keys" else ORDERS)
                sandbox = self.sandbox()
                outcome = sandbox.invoke(sample(name))
                if name in REFUSED:
                    self.failed(outcome, *REFUSED[name])
                    self.assertEqual(self.aws.items(self.bucket), [])
                    continue
                expected = {"Puts": 0, "Deletes": 0, "Repeats": 0, "DeadLetters": 0, **RECORDED[name]}
                self.recorded(outcome, sandbox, **expected)
                self.assertEqual(self.aws.items(self.bucket), self.images_of(json.loads(sample(name))))
        self.aws.new_table("Orders", ORDERS)

    @staticmethod
    def images_of(event):
        """The state after the event: of each key the newest image."""
        state = {}
        for record in sorted(event["Records"], key=lambda r: int(r["dynamodb"]["SequenceNumber"])):
            change = record["dynamodb"]
            state[normal(change["Keys"])] = None if record["eventName"] == "REMOVE" else normal(change["NewImage"])
        return sorted((image for image in state.values() if image), key=repr)

    def test_both_spellings_of_unicode_are_one_item(self):
        keys = []
        for name in ("ddb-stream-unicode-raw", "ddb-stream-unicode-escaped"):
            self.bucket = self.aws.new_bucket()
            sandbox = self.sandbox()
            self.recorded(sandbox.invoke(sample(name)), sandbox, Puts=1)
            keys.append({k: e for k, e in self.aws.keys(self.bucket).items() if ".dynabackup" not in k})
        self.assertEqual(*keys)

    def test_every_sample_has_an_outcome_as_a_restore(self):
        sandbox = self.sandbox("restore")
        for name in names():
            with self.subTest(name):
                outcome = sandbox.invoke(sample(name))
                if name in RESTORE_ANSWERS:
                    status, words = RESTORE_ANSWERS[name]
                    self.assertEqual(outcome.kind, "response", outcome)
                    self.assertEqual(outcome.json["statusCode"], status)
                    self.assertIn(words, json.loads(outcome.json["body"])["message"])
                else:
                    self.failed(outcome, *RESTORE_ERRORS.get(name, ("Function.BadRequest", MISSING)))


class Backup(FunctionTest):
    def test_a_batch_that_was_recorded_is_a_repeat_when_it_comes_again(self):
        sandbox = self.sandbox()
        event = json.loads(sample("ddb-stream-batch-mixed"))
        self.recorded(sandbox.invoke(event), sandbox, Puts=8, Deletes=2)
        before = self.aws.keys(self.bucket)
        # A delete marker tells no sequence number: what was put and deleted comes once more, in order.
        self.recorded(sandbox.invoke(event), sandbox, Puts=1, Deletes=1, Repeats=8)
        self.assertEqual(self.aws.keys(self.bucket), before)

    def test_a_hundred_records_with_at_most_32_requests_at_a_time(self):
        sandbox = self.sandbox()
        began = time.monotonic()
        self.recorded(sandbox.invoke(puts(100, size=1000)), sandbox, Records=100, Puts=100)
        took = time.monotonic() - began
        in_flight = int(re.search(r"at most (\d+) in flight", sandbox.log()).group(1))
        print(f"\n    100 records of 1 KB in {took * 1000:.0f} ms, at most {in_flight} requests in flight, "
              f"resident {sandbox.memory_kib('VmHWM') / 1024:.1f} MiB")
        self.assertGreater(in_flight, 1)
        self.assertLessEqual(in_flight, 32)
        self.assertEqual(len(self.aws.items(self.bucket)), 100)

    def test_as_much_as_an_event_may_hold_in_bounded_memory(self):
        sandbox = self.sandbox()
        self.recorded(sandbox.invoke(puts(8_000, size=200), seconds=60), sandbox, Puts=8_000)
        if not functions.sanitized():
            self.assertLess(sandbox.memory_kib("VmHWM"), 64 << 10)

    def test_a_table_in_the_prefix_is_the_streams(self):
        self.aws.new_table("Second")
        sandbox = self.sandbox(INCREMENTAL_PREFIX="backup/{table}")
        for table in ("Orders", "Second"):
            self.recorded(sandbox.invoke(puts(3, table=table)), sandbox, Puts=3)
            self.assertEqual(sandbox.metrics()[-1]["TableName"], table)
        found = [k for k, e in self.aws.keys(self.bucket).items() if ".dynabackup/" not in k]
        self.assertEqual(sorted({k.rsplit("/", 1)[0] for k in found}), ["backup/Orders", "backup/Second"])

    def test_a_record_that_cannot_be_read_fails_the_batch_unless_it_is_to_be_kept(self):
        event = puts(4)
        event["Records"][2]["eventName"] = "UPSERT"
        bad = event["Records"][2]["dynamodb"]["SequenceNumber"]
        self.failed(self.sandbox().invoke(event), "Function.BatchFailed", f"from sequence number {bad} on")
        partial = self.sandbox(DYNABACKUP_PARTIAL_BATCH="true").invoke(event)
        self.assertEqual((partial.kind, partial.json), ("response", {"batchItemFailures": [{"itemIdentifier": bad}]}))
        kept = self.sandbox(DYNABACKUP_DEAD_LETTERS="true")
        self.recorded(kept.invoke(event), kept, DeadLetters=1)
        self.assertTrue([k for k in self.aws.keys(self.bucket) if "/.dynabackup/dead-letter/" in k])
        self.assertTrue([k for k in self.aws.keys(self.bucket) if "/.dynabackup/gaps/" in k])

    def test_what_names_no_number_fails_as_a_whole_also_where_parts_are_allowed(self):
        sandbox = self.sandbox(DYNABACKUP_PARTIAL_BATCH="true")
        self.failed(sandbox.invoke(sample("ddb-stream-malformed-no-dynamodb")), "Function.BatchFailed")
        self.failed(sandbox.invoke(sample("ddb-stream-keys-only")), "Function.Refused", "KEYS_ONLY")

    def test_coalesced(self):
        sandbox = self.sandbox(DYNABACKUP_COALESCE="true")
        outcome = sandbox.invoke(sample("ddb-stream-batch-mixed"))
        self.assertEqual(outcome.kind, "response", outcome)
        found = sandbox.metrics()[-1]
        self.assertGreater(found["Coalesced"], 0)
        self.assertEqual(found["Puts"] + found["Deletes"] + found["Coalesced"], 10)
        self.assertEqual(self.aws.items(self.bucket),
                         Samples.images_of(json.loads(sample("ddb-stream-batch-mixed"))))

    def test_a_bucket_without_versions_is_refused_with_the_cure(self):
        bucket = self.aws.new_bucket(versioned=False)
        self.failed(self.sandbox(INCREMENTAL_BUCKET=bucket).invoke(puts(1)), "Function.Refused",
                    "not versioned", "put-bucket-versioning")
        accepted = self.sandbox(INCREMENTAL_BUCKET=bucket, DYNABACKUP_UNVERSIONED="true")
        self.recorded(accepted.invoke(puts(1)), accepted, Puts=1)
        missing = self.sandbox(INCREMENTAL_BUCKET="none-of-that-name").invoke(puts(1))
        self.failed(missing, "Function.Service", "NoSuchBucket")

    def test_out_of_time(self):
        """Told before the deadline, and nothing is sent after it; the next event finds the process in order."""
        for partial in (False, True):
            with self.subTest(partial=partial):
                proxy = self.proxy()
                sandbox = self.sandbox(S3_ENDPOINT=proxy.url, DYNABACKUP_PARTIAL_BATCH=str(partial).lower())
                self.recorded(sandbox.invoke(puts(50)), sandbox, Puts=50)
                pid = sandbox.process.pid
                proxy.swallow = True
                event = Event(puts(50, first=100), seconds=3)
                outcome = sandbox.deliver(event)
                self.assertLess(time.time(), event.deadline)
                # Given up in the middle of requests, nobody knows what of it was recorded: all of it comes again.
                self.failed(outcome, "Function.OutOfTime")
                time.sleep(max(0.0, event.deadline - time.time()) + 1.0)
                self.assertLess(proxy.last_byte, event.deadline)
                proxy.swallow = False
                proxy.sever()
                self.recorded(sandbox.invoke(puts(50, first=100)), sandbox, Records=50)
                self.assertEqual(sandbox.process.pid, pid)
                self.assertEqual(len(self.aws.items(self.bucket)), 100)
                self.bucket = self.aws.new_bucket()

    def test_trouble_of_the_network_is_mended_or_told(self):
        sandbox = self.sandbox(S3_ENDPOINT="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="2")
        self.failed(sandbox.invoke(puts(1)), "Function.Network", "127.0.0.1:9")
        sandbox = self.sandbox(AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="2")
        self.failed(sandbox.invoke(puts(1)), "Function.Network", "127.0.0.1:9")


class FaultyBackup(FunctionTest):
    options = ("--faults", "0.1", "--seed", "7", "--fault-kinds", "closed_before,reset,error_service,throttled")

    def test_a_store_that_fails_every_tenth_request(self):
        sandbox = self.sandbox()
        outcome = sandbox.invoke(puts(300), seconds=60)
        self.recorded(outcome, sandbox, Records=300)
        self.assertGreater(sandbox.metrics()[-1]["Retries"], 0)


def http_event(form, body, encoded=False):
    """One of the sample events with another body."""
    event = json.loads(sample(form))
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    event["isBase64Encoded"] = encoded
    event["body"] = base64.b64encode(text.encode()).decode() if encoded else text
    return event


FORMS = ("apigw-v1-rest-post", "apigw-v1-http-api-format-1.0", "apigw-v2-http-post", "function-url-post")


class Jobs(FunctionTest):
    """Snapshot and restore, in every form of a call."""

    def setUp(self):
        super().setUp()
        self.table = "T" + uuid.uuid4().hex[:8]
        self.aws.new_table(self.table)
        self.load(60)

    def load(self, count, first=0):
        for n in range(first, first + count):
            item = {"pk": {"S": f"k{n}"}, "sk": {"N": str(n)}, "text": {"S": "x" * 500}}
            assert self.aws.call("PutItem", {"TableName": self.table, "Item": item}).status == 200

    def backfill(self):
        done = subprocess.run([harness.BINARY, "backfill", self.table], env={
            "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **self.variables(DYNAMODB_REGION="us-east-1")},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout.decode())

    def http(self, outcome, status):
        self.assertEqual(outcome.kind, "response", outcome)
        self.assertEqual(outcome.json["statusCode"], status, outcome)
        self.assertEqual(outcome.json["headers"], {"content-type": "application/json"})
        self.assertIs(outcome.json["isBase64Encoded"], False)
        return json.loads(outcome.json["body"])

    def snapshot_named(self, name):
        outcome = self.sandbox("snapshot").invoke({"snapshotFilename": name})
        self.assertEqual(outcome.kind, "response", outcome)
        return name

    def test_a_snapshot_in_every_form(self):
        self.backfill()
        sandbox = self.sandbox("snapshot")
        for number, form in enumerate(FORMS):
            for encoded in (False, True):
                with self.subTest(form, encoded=encoded):
                    name = f"{number}-{encoded}.json.gz"
                    said = self.http(sandbox.invoke(http_event(form, {"snapshotFilename": name}, encoded)), 200)
                    self.assertEqual((said["status"], said["snapshotFilename"], said["itemsWritten"]), ("done", name, 60))
                    body = self.aws.s3("GET", self.bucket, "snapshots/" + name).body
                    self.assertEqual(len(gzip.decompress(body).splitlines()), 60)
        direct = sandbox.invoke({"snapshotFilename": "direct.json.gz"})
        self.assertEqual((direct.kind, direct.json["snapshotFilename"]), ("response", "direct.json.gz"))
        for nameless in ("null", "{}", json.dumps(http_event(FORMS[0], None)),
                         '{"version":"0","detail-type":"Scheduled Event","source":"aws.events","detail":{}}'):
            outcome = sandbox.invoke(nameless.encode())
            self.assertEqual(outcome.kind, "response", outcome)
            time.sleep(1.1)  # names without one are the time, to the second

    def test_a_snapshot_that_is_not_covered_is_no_success(self):
        recorder = self.sandbox()
        self.recorded(recorder.invoke(puts(3, table=self.table)), recorder, Puts=3)
        sandbox = self.sandbox("snapshot")
        said = self.http(sandbox.invoke(http_event(FORMS[0], {"snapshotFilename": "a"})), 500)
        self.assertIn("not covered", said["message"])
        self.assertRegex(said["requestId"], r"^[0-9a-f-]{36}$")
        self.failed(sandbox.invoke({"snapshotFilename": "b"}), "Function.NotWhole", "not covered")

    def test_requests_for_a_snapshot_that_make_no_sense(self):
        sandbox = self.sandbox("snapshot", INCREMENTAL_PREFIX="items/{table}")
        for body, words in (({}, "tableName is missing"), ({"tableName": 1}, "has to be a string"),
                            ({"tableName": "a b"}, "neither the name of a table"),
                            ({"tableName": "abc", "snapshotFilename": ".dynabackup/x"}, "name of a snapshot"),
                            ({"tableName": "abc", "snapshotFilename": "/x"}, "name of a snapshot"),
                            ("[1]", "not a JSON object"), ("{", "not JSON")):
            with self.subTest(body):
                self.assertIn(words, self.http(sandbox.invoke(http_event(FORMS[2], body)), 400)["message"])
        said = self.http(sandbox.invoke(http_event(FORMS[2], {"tableName": "none-such"})), 404)
        self.assertIn("holds no backup", said["message"])
        self.failed(sandbox.invoke({"tableName": "none-such"}), "Function.NotFound", "holds no backup")
        event = http_event(FORMS[2], {"tableName": "abc"}, encoded=True)
        event["body"] = "%%%"
        self.assertIn("base64", self.http(sandbox.invoke(event), 400)["message"])

    def test_the_name_of_a_snapshot_that_is_there_is_taken(self):
        self.backfill()
        sandbox = self.sandbox("snapshot")
        request = {"snapshotFilename": self.snapshot_named("taken.json.gz")}
        said = self.http(sandbox.invoke(http_event(FORMS[0], request)), 409)
        self.assertIn("exists: choose another name", said["message"])
        self.assertNotIn("--overwrite", said["message"])
        self.failed(sandbox.invoke(request), "Function.Conflict", "exists")

    def test_a_restore_in_every_form(self):
        self.backfill()
        name = self.snapshot_named("all.json.gz")
        sandbox = self.sandbox("restore")
        for form in FORMS:
            for encoded in (False, True):
                with self.subTest(form, encoded=encoded):
                    copy = "C" + uuid.uuid4().hex[:8]
                    self.aws.new_table(copy)
                    said = self.http(sandbox.invoke(
                        http_event(form, {"tableName": copy, "snapshotFilename": name}, encoded)), 200)
                    self.assertEqual((said["status"], said["itemsWritten"]), ("done", 60))
                    self.assertEqual(self.aws.scan(copy), self.aws.scan(self.table))
        copy = "C" + uuid.uuid4().hex[:8]
        self.aws.new_table(copy)
        direct = sandbox.invoke({"tableName": copy, "snapshotFilename": name})
        self.assertEqual((direct.kind, direct.json["itemsWritten"]), ("response", 60))
        self.assertEqual([k for k in self.aws.keys(self.bucket) if "checkpoint" in k and self.aws.keys(self.bucket)[k]], [])

    def test_restores_that_cannot_be(self):
        self.backfill()
        name = self.snapshot_named("all.json.gz")
        sandbox = self.sandbox("restore")
        for body, status, words in (
                ({"snapshotFilename": name}, 400, "tableName is missing"),
                ({"tableName": self.table}, 400, "snapshotFilename is missing"),
                ({"tableName": self.table, "snapshotFilename": 5}, 400, "has to be a string"),
                ({"tableName": {}, "snapshotFilename": name}, 400, "has to be a string"),
                ({"tableName": "", "snapshotFilename": name}, 400, "empty"),
                ({"tableName": "a/b", "snapshotFilename": name}, 400, "neither the name of a table"),
                ({"tableName": self.table, "snapshotFilename": name, "token": "restore-1"}, 400, "token"),
                ({"tableName": "no-such-table", "snapshotFilename": name}, 404, "no-such-table"),
                ({"tableName": self.table, "snapshotFilename": "none.gz"}, 404, "there is no snapshot")):
            with self.subTest(body):
                said = self.http(sandbox.invoke(http_event(FORMS[1], body)), status)
                self.assertIn(words, said["message"])
                self.assertRegex(said["requestId"], r"^[0-9a-f-]{36}$")
                direct = sandbox.invoke(body)
                self.failed(direct, "Function.BadRequest" if status == 400 else "Function.NotFound", words)
        self.aws.new_table("Other", (("id", "S"),))
        said = self.http(sandbox.invoke(http_event(FORMS[1], {"tableName": "Other", "snapshotFilename": name})), 500)
        self.assertIn("same key", said["message"])
        broken = self.sandbox("restore", AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="2")
        said = self.http(broken.invoke(http_event(FORMS[1], {"tableName": self.table, "snapshotFilename": name})), 500)
        self.assertRegex(said["requestId"], r"^[0-9a-f-]{36}$")

    def test_a_restore_that_takes_longer_than_its_budget_goes_on_with_a_token(self):
        self.load(240, first=60)
        self.backfill()
        name = self.snapshot_named("all.json.gz")
        copy = "C" + uuid.uuid4().hex[:8]
        self.aws.new_table(copy)
        sandbox = self.sandbox("restore", DYNABACKUP_HTTP_BUDGET="1", DYNABACKUP_MAX_WRITE_UNITS="45")
        request, settled, rounds = {"tableName": copy, "snapshotFilename": name}, [], 0
        while True:
            rounds += 1
            self.assertLess(rounds, 100)  # a request that was cut off is waited for, 65 seconds
            began = time.monotonic()
            outcome = sandbox.invoke(http_event(FORMS[2], request))
            self.assertLess(time.monotonic() - began, 4)
            if outcome.json["statusCode"] == 200:
                break
            said = self.http(outcome, 202)
            self.assertEqual(said["status"], "incomplete")
            settled.append(said["itemsSettled"])
            request["token"] = said["token"]
        self.assertGreater(len(settled), 1)
        self.assertEqual(settled, sorted(settled))
        self.assertGreater(settled[-1], settled[0])
        self.assertEqual(json.loads(outcome.json["body"])["itemsRead"], 300)
        self.assertEqual(self.aws.scan(copy), self.aws.scan(self.table))
        # The answer may be lost and the request sent again, much later: what others wrote meanwhile stays.
        newer = {"pk": {"S": "k1"}, "sk": {"N": "1"}, "text": {"S": "newer"}}
        self.assertEqual(self.aws.call("PutItem", {"TableName": copy, "Item": newer}).status, 200)
        again = self.http(self.sandbox("restore").invoke(http_event(FORMS[2], request)), 404)
        self.assertIn("without a token it begins anew", again["message"])
        self.failed(self.sandbox("restore").invoke(request), "Function.NotFound", "has ended")
        self.assertIn(normal(newer), self.aws.scan(copy))

    def test_a_token_is_of_one_snapshot_and_one_table(self):
        self.backfill()
        for what in ("snapshot", "table"):
            with self.subTest(what):
                name = self.snapshot_named(what + ".json.gz")
                copy = "C" + uuid.uuid4().hex[:8]
                self.aws.new_table(copy)
                request = {"tableName": copy, "snapshotFilename": name}
                sandbox = self.sandbox("restore", DYNABACKUP_HTTP_BUDGET="1", DYNABACKUP_MAX_WRITE_UNITS="10")
                request["token"] = self.http(sandbox.invoke(http_event(FORMS[0], request)), 202)["token"]
                if what == "table":
                    self.aws.new_table(copy)
                else:
                    self.assertEqual(self.aws.s3("DELETE", self.bucket, "snapshots/" + name).status, 204)
                    self.load(1, first=900)
                    self.backfill()
                    self.snapshot_named(name)
                said = self.http(sandbox.invoke(http_event(FORMS[0], request)), 409)
                self.assertIn("without the token", said["message"].lower())
                self.assertNotIn("--resume", said["message"])
                self.failed(sandbox.invoke(request), "Function.Conflict", "without the token")

    def test_no_token_where_no_checkpoint_can_be_saved(self):
        self.backfill()
        name = self.snapshot_named("all.json.gz")
        copy = "C" + uuid.uuid4().hex[:8]
        self.aws.new_table(copy)
        proxy = self.proxy()
        proxy.refuse = b"PUT "
        sandbox = self.sandbox("restore", DYNABACKUP_HTTP_BUDGET="1", DYNABACKUP_MAX_WRITE_UNITS="10", S3_ENDPOINT=proxy.url)
        said = self.http(sandbox.invoke(http_event(FORMS[0], {"tableName": copy, "snapshotFilename": name})), 500)
        self.assertIn("cannot be continued", said["message"])
        self.assertNotIn("token", said)

    def test_what_was_sent_when_time_ran_out_is_waited_for_by_whoever_goes_on(self):
        self.backfill()
        name = self.snapshot_named("all.json.gz")
        copy = "C" + uuid.uuid4().hex[:8]
        self.aws.new_table(copy)
        proxy = self.proxy()
        sandbox = self.sandbox("restore", DYNABACKUP_HTTP_BUDGET="3", DYNABACKUP_MAX_WRITE_UNITS="20",
                               AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
        threading.Timer(1.0, lambda: setattr(proxy, "swallow", True)).start()
        request = {"tableName": copy, "snapshotFilename": name}
        request["token"] = self.http(sandbox.invoke(http_event(FORMS[0], request)), 202)["token"]
        checkpoint, = [k for k, etag in self.aws.keys(self.bucket).items() if "/checkpoints/" in k and etag]
        noted = json.loads(self.aws.s3("GET", self.bucket, checkpoint).body)
        self.assertIs(noted["late"], True)
        proxy.swallow = False
        proxy.sever()
        before = self.aws.scan(copy)
        again = self.http(sandbox.invoke(http_event(FORMS[0], request)), 202)
        self.assertEqual((again["token"], again["itemsSettled"]), (request["token"], len(before)))
        self.assertIn("for its last requests to take effect", sandbox.log())
        self.assertEqual(self.aws.scan(copy), before)
        self.assertEqual(json.loads(self.aws.s3("GET", self.bucket, checkpoint).body), noted)

    def test_a_restore_invoked_directly_has_the_time_of_the_function(self):
        self.backfill()
        name = self.snapshot_named("all.json.gz")
        self.aws.new_table("Slow")
        sandbox = self.sandbox("restore", DYNABACKUP_MAX_WRITE_UNITS="10")
        outcome = sandbox.invoke({"tableName": "Slow", "snapshotFilename": name}, seconds=3)
        self.assertEqual((outcome.kind, outcome.json["status"]), ("response", "incomplete"), outcome)
        # An asynchronous caller sees no answer: the log tells.
        self.assertRegex(sandbox.log(), r'"level":"ERROR","message":"time is up after')

    def test_a_restore_whose_notes_cannot_be_saved_is_over_in_time_all_the_same(self):
        """S3 has no ear any more: an answer before the deadline, nothing after it, and the token is good."""
        self.backfill()
        name = self.snapshot_named("all.json.gz")
        self.aws.new_table("Slow")
        proxy = self.proxy()
        sandbox = self.sandbox("restore", DYNABACKUP_MAX_WRITE_UNITS="10", S3_ENDPOINT=proxy.url)
        event = Event({"tableName": "Slow", "snapshotFilename": name}, seconds=5)
        threading.Timer(1.0, lambda: setattr(proxy, "swallow", True)).start()
        outcome = sandbox.deliver(event)
        self.assertLess(time.time(), event.deadline)
        self.assertEqual((outcome.kind, outcome.json["status"]), ("response", "incomplete"), outcome)
        time.sleep(max(0.0, event.deadline - time.time()) + 1.0)
        self.assertLess(proxy.last_byte, event.deadline)
        proxy.swallow = False
        proxy.sever()
        again = sandbox.invoke({"tableName": "Slow", "snapshotFilename": name, "token": outcome.json["token"]})
        self.assertEqual(again.json["status"], "done")
        self.assertEqual(self.aws.scan("Slow"), self.aws.scan(self.table))

    def test_a_snapshot_that_takes_too_long_is_given_up(self):
        self.load(240, first=60)
        self.backfill()
        proxy = self.proxy()
        proxy.delay = 0.2
        sandbox = self.sandbox("snapshot", S3_ENDPOINT=proxy.url, S3_PARALLELISM="4", DYNABACKUP_HTTP_BUDGET="2")
        said = self.http(sandbox.invoke(http_event(FORMS[3], {"snapshotFilename": "slow"})), 503)
        self.assertIn("dynamodb-backup snapshot", said["message"])
        self.assertNotIn("snapshots/slow", self.aws.keys(self.bucket))
        uploads = self.aws.s3("GET", self.bucket, query=[("uploads", None)])
        self.assertNotIn(b"<Upload>", uploads.body)
        self.failed(sandbox.invoke({"snapshotFilename": "slow"}, seconds=3), "Function.OutOfTime", "given up")


class WholeRun(harness.StackTest):
    """Real S3 and a real DynamoDB behind: changes, a backfill beside them, a snapshot, a restore."""

    def test_from_changes_to_a_restored_table(self):
        table = self.table(("S", "N"))
        copy = self.table(("S", "N"))
        stack = {name: value for name, value in self.environment.items() if name not in ("PATH", "HOME", "LC_ALL")}
        boxes = {}
        for handler in ("backup", "snapshot", "restore"):
            boxes[handler] = functions.Sandbox(functions.BOOTSTRAP, stack, handler)
            self.addCleanup(boxes[handler].__exit__)
        self.dynamodb.update_table(TableName=table, StreamSpecification={
            "StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
        self.load(table, [harness.item_json(pk={"S": f"old{n}"}, sk={"N": "1"}) for n in range(50)])
        self.expect(0, "backfill", table)
        rows = []
        for n in range(40):
            key = {"pk": {"S": f"new{n}"}, "sk": {"N": str(n)}}
            image = {**key, "v": {"SS": ["b", "a"]}, "n": {"N": "1.50"}}
            self.dynamodb.put_item(TableName=table, Item=image)
            rows.append(("INSERT", key, image, 1000 + n))
        self.dynamodb.delete_item(TableName=table, Key={"pk": {"S": "old3"}, "sk": {"N": "1"}})
        rows.append(("REMOVE", {"pk": {"S": "old3"}, "sk": {"N": "1"}}, None, 2000))
        event = stream_event(rows, table)
        for _ in range(2):
            outcome = boxes["backup"].invoke(event)
            self.assertEqual((outcome.kind, outcome.json), ("response", {"batchItemFailures": []}),
                             boxes["backup"].log())
        self.assertGreaterEqual(boxes["backup"].metrics()[-1]["Repeats"], 40)
        taken = boxes["snapshot"].invoke(http_event(FORMS[0], {"snapshotFilename": "s"}))
        self.assertEqual((taken.kind, taken.json["statusCode"]), ("response", 200), taken)
        self.assertEqual(json.loads(taken.json["body"])["itemsWritten"], 89)
        done = boxes["restore"].invoke(http_event(FORMS[3], {"tableName": copy, "snapshotFilename": "s"}))
        self.assertEqual(done.json["statusCode"], 200, done)
        self.assert_equal_tables(table, copy)
        for box in boxes.values():
            self.assertEqual(box.api.violations, [])
