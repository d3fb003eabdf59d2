"""backfill → snapshot → restore on real servers: what comes back equals what was there, and repeating changes nothing."""
import gzip
import hashlib
import json
import re
import subprocess

import compare
import harness
import samples


class RoundTrip(harness.StackTest):
    def round_trip(self, source, layout, name="all.json.gz", **environment):
        copy = self.table(layout, "copy")
        count = len(self.scan(source))
        run = self.expect(0, "backfill", source, **environment)
        self.assertEqual((run.operation, run.items_read, run.items_written), ("backfill", count, count))
        run = self.expect(0, "snapshot", name, **environment)
        self.assertEqual((run.operation, run.items_written), ("snapshot", count))
        run = self.expect(0, "restore", copy, name, **environment)
        self.assertEqual((run.operation, run.items_written, run.items_refused), ("restore", count, 0))
        self.assert_equal_tables(source, copy)
        return copy

    def samples_come_back(self, layout):
        source = self.table(layout, "source")
        samples.load_samples(self.wire, source, layout)
        self.load(source, samples.generated_items(100, layout))
        # Some samples share a key: the same item in two spellings.
        keys = {json.dumps([item.get("pk"), item.get("sk")]) for item in
                (json.loads(sample.json) for sample in samples.samples() if sample.accepted and sample.layout == layout)}
        self.assertEqual(len(self.scan(source)), 100 + len(keys))
        self.round_trip(source, layout)

    def test_samples_keyed_by_string(self):
        self.samples_come_back(("S", None))

    def test_samples_keyed_by_binary(self):
        self.samples_come_back(("B", None))

    def test_samples_keyed_by_string_and_number(self):
        self.samples_come_back(("S", "N"))

    def test_samples_keyed_by_string_and_string(self):
        self.samples_come_back(("S", "S"))

    def test_samples_keyed_by_binary_and_binary(self):
        self.samples_come_back(("B", "B"))

    def test_items_keyed_by_number(self):
        source = self.table(("N", None), "source")
        numbers = ["0", "-1", "1E+125", "1E-130", "-9.9999999999999999999999999999999999999E+125", "0.1", "100"]
        self.load(source, [harness.item_json(pk={"N": text}) for text in numbers])
        self.round_trip(source, ("N", None))

    def test_an_empty_table(self):
        source = self.table(suffix="source")
        run = self.expect(0, "backfill", source)
        self.assertEqual((run.items_read, run.items_written), (0, 0))

    def test_zstd_and_none(self):
        source = self.table(suffix="source")
        self.load(source, samples.generated_items(60))
        self.expect(0, "backfill", source)
        for codec, name in (("zstd", "a.json.zst"), ("none", "a.json")):
            self.expect(0, "snapshot", name, "--compression", codec)
            body = self.read(self.snapshots_prefix + name)
            if codec == "zstd":
                body = subprocess.run(["zstd", "-dc"], input=body, capture_output=True, check=True).stdout
            self.assertEqual(len([json.loads(line)["Item"] for line in body.splitlines()]), 60)
            copy = self.table(suffix=codec)
            self.expect(0, "restore", copy, name)
            self.assert_equal_tables(source, copy)

    def test_the_classic_forms(self):
        source, copy = self.table(suffix="source"), self.table(suffix="copy")
        self.load(source, samples.generated_items(30))
        for arguments in (["--backfill", source], ["--snapshot"]):
            run = self.run_binary(*arguments)
            self.assertEqual(run.exit_code, 0, run)
            self.assertGreaterEqual(len((run.stdout + run.stderr).splitlines()), 2, "a line at the start, one at the end")
        names = [key[len(self.snapshots_prefix):] for key in self.keys(self.snapshots_prefix) if ".dynabackup/" not in key]
        self.assertEqual(len(names), 1)
        self.assertRegex(names[0], r"^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.json\.gz$")
        run = self.run_binary("--restore", copy, names[0])
        self.assertEqual(run.exit_code, 0, run)
        self.assert_equal_tables(source, copy)

    def test_a_configuration_file(self):
        source, copy = self.table(suffix="source"), self.table(suffix="copy")
        self.load(source, samples.generated_items(10))
        path = self.file("backup.conf", f"""
# comment
s3 {{
  incremental {{
    bucket = {self.bucket}
\tprefix = {self.mark}/from-file
  }}
  snapshot.bucket = "{self.bucket}"   // dotted, quoted
  snapshot.prefix : {self.mark}/file-snapshots
}}

dynamodb {{
  region = us-east-1
  parallelism = 16
}}
""")
        self.expect(0, "backfill", source, "--config", path)
        self.assertEqual(self.item_keys(), [], "the file beats the environment")
        self.assertEqual(len([key for key in self.keys(f"{self.mark}/from-file/") if ".dynabackup" not in key]), 10)
        self.expect(0, "snapshot", "s.json.gz", f"-Dconfig.file={path}")
        self.expect(0, "restore", copy, "s.json.gz", DYNABACKUP_CONFIG=path)
        self.assert_equal_tables(source, copy)

    def test_parallelism_of_one(self):
        source = self.table(suffix="source")
        self.load(source, samples.generated_items(60))
        self.round_trip(source, ("S", None), DYNAMODB_PARALLELISM="1", S3_PARALLELISM="1")


