"""history and show: every version of one item, by hand and by what the engine wrote, compared with what was written."""
import json
import time

import harness

DIGITS = "12345678901234567890123456789012345678"


def wire(item):
    """DynamoDB JSON as the report has it."""
    return json.loads(item)


class History(harness.StackTest):
    def put(self, name, item, **metadata):
        self.s3.put_object(Bucket=self.bucket, Key=self.items_prefix + name, Body=b'{"Item":' + item + b"}", Metadata=metadata)

    def backed_up(self, layout=("S", "N")):
        """A table with one item, backed up; the item's object."""
        table = self.table(layout)
        self.load(table, [harness.item_json(pk={"S": "a"}, sk={"N": "5"}, n={"N": DIGITS}, tags={"SS": ["x", "y"]},
                                            photo={"B": "AAEC"}, deep={"M": {"l": {"L": [{"N": "1"}, {"NULL": True}]}}})])
        self.expect(0, "backfill", table)
        keys = self.item_keys()
        self.assertEqual(len(keys), 1)
        return table, keys[0][len(self.items_prefix):]

    KEY = ("--key", "pk=a", "--key", "sk=5")

    def test_every_version_newest_first_with_its_difference(self):
        table, name = self.backed_up()
        changed = ('{"deep":{"M":{"l":{"L":[{"N":"2"},{"NULL":true}]}}},"n":{"N":"1"},"photo":{"B":"AAEC"},"pk":{"S":"a"},'
                   '"sk":{"N":"5"},"tags":{"SS":["y","z"]}}')
        self.put(name, changed.encode(), source="stream", stream="label", **{"sequence-number": "9" * 40, "changed-at": "2026-11-22T11:45:03Z"})
        self.s3.delete_object(Bucket=self.bucket, Key=self.items_prefix + name)
        self.put(name, b'{"pk":{"S":"a"},"sk":{"N":"5"}}', source="stream", stream="label", **{"sequence-number": "1" + "0" * 40})
        run = self.expect(0, "history", *self.KEY)
        self.assertEqual(run.key, {"pk": {"S": "a"}, "sk": {"N": "5"}})
        self.assertEqual([v["by"] for v in run.versions], ["stream", "delete", "stream", "backfill"])
        self.assertEqual([v["current"] for v in run.versions], [True, False, False, False])
        newest, gone, second, first = run.versions
        self.assertEqual(newest["sequence_number"], "1" + "0" * 40)
        self.assertEqual(sorted(c["path"][0] for c in newest["changes"]), ["pk", "sk"])
        self.assertIsNone(gone["item"])
        self.assertEqual({c["change"] for c in gone["changes"]}, {"removed"})
        self.assertEqual(second["item"], wire(changed))
        self.assertEqual(second["changed_at"], "2026-11-22T11:45:03Z")
        self.assertEqual(second["changes"], [
            {"path": ["deep", "l", 0], "change": "replaced", "before": {"N": "1"}, "after": {"N": "2"}},
            {"path": ["n"], "change": "replaced", "before": {"N": DIGITS}, "after": {"N": "1"}},
            {"path": ["tags"], "change": "elements", "before": {"SS": ["x"]}, "after": {"SS": ["z"]}}])
        self.assertEqual({c["change"] for c in first["changes"]}, {"added"})
        listed = self.s3.list_object_versions(Bucket=self.bucket, Prefix=self.items_prefix + name)
        known = {v["VersionId"] for v in listed["Versions"] + listed["DeleteMarkers"]}
        self.assertEqual({v["version_id"] for v in run.versions}, known)
        # A version a line, for tools that read lines.
        lines = [line.rstrip(",") for line in run.stdout.splitlines() if line.startswith('{"arrived"')]
        self.assertEqual([json.loads(line) for line in lines], run.versions)

        text = self.run_binary("history", *self.KEY)
        self.assertEqual(text.exit_code, 0, text)
        self.assertLessEqual(max(len(line) for line in text.stdout.splitlines() if not line.startswith("s3://")), 80, text)
        for words in (DIGITS, "binary AAEC (3 bytes)", 'added "z"', 'removed "x"', "4 versions"):
            self.assertIn(words, text.stdout)

    def test_an_item_as_it_was(self):
        table, name = self.backed_up()
        time.sleep(1.1)
        self.put(name, b'{"n":{"N":"2"},"pk":{"S":"a"},"sk":{"N":"5"}}', source="stream", stream="label", **{"sequence-number": "1"})
        time.sleep(1.1)
        self.s3.delete_object(Bucket=self.bucket, Key=self.items_prefix + name)
        versions = self.expect(0, "history", *self.KEY).versions
        self.assertEqual(len(versions), 3)
        shown = [self.expect(0, "show", *self.KEY, "--at", v["arrived"]).versions for v in versions]
        self.assertEqual([[v["version_id"] for v in one] for one in shown], [[v["version_id"]] for v in versions])
        self.assertEqual([one[0]["item"] for one in shown], [v["item"] for v in versions])
        now = self.expect(0, "show", '--key={"sk":{"N":"5.0"},"pk":{"S":"a"}}')
        self.assertIsNone(now.versions[0]["item"])
        self.assertIsNone(now.at)
        before = self.expect(3, "show", *self.KEY, "--at", "-1h")
        self.assertEqual(before.versions, [])
        self.assertIn("no backfill had been finished by then", before.not_covered)
        text = self.run_binary("show", *self.KEY, "--at", versions[-1]["arrived"])
        self.assertEqual(text.exit_code, 0, text)
        self.assertIn(DIGITS, text.stdout)

    def test_many_versions_of_one_item(self):
        table, name = self.backed_up()
        for number in range(1100):
            self.put(name, b'{"n":{"N":"%d"},"pk":{"S":"a"},"sk":{"N":"5"}}' % number, source="stream", stream="label",
                     **{"sequence-number": str(number)})
        run = self.expect(0, "history", *self.KEY)
        self.assertEqual([v["item"]["n"]["N"] for v in run.versions[:-1]], [str(n) for n in reversed(range(1100))])

    def test_what_is_not_there_is_an_answer(self):
        self.backed_up()
        for command in ("history", "show"):
            run = self.expect(0, command, "--key", "pk=never", "--key", "sk=1")
            self.assertEqual(run.versions, [])
            text = self.run_binary(command, "--key", "pk=never", "sk=1")
            self.assertEqual(text.exit_code, 0, text)
            self.assertIn("no version", text.stdout)

    def test_keys_and_moments_that_are_none_are_refused_without_their_values(self):
        self.backed_up()
        for key in (["pk=sesame"], ["pk=sesame", "sk=sesame"], ["sesame"], ['{"pk":{"N":"1"},"sk":{"N":"5"}}'], ["pk=a", "sk=5", "x=sesame"]):
            for command in ("history", "show"):
                with self.subTest(key=key, command=command):
                    run = self.refused(2, ["pk (S), sk (N)"], command, *(word for one in key for word in ("--key", one)))
                    self.assertNotIn("sesame", run.message)
        self.refused(2, ["--at"], "show", *self.KEY, "--at", "yesterday")
        self.refused(2, ["ahead"], "show", *self.KEY, "--at", "2999-01-01T00:00:00Z")

    def test_an_unversioned_bucket_a_prefix_without_a_backup(self):
        self.refused(2, ["holds no backup"], "history", *self.KEY)
        bucket = self.new_bucket(versioning=None)
        table = self.table()
        self.load(table, [harness.item_json(pk={"S": "a"})])
        plain = {"INCREMENTAL_BUCKET": bucket}
        self.expect(0, "backfill", table, "--unversioned", **plain)
        self.refused(2, ["not versioned"], "history", "--key", "pk=a", **plain)
        self.refused(2, ["not versioned"], "show", "--key", "pk=a", "--at", "-1m", **plain)
        self.assertEqual(self.expect(0, "show", "--key", "pk=a", **plain).versions[0]["item"], {"pk": {"S": "a"}})

    def test_a_damaged_version_is_named_and_the_others_are_told(self):
        table, name = self.backed_up()
        self.put(name, b'{"pk":{"S":"sesame"},"sk":{"N":"5"}}')
        run = self.expect(3, "history", *self.KEY)
        self.assertIn("another key", run.versions[0]["problem"])
        self.assertEqual(run.findings[0]["kind"], "unreadable")
        self.assertIsNotNone(run.versions[1]["item"])
        self.assertNotIn("sesame", run.stdout + run.stderr)
        self.refused(1, ["cannot be shown"], "show", *self.KEY)
