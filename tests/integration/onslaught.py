"""aws-fake with a large table, and what real operators do to a run on it: kill it, fault it, put a ceiling on it.

usage: onslaught.py kills [--items N] [--kills K]     kill -9 at K moments of backfill and of restore, each resumed
       onslaught.py faults [--items N] [--faults P]   backfill, snapshot and restore with a share of requests faulted
       onslaught.py ceiling [--seconds S]             a restore held to 100 write units a second
       onslaught.py follow [--items N] [--kills K]    N random writes to a table while follow records them, first beside
                                                      a backfill, then killed K times

Prints what was measured; exit code 1 when something is not as it must be. aws-fake and the binary are taken from the
build folder, or from DYNABACKUP_AWS_FAKE and DYNABACKUP_BINARY. The table of `follow` is DynamoDB Local's, which
AWS_ENDPOINT_URL_DYNAMODB names: eval "$(tools/local-stack env)".
"""
import argparse
import base64
import gzip
import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

import compare
from writer import KEYS, Writer

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BINARY = os.environ.get("DYNABACKUP_BINARY") or os.path.join(ROOT, "build/src/apps/cli/dynamodb-backup")
FAKE = os.environ.get("DYNABACKUP_AWS_FAKE") or os.path.join(ROOT, "build/tests/fakes/server/aws-fake")


class Stage:
    """A fake, and an environment in which the binary meets it."""

    def __init__(self, items, *options):
        self.items = items
        self.home = tempfile.mkdtemp(prefix="dynabackup-onslaught-")
        self.fake = subprocess.Popen(
            [FAKE, "--port", "0", "--bucket", "items", "--bucket", "snapshots", "--table", f"source:{items}:400",
             "--create-table", "copy:id(S)", *options], stdout=subprocess.PIPE, text=True)
        self.url = "http://127.0.0.1:" + self.fake.stdout.readline().strip().rsplit(":", 1)[1]
        self.environment = {
            "PATH": "/usr/bin:/bin", "HOME": self.home, "LC_ALL": "C.UTF-8", "AWS_ACCESS_KEY_ID": "AKIDONSLAUGHT",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-onslaught", "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": self.url, "S3_PATH_STYLE": "true", "INCREMENTAL_BUCKET": "items",
            "SNAPSHOT_BUCKET": "snapshots",
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.fake.terminate()
        self.fake.wait(30)
        self.fake.stdout.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self, *arguments):
        return subprocess.Popen([BINARY, *arguments, "--output", "json"], env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments, expect=0):
        process = self.start(*arguments)
        out, err = process.communicate()
        assert "secret-of-the-onslaught" not in out + err, "a secret was printed"
        assert process.returncode == expect, f"{arguments}: exit {process.returncode}\n{err[-2000:]}"
        return json.loads(out)

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as answer:
            return answer.read().decode()

    def stats(self):
        return json.loads(self.get("/_fake/stats"))

    def equal(self):
        source, copy = self.get("/_fake/table/source"), self.get("/_fake/table/copy")
        assert source == copy, f"the copy is not the source:\n{source}\n{copy}"


def kill_often(stage, moments, done, begin, again):
    """Kills a run at each of `moments`, shares of the items that are `done()`; the last run ends by itself. Returns its
    report."""
    arguments = begin
    for moment in moments:
        process = stage.start(*arguments)
        while done() < moment * stage.items:
            assert process.poll() is None, f"ended before it could be killed: {process.stderr.read()[-2000:]}"
            time.sleep(0.01)
        process.kill()
        process.communicate()
        arguments = again
    return stage.run(*arguments)


def kills(options):
    rng = random.Random(options.seed)
    print(f"kills: {options.items} items, {options.kills} kills of each command, seed {options.seed}")

    def moments():
        return sorted(rng.uniform(0, 0.99) for _ in range(options.kills))

    def stored():
        return stage.stats()["put_object"]["stored"]

    def copied():
        table = stage.stats()["dynamodb"]["tables"]["copy"]
        return table["puts"] - table["written_again"]
    with Stage(options.items) as stage:
        began = time.monotonic()
        done = kill_often(stage, moments(), stored, ("backfill", "source"), ("backfill", "source"))
        objects = [line for line in stage.get("/_fake/bucket/items").splitlines() if ".dynabackup/" not in line]
        versions = sum(json.loads(line)["versions"] for line in objects)
        print(f"  backfill: {time.monotonic() - began:.0f} s, {len(objects)} objects, {versions} versions, "
              f"{stored()} PUTs stored, the last run resumed at {done['items_resumed']} items")
        assert len(objects) == options.items, "not every item has an object"
        assert versions <= 1.02 * options.items, "more than 2 % were written twice"
        stage.run("snapshot", "all.json.gz")
        began = time.monotonic()
        restore = ("restore", "copy", "all.json.gz")
        done = kill_often(stage, moments(), copied, restore, (*restore, "--resume"))
        twice = stage.stats()["dynamodb"]["tables"]["copy"]["written_again"]
        print(f"  restore: {time.monotonic() - began:.0f} s, {twice} items written twice "
              f"({100 * twice / options.items:.2f} %), the last run resumed at {done['items_resumed']} items")
        assert twice <= 0.02 * options.items, "more than 2 % were written twice"
        stage.equal()
    print("  the copy equals the source")