class Format(harness.StackTest):
    def test_an_item_lies_where_the_format_says(self):
        table = self.table(suffix="source", names=("id", None))
        self.wire.put(table, b'{"z":{"N":"1.50"},"id":{"S":"user-1"},"a":{"SS":["b","a"]}}')
        self.expect(0, "backfill", table)
        name = self.items_prefix + "1955c99d6c94781eff8e4e7956e0da0d7dba51075deab9510a9af5bc91716dc9"
        self.assertEqual(self.item_keys(), [name])
        stored = self.s3.get_object(Bucket=self.bucket, Key=name)
        body = stored["Body"].read()
        self.assertEqual(body, b'{"Item":{"a":{"SS":["a","b"]},"id":{"S":"user-1"},"z":{"N":"1.5"}}}')
        metadata = stored["Metadata"]
        self.assertEqual(metadata["source"], "backfill")
        self.assertEqual(metadata["md5"], hashlib.md5(body).hexdigest())
        self.assertTrue(metadata["run"])

    def test_a_snapshot_is_lines_any_gzip_reads_with_a_manifest_beside_it(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(200))
        self.expect(0, "backfill", table)
        self.expect(0, "snapshot", "s.json.gz")
        lines = gzip.decompress(self.read(self.snapshots_prefix + "s.json.gz")).splitlines()
        self.assertEqual(len(lines), 200)
        for line in lines:
            self.assertEqual(list(json.loads(line)), ["Item"])
        manifest = json.loads(self.read(self.snapshots_prefix + ".dynabackup/s.json.gz.manifest.json"))
        self.assertEqual(manifest["items"], 200)

    def test_a_deleted_item_is_not_in_a_snapshot(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(5))
        self.expect(0, "backfill", table)
        self.s3.delete_object(Bucket=self.bucket, Key=self.item_keys()[0])
        run = self.expect(0, "snapshot", "s.json.gz")
        self.assertEqual(run.items_written, 4)

    def test_a_name_that_is_none_of_ours_is_counted_and_left_out(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(5))
        self.expect(0, "backfill", table)
        self.write(self.items_prefix + "notes.txt", b"hello")
        run = self.expect(3, "snapshot", "s.json.gz")
        self.assertEqual(run.items_written, 5)
        self.assertIn("notes.txt", run.stdout)

    def test_a_body_that_is_no_item_fails_the_snapshot_and_is_named(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(5))
        self.expect(0, "backfill", table)
        key = self.item_keys()[2]
        self.write(key, b"<html>")
        self.refused(1, [key.rsplit("/", 1)[1]], "snapshot", "s.json.gz")
        self.assertEqual(self.keys(self.snapshots_prefix), [], "no half a snapshot")


