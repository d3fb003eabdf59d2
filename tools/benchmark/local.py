"""Backfill and restore of a table in DynamoDB Local: by us, by a script with boto3, by the AWS CLI, in turn. Run by
tools/bench --dynamodb-local, with the local stack's address in the environment. Objects go into an aws-fake, so that
DynamoDB Local alone is waited for.

usage: local.py BUILD ITEMS ROUNDS json|text
"""
import gzip
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

import boto3_peer
import process
import results

ITEM_BYTES = 400
# A page of DynamoDB Local costs it the whole segment before it: segments of about one page.
SEGMENT_BYTES = 1_000_000
CLI_BATCHES, BATCH_ITEMS = 20, 25
HERE = os.path.dirname(os.path.realpath(__file__))
AWS = ["aws", "--endpoint-url", os.environ["AWS_ENDPOINT_URL_DYNAMODB"], "dynamodb"]
COLUMNS = ["", "by", "items", "items/s", "range", "CPU s/million", "cores, of it", "cores, of the server"]


class Server:
    """The process of DynamoDB Local, which is not ours to wait for."""

    def __init__(self):
        root = os.path.dirname(os.path.dirname(HERE))
        folder = os.environ.get("DYNABACKUP_STACK_DIR") or os.path.join(root, ".local-stack")
        with open(os.path.join(folder, "dynamodb.pid"), encoding="utf-8") as file:
            self.pid = int(file.read().split()[0])

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="utf-8") as file:
            user, system = file.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Round:
    def __init__(self, build, items, number):
        self.build, self.items, self.number = build, items, number
        self.segments = max(1, round(items * ITEM_BYTES / SEGMENT_BYTES))
        self.home = tempfile.mkdtemp(prefix="dynabackup-bench-")
        self.dynamodb, self.server, self.tables = boto3_peer.client("dynamodb"), Server(), []
        self.cores = os.sched_getaffinity(0)
        self.fake = subprocess.Popen(
            [os.path.join(build, "tests/fakes/server/aws-fake"), "--port", "0", "--bucket", "items", "--bucket",
             "by-boto3", "--bucket", "snapshots"], stdout=subprocess.PIPE, text=True)
        port = int(self.fake.stdout.readline().rsplit(":", 1)[1])
        self.environment = {**os.environ, "HOME": self.home, "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
                            "INCREMENTAL_BUCKET": "items", "INCREMENTAL_PREFIX": "", "SNAPSHOT_BUCKET": "snapshots",
                            "SNAPSHOT_PREFIX": ""}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for table in self.tables:
            self.dynamodb.delete_table(TableName=table)
        self.fake.terminate()
        self.fake.wait(60)
        self.fake.stdout.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def table(self, name):
        full = f"bench-{os.getpid()}-{self.number}-{name}"
        self.dynamodb.create_table(
            TableName=full, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
        self.tables.append(full)
        return full

    def lines(self):
        """The items as a snapshot has them, ITEM_BYTES each."""
        path = os.path.join(self.home, "items.json.gz")
        with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
            for n in range(self.items):
                line = json.dumps({"Item": {"id": {"S": f"item-{n:08}"}, "n": {"N": str(n)}, "text": {"S": ""}}},
                                  separators=(",", ":"))
                file.write(line.replace('"S":""', '"S":"' + "x" * (ITEM_BYTES - len(line)) + '"') + "\n")
        return path

    def timed(self, command, items):
        before = self.server.cpu_seconds()
        finished = process.plain(command, self.environment, self.cores)
        return {"items": items, "per_second": items / finished.seconds,
                "cpu_us": finished.cpu_seconds / items * 1e6, "cores": finished.cpu_seconds / finished.seconds,
                "server_cores": (self.server.cpu_seconds() - before) / finished.seconds, "output": finished.output}

    def ours(self, *arguments):
        measured = self.timed([os.path.join(self.build, "src/apps/cli/dynamodb-backup"), *arguments, "--output",
                               "json"], self.items)
        told = json.loads(measured["output"])
        if told["items_written"] != self.items:
            raise process.Failed(f"{arguments[0]}: {told['items_written']} of {self.items} items were written")
        return measured

    def peer(self, *arguments):
        return self.timed([sys.executable, os.path.join(HERE, "boto3_peer.py"), *arguments], self.items)

    def cli_scan(self, table):
        return self.timed([*AWS, "scan", "--table-name", table, "--output", "json"], self.items)

    def cli_restore(self, file, table):
        """Each batch is a process of its own: some of the items tell what one costs."""
        batches = min(CLI_BATCHES, self.items // BATCH_ITEMS)
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for number in range(batches):
                puts = [{"PutRequest": json.loads(next(lines))} for _ in range(BATCH_ITEMS)]
                with open(os.path.join(self.home, f"batch-{number}"), "w", encoding="utf-8") as batch:
                    json.dump({table: puts}, batch)
        script = (f"for n in $(seq 0 {batches - 1}); do "
                  f"{shlex.join(AWS)} batch-write-item --request-items file://{self.home}/batch-$n >/dev/null || exit; done")
        return self.timed(["sh", "-c", script], batches * BATCH_ITEMS)

    def held(self, table):
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table, Select="COUNT")
        return sum(page["Count"] for page in pages)

    def all(self):
        file, source, copy = self.lines(), self.table("source"), self.table("copy")
        told = {("restore", "boto3"): self.peer("restore", file, source)}
        told["backfill", "dynabackup"] = self.ours("backfill", source, "--segments", str(self.segments))
        told["backfill", "boto3"] = self.peer("backfill", source, "by-boto3", str(self.segments))
        told["scan alone", "AWS CLI"] = self.cli_scan(source)
        self.ours("snapshot", "all.json.gz")
        told["restore", "dynabackup"] = self.ours("restore", copy, "all.json.gz")
        told["restore", "AWS CLI"] = self.cli_restore(file, self.table("by-cli"))
        for table in (source, copy):
            if self.held(table) != self.items:
                raise process.Failed(f"{table} holds {self.held(table)} items, not {self.items}")
        return told


ORDER = [("backfill", "dynabackup"), ("backfill", "boto3"), ("scan alone", "AWS CLI"), ("restore", "dynabackup"),
         ("restore", "boto3"), ("restore", "AWS CLI")]


def summary(rounds):
    told = []
    for what in ORDER:
        measured = [r[what] for r in rounds]
        told.append({"what": what[0], "by": what[1], "items": measured[0]["items"], **{
            name: results.spread([m[name] for m in measured])
            for name in ("per_second", "cpu_us", "cores", "server_cores")}})
    return told


def table(told):
    rows = [COLUMNS]
    for t in told:
        rows.append([t["what"], t["by"], f"{t['items']:,}", f"{t['per_second']['median']:,.0f}",
                     results.range_text(t["per_second"], ",.0f"), f"{t['cpu_us']['median']:,.0f}",
                     f"{t['cores']['median']:.2f}", f"{t['server_cores']['median']:.2f}"])
    return results.columns(rows, 2)


def main():
    build, items, count, form = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    rounds = []
    for number in range(1, count + 1):
        with Round(build, items, number) as here:
            rounds.append(here.all())
        print(f"round {number} of {count}", file=sys.stderr, flush=True)
    told = summary(rounds)
    if form == "json":
        print(json.dumps({"items": items, "item_bytes": ITEM_BYTES, "rounds": count, "paths": told}, indent=1))
    else:
        print("\n".join([f"{items:,} items of {ITEM_BYTES} bytes in DynamoDB Local, medians of {count} rounds", "",
                         *table(told)]))


if __name__ == "__main__":
    try:
        main()
    except process.Failed as failure:
        print(f"tools/bench: {failure}", file=sys.stderr)
        sys.exit(1)