def faults(options):
    print(f"faults: {options.items} items, {options.faults:.0%} of requests faulted, seed {options.seed}")
    requests = {}
    for share in (0, options.faults):
        with Stage(options.items, "--faults", str(share), "--seed", str(options.seed)) as stage:
            for arguments in (("backfill", "source"), ("snapshot", "all.json.gz"), ("restore", "copy", "all.json.gz")):
                done = stage.run(*arguments)
                print(f"  {share:4.0%} {arguments[0]:9} {done['seconds']:7.1f} s, {done['requests']} requests")
            stage.equal()
            stats = stage.stats()
            requests[share] = stats["requests_total"]
            met = stats["faults_total"]
    bound = 1.3 * requests[0] + met
    print(f"  {requests[options.faults]} requests, {met} faults; without faults {requests[0]}; bound {bound:.0f}")
    assert requests[options.faults] <= bound, "too many requests"


def ceiling(options):
    print(f"ceiling: 100 write units a second for {options.seconds} s")
    with Stage(120 * options.seconds) as stage:
        stage.run("backfill", "source")
        stage.run("snapshot", "all.json.gz")
        process = stage.start("restore", "copy", "all.json.gz", "--max-write-units", "100")
        time.sleep(5)
        first = stage.stats()["dynamodb"]["tables"]["copy"]["write_units"]
        began = time.monotonic()
        time.sleep(options.seconds)
        took = time.monotonic() - began
        units = stage.stats()["dynamodb"]["tables"]["copy"]["write_units"] - first
        process.kill()
        process.communicate()
    print(f"  {units / took:.1f} units a second over {took:.0f} s")
    assert 95 <= units / took <= 105, "outside of 100 ± 5 %"


def aws_client(service, url):
    import botocore.session
    from botocore.config import Config
    return botocore.session.Session().create_client(
        service, endpoint_url=url, region_name="eu-central-1", aws_access_key_id="AKIDONSLAUGHT",
        aws_secret_access_key="secret-of-the-onslaught",
        config=Config(s3={"addressing_style": "path"}, proxies={}, read_timeout=60))


def recorded_numbers(stage, s3):
    """The sequence numbers of each item's versions, oldest first; delete markers and a backfill's versions have none."""
    versions = {}
    for page in s3.get_paginator("list_object_versions").paginate(Bucket="items"):
        for entry in page.get("Versions", []):
            if ".dynabackup/" not in entry["Key"]:
                versions.setdefault(entry["Key"], []).append(entry["VersionId"])
    connection = http.client.HTTPConnection(stage.url.split("//")[1])
    numbers = {}
    for key, ids in versions.items():
        for version in reversed(ids):
            connection.request("HEAD", f"/items/{key}?versionId={version}")
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, f"{key}, {version}: {answer.status}"
            if answer.headers["x-amz-meta-source"] == "stream":
                numbers.setdefault(key, []).append(int(answer.headers["x-amz-meta-sequence-number"]))
    return numbers


def judge_order(numbers):
    repeats = 0
    for key, of_key in numbers.items():
        fresh = list(dict.fromkeys(of_key))
        repeats += len(of_key) - len(fresh)
        assert fresh == sorted(fresh), f"{key} was recorded out of order: {of_key}"
    print(f"  {sum(map(len, numbers.values()))} versions of {len(numbers)} keys are in order, {repeats} repeats")


def start_following(stage, table, *options):
    """As a supervisor does: again and again while the lease of the one before is fresh."""
    while True:
        process = stage.start("follow", table, "--quiet", *options)
        time.sleep(2)
        if process.poll() is None:
            return process
        out, err = process.communicate()
        assert process.returncode == 2 and "is followed by" in err, err[-2000:]