class Repeating(harness.StackTest):
    def test_a_second_backfill_adds_no_version(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(400))
        self.expect(0, "backfill", table)
        before = self.versions(self.items_prefix)
        self.assertEqual(len(before), 400)
        run = self.expect(0, "backfill", table)
        self.assertEqual((run.items_read, run.items_written, run.items_present), (400, 0, 400))
        self.assertEqual(self.versions(self.items_prefix), before)

    def test_a_second_restore_changes_no_item(self):
        source, copy = self.table(suffix="source"), self.table(suffix="copy")
        self.load(source, samples.generated_items(200))
        self.expect(0, "backfill", source)
        self.expect(0, "snapshot", "s.json.gz")
        self.expect(0, "restore", copy, "s.json.gz")
        first = self.scan(copy)
        self.expect(0, "restore", copy, "s.json.gz")
        self.assertEqual(self.scan(copy), first)
        self.assert_equal_tables(source, copy)

    def test_restore_leaves_items_alone_that_the_snapshot_does_not_hold(self):
        source, copy = self.table(suffix="source"), self.table(suffix="copy")
        self.load(source, samples.generated_items(20))
        self.wire.put(copy, b'{"pk":{"S":"here before"}}')
        self.expect(0, "backfill", source)
        self.expect(0, "snapshot", "s.json.gz")
        self.expect(0, "restore", copy, "s.json.gz")
        self.assertEqual(len(self.scan(copy)), 21)

    def test_backfill_continues_where_an_interrupted_one_stopped(self):
        source = self.table(suffix="source")
        self.load(source, samples.generated_items(1200))
        process = self.start("backfill", source, "--output", "json", DYNAMODB_PARALLELISM="1", S3_PARALLELISM="1")
        self.wait_for("the first objects", lambda: len(self.item_keys()) > 20)
        process.signal(harness.INTERRUPT)
        run = process.finish(15)
        self.assertEqual(run.exit_code, 130, run)
        done = self.versions(self.items_prefix)
        self.assertLess(len(done), 1200)
        run = self.expect(0, "backfill", source)
        self.assertEqual((run.items_read, run.items_written + run.items_present), (1200, 1200))
        after = self.versions(self.items_prefix)
        self.assertEqual(len(after), 1200)
        self.assertLessEqual(set(done), set(after), "what was there stays as it was")

    def test_an_interrupted_snapshot_leaves_nothing(self):
        source = self.table(suffix="source")
        self.load(source, samples.generated_items(1200))
        self.expect(0, "backfill", source)
        process = self.start("snapshot", "s.json.gz", "--output", "json", S3_PARALLELISM="1", DYNAMODB_PARALLELISM="1")
        harness.time.sleep(1)
        process.signal(harness.INTERRUPT)
        run = process.finish(15)
        self.assertEqual(run.exit_code, 130, run)
        self.assertEqual(self.keys(self.snapshots_prefix), [])
        uploads = self.s3.list_multipart_uploads(Bucket=self.bucket, Prefix=self.snapshots_prefix).get("Uploads", [])
        self.assertEqual(uploads, [])

    def test_an_interrupted_restore_can_be_run_again(self):
        source, copy = self.table(suffix="source"), self.table(suffix="copy")
        lines = [b'{"Item":' + item + b"}" for item in samples.generated_items(5000)]
        name = self.write_snapshot("s.json", b"\n".join(lines))
        process = self.start("restore", copy, name, "--output", "json", DYNAMODB_PARALLELISM="1")
        self.wait_for("the first items", lambda: self.dynamodb.describe_table(TableName=copy)["Table"]["ItemCount"] > 0)
        process.signal(harness.INTERRUPT)
        run = process.finish(15)
        self.assertEqual(run.exit_code, 130, run)
        self.expect(0, "restore", copy, name)
        self.load(source, samples.generated_items(5000))
        self.assert_equal_tables(source, copy)


