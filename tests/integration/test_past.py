"""snapshot --at: states that were kept aside while a table changed, and every way in which a bucket cannot tell."""
import email.utils
import gzip
import json
import random
import signal
import time

import compare
import harness


class Past(harness.StackTest):
    def now(self):
        """The bucket's clock, in seconds."""
        headers = self.s3.head_bucket(Bucket=self.bucket)["ResponseMetadata"]["HTTPHeaders"]
        return int(email.utils.parsedate_to_datetime(headers["date"]).timestamp())

    @staticmethod
    def spelled(second):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))

    def moment(self):
        """This very second, told when it is over."""
        second = self.now()
        time.sleep(2.1)
        return self.spelled(second)

    def in_snapshot(self, name):
        items = [json.loads(line)["Item"] for line in gzip.decompress(self.read(self.snapshots_prefix + name)).splitlines()]
        return {(compare.normal(item["pk"]),): compare.normal_item(item) for item in items}

    def one_off(self, count=20):
        """A table without a stream in the bucket; the moment when it was whole."""
        table = self.table()
        self.load(table, [harness.item_json(pk={"S": f"k{n}"}) for n in range(count)])
        self.expect(0, "backfill", table)
        return table, self.moment()

    def change(self, table, dice, number):
        for _ in range(60):
            key = {"pk": {"S": f"k{dice.randrange(40)}"}}
            if dice.random() < 0.3:
                self.dynamodb.delete_item(TableName=table, Key=key)
            else:
                self.dynamodb.put_item(TableName=table, Item={
                    **key, "n": {"N": f"{number}.{dice.randrange(10 ** 9)}"}, "s": {"SS": ["a", str(dice.random())]}})

    def test_the_states_of_a_table_that_is_followed_each_come_back(self):
        table = self.mark + "-past"
        harness.create_table(self.dynamodb, table, ("S",), view="NEW_AND_OLD_IMAGES")
        self.addCleanup(self.dynamodb.delete_table, TableName=table)
        dice = random.Random(11)
        follower = self.start("follow", table, "--output", "json")
        self.addCleanup(lambda: follower.process.poll() is None and follower.process.kill())
        self.change(table, dice, 0)
        self.wait_for("a lease", lambda: any(key.endswith("recorder.json") for key in self.keys(self.items_prefix)))
        self.expect(0, "backfill", table)
        known = []
        for number in range(1, 7):
            self.change(table, dice, number)
            truth = self.scan(table)
            settled = f"settled-{number}.json.gz"

            def there():
                self.expect(0, "snapshot", settled, "--overwrite")
                return self.in_snapshot(settled) == truth
            self.wait_for("the recorder", there, 60)
            known.append((self.moment(), truth))
            time.sleep(dice.random() * 2)
        follower.signal(signal.SIGINT)
        self.assertEqual(follower.finish(60).exit_code, 130)
        dice.shuffle(known)
        for number, (moment, truth) in enumerate(known):
            name = f"past-{number}.json.gz"
            run = self.expect(0, "snapshot", name, "--at", moment)
            self.assertEqual(self.in_snapshot(name), truth)
            self.assertIsNone(run.not_covered)
            self.assertEqual(run.state_at["at"], moment)
            self.assertGreater(run.state_at["changes"], 0)
            # DynamoDB Local cuts the time of a change to the minute.
            self.assertLess(run.state_at["lag_ms"], 60_000 + 60_000)
            manifest = json.loads(self.read(f"{self.snapshots_prefix}.dynabackup/{name}.manifest.json"))
            self.assertEqual((manifest["at"], manifest["covered"]), (moment, True))
        moment, truth = known[0]
        copy = self.table()
        self.expect(0, "restore", copy, "past-0.json.gz")
        self.assertEqual(self.scan(copy), truth)
        for moment, truth in known:
            straight = self.table()
            run = self.expect(0, "restore", straight, "--at", moment)
            self.assertEqual(self.scan(straight), truth)
            self.assertEqual((run.items_written, run.state_at["at"]), (len(truth), moment))

    def test_spans_count_from_the_buckets_clock_and_many_versions_of_one_second_keep_their_order(self):
        table, _ = self.one_off(5)
        key = self.item_keys()[0]
        body = self.read(key)
        for text in range(40):
            self.write(key, body[:-2] + b',"v":{"N":"%d"}}}' % text)
        self.s3.delete_object(Bucket=self.bucket, Key=key)
        gone = self.now()
        time.sleep(6.1)
        self.write(key, body)
        time.sleep(1.1)
        run = self.expect(0, "snapshot", "a.json.gz", "--at", f"-{self.now() - gone}s")
        self.assertEqual(run.items_written, 4)
        self.assertEqual(self.expect(0, "snapshot", "--at", "-0s").items_written, 5)

    def test_a_moment_that_is_none_or_lies_ahead_is_wrong_usage(self):
        self.one_off(3)
        self.refused(2, ["lies ahead"], "snapshot", "--at", self.spelled(self.now() + 3600))
        for garbage in ("yesterday", "2026-11-22", "-2 hours", "12:00"):
            self.refused(2, ["2026-11-22T11:45:03Z", "-2h"], "snapshot", "--at", garbage)
        self.assertEqual(self.keys(self.snapshots_prefix), [])

    def cannot_tell(self, moment, *words, **environment):
        """Refused with exit code 1 and without a trace; taken on request, and called not covered."""
        before = self.keys(self.snapshots_prefix)
        self.refused(1, ["cannot be told for sure", *words], "snapshot", "--at", moment, "--overwrite", **environment)
        self.assertEqual(self.keys(self.snapshots_prefix), before)
        run = self.expect(3, "snapshot", "--at", moment, "--accept-incomplete", "--overwrite", **environment)
        for word in words:
            self.assertIn(word, run.not_covered)
        return run

    def test_before_the_first_backfill_and_while_one_was_open(self):
        earlier = self.moment()
        table, whole = self.one_off()
        self.assertEqual(self.cannot_tell(earlier, "no backfill had been finished by then").items_written, 0)
        self.expect(0, "snapshot", "--at", whole)
        runs = [key for key in self.keys(self.items_prefix) if "/runs/" in key]
        record = json.loads(self.read(runs[0]))
        identity = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.now())) + "-00000000"
        record.update(id=identity, ended="", finished=False, swept=False)
        self.write(f"{self.items_prefix}.dynabackup/runs/{identity}.json", json.dumps(record))
        open_then = self.moment()
        self.cannot_tell(open_then, identity, "still is")
        self.expect(0, "snapshot", "--at", whole, "--overwrite")
        self.expect(0, "backfill", table)
        self.cannot_tell(open_then, identity, "open until")
        self.expect(0, "snapshot", "--at", self.moment())

    def test_a_gap_until_it_is_removed(self):
        _, whole = self.one_off()
        began = self.moment()
        key = f"{self.items_prefix}.dynabackup/gaps/g.json"
        self.write(key, json.dumps({"format": 1, "stream": "arn", "shard": "", "from_sequence": "", "to_sequence": "",
                                    "from": began, "to": "", "reason": "test"}))
        self.cannot_tell(began, "gaps/g.json")
        self.expect(0, "snapshot", "--at", whole)
        time.sleep(1.1)
        self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.cannot_tell(began, "gaps/g.json")
        self.expect(0, "snapshot", "--at", self.moment())

    def test_buckets_without_versions_or_with_rules_that_remove_them(self):
        table = self.table()
        self.load(table, [harness.item_json(pk={"S": f"k{n}"}) for n in range(5)])
        plain = self.new_bucket(None)
        self.expect(0, "backfill", table, "--unversioned", INCREMENTAL_BUCKET=plain)
        run = self.cannot_tell(self.moment(), "is not versioned", INCREMENTAL_BUCKET=plain)
        self.assertEqual(run.items_written, 5)
        ruled = self.new_bucket()
        self.expect(0, "backfill", table, INCREMENTAL_BUCKET=ruled)
        moment = self.moment()
        self.expect(0, "snapshot", "--at", moment, "--overwrite", INCREMENTAL_BUCKET=ruled)

        def rule(**what):
            self.s3.put_bucket_lifecycle_configuration(Bucket=ruled, LifecycleConfiguration={"Rules": [
                {"ID": "the-rule", "Status": "Enabled", "Filter": {"Prefix": ""}, **what}]})
        rule(NoncurrentVersionExpiration={"NoncurrentDays": 1})
        self.expect(0, "snapshot", "--at", moment, "--overwrite", INCREMENTAL_BUCKET=ruled)
        rule(Expiration={"Days": 1000})
        self.cannot_tell(moment, "the-rule", "expires current objects", INCREMENTAL_BUCKET=ruled)
        self.s3.put_bucket_versioning(Bucket=ruled, VersioningConfiguration={"Status": "Suspended"})
        self.cannot_tell(moment, "suspended", INCREMENTAL_BUCKET=ruled)
