"""What every integration test needs: the stack, the binary, tables and prefixes of its own, and a look at both sides."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import uuid

import botocore.session
from botocore.config import Config

import compare
from wire import Wire

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BINARY = os.path.realpath(
    os.environ.get("DYNABACKUP_BINARY") or os.path.join(ROOT, "build", "src", "apps", "cli", "dynamodb-backup"))
MEBIBYTE = 1 << 20

STACK = {name: os.environ[name] for name in (
    "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION",
    "DYNAMODB_REGION", "S3_REGION", "S3_PATH_STYLE") if name in os.environ}
BUCKET = os.environ.get("INCREMENTAL_BUCKET", "")


def client(service, **overrides):
    settings = dict(
        endpoint_url=STACK["AWS_ENDPOINT_URL_S3" if service == "s3" else "AWS_ENDPOINT_URL_DYNAMODB"],
        region_name=STACK["AWS_REGION"], aws_access_key_id=STACK["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=STACK["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}, proxies={}, read_timeout=60))
    settings.update(overrides)
    return botocore.session.Session().create_client(service, **settings)


class Run:
    """One finished run of the binary."""

    def __init__(self, exit_code, stdout, stderr):
        self.exit_code, self.stdout, self.stderr = exit_code, stdout, stderr
        self.peak_kib = 0
        try:
            self.report = json.loads(stdout)
        except ValueError:
            self.report = {}

    def __getattr__(self, name):
        """Members of the JSON report: run.items_read."""
        if name.startswith("_") or "report" not in self.__dict__ or name not in self.report:
            raise AttributeError(f"the report has no {name}: {self.__dict__.get('stdout', '')[:2000]}")
        return self.report[name]

    @property
    def message(self):
        return (self.report.get("error") or {}).get("message", "")

    def __str__(self):
        return f"exit code {self.exit_code}\n--- stdout\n{self.stdout[-4000:]}\n--- stderr\n{self.stderr[-4000:]}"


class Process:
    """The binary under way; finish() waits for it. Its peak memory is watched from outside as well."""

    def __init__(self, arguments, environment):
        self.process = subprocess.Popen([BINARY, *arguments], env=environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.peak_kib = 0
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()

    def _watch(self):
        try:
            while self.process.returncode is None:
                with open(f"/proc/{self.process.pid}/status", encoding="ascii", errors="replace") as status:
                    found = re.search(r"^VmHWM:\s+(\d+) kB", status.read(), re.MULTILINE)
                if found:
                    self.peak_kib = max(self.peak_kib, int(found.group(1)))
                time.sleep(0.02)
        except OSError:
            pass  # it ended

    def signal(self, number):
        self.process.send_signal(number)

    def finish(self, timeout):
        try:
            stdout, stderr = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            stdout, stderr = self.process.communicate()
            raise AssertionError(f"still running after {timeout} s\n{stderr.decode(errors='replace')[-4000:]}") from None
        self.watcher.join()
        run = Run(self.process.returncode, stdout.decode(), stderr.decode())
        run.peak_kib = self.peak_kib
        return run


class StackTest(unittest.TestCase):
    """A test with tables and bucket prefixes that are its own, so that any number of them share one stack."""
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.dynamodb = client("dynamodb")
        cls.s3 = client("s3")
        cls.wire = Wire(STACK["AWS_ENDPOINT_URL_DYNAMODB"])

    def setUp(self):
        self.mark = "t" + uuid.uuid4().hex[:12]
        self.home = tempfile.mkdtemp(prefix="dynabackup-test-")
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.bucket = BUCKET
        self.items_prefix = f"{self.mark}/items/"
        self.snapshots_prefix = f"{self.mark}/snapshots/"
        self.environment = {
            "PATH": "/usr/bin:/bin", "HOME": self.home, "LC_ALL": "C.UTF-8", **STACK,
            "INCREMENTAL_BUCKET": self.bucket, "INCREMENTAL_PREFIX": f"{self.mark}/items",
            "SNAPSHOT_BUCKET": self.bucket, "SNAPSHOT_PREFIX": f"{self.mark}/snapshots",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    # --- the binary

    def start(self, *arguments, **environment):
        merged = {**self.environment, **environment}
        return Process(arguments, {name: value for name, value in merged.items() if value is not None})

    def run_binary(self, *arguments, timeout=300, **environment):
        """Arguments as they stand. Whatever is run: no crash, no secret in what it prints."""
        run = self.start(*arguments, **environment).finish(timeout)
        self.assertGreaterEqual(run.exit_code, 0, f"ended by signal: {run}")
        printed = run.stdout + run.stderr
        for trace in ("terminate called", "AddressSanitizer", "LeakSanitizer", "runtime error:", "what():"):
            self.assertNotIn(trace, printed)
        for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            secret = environment.get(name) or self.environment.get(name)
            if secret:
                self.assertNotIn(secret, printed)
        return run

    def report_of(self, *arguments, **environment):
        run = self.run_binary(*arguments, "--output", "json", **environment)
        self.assertIsInstance(run.report, dict)
        self.assertTrue(run.report, f"no JSON object on stdout: {run}")
        self.assertEqual(run.report["exit_code"], run.exit_code, run)
        return run

    def expect(self, code, *arguments, **environment):
        run = self.report_of(*arguments, **environment)
        self.assertEqual(run.exit_code, code, run)
        return run

    def refused(self, codes, words, *arguments, **environment):
        """The run fails with one of `codes` and one message that holds every one of `words` (any case)."""
        codes = (codes,) if isinstance(codes, int) else codes
        run = self.report_of(*arguments, **environment)
        self.assertIn(run.exit_code, codes, run)
        self.assertTrue(run.message, f"no error message: {run}")
        self.assertNotIn("\n", run.message)
        for word in words:
            self.assertIn(word.lower(), run.message.lower(), run)
        return run

    # --- tables

    def table(self, layout=("S", None), suffix="", names=("pk", "sk")):
        """A new, empty table; gone at the end of the test."""
        name = f"{self.mark}-{suffix or uuid.uuid4().hex[:6]}"
        create_table(self.dynamodb, name, layout, names)
        self.addCleanup(self.dynamodb.delete_table, TableName=name)
        return name

    def load(self, table, items, per_batch=25):
        return self.wire.load(table, items, per_batch)

    def scan(self, table):
        return compare.scan(self.dynamodb, table)

    def assert_equal_tables(self, source, copy):
        found = compare.differences(self.scan(source), self.scan(copy))
        self.assertEqual(found[:10], [], f"{len(found)} differences")

    # --- bucket

    def versions(self, prefix, bucket=None):
        """Every version and delete marker under a prefix, bookkeeping left out."""
        found = []
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket or self.bucket, Prefix=prefix):
            for kind in ("Versions", "DeleteMarkers"):
                found += [(entry["Key"], entry["VersionId"]) for entry in page.get(kind, [])]
        return sorted(entry for entry in found if "/.dynabackup/" not in entry[0])

    def keys(self, prefix, bucket=None):
        found = []
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket or self.bucket, Prefix=prefix):
            found += [entry["Key"] for entry in page.get("Contents", [])]
        return found

    def item_keys(self):
        return [key for key in self.keys(self.items_prefix) if "/.dynabackup/" not in key]

    def read(self, key, bucket=None):
        return self.s3.get_object(Bucket=bucket or self.bucket, Key=key)["Body"].read()

    def write(self, key, body, bucket=None):
        self.s3.put_object(Bucket=bucket or self.bucket, Key=key, Body=body)

    def write_snapshot(self, name, body):
        self.write(self.snapshots_prefix + name, body)
        return name

    def new_bucket(self, versioning="Enabled"):
        name = f"{self.mark}-{uuid.uuid4().hex[:6]}"
        self.s3.create_bucket(Bucket=name)
        if versioning:
            if versioning == "Suspended":
                self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning})
        return name

    def file(self, name, content):
        path = os.path.join(self.home, name)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        return path

    # --- waiting

    def wait_for(self, what, condition, seconds=30):
        ends = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), ends, f"waited {seconds} s for {what}")
            time.sleep(0.05)


def create_table(dynamodb, name, layout, names=("pk", "sk"), view=None):
    parts = [(attribute, kind, role) for attribute, kind, role in zip(names, layout, ("HASH", "RANGE")) if kind]
    dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": kind} for attribute, kind, _ in parts],
        KeySchema=[{"AttributeName": attribute, "KeyType": role} for attribute, _, role in parts],
        **({"StreamSpecification": {"StreamEnabled": True, "StreamViewType": view}} if view else {}))
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


def item_json(**attributes):
    return json.dumps(attributes, separators=(",", ":")).encode()


INTERRUPT = signal.SIGINT
