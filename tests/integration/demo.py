"""The demonstration behind tools/demo: sample tables through backfill, snapshot and restore, and one that changes while
it is followed; compared item by item."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
FOLDER = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, FOLDER)

import compare  # noqa: E402
import harness  # noqa: E402
import samples  # noqa: E402
from wire import Wire  # noqa: E402

RUN = time.strftime("demo/%Y-%m-%dT%H-%M-%SZ", time.gmtime())
OUTPUT = os.path.join(harness.ROOT, "build", "demo")


def main():
    dynamodb, s3 = harness.client("dynamodb"), harness.client("s3")
    wire = Wire(harness.STACK["AWS_ENDPOINT_URL_DYNAMODB"])
    shutil.rmtree(OUTPUT, ignore_errors=True)
    os.makedirs(OUTPUT)

    tables = [("demo-" + "-".join(kind.lower() for kind in layout if kind), layout, True, 100)
              for layout in samples.KEY_LAYOUTS]
    tables.append(("demo-generated", ("S", None), False, 10000))
    equal = True
    for name, layout, with_samples, generated in tables:
        create_tables(dynamodb, name, layout)
        if with_samples:
            for line in samples.load_samples(wire, name, layout):
                print(f"  left out: {line}")
        wire.load(name, samples.generated_items(generated, layout))
        equal &= one_table(dynamodb, s3, name)
    equal &= followed_table(dynamodb, s3, wire, "demo-followed")

    print(f"\nEach table went to s3://{harness.BUCKET}/{RUN}/TABLE/items/ (an object an item), from there into one snapshot"
          f"\nfile under {RUN}/TABLE/snapshots/, and from that into TABLE-copy. demo-followed changed meanwhile. The snapshots and the reports of every"
          f"\nstep are in {os.path.relpath(OUTPUT)}. To look at one:"
          f"\n  zcat {os.path.relpath(OUTPUT)}/demo-s.json.gz | head -n 3 | cut -c 1-200"
          f"\n  python3 -m json.tool {os.path.relpath(OUTPUT)}/demo-generated.backfill.json"
          "\ntools/demo --keep leaves the servers running and says how to look into them."
          if equal else "\nNot every table came back equal.")
    sys.exit(0 if equal else 1)


def create_tables(dynamodb, name, layout, view=None):
    print(f"\n{name} (keys: {' + '.join(kind for kind in layout if kind)})")
    existing = dynamodb.list_tables()["TableNames"]
    for table in (name, name + "-copy"):
        if table in existing:
            dynamodb.delete_table(TableName=table)
        harness.create_table(dynamodb, table, layout, view=view if table == name else None)


def one_table(dynamodb, s3, name):
    print(f"  loaded: {len(compare.scan(dynamodb, name))} items")
    environment = environment_of(name)
    return step(name, ["backfill", name], environment) and restored_equal(dynamodb, s3, name, environment)


def followed_table(dynamodb, s3, wire, name):
    """Changes while `follow` records them and a backfill reads the table."""
    create_tables(dynamodb, name, ("S", None), view="NEW_AND_OLD_IMAGES")
    if not dynamodb.describe_table(TableName=name)["Table"].get("LatestStreamArn"):
        print("  left out: this server has no streams")
        return True
    # DynamoDB Local's streams tell an empty map inside a list as {}, which is no attribute value.
    items = [item.replace(b'{"M":{}}', b'{"NULL":true}') for item in samples.generated_items(300, ("S", None))]
    wire.load(name, items[:200])
    environment = environment_of(name)
    follower = subprocess.Popen([harness.BINARY, "follow", name, "--output", "json"], env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    print("  follow: records every change of the table from now on")
    backfilled = step(name, ["backfill", name], environment)
    wire.load(name, items[200:])
    for number in range(50):
        dynamodb.delete_item(TableName=name, Key={"pk": {"S": f"item-{number:06}"}})
    print("  changed: 100 items put, 50 deleted")
    wait_until_recorded(s3, environment, items=250, deleted=50)
    follower.send_signal(signal.SIGINT)
    out, err = follower.communicate(timeout=60)
    with open(os.path.join(OUTPUT, f"{name}.follow.json"), "w", encoding="utf-8") as report:
        report.write(out)
    if follower.returncode != 130:
        print(f"  dynamodb-backup follow ended with exit code {follower.returncode}:\n{err[-2000:]}")
        return False
    changes = json.loads(out)["changes"]
    print(f"  follow: stopped; {changes['records']} changes, {changes['puts']} put, {changes['deletes']} deleted, "
          f"{changes['repeats']} there already")
    return backfilled and restored_equal(dynamodb, s3, name, environment)


def wait_until_recorded(s3, environment, items, deleted):
    """Until the bucket holds so many items, and so many delete markers; a minute at most."""
    for _ in range(60):
        there = gone = 0
        for page in s3.get_paginator("list_object_versions").paginate(
                Bucket=harness.BUCKET, Prefix=environment["INCREMENTAL_PREFIX"] + "/"):
            there += sum(v["IsLatest"] and "/.dynabackup/" not in v["Key"] for v in page.get("Versions", []))
            gone += sum(v["IsLatest"] and "/.dynabackup/" not in v["Key"] for v in page.get("DeleteMarkers", []))
        if (there, gone) == (items, deleted):
            return
        time.sleep(1)


def environment_of(name):
    prefix = f"{RUN}/{name}"
    return {**os.environ, "INCREMENTAL_PREFIX": f"{prefix}/items", "SNAPSHOT_PREFIX": f"{prefix}/snapshots"}


def restored_equal(dynamodb, s3, name, environment):
    copy = name + "-copy"
    for arguments in (["snapshot", f"{name}.json.gz"], ["restore", copy, f"{name}.json.gz"]):
        if not step(name, arguments, environment):
            return False
    source = compare.scan(dynamodb, name)
    prefix = f"{RUN}/{name}"
    s3_object = s3.get_object(Bucket=harness.BUCKET, Key=f"{prefix}/snapshots/{name}.json.gz")
    with open(os.path.join(OUTPUT, f"{name}.json.gz"), "wb") as out:
        shutil.copyfileobj(s3_object["Body"], out)

    found = compare.differences(source, compare.scan(dynamodb, copy))
    for line in found[:10]:
        print(f"  {line}")
    print(f"  compared: {len(source)} items, " + (f"{len(found)} DIFFERENCES" if found else "source and copy are equal"))
    return not found


def step(name, arguments, environment):
    run = subprocess.run([harness.BINARY, *arguments, "--output", "json"], env=environment, capture_output=True,
                         stdin=subprocess.DEVNULL, text=True, check=False)
    try:
        report = json.loads(run.stdout)
    except ValueError:
        report = {}
    with open(os.path.join(OUTPUT, f"{name}.{arguments[0]}.json"), "w", encoding="utf-8") as out:
        out.write(run.stdout)
    if run.returncode != 0:
        print(f"  dynamodb-backup {' '.join(arguments)} ended with exit code {run.returncode}:\n{run.stderr[-2000:]}")
        return False
    print(f"  {' '.join(arguments[:1]):9} {report['items_written']:6} items in {report['seconds']:5.1f} s, "
          f"CPU {report['cpu_seconds']:5.2f} s, peak memory {report['peak_rss_bytes'] / harness.MEBIBYTE:3.0f} MiB")
    return True


if __name__ == "__main__":
    main()
