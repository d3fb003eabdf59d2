"""Each step under 64 MiB at its peak, whatever the items: by the binary's own account and seen from outside."""
import gzip

import harness
import samples

LIMIT = 64 * harness.MEBIBYTE


class PeakMemory(harness.StackTest):
    def steps_stay_small(self, source, count):
        copy = self.table(suffix="copy")
        for arguments in (["backfill", source], ["snapshot", "s.json.gz"], ["restore", copy, "s.json.gz"]):
            run = self.expect(0, *arguments)
            with self.subTest(step=arguments[0]):
                self.assertEqual(run.items_written, count)
                self.assertLess(run.peak_rss_bytes, LIMIT, f"{arguments[0]}: {run.peak_rss_bytes / harness.MEBIBYTE:.1f} MiB")
                # The watcher looks every 20 ms and may miss the last of it; the kernel's own count is off by some pages.
                self.assertLess(run.peak_kib * 1024, LIMIT)
                self.assertGreater(run.peak_kib, 1024)
                self.assertGreater(run.peak_rss_bytes + harness.MEBIBYTE, run.peak_kib * 1024, "it owns up to its peak")
        self.assert_equal_tables(source, copy)

    def test_20000_items_of_400_bytes(self):
        source = self.table(suffix="source")
        self.load(source, (harness.item_json(pk={"S": f"item-{number:06}"}, data={"S": "d" * 370})
                           for number in range(20000)))
        self.steps_stay_small(source, 20000)

    def test_300_items_of_400_kilobytes(self):
        source = self.table(suffix="source")
        self.load(source, (harness.item_json(pk={"S": f"{number:06}"}, data={"S": chr(97 + number % 26) * 409583})
                           for number in range(300)))
        self.steps_stay_small(source, 300)

    def test_pages_of_one_megabyte_that_are_eight_of_json(self):
        source = self.table(suffix="source")
        nulls = b",".join([b'{"NULL":true}'] * 100000)
        self.load(source, (b'{"pk":{"S":"%06d"},"l":{"L":[%s]}}' % (number, nulls) for number in range(12)), 4)
        self.steps_stay_small(source, 12)

    def test_a_foreign_snapshot_in_one_gzip_member(self):
        copy = self.table(suffix="copy")
        body = b"".join(b'{"Item":%s}\n' % item for item in samples.generated_items(6000))
        name = self.write_snapshot("one-member.json.gz", gzip.compress(body))
        run = self.expect(0, "restore", copy, name)
        self.assertLess(run.peak_rss_bytes, LIMIT)
        self.assertEqual(len(self.scan(copy)), 6000)

    def test_a_gzip_that_inflates_a_thousand_times_stays_small(self):
        copy = self.table(suffix="copy")
        name = self.write_snapshot("bomb.json.gz", gzip.compress(b'{"Item":{"pk":{"S":"' + b"x" * (200 << 20)))
        run = self.refused((1, 2, 3), [name], "restore", copy, name)
        self.assertLess(run.peak_kib * 1024, LIMIT)
