"""What goes wrong is said once, clearly, and ends with exit code 1 or 2: nothing is done by half, no secret is shown."""
import gzip
import json
import socket

import harness
import samples

FAILS = (1, 2)


class Usage(harness.StackTest):
    def test_anything_but_a_known_command_prints_the_usage(self):
        for arguments in ([], ["no-such-command"], ["--no-such-option"], ["backfill"], ["restore", "only-a-table"],
                          ["backfill", "a", "b"], ["--backfill"], ["--restore", "only-a-table"],
                          ["--backfill", "a", "--snapshot"]):
            with self.subTest(arguments=arguments):
                run = self.run_binary(*arguments)
                self.assertEqual(run.exit_code, 2, run)
                self.assertIn("backfill", run.stdout + run.stderr, "the usage names the commands")

    def test_help_and_version_succeed(self):
        for option in ("--help", "--version"):
            run = self.run_binary(option)
            self.assertEqual(run.exit_code, 0, run)
            self.assertTrue(run.stdout)

    def test_missing_settings_are_named(self):
        for arguments, variable in ((["backfill", "some-table"], "INCREMENTAL_BUCKET"), (["backfill", "some-table"], "DYNAMODB_REGION"),
                                    (["snapshot"], "INCREMENTAL_BUCKET"), (["snapshot"], "SNAPSHOT_BUCKET"),
                                    (["restore", "some-table", "s"], "SNAPSHOT_BUCKET"), (["restore", "some-table", "s"], "DYNAMODB_REGION")):
            with self.subTest(arguments=arguments, variable=variable):
                cleared = {variable: None}
                if variable == "DYNAMODB_REGION":
                    cleared.update(AWS_REGION=None, AWS_DEFAULT_REGION=None)
                self.refused(2, [variable], *arguments, **cleared)

    def test_a_parallelism_that_is_no_power_of_two(self):
        for value in ("0", "3", "-1", "x", "1099511627776", "2048", "1e3", "0x10"):
            with self.subTest(value=value):
                run = self.refused(2, ["parallelism"], "backfill", "some-table", DYNAMODB_PARALLELISM=value)
                self.assertRegex(run.message, r"\b(1|2|4|1024)\b", "names allowed values")

    def test_a_parallelism_of_three_in_the_file(self):
        path = self.file("p.conf", "dynamodb.parallelism = 3\n")
        self.refused(2, ["parallelism", "2", "4"], "backfill", "some-table", "--config", path)


class ConfigurationFile(harness.StackTest):
    def test_mistakes_name_file_line_column_and_key(self):
        for content, line, words in (
                ("s3 {\n  incremental {\n    bukket = x\n  }\n}\n", 3, ["bukket"]),
                ("dynamodb {\n  tls = maybe\n}\n", 2, ["tls"]),
                ("dynamodb {\n  port = http\n}\n", 2, ["port"]),
                ("dynamodb.port = 70000\n", 1, ["port"]),
                ("dynamodb = 5\n", 1, ["dynamodb"]),
                ("s3.snapshot {\n  bucket = x\n", None, []),
                ("s3 {\n}\n}\n", 3, []),
                ('s3.snapshot.bucket = "x\n', 1, []),
                ("include \"other\"\n", 1, []),
        ):
            with self.subTest(content=content):
                path = self.file("bad.conf", content)
                run = self.refused(2, ["bad.conf", *words], "backfill", "some-table", "--config", path)
                if line:
                    self.assertRegex(run.message, rf"bad\.conf:{line}:\d+|line {line}\b.*column \d+")

    def test_a_file_that_is_not_there(self):
        self.refused(2, ["/no/such.conf"], "backfill", "some-table", "--config", "/no/such.conf")

    def test_a_file_that_is_a_folder_or_binary(self):
        self.refused(2, [self.home], "backfill", "some-table", "--config", self.home)
        path = self.file("binary.conf", bytes(range(256)))
        self.refused(2, ["binary.conf"], "backfill", "some-table", "--config", path)


class Missing(harness.StackTest):
    def test_a_bucket_that_is_not_there(self):
        table = self.table(suffix="source")
        name = self.mark + "-nowhere"
        self.refused(FAILS, [name, "bucket"], "backfill", table, INCREMENTAL_BUCKET=name)
        self.refused(FAILS, [name, "bucket"], "snapshot", "s", INCREMENTAL_BUCKET=name)
        self.refused(FAILS, [name, "bucket"], "restore", table, "s", SNAPSHOT_BUCKET=name)
        self.load(table, samples.generated_items(1))
        self.expect(0, "backfill", table)
        self.refused(FAILS, [name, "bucket"], "snapshot", "s", SNAPSHOT_BUCKET=name)

    def test_a_table_that_is_not_there(self):
        name = self.mark + "-nowhere"
        self.write_snapshot("s.json", b'{"Item":{"pk":{"S":"a"}}}\n')
        for arguments in (["backfill", name], ["restore", name, "s.json"]):
            self.refused(FAILS, [name], *arguments)
        self.assertEqual(self.keys(self.items_prefix), [], "nothing was written")

    def test_a_snapshot_that_is_not_there(self):
        table = self.table(suffix="copy")
        self.refused(FAILS, ["no-such-snapshot"], "restore", table, "no-such-snapshot")

    def test_an_incremental_prefix_that_was_never_written(self):
        self.refused(2, ["backfill", "INCREMENTAL_PREFIX"], "snapshot", "s.json.gz")


