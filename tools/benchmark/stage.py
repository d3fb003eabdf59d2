"""An aws-fake of its own, and everything that can be run against it: our paths and the reference loads."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.request
from dataclasses import dataclass, field

import process
from process import Failed

ITEM_BYTES = 400
CHANGE_BYTES = 1000
BATCH_ITEMS = 25
WRK_SECONDS = 2
LATENCY_MS, LATE_PARALLELISM = 10, 256
TARGETS = ("src/apps/cli/dynamodb-backup", "tests/fakes/server/aws-fake", "tools/benchmark/reference-load",
           "tools/benchmark/page-load", "tools/benchmark/stream-load", "tools/benchmark/front",
           "tools/benchmark/allocation-counter.so")


@dataclass
class Measured:
    units: int            # items or requests: what the cost is told of
    cpu_seconds: float
    seconds: float
    requests: int = 0
    peak_rss_bytes: int = 0
    count: int = 0        # of a counting tool
    notes: dict = field(default_factory=dict)

    def cost(self):
        """CPU microseconds a unit."""
        return self.cpu_seconds / self.units * 1e6


class Stage:
    """`tool` runs our programs: process.plain, or one that counts. Servers and loads have cores of their own."""

    def __init__(self, build, items, parallelism, tool=process.plain, pinned=True):
        self.build, self.items, self.parallelism, self.tool = build, items, parallelism, tool
        everywhere = os.sched_getaffinity(0)
        self.server_cores, self.cores = process.cores() if pinned else (everywhere, everywhere)
        self.home = tempfile.mkdtemp(prefix="dynabackup-bench-")
        self.done, self.servers = {}, []
        self.port = self.start(
            "tests/fakes/server/aws-fake", "--port", "0", "--bucket", "items", "--bucket", "over-tls", "--bucket",
            "snapshots", "--bucket", "changes", "--bucket", "reference:unversioned", "--table",
            f"source:{items}:{ITEM_BYTES}", "--create-table", "copy:id(S)", "--create-table", "reference:id(S)")
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PATH": "/usr/bin:/bin", "HOME": self.home, "LC_ALL": "C.UTF-8", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-bench", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.url,
            "S3_PATH_STYLE": "true", "INCREMENTAL_BUCKET": "items", "SNAPSHOT_BUCKET": "snapshots",
            "DYNAMODB_PARALLELISM": str(parallelism), "S3_PARALLELISM": str(parallelism),
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in reversed(self.servers):
            server.terminate()
            server.wait(60)
            server.stdout.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self, target, *arguments):
        """A server of ours, until the stage is over; returns its port."""
        server = subprocess.Popen([self.program(target), *arguments], stdout=subprocess.PIPE, text=True,
                                  preexec_fn=lambda: os.sched_setaffinity(0, self.server_cores))
        self.servers.append(server)
        line = server.stdout.readline()
        if not line.startswith("listening on "):
            self.__exit__()
            raise Failed(f"{target} did not start")
        return int(line.rsplit(":", 1)[1])

    def program(self, target):
        return os.path.join(self.build, target)

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as answer:
            return answer.read().decode()

    def measure(self, name):
        """Runs what is called so, and before it what it needs; each once."""
        if name not in self.done:
            for needed in NEEDS.get(name, ()):
                self.measure(needed)
            self.done[name] = LOADS[name](self)
        return self.done[name]

    # ---- our own paths

    def run_command(self, *arguments, **settings):
        finished = self.tool([self.program("src/apps/cli/dynamodb-backup"), *arguments, "--output", "json"],
                             {**self.environment, **settings}, self.cores)
        told = finished.json()
        if told["items_written"] != self.items:
            raise Failed(f"{arguments[0]}: {told['items_written']} of {self.items} items were written")
        return Measured(self.items, finished.cpu_seconds, finished.seconds, told["requests"], told["peak_rss_bytes"],
                        finished.count, {"retries": told["retries"], "peak_in_flight": told["peak_in_flight"]})

    def backfill(self):
        return self.run_command("backfill", "source")

    def backfill_tls(self):
        certificate, key = (os.path.join(self.home, name) for name in ("certificate.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-out", certificate, "-keyout", key], check=True, capture_output=True)
        port = self.start("tools/benchmark/front", str(self.port), "tls", certificate, key)
        return self.run_command("backfill", "source", INCREMENTAL_BUCKET="over-tls", AWS_CA_BUNDLE=certificate,
                                AWS_ENDPOINT_URL=f"https://127.0.0.1:{port}")

    def snapshot(self):
        return self.run_command("snapshot", "all.json.gz")

    def snapshot_late(self):
        port = self.start("tools/benchmark/front", str(self.port), "delay", str(LATENCY_MS))
        return self.run_command("snapshot", "late.json.gz", AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
                                S3_PARALLELISM=str(LATE_PARALLELISM))

    def restore(self):
        measured = self.run_command("restore", "copy", "all.json.gz")
        source, copy = (self.get("/_fake/table/" + name) for name in ("source", "copy"))
        if source != copy:
            raise Failed(f"the restored table is not the source: {copy.strip()} for {source.strip()}")
        return measured

    def record_changes(self):
        changes = max(self.items // 100, 1) * 100
        finished = self.tool([self.program("tools/benchmark/stream-load"), self.table_with_stream(), str(changes),
                              str(CHANGE_BYTES)], {**self.environment, "INCREMENTAL_BUCKET": "changes"}, self.cores)
        told = finished.json()
        return Measured(told["items"], told["cpu_seconds"], finished.seconds, told["requests"],
                        told["peak_rss_bytes"], finished.count, {"retries": told["retries"]})

    def table_with_stream(self):
        wanted = {"TableName": "changes", "BillingMode": "PAY_PER_REQUEST",
                  "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                  "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                  "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}}
        call = urllib.request.Request(self.url + "/", json.dumps(wanted).encode(), {
            "X-Amz-Target": "DynamoDB_20120810.CreateTable", "Content-Type": "application/x-amz-json-1.0"})
        with urllib.request.urlopen(call) as answer:
            return json.load(answer)["TableDescription"]["LatestStreamArn"]

    def page(self):
        return self.bytes_load("stored", 200)

    # ---- what they are held against

    def bytes_load(self, kind, times):
        finished = process.plain([self.program("tools/benchmark/page-load"), kind, str(ITEM_BYTES), str(times)],
                                 self.environment, self.cores)
        told = finished.json()
        return Measured(told["items"], finished.cpu_seconds, finished.seconds,
                        notes={"mb_per_cpu_second": told["bytes"] / 1e6 / finished.cpu_seconds})

    def reference(self, kind, requests, items_each=1):
        finished = process.plain(
            [self.program("tools/benchmark/reference-load"), kind, str(self.port), "reference", str(requests),
             str(self.parallelism), str(ITEM_BYTES)], self.environment, self.cores)
        return Measured(requests * items_each, finished.cpu_seconds, finished.seconds, requests)

    def reference_requests(self):
        """Enough that starting up does not show."""
        return min(max(self.items, 50_000), 200_000)

    def wrk(self):
        """A constant request of the bytes that an unsigned R-put has."""
        script = os.path.join(self.home, "put.lua")
        with open(script, "w", encoding="utf-8") as file:
            file.write(WRK_SCRIPT.replace("BODY_BYTES", str(ITEM_BYTES)))
        finished = process.plain(
            ["wrk", "-t1", f"-c{self.parallelism}", f"-d{WRK_SECONDS}s", "-s", script,
             f"{self.url}/reference/{'0' * 64}"], self.environment, self.cores)
        requests = re.search(r"(\d+) requests in", finished.output)
        if requests is None or "Non-2xx" in finished.output or "Socket errors" in finished.output:
            raise Failed("wrk did not measure:\n" + finished.output)
        return Measured(int(requests[1]), finished.cpu_seconds, finished.seconds, int(requests[1]))


WRK_SCRIPT = """wrk.method = "PUT"
wrk.body = string.rep("x", BODY_BYTES)
wrk.headers["x-amz-date"] = "20260101T000000Z"
wrk.headers["x-amz-content-sha256"] = string.rep("a", 64)
wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/s3/aws4_request, " ..
  "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=" .. string.rep("b", 64)
"""

LOADS = {
    "wrk": Stage.wrk,
    "R-put unsigned": lambda s: s.reference("put-unsigned", s.reference_requests()),
    "R-put": lambda s: s.reference("put", s.reference_requests()),
    "R-get": lambda s: s.reference("get", s.reference_requests()),
    "R-batch": lambda s: s.reference("batch", s.reference_requests() // 10, BATCH_ITEMS),
    "gzip": lambda s: s.bytes_load("gzip", 200),
    "parse": lambda s: s.bytes_load("parse", 2000),
    "backfill": Stage.backfill,
    "backfill_tls": Stage.backfill_tls,
    "snapshot": Stage.snapshot,
    "snapshot_late": Stage.snapshot_late,
    "restore": Stage.restore,
    "record_changes": Stage.record_changes,
    "page": Stage.page,
}
NEEDS = {"R-get": ["R-put"], "snapshot": ["backfill"], "snapshot_late": ["backfill"], "restore": ["snapshot"]}
