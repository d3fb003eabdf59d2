"""Snapshots that other tools wrote, and some that nobody should have."""
import gzip
import subprocess

import compare
import harness
import samples


def zstd(content):
    return subprocess.run(["zstd", "-q", "-c"], input=content, capture_output=True, check=True).stdout


class ForeignSnapshots(harness.StackTest):
    def restored(self, name, body, code=0):
        copy = self.table(suffix="copy")
        self.write_snapshot(name, body)
        run = self.expect(code, "restore", copy, name)
        return copy, run

    def lines(self, count=50):
        return b"".join(b'{"Item":%s}\n' % item for item in samples.generated_items(count))

    def comes_back(self, name, body, count=50):
        source = self.table(suffix="source")
        self.load(source, samples.generated_items(count))
        copy, run = self.restored(name, body)
        self.assertEqual((run.items_read, run.items_written), (count, count))
        self.assert_equal_tables(source, copy)

    def test_plain_lines(self):
        self.comes_back("plain.json", self.lines())

    def test_gzip(self):
        self.comes_back("lines.gz", gzip.compress(self.lines()))

    def test_gzip_in_several_members_under_a_name_that_says_nothing(self):
        body = self.lines()
        middle = len(body) // 2
        self.comes_back("lines", gzip.compress(body[:middle]) + gzip.compress(body[middle:]))

    def test_zstd(self):
        self.comes_back("lines.zst", zstd(self.lines()))

    def test_zstd_in_several_frames(self):
        body = self.lines()
        self.comes_back("frames.zst", zstd(body[:1000]) + zstd(body[1000:]))

    def test_bare_items_without_the_item_member(self):
        self.comes_back("bare.json", b"".join(item + b"\n" for item in samples.generated_items(50)))

    def test_carriage_returns_blank_lines_and_no_newline_at_the_end(self):
        self.comes_back("windows.json", self.lines().rstrip(b"\n").replace(b"\n", b"\r\n\r\n"))

    def test_white_space_inside_lines(self):
        body = b"".join(b' { "Item" : %s } \n' % item for item in samples.generated_items(50))
        self.comes_back("spaces.json", body)

    def test_plain_json_of_the_older_tool_with_a_warning(self):
        body = (b'{"pk":"a","n":12345678901234567890.5,"t":true,"nothing":null,"l":[1,"x",[]],"m":{"k":"v"}}\n'
                b'{"pk":"b","n":-0.25}\n')
        copy, run = self.restored("scala.json", body)
        self.assertTrue(any("set" in warning and "binary" in warning for warning in run.warnings), run)
        self.assertEqual(self.scan(copy), {
            (compare.normal({"S": "a"}),): compare.normal_item({
                "pk": {"S": "a"}, "n": {"N": "12345678901234567890.5"}, "t": {"BOOL": True}, "nothing": {"NULL": True},
                "l": {"L": [{"N": "1"}, {"S": "x"}, {"L": []}]}, "m": {"M": {"k": {"S": "v"}}}}),
            (compare.normal({"S": "b"}),): compare.normal_item({"pk": {"S": "b"}, "n": {"N": "-0.25"}}),
        })

    def test_the_last_line_of_a_repeated_key_wins(self):
        lines = [b'{"Item":{"pk":{"S":"k%d"},"round":{"N":"%d"}}}' % (number % 10, number) for number in range(2000)]
        copy, _ = self.restored("repeated.json", b"\n".join(lines))
        rounds = sorted(dict(item)["round"] for item in self.scan(copy).values())
        self.assertEqual(rounds, sorted(compare.normal({"N": str(number)}) for number in range(1990, 2000)))

    def test_another_spelling_of_a_number_key_is_the_same_key(self):
        copy = self.table(("N", None), "copy")
        lines = [b'{"Item":{"pk":{"N":"%s"},"v":{"N":"%d"}}}' % (spelling, number)
                 for number, spelling in enumerate([b"1", b"1.0", b"01", b"1e0", b"10E-1"])]
        name = self.write_snapshot("numbers.json", b"\n".join(lines))
        self.expect(0, "restore", copy, name)
        (item,) = self.scan(copy).values()
        self.assertEqual(dict(item)["v"], compare.normal({"N": "4"}))

    def test_a_line_that_tries_to_delete_is_refused(self):
        hostile = [
            b'{"Item":{"pk":{"S":"x"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"victim"}}}},{"PutRequest":{"Item":{"pk":{"S":"y"}}}}',
            b'{"pk":{"S":"x"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"victim"}}}},{"PutRequest":{"Item":{"pk":{"S":"y"}}',
            b'{"DeleteRequest":{"Key":{"pk":{"S":"victim"}}}}',
            b'{"Item":{"pk":{"S":"x"}},"DeleteRequest":{"Key":{"pk":{"S":"victim"}}}}',
            b'{"Item":{"pk":{"S":"x"}}} {"Item":{"pk":{"S":"y"}}}',
        ]
        for number, line in enumerate(hostile):
            with self.subTest(line=line):
                copy = self.table()
                self.wire.put(copy, b'{"pk":{"S":"victim"}}')
                name = self.write_snapshot(f"hostile-{number}.json", b'{"Item":{"pk":{"S":"good"}}}\n' + line + b"\n")
                run = self.report_of("restore", copy, name)
                self.assertIn(run.exit_code, (1, 3), run)
                self.assertRegex(run.stdout + run.stderr, r"line\D{0,3}2\b")
                self.assertIn((compare.normal({"S": "victim"}),), self.scan(copy))
                self.assertLessEqual(len(self.scan(copy)), 2, "nothing of the hostile line was written")

    def test_what_is_no_snapshot_is_refused(self):
        whole = gzip.compress(self.lines(500))
        for name, body in {
                "garbage.json": bytes(range(256)) * 40,
                "page.html": b"<html><body>Not found</body></html>\n",
                "array.json": b'[{"pk":{"S":"a"}}]\n',
                "number.json": b"42\n",
                "cut-line.json": b'{"Item":{"pk":{"S":"a',
                "truncated.gz": whole[:len(whole) // 2],
                "short.gz": whole[:5],
                "checksum.gz": whole[:-8] + b"\0" * 8,
                "trailing.gz": whole + b"garbage after the end",
                "truncated.zst": zstd(self.lines(500))[:-20],
                "utf-8.json": b'{"Item":{"pk":{"S":"\xff\xfe"}}}\n',
                "deep.json": b'{"Item":{"pk":{"S":"a"},"l":' + b'{"L":[' * 100000 + b"]}" * 100000 + b"}}\n",
        }.items():
            with self.subTest(snapshot=name):
                copy = self.table()
                self.write_snapshot(name, body)
                run = self.report_of("restore", copy, name)
                self.assertIn(run.exit_code, (1, 2, 3), run)
                self.assertIn(name, run.stdout + run.stderr)
                if run.exit_code == 3:  # a single bad line, left out and named
                    self.assertGreater(run.items_refused, 0, run)
