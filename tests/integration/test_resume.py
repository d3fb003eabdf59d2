"""Runs that stop in the middle, what they left, and how the next one deals with it."""
import glob
import hashlib
import json
import os
import signal

import harness
import samples


class Sweep(harness.StackTest):
    def stream_table(self):
        name = self.mark + "-streamed"
        self.dynamodb.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
        self.addCleanup(self.dynamodb.delete_table, TableName=name)
        return name

    def put_as(self, source, key, body):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, Metadata={
            "source": source, "md5": hashlib.md5(body).hexdigest(), "run": "another"})

    def bring_back(self, name):
        """What a backfill does that writes an item after it was deleted: put, delete marker, put."""
        body = b'{"Item":{"pk":{"S":"%s"}}}' % name
        key = self.items_prefix + hashlib.sha256(b'{"pk":{"S":"%s"}}' % name).hexdigest()
        self.put_as("stream", key, body)
        self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.put_as("backfill", key, body)
        return key

    def test_an_item_that_came_back_goes_again_and_a_recreated_one_stays(self):
        table = self.stream_table()
        self.load(table, samples.generated_items(30))
        self.wire.put(table, b'{"pk":{"S":"recreated"}}')
        first = self.expect(0, "backfill", table)
        self.assertIsNone(first.not_covered, first)
        ghost, recreated = self.bring_back(b"ghost"), self.bring_back(b"recreated")
        run = self.expect(0, "backfill", table)
        self.assertEqual((run.sweep_undone, run.items_differing), (1, 0), run)
        self.assertGreaterEqual(run.sweep_judged, 2)
        self.assertNotIn(ghost, self.keys(self.items_prefix))
        self.assertIn(recreated, self.keys(self.items_prefix))
        self.expect(0, "snapshot", "swept.json.gz")
        copy = self.table(suffix="copy")
        self.expect(0, "restore", copy, "swept.json.gz")
        self.assert_equal_tables(table, copy)

    def test_sweeping_where_nothing_was_left_open_says_so(self):
        table = self.stream_table()
        self.refused(2, ["holds no backup"], "backfill", table, "--sweep")
        self.expect(0, "backfill", table)
        run = self.expect(0, "backfill", table, "--sweep")
        self.assertIn("nothing to sweep", " ".join(run.warnings))

    def test_a_run_left_open_is_named_until_it_is_swept(self):
        table = self.stream_table()
        self.load(table, samples.generated_items(5))
        self.expect(0, "backfill", table)
        key, = [key for key in self.keys(self.items_prefix) if "/runs/" in key]
        record = json.loads(self.read(key))
        record.update(id="20200101T000000Z-00000000", finished=False, swept=False, ended="")
        self.write(os.path.dirname(key) + f"/{record['id']}.json", json.dumps(record))
        run = self.expect(3, "snapshot", "open.json.gz")
        self.assertIn(record["id"], run.not_covered)
        self.assertIn("--sweep", run.not_covered)
        ghost = self.bring_back(b"ghost")
        run = self.expect(0, "backfill", table, "--sweep")  # waits until the run has been silent for two minutes
        self.assertEqual(run.sweep_undone, 1, run)
        self.assertNotIn(ghost, self.keys(self.items_prefix))
        self.assertIsNone(self.expect(0, "snapshot", "closed.json.gz").not_covered)


