"""A bucket that says it is elsewhere is found there: signed anew, once, and remembered."""
import re

import hand_out
import harness
import samples

HOME = "elsewhere-1"


class RegionGate(hand_out.Gate):
    """Stands before a store and lets requests through that are signed for HOME, or for nowhere if `circle`."""

    def __init__(self, service_url, how):
        super().__init__(service_url, None)
        self.how, self.turned_away = how, 0

    def answer(self, handler, body):
        region = re.search(r"Credential=[^/]+/\d+/([^/]+)/s3/", handler.headers.get("Authorization") or "").group(1)
        if region == HOME and self.how != "circle":
            return self.forward(handler, body)
        with self.lock:
            self.turned_away += 1
        if self.how == "body" and handler.command != "HEAD":
            return 400, [], (f"<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>{HOME}</Region>"
                             "</Error>").encode()
        target = HOME if region != HOME else "elsewhere-2"
        status = 400 if handler.command == "HEAD" else 301
        return status, [("x-amz-bucket-region", target), ("Location", "https://evil.example/")], (
            b"" if handler.command == "HEAD" else b"<Error><Code>PermanentRedirect</Code></Error>")


class Regions(harness.StackTest):
    def gate(self, how):
        gate = RegionGate(harness.STACK["AWS_ENDPOINT_URL_S3"], how)
        self.addCleanup(gate.stop)
        return gate

    def test_a_bucket_elsewhere_is_found_once(self):
        for how in ("header", "body"):
            with self.subTest(how=how):
                gate = self.gate(how)
                table = self.table(suffix=how)
                self.load(table, samples.generated_items(20))
                prefix = f"{self.mark}/{how}"
                environment = {"AWS_ENDPOINT_URL_S3": gate.url, "INCREMENTAL_PREFIX": prefix, "SNAPSHOT_PREFIX": prefix + "-s"}
                run = self.expect(0, "backfill", table, "--parallelism", "1", **environment)
                self.assertEqual(run.items_written, 20)
                self.assertEqual(gate.turned_away, 1)
                self.expect(0, "snapshot", "s.json.gz", **environment)

    def test_a_circle_ends_with_a_clear_error(self):
        gate = self.gate("circle")
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(1))
        self.refused(1, [self.bucket, "S3_REGION", "region"], "backfill", table, AWS_ENDPOINT_URL_S3=gate.url)
        self.assertLessEqual(gate.turned_away, 8)