class Differences(harness.StackTest):
    def test_an_item_changed_since_the_first_backfill_is_left_alone_counted_and_named(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(20))
        self.expect(0, "backfill", table)
        before = self.versions(self.items_prefix)
        self.wire.put(table, b'{"pk":{"S":"item-000003"},"changed":{"S":"content-nobody-may-print"}}')
        run = self.expect(3, "backfill", table)
        self.assertEqual((run.items_differing, run.items_present), (1, 19))
        self.assertIn("heal", run.stdout + run.stderr)
        self.assertTrue(any(finding["kind"] == "differs" for finding in run.findings), run)
        self.assertNotIn("content-nobody-may-print", run.stdout + run.stderr)
        self.assertEqual(self.versions(self.items_prefix), before)

    def test_what_the_stream_wrote_since_is_kept(self):
        table = self.table(suffix="source")
        self.wire.put(table, b'{"pk":{"S":"a"},"v":{"N":"1"}}')
        self.expect(0, "backfill", table)
        key, = self.item_keys()
        body = self.read(key)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, Metadata={
            "source": "stream", "md5": hashlib.md5(body).hexdigest(), "stream": "2026-01-01T00:00:00.000",
            "sequence-number": "100000000000000000001", "changed-at": "2026-01-01T00:00:00Z"})
        before = self.versions(self.items_prefix)
        run = self.expect(0, "backfill", table)
        self.assertEqual((run.items_present, run.items_differing), (1, 0))
        self.assertEqual(self.versions(self.items_prefix), before)

    def test_one_refused_item_is_named_and_its_neighbours_are_written(self):
        copy = self.table(suffix="copy")
        lines = [b'{"Item":{"pk":{"S":"row-%04d"}}}' % number for number in range(60)]
        lines[17] = b'{"Item":{"pk":{"S":"row-0017"},"x":{"S":"%s"}}}' % (b"content-nobody-may-print" * 20000)
        lines[41] = b'{"Item":{"pk":{"S":"%s"}}}' % (b"k" * 2049)
        name = self.write_snapshot("refused.json", b"\n".join(lines) + b"\n")
        run = self.expect(3, "restore", copy, name)
        self.assertEqual((run.items_written, run.items_refused), (58, 2))
        self.assertEqual(sorted(finding["line"] for finding in run.findings), [18, 42], run)
        self.assertEqual(len(self.scan(copy)), 58)
        self.assertNotIn("content-nobody-may-print", run.stdout + run.stderr)

    def test_a_line_with_a_value_that_no_item_can_have_is_named(self):
        for value in (b'{"SS":[]}', b'{"N":"1E+126"}', b'{"N":"NaN"}', b'{"B":"@@@"}', b'{"X":"1"}', b'{"S":"a\\ud83d"}'):
            with self.subTest(value=value):
                copy = self.table()
                body = b'{"Item":{"pk":{"S":"a"}}}\n{"Item":{"pk":{"S":"secret-key-text"},"v":%s}}\n' % value
                name = self.write_snapshot("value.json", body)
                run = self.report_of("restore", copy, name)
                self.assertIn(run.exit_code, (1, 3), run)
                self.assertRegex(run.stdout + run.stderr, r"value\.json\D{1,20}2\b")
                self.assertNotIn("secret-key-text", run.stdout + run.stderr)
                self.assertNotIn((compare.normal({"S": "secret-key-text"}),), self.scan(copy))

    def test_an_item_too_large_is_named_too(self):
        copy = self.table(suffix="copy")
        lines = [b'{"Item":{"pk":{"S":"a"}}}', b'{"Item":{"pk":{"S":"big"},"data":{"S":"%s"}}}' % (b"x" * 409592),
                 b'{"Item":{"pk":{"S":"z"}}}']
        name = self.write_snapshot("large.json.gz", gzip.compress(b"\n".join(lines)))
        run = self.expect(3, "restore", copy, name)
        self.assertEqual((run.items_written, run.items_refused), (2, 1))
        self.assertEqual([finding["line"] for finding in run.findings], [2])
        self.assertEqual(len(self.scan(copy)), 2)

    def test_text_that_is_no_unicode_fails_the_backfill_and_the_table_is_named(self):
        table = self.table(suffix="source")
        self.wire.put(table, b'{"pk":{"S":"x"},"s":{"S":"a\\ud83d"}}')
        self.refused(1, [table], "backfill", table)

    def test_a_table_with_another_key_is_refused_before_anything_is_written(self):
        source, other = self.table(suffix="source"), self.table(("S", "N"), "other")
        self.load(source, samples.generated_items(10))
        self.expect(0, "backfill", source)
        self.expect(0, "snapshot", "s.json.gz")
        self.refused((1, 2), ["key"], "restore", other, "s.json.gz")
        self.assertEqual(self.scan(other), {})


class Output(harness.StackTest):
    def test_json_is_one_object_with_the_promised_members(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(10))
        run = self.expect(0, "backfill", table)
        for member in ("operation", "items_read", "items_written", "items_present", "items_differing", "items_refused",
                       "peak_rss_bytes", "cpu_seconds", "seconds", "warnings", "findings", "exit_code"):
            self.assertIn(member, run.report)
        self.assertGreater(run.peak_rss_bytes, harness.MEBIBYTE)

    def test_a_pipe_gets_plain_lines(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(10))
        run = self.run_binary("backfill", table)
        self.assertEqual(run.exit_code, 0, run)
        self.assertTrue(run.stdout.strip(), "the report goes to stdout")
        self.assertIsNone(re.search("[\r\x1b]", run.stdout + run.stderr))
