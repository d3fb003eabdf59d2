"""follow: write → stream → S3, killed and started again, stopped; its lease; a stream switched on."""
import json
import signal
import time

import compare
import harness
import samples
from writer import KEYS, Writer

LEASE = 30  # seconds
LATE_EFFECTS = 65


class Follow(harness.StackTest):
    def streamed_table(self, view="NEW_AND_OLD_IMAGES"):
        name = self.mark + "-streamed"
        self.dynamodb.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            **({"StreamSpecification": {"StreamEnabled": True, "StreamViewType": view}} if view else {}))
        self.addCleanup(self.dynamodb.delete_table, TableName=name)
        return name

    def follow(self, table, *options):
        process = self.start("follow", table, "--output", "json", *options)

        def end():
            if process.process.poll() is None:
                process.process.kill()
                process.process.communicate()
        self.addCleanup(end)
        return process

    def state(self):
        key = self.items_prefix + ".dynabackup/recorder.json"
        return json.loads(self.read(key)) if key in self.keys(self.items_prefix) else None

    def gaps(self):
        return [key for key in self.keys(self.items_prefix) if "/gaps/" in key]

    def settled(self, table, seconds=60):
        """Waits until a restored snapshot of the bucket equals the table, item by item."""
        ends = time.monotonic() + seconds
        while True:
            name = f"settled-{time.monotonic_ns()}.json.gz"
            code = self.report_of("snapshot", name).exit_code
            self.assertIn(code, (0, 2, 3))  # 2: nothing is there yet; 3: no backfill is recorded
            if code == 2:
                self.assertLess(time.monotonic(), ends, "nothing was recorded")
                time.sleep(1)
                continue
            copy = self.table()
            self.expect(0, "restore", copy, name)
            found = compare.differences(self.scan(table), self.scan(copy))
            if not found:
                return
            self.assertLess(time.monotonic(), ends, f"{len(found)} differences after {seconds} s: {found[:5]}")
            time.sleep(1)

    def stop(self, process, number=signal.SIGINT):
        process.signal(number)
        run = process.finish(30)
        self.assertEqual(run.exit_code, 130, run)
        return run

    def write(self, table, numbers, text):
        for n in numbers:
            self.dynamodb.put_item(TableName=table, Item={"pk": {"S": f"k{n}"}, "text": {"S": text}})

    def test_changes_before_and_while_it_follows_until_it_is_stopped(self):
        table = self.streamed_table()
        # DynamoDB Local's streams tell an empty map inside a list as {}, which is no attribute value.
        self.load(table, (item.replace(b'{"M":{}}', b'{"NULL":true}') for item in samples.generated_items(200)))
        process = self.follow(table)
        self.settled(table)
        self.write(table, range(50), "first")
        self.write(table, range(50), "second")
        for n in range(10):
            self.dynamodb.delete_item(TableName=table, Key={"pk": {"S": f"k{n}"}})
        self.settled(table)
        run = self.stop(process, signal.SIGTERM)
        self.assertTrue(run.interrupted)
        self.assertGreaterEqual(run.changes["records"], 310)
        self.assertEqual((run.changes["puts"] + run.changes["deletes"], run.changes["repeats"]),
                         (run.changes["records"], 0))
        self.assertEqual(self.state()["owner"], "")
        self.assertEqual(self.gaps(), [])
        # At once again, from there on.
        self.write(table, range(5), "third")
        process = self.follow(table)
        self.settled(table)
        self.assertEqual(self.stop(process).changes["records"], 5)

    def test_a_killed_one_refuses_the_next_until_its_lease_has_run_out(self):
        table = self.streamed_table()
        self.write(table, range(30), "first")
        process = self.follow(table)
        self.settled(table)
        owner = self.state()["owner"]
        self.assertTrue(owner)
        self.refused(2, ["is followed by", owner, "s ago"], "follow", table)
        self.write(table, range(15, 45), "second")
        process.signal(signal.SIGKILL)
        process.finish(30)
        self.write(table, range(30), "third")
        self.refused(2, ["is followed by", owner], "follow", table)
        time.sleep(LEASE)
        process = self.follow(table)
        self.settled(table, LATE_EFFECTS + 100)
        run = self.stop(process)
        self.assertGreaterEqual(run.changes["records"], 30)
        self.assertEqual(self.gaps(), [])

    def test_a_stream_is_switched_on_when_asked_for_and_a_backfill_covers(self):
        table = self.streamed_table(view=None)
        self.write(table, range(20), "before")
        self.refused(2, ["no stream", "--enable-stream"], "follow", table)
        process = self.follow(table, "--enable-stream")
        self.wait_for("a lease", self.state)
        self.write(table, range(10, 30), "while")
        self.expect(0, "backfill", table)
        self.settled(table)
        self.assertIsNone(self.expect(0, "snapshot", "covered.json.gz").not_covered)
        self.stop(process)

    def test_a_backfill_that_races_writes_which_are_followed_ends_exact(self):
        table = self.streamed_table(view=None)
        self.write(table, range(KEYS), "from before the stream " * 20)
        follower = self.follow(table, "--enable-stream")
        self.wait_for("a lease", self.state)
        writer = Writer(self.dynamodb, table, writes=1_000_000, seed=7, allowed=1_000_000)
        writer.start()
        # About 240 read units, so that the table changes much while it is read.
        backfill = self.start("backfill", table, "--output", "json", "--max-read-units", "10")
        self.wait_for("objects of the backfill", lambda: len(self.item_keys()) > KEYS // 2)
        run = backfill.finish(300)
        writes = writer.stop()
        self.assertEqual(run.exit_code, 0, run)
        self.assertGreater(writes, 20)  # a loaded machine is slow at both
        self.assertGreater(run.items_written, 100)
        self.settled(table, 120)
        self.assertIsNone(self.expect(0, "snapshot", "covered.json.gz").not_covered)
        changes = self.stop(follower).changes
        self.assertGreater(changes["records"], writes // 2)  # what changes nothing gives no record
        self.assertEqual(self.gaps(), [])
        print(f"{writes} writes beside a backfill of {run.items_written} items", end=" ", flush=True)

    def test_a_stream_without_new_images_is_refused_by_its_view_type(self):
        table = self.streamed_table("KEYS_ONLY")
        self.refused(2, ["KEYS_ONLY"], "follow", table)
        self.assertEqual(self.keys(self.items_prefix), [])

    def test_a_disabled_stream_is_read_to_its_end(self):
        table = self.streamed_table()
        self.write(table, range(10), "before")
        process = self.follow(table)
        self.settled(table)
        self.write(table, range(10, 20), "the rest")
        self.dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
        run = process.finish(120)
        self.assertEqual(run.exit_code, 3, run)
        self.assertIn("disabled", run.not_covered)
        self.assertEqual(len(self.item_keys()), 20)
        self.assertEqual(self.gaps(), [])