class Access(harness.StackTest):
    def test_wrong_secret_and_unknown_key(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(1))
        self.refused(FAILS, ["SignatureDoesNotMatch"], "backfill", table, AWS_SECRET_ACCESS_KEY="wrong-secret-0123456789")
        self.refused(FAILS, ["InvalidAccessKeyId"], "backfill", table, AWS_ACCESS_KEY_ID="NOBODYKNOWSTHISKEY")
        self.refused(FAILS, ["SignatureDoesNotMatch"], "snapshot", "s", AWS_SECRET_ACCESS_KEY="wrong-secret-0123456789")

    def test_a_service_error_carries_code_and_request_id(self):
        table = self.table(suffix="source")
        run = self.refused(FAILS, [self.mark], "restore", table, "s", AWS_SECRET_ACCESS_KEY="wrong-secret-1")
        self.assertRegex(run.message, r"(?i)request.?id|tx[0-9a-f]{10,}")

    def test_no_credentials_at_all(self):
        run = self.refused(FAILS, ["credentials"], "backfill", "some-table", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
        self.assertIn("AWS_ACCESS_KEY_ID", run.message)

    def test_credentials_from_the_shared_file(self):
        table = self.table(suffix="source")
        path = self.file("credentials", "[backup]\naws_access_key_id = {AWS_ACCESS_KEY_ID}\n"
                         "aws_secret_access_key = {AWS_SECRET_ACCESS_KEY}\n".format(**harness.STACK))
        self.expect(0, "backfill", table, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None,
                    AWS_SHARED_CREDENTIALS_FILE=path, AWS_PROFILE="backup")


class Network(harness.StackTest):
    def closed_port(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def test_nobody_listens(self):
        address = f"127.0.0.1:{self.closed_port()}"
        self.refused(1, [address], "backfill", "some-table", AWS_ENDPOINT_URL_DYNAMODB=f"http://{address}")
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(1))
        self.refused(1, [address], "backfill", table, AWS_ENDPOINT_URL_S3=f"http://{address}", AWS_MAX_ATTEMPTS="3")

    def test_a_host_that_does_not_exist(self):
        self.refused(1, ["no-such-host.invalid"], "backfill", "some-table",
                     AWS_ENDPOINT_URL_DYNAMODB="http://no-such-host.invalid:8000")

    def test_host_and_port_variables(self):
        url = harness.STACK["AWS_ENDPOINT_URL_DYNAMODB"]
        host, port = url.removeprefix("http://").split(":")
        table = self.table(suffix="source")
        self.expect(0, "backfill", table, AWS_ENDPOINT_URL_DYNAMODB=None, DYNAMODB_HOST=host, DYNAMODB_PORT=port,
                    DYNAMODB_USETLS="false")


class Prefixes(harness.StackTest):
    def filled(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(3))
        self.expect(0, "backfill", table)
        return table

    def test_equal_and_nested_prefixes(self):
        for items, snapshots in (("a", "a"), ("a", "a/"), ("a/", "a/b"), ("", "b"), ("", "")):
            with self.subTest(items=items, snapshots=snapshots):
                self.refused(2, ["prefix"], "snapshot", "s", INCREMENTAL_PREFIX=f"{self.mark}/{items}" if items else "",
                             SNAPSHOT_PREFIX=f"{self.mark}/{snapshots}" if snapshots else "")

    def test_the_other_nesting_works_with_a_warning(self):
        self.filled()
        run = self.report_of("snapshot", "s.json.gz", SNAPSHOT_PREFIX=self.mark)
        self.assertEqual(run.exit_code, 0, run)
        self.assertRegex(run.stderr, "warning: .*prefix")

    def test_prefixes_that_only_begin_alike_are_apart(self):
        self.filled()
        self.expect(0, "snapshot", "s.json.gz", SNAPSHOT_PREFIX=f"{self.mark}/items-snapshots")

    def test_the_prefix_of_another_table(self):
        self.filled()
        other = self.table(suffix="other")
        self.load(other, samples.generated_items(5, seed=2))
        before = self.versions(self.items_prefix)
        self.refused(2, ["{table}"], "backfill", other)
        self.assertEqual(self.versions(self.items_prefix), before)

    def test_a_prefix_with_the_table_in_it(self):
        for number in range(2):
            table = self.table(suffix=f"source{number}")
            self.load(table, samples.generated_items(3 + number))
            prefix = f"{self.mark}/by-table/{{table}}/items"
            self.expect(0, "backfill", table, INCREMENTAL_PREFIX=prefix)
            run = self.expect(0, "snapshot", f"{number}.json.gz", "--table", table, INCREMENTAL_PREFIX=prefix)
            self.assertEqual(run.items_written, 3 + number)
        self.refused(2, ["--table"], "snapshot", "s", INCREMENTAL_PREFIX=prefix)

    def test_a_recreated_table_needs_adopt(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(2))
        self.expect(0, "backfill", table)
        self.dynamodb.delete_table(TableName=table)
        harness.time.sleep(1.1)  # creation times are told apart to the second
        harness.create_table(self.dynamodb, table, ("S", None))
        self.load(table, samples.generated_items(2))
        self.refused(2, ["--adopt"], "backfill", table)
        run = self.expect(0, "backfill", table, "--adopt")
        self.assertEqual(run.items_present, 2)

    def test_a_prefix_with_the_objects_of_another_tool(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(2))
        self.write(self.items_prefix + "0001.json", b"{}")
        self.refused(2, [self.items_prefix.rstrip("/")], "backfill", table)
        self.assertEqual(len(self.versions(self.items_prefix)), 1)


class Versioning(harness.StackTest):
    def test_an_unversioned_or_suspended_bucket_needs_an_option(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(3))
        for status in (None, "Suspended"):
            with self.subTest(status=status):
                bucket = self.new_bucket(status)
                self.refused(2, [bucket, "version", "--unversioned"], "backfill", table, INCREMENTAL_BUCKET=bucket)
                self.assertEqual(self.keys("", bucket), [])
                run = self.expect(0, "backfill", table, "--unversioned", INCREMENTAL_BUCKET=bucket)
                self.assertEqual(run.items_written, 3)
                self.assertRegex(run.stderr, "warning: .*version", "it says what no longer holds")


class SnapshotNames(harness.StackTest):
    def setUp(self):
        super().setUp()
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(40))
        self.expect(0, "backfill", table)
        self.expect(0, "snapshot", "s.json.gz")

    def test_an_existing_name_is_refused_unless_told_to_overwrite(self):
        before = self.versions(self.snapshots_prefix)
        self.refused(FAILS, ["s.json.gz", "--overwrite"], "snapshot", "s.json.gz")
        self.assertEqual(self.versions(self.snapshots_prefix), before)
        self.expect(0, "snapshot", "s.json.gz", "--overwrite")
        copy = self.table(suffix="copy")
        self.expect(0, "restore", copy, "s.json.gz")
        self.assertEqual(len(self.scan(copy)), 40)

    def test_a_truncated_snapshot_and_one_that_is_not_its_manifests(self):
        key = self.snapshots_prefix + "s.json.gz"
        whole = self.read(key)
        for what, body in (("cut", whole[:-30]), ("another", gzip.compress(b'{"Item":{"pk":{"S":"a"}}}\n')),
                           ("empty", b"")):
            with self.subTest(what=what):
                self.write(key, body)
                copy = self.table()
                self.refused(FAILS, ["s.json.gz"], "restore", copy, "s.json.gz")
                self.assertEqual(self.scan(copy), {})

    def test_a_manifest_that_is_damaged(self):
        key = self.snapshots_prefix + ".dynabackup/s.json.gz.manifest.json"
        manifest = json.loads(self.read(key))
        for what, body in (("cut", self.read(key)[:40]), ("empty", b""), ("other type", b"[]"),
                           ("items", json.dumps({**manifest, "items": 10 ** 12}).encode()),
                           ("format", json.dumps({**manifest, "format": 99}).encode())):
            with self.subTest(what=what):
                self.write(key, body)
                copy = self.table()
                run = self.report_of("restore", copy, "s.json.gz")
                self.assertIn(run.exit_code, (1, 2, 3), run)


class Text(harness.StackTest):
    def test_an_error_in_text_is_one_line_on_stderr(self):
        run = self.run_binary("backfill", self.mark + "-nowhere")
        self.assertIn(run.exit_code, FAILS, run)
        self.assertIn(self.mark + "-nowhere", run.stderr)
        self.assertEqual(run.stdout, "")
        errors = [line for line in run.stderr.splitlines() if line.startswith("dynamodb-backup: ")]
        self.assertEqual(len(errors), 1, run)