class Resume(harness.StackTest):
    def checkpoints(self):
        return [key for key in self.keys(self.items_prefix) if "/checkpoints/" in key]

    def kill(self, process):
        process.signal(signal.SIGKILL)
        run = process.finish(30)
        self.assertEqual(run.exit_code, -signal.SIGKILL)

    @staticmethod
    def has_settled(checkpoint):
        """Not only the one that a restore begins with."""
        return json.loads(checkpoint)["blocks_done"] > 0 or json.loads(checkpoint)["blocks"] != []

    def settled_in_folder(self, folder):
        for path in glob.glob(folder + "/*.json"):
            try:
                with open(path, encoding="utf-8") as file:
                    return self.has_settled(file.read())
            except FileNotFoundError:
                return False
        return False

    def settled_in_bucket(self):
        return any(self.has_settled(self.read(key)) for key in self.keys(self.snapshots_prefix) if "/checkpoints/" in key)

    def test_a_killed_backfill_goes_on_where_it_was(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(3000))
        process = self.start("backfill", table, "--parallelism", "1", "--segments", "16")
        self.wait_for("a checkpoint", self.checkpoints, 120)
        self.kill(process)
        run = self.expect(0, "backfill", table)
        self.assertGreater(run.items_resumed, 0)
        self.assertEqual(run.items_read, 3000)
        self.assertEqual(len(self.versions(self.items_prefix)), 3000, "each item was stored once")
        self.assertEqual(self.checkpoints(), [])
        self.expect(0, "snapshot", "resumed.json.gz")
        copy = self.table(suffix="copy")
        self.expect(0, "restore", copy, "resumed.json.gz")
        self.assert_equal_tables(table, copy)

    def test_an_interrupted_restore_goes_on_when_told_to(self):
        source = self.table(suffix="source")
        self.load(source, samples.generated_items(4000))
        self.expect(0, "backfill", source)
        self.expect(0, "snapshot", "all.json.gz")
        copy = self.table(suffix="copy")
        self.refused(2, ["no checkpoint"], "restore", copy, "all.json.gz", "--resume")
        for place in ("folder", "s3"):
            with self.subTest(place=place):
                state = ["--state", os.path.join(self.home, "state") if place == "folder" else "s3"]
                process = self.start("restore", copy, "all.json.gz", "--parallelism", "1", "--max-write-units", "400",
                                     *state)
                self.wait_for("a checkpoint", lambda: self.settled_in_folder(self.home + "/state") if place == "folder"
                              else self.settled_in_bucket(), 60)
                self.kill(process)
                run = self.expect(0, "restore", copy, "all.json.gz", "--resume", *state)
                self.assertGreater(run.items_resumed, 0)
                self.assertEqual(run.items_written, 4000)
                self.assert_equal_tables(source, copy)
                self.assertEqual(glob.glob(self.home + "/state/*"), [])

    def test_a_checkpoint_of_another_snapshot_is_refused_with_the_reason(self):
        source = self.table(suffix="source")
        self.load(source, samples.generated_items(2000))
        self.expect(0, "backfill", source)
        self.expect(0, "snapshot", "all.json.gz")
        copy = self.table(suffix="copy")
        process = self.start("restore", copy, "all.json.gz", "--parallelism", "1", "--max-write-units", "200")
        self.wait_for("a checkpoint", lambda: glob.glob(self.home + "/.local/state/dynabackup/*.json"), 60)
        self.kill(process)
        self.expect(0, "snapshot", "all.json.gz", "--overwrite", "--compression", "none")
        self.refused(2, ["replaced", "without --resume"], "restore", copy, "all.json.gz", "--resume")
        self.expect(0, "restore", copy, "all.json.gz")
        self.assert_equal_tables(source, copy)


class DryRun(harness.StackTest):
    def test_it_tells_and_writes_nothing(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(50))
        run = self.expect(0, "backfill", table, "--dry-run")
        self.assertEqual(run.plan["items"], 50)
        self.assertEqual(self.keys(self.items_prefix), [])
        self.expect(0, "backfill", table)
        run = self.report_of("snapshot", "dry.json.gz", "--dry-run")
        self.assertEqual((run.exit_code, run.plan["items"]), (0, 50))
        self.assertEqual(self.keys(self.snapshots_prefix), [])
        self.expect(0, "snapshot", "real.json.gz")
        copy = self.table(suffix="copy")
        run = self.expect(0, "restore", copy, "real.json.gz", "--dry-run")
        self.assertEqual(run.plan["items"], 50)
        self.assertGreaterEqual(run.plan["write_units"], 50)
        self.assertEqual(self.scan(copy), {})
        self.assertIn("nothing was written", self.run_binary("restore", copy, "real.json.gz", "--dry-run").stdout)


class Ceiling(harness.StackTest):
    def test_a_ceiling_holds_from_the_first_second_on(self):
        source = self.table(suffix="source")
        self.load(source, samples.generated_items(600))
        self.expect(0, "backfill", source)
        self.expect(0, "snapshot", "s.json.gz")
        copy = self.table(suffix="copy")
        plan = self.expect(0, "restore", copy, "s.json.gz", "--dry-run").plan
        run = self.expect(0, "restore", copy, "s.json.gz", "--max-write-units", "100")
        # DynamoDB counts less than the plan does, at least a unit an item.
        self.assertGreater(run.seconds, 0.9 * 600 / 100)
        self.assertLess(run.seconds, 2 + 1.5 * plan["write_units"] / 100)
        self.assert_equal_tables(source, copy)