def kill_when_at_work(stage, table, rng):
    process = start_following(stage, table)
    before = stage.stats()["put_object"]["stored"]
    ends = time.monotonic() + 300
    while stage.stats()["put_object"]["stored"] < before + 200:
        assert time.monotonic() < ends, "nothing was recorded in 300 s"
        time.sleep(0.2)
    time.sleep(rng.uniform(0.1, 4))
    assert process.poll() is None, process.communicate()[1][-2000:]
    process.kill()
    process.communicate()


def snapshot_of(stage, s3):
    """What a snapshot taken now holds; it says that all of the table is covered."""
    name = f"{time.monotonic_ns()}.json.gz"
    stage.run("snapshot", name)
    lines = gzip.decompress(s3.get_object(Bucket="snapshots", Key=name)["Body"].read()).splitlines()
    items = [json.loads(line)["Item"] for line in lines]
    return {(compare.normal(item["pk"]),): compare.normal_item(item) for item in items}


def await_equal(stage, s3, wanted):
    wanted = {key: as_wire(item) for key, item in wanted.items()}
    ends = time.monotonic() + 600
    while differing := compare.differences(wanted, snapshot_of(stage, s3)):
        assert time.monotonic() < ends, f"{len(differing)} differences: {differing[:5]}"
        time.sleep(5)
    return len(wanted)


def stop_following(process):
    process.terminate()
    out, err = process.communicate()
    assert process.returncode == 130, f"exit {process.returncode}: {err[-2000:]}"
    return json.loads(out)["changes"]


def table_to_follow(dynamodb, table):
    """With items in it from before there is a stream."""
    dynamodb.create_table(
        TableName=table, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}])
    for number in range(KEYS):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": f"k{number}"}, "text": {"S": "from before " * 40}})


def follow(options):
    rng = random.Random(options.seed)
    url = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB")
    assert url, "no DynamoDB Local: AWS_ENDPOINT_URL_DYNAMODB is not set"
    print(f"follow: {options.items} writes to {url}, {options.kills} kills, seed {options.seed}")
    with Stage(1) as stage:
        stage.environment["AWS_ENDPOINT_URL_DYNAMODB"] = url
        dynamodb, s3 = aws_client("dynamodb", url), aws_client("s3", stage.url)
        table = f"followed-{options.seed}"
        table_to_follow(dynamodb, table)
        writer = Writer(dynamodb, table, options.items, options.seed, allowed=options.items // (options.kills + 1))
        began = time.monotonic()

        def say(text):
            print(f"  {time.monotonic() - began:5.0f} s: {text}", flush=True)
        process = start_following(stage, table, "--enable-stream")
        writer.start()
        done = stage.run("backfill", table, "--max-read-units", "3")  # slowly: the table changes while it is read
        beside = writer.done
        say(f"a backfill of {done['items_read']} items, {done['items_written']} of them written, beside {beside} writes")
        assert beside >= 100 and done["items_written"] > 100, "the backfill and the writer did not meet"
        writer.reach_allowed()
        say(f"the snapshot equals the table, {await_equal(stage, s3, compare.scan(dynamodb, table))} items")
        stop_following(process)
        for kill in range(options.kills):
            writer.allowed = options.items * (kill + 2) // (options.kills + 1)
            kill_when_at_work(stage, table, rng)
            assert writer.failure is None, f"the writer stopped: {writer.failure}"
            say(f"kill {kill + 1}, {writer.done} writes")
        process = start_following(stage, table)
        writer.reach_allowed()
        assert writer.done == options.items, f"{writer.done} writes"
        say(f"the snapshot equals the table, {await_equal(stage, s3, compare.scan(dynamodb, table))} items")
        print(f"  the last run: {stop_following(process)}")
        judge_order(recorded_numbers(stage, s3))
        dynamodb.delete_table(TableName=table)


def as_wire(item):
    """What compare.scan made of an item, with binary as base64 text, as a snapshot line has it."""
    return tuple((name, (value[0], base64.b64encode(value[1]).decode()) if value[0] == "B" else value)
                 for name, value in item)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["kills", "faults", "ceiling", "follow"])
    parser.add_argument("--items", type=int)
    parser.add_argument("--kills", type=int, help="default 20; of follow 10")
    parser.add_argument("--faults", type=float, default=0.1)
    parser.add_argument("--seconds", type=float, default=60, help="ceiling: how long it is measured")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    options.items = options.items or (1_000_000 if options.what == "kills" else 100_000)
    options.kills = options.kills or (10 if options.what == "follow" else 20)
    if options.what == "ceiling":
        options.seconds = int(options.seconds)
    try:
        {"kills": kills, "faults": faults, "ceiling": ceiling, "follow": follow}[options.what](options)
    except AssertionError as e:
        print(f"FAILED: {e}")
        sys.exit(1)


if __name__ == "__main__":
    main()
