"""What a reader of DynamoDB Streams relies on, asked of DynamoDB Local and of aws-fake alike (conformance.py)."""
import time

from conformance import ConformanceTest, FakeServer, stack_server

VALIDATION = (400, "ValidationException")
MISSING = (400, "ResourceNotFoundException")

# (server, case): (what it does instead of AWS, what we believe AWS does and why)
KNOWN = {
    ("DynamoDB Local", "no such type of iterator"): ((500, "InternalFailure"), "AWS: 400 ValidationException"),
}


class Cases:
    """Everything but the server."""
    service = "dynamodb"
    known = KNOWN

    def ok(self, operation, body):
        answer = self.server.stream_call(operation, body)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def table(self, view="NEW_AND_OLD_IMAGES"):
        name = self.unique()
        answer = self.server.call("CreateTable", {
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": view}})
        self.assertEqual(answer.status, 200, answer)
        self.addCleanup(self.server.call, "DeleteTable", {"TableName": name})
        return name, answer.json["TableDescription"]["LatestStreamArn"]

    def put(self, table, key, **item):
        answer = self.server.call("PutItem", {"TableName": table, "Item": {"pk": {"S": key}, **item}})
        self.assertEqual(answer.status, 200, answer)

    def remove(self, table, key):
        answer = self.server.call("DeleteItem", {"TableName": table, "Key": {"pk": {"S": key}}})
        self.assertEqual(answer.status, 200, answer)

    def shards(self, arn):
        start, result = {}, []
        while True:
            told = self.ok("DescribeStream", {"StreamArn": arn, **start})["StreamDescription"]
            result += told["Shards"]
            if "LastEvaluatedShardId" not in told:
                return result
            start = {"ExclusiveStartShardId": told["LastEvaluatedShardId"]}

    def iterator(self, arn, shard, kind="TRIM_HORIZON", **more):
        return self.ok("GetShardIterator", {
            "StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind, **more})["ShardIterator"]

    def read(self, iterator):
        """Records from there on, until the shard has ended or has no more for now."""
        records = []
        while iterator:
            page = self.ok("GetRecords", {"ShardIterator": iterator})
            records += page["Records"]
            iterator = page.get("NextShardIterator")
            if not page["Records"]:
                break
        return records

    def records(self, arn):
        """All of them, in order within a shard."""
        return [record for shard in self.shards(arn) for record in self.read(self.iterator(arn, shard["ShardId"]))]

    # --- cases

    def test_a_change_is_told_as_the_view_type_says(self):
        old, new = {"pk": {"S": "a"}, "n": {"N": "1"}}, {"pk": {"S": "a"}, "n": {"N": "2"}}
        for view, images in (("KEYS_ONLY", ()), ("NEW_IMAGE", ("NewImage",)), ("OLD_IMAGE", ("OldImage",)),
                             ("NEW_AND_OLD_IMAGES", ("NewImage", "OldImage"))):
            with self.subTest(view):
                table, arn = self.table(view)
                self.put(table, "a", n={"N": "1"})
                self.put(table, "a", n={"N": "2"})
                self.remove(table, "a")
                told = self.records(arn)
                self.assertEqual([r["eventName"] for r in told], ["INSERT", "MODIFY", "REMOVE"])
                for record, after, before in zip(told, (old, new, None), (None, old, new)):
                    change = record["dynamodb"]
                    self.assertEqual(change["Keys"], {"pk": {"S": "a"}})
                    self.assertEqual(change.get("NewImage"), after if "NewImage" in images else None)
                    self.assertEqual(change.get("OldImage"), before if "OldImage" in images else None)
                    self.assertEqual(change["StreamViewType"], view)
                    self.assertRegex(change["SequenceNumber"], r"^\d{21,40}$")
                    self.assertLess(abs(change["ApproximateCreationDateTime"] - time.time()), 90)
                self.assertEqual(len({r["eventID"] for r in told}), 3)
                self.assertEqual({(r["eventSource"], r["eventVersion"]) for r in told}, {("aws:dynamodb", "1.1")})

    def test_what_changes_nothing_is_not_told(self):
        table, arn = self.table()
        self.put(table, "a", n={"N": "1"})
        self.put(table, "a", n={"N": "1.0"})
        self.remove(table, "none")
        self.put(table, "b")
        self.assertEqual(sorted((r["eventName"], r["dynamodb"]["Keys"]["pk"]["S"]) for r in self.records(arn)),
                         [("INSERT", "a"), ("INSERT", "b")])

    def test_changes_of_a_key_are_in_order(self):
        table, arn = self.table("NEW_IMAGE")
        for number in range(30):
            for key in ("a", "b", "c"):
                self.put(table, key, n={"N": str(number)})
        told = self.records(arn)
        self.assertEqual(len(told), 90)
        for key in ("a", "b", "c"):
            of_key = [r["dynamodb"] for r in told if r["dynamodb"]["Keys"]["pk"]["S"] == key]
            self.assertEqual([r["NewImage"]["n"]["N"] for r in of_key], [str(n) for n in range(30)])
            sequence = [int(r["SequenceNumber"]) for r in of_key]
            self.assertEqual(sequence, sorted(set(sequence)))

    def test_iterators(self):
        table, arn = self.table("NEW_IMAGE")
        shards = [shard["ShardId"] for shard in self.shards(arn)]
        latest = [self.iterator(arn, shard, "LATEST") for shard in shards]
        for number in range(6):
            self.put(table, "a", n={"N": str(number)})
        self.assertEqual(sum(len(self.read(i)) for i in latest), 6)
        shard, told = next((s, r) for s in shards for r in [self.read(self.iterator(arn, s))] if r)
        third = told[2]["dynamodb"]["SequenceNumber"]
        for kind, first in (("AT_SEQUENCE_NUMBER", 2), ("AFTER_SEQUENCE_NUMBER", 3)):
            found = self.read(self.iterator(arn, shard, kind, SequenceNumber=third))
            self.assertEqual(found, told[first:], kind)
        behind = self.read(self.iterator(arn, shard, "LATEST"))
        self.assertEqual(behind, [])

    def test_pages_of_records(self):
        table, arn = self.table("KEYS_ONLY")
        for number in range(10):
            self.put(table, "a", n={"N": str(number)})
        found = []
        for shard in self.shards(arn):
            iterator = self.iterator(arn, shard["ShardId"])
            while True:
                page = self.ok("GetRecords", {"ShardIterator": iterator, "Limit": 3})
                self.assertLessEqual(len(page["Records"]), 3)
                found += page["Records"]
                iterator = page["NextShardIterator"]  # an open shard never ends
                if not page["Records"]:
                    break
        self.assertEqual(len(found), 10)

    def test_a_stream_is_listed_and_described(self):
        table, arn = self.table("NEW_IMAGE")
        listed = self.ok("ListStreams", {"TableName": table})["Streams"]
        self.assertEqual([(s["StreamArn"], s["TableName"]) for s in listed], [(arn, table)])
        told = self.ok("DescribeStream", {"StreamArn": arn})["StreamDescription"]
        self.assertEqual((told["StreamStatus"], told["StreamViewType"], told["StreamLabel"]),
                         ("ENABLED", "NEW_IMAGE", listed[0]["StreamLabel"]))
        self.assertEqual(told["KeySchema"], [{"AttributeName": "pk", "KeyType": "HASH"}])
        for shard in told["Shards"]:
            self.assertRegex(shard["SequenceNumberRange"]["StartingSequenceNumber"], r"^\d{21,40}$")
            self.assertNotIn("EndingSequenceNumber", shard["SequenceNumberRange"])

    def test_a_stream_that_was_switched_off_can_be_read_to_its_end(self):
        table, arn = self.table("NEW_IMAGE")
        self.put(table, "a")
        off = self.server.call("UpdateTable", {"TableName": table, "StreamSpecification": {"StreamEnabled": False}})
        self.assertEqual(off.status, 200, off)
        ends, shards, ended = time.monotonic() + 20, [], False
        while time.monotonic() < ends and not ended:
            shards = self.shards(arn)
            ended = all("EndingSequenceNumber" in s["SequenceNumberRange"] for s in shards)
        found = []
        for shard in shards:
            self.assertGreaterEqual(int(shard["SequenceNumberRange"]["EndingSequenceNumber"]),
                                    int(shard["SequenceNumberRange"]["StartingSequenceNumber"]))
            iterator = self.iterator(arn, shard["ShardId"])
            for _ in range(20):
                page = self.ok("GetRecords", {"ShardIterator": iterator})
                found += page["Records"]
                iterator = page.get("NextShardIterator")
                if not iterator:
                    break
            self.assertIsNone(iterator, "a shard that has ended has no next iterator")
        self.assertEqual(len(found), 1)
        told = self.ok("DescribeStream", {"StreamArn": arn})["StreamDescription"]
        self.assertEqual(told["StreamStatus"], "DISABLED")

    def test_a_second_stream_has_a_name_of_its_own(self):
        table, arn = self.table("NEW_IMAGE")
        def change(**stream):
            return self.server.call("UpdateTable", {"TableName": table, "StreamSpecification": stream})

        on_again = change(StreamEnabled=True, StreamViewType="OLD_IMAGE")
        self.same("a stream that is on already", on_again.outcome, VALIDATION)
        self.assertEqual(change(StreamEnabled=False).status, 200)
        time.sleep(0.01)
        again = change(StreamEnabled=True, StreamViewType="OLD_IMAGE")
        self.assertEqual(again.status, 200, again)
        second = self.server.call("DescribeTable", {"TableName": table}).json["Table"]["LatestStreamArn"]
        self.assertNotEqual(second, arn)
        listed = {s["StreamArn"] for s in self.ok("ListStreams", {"TableName": table})["Streams"]}
        self.assertEqual(listed, {arn, second})

    def test_errors(self):
        _, arn = self.table()
        shard = self.shards(arn)[0]["ShardId"]
        wrong = lambda operation, body: self.server.stream_call(operation, body).outcome  # noqa: E731
        named = {"StreamArn": arn, "ShardId": shard}
        self.same("no such stream", wrong("DescribeStream", {"StreamArn": arn + "x"}), MISSING)
        self.same("no such shard", wrong("GetShardIterator", {
            **named, "ShardId": "shardId-00000000000000000000-00000000", "ShardIteratorType": "LATEST"}), MISSING)
        self.same("no such type of iterator", wrong("GetShardIterator", {**named, "ShardIteratorType": "FIRST"}),
                  VALIDATION)
        self.same("no sequence number", wrong("GetShardIterator", {
            **named, "ShardIteratorType": "AT_SEQUENCE_NUMBER"}), VALIDATION)
        self.same("an iterator of nowhere", wrong("GetRecords", {"ShardIterator": "nonsense"}), VALIDATION)
        good = self.iterator(arn, shard)
        self.same("1001 records", wrong("GetRecords", {"ShardIterator": good, "Limit": 1001}), VALIDATION)


class DynamoDBLocal(Cases, ConformanceTest):
    make_server = staticmethod(stack_server)


class FakeStreams(Cases, ConformanceTest):
    make_server = staticmethod(FakeServer)

    # DynamoDB Local's streams have one shard that never ends.

    def test_shards_have_a_lineage_that_keeps_the_order_of_every_key(self):
        table, arn = self.table("NEW_IMAGE")
        keys = [str(i) for i in range(40)]
        for number in range(3):
            for key in keys:
                self.put(table, key, n={"N": str(number)})
            if number < 2:
                self.server.arrange("SplitShards", {"TableName": table})
        shards = self.shards(arn)
        known, last = {}, {}
        for shard in shards:
            parent = shard.get("ParentShardId")
            self.assertTrue(parent is None or parent in known, "parents are told before their children")
            limits = shard["SequenceNumberRange"]
            ended = "EndingSequenceNumber" in limits
            known[shard["ShardId"]] = ended
            page = self.ok("GetRecords", {"ShardIterator": self.iterator(arn, shard["ShardId"])})
            self.assertEqual("NextShardIterator" not in page, ended)
            for record in page["Records"]:
                change = record["dynamodb"]
                self.assertGreaterEqual(int(change["SequenceNumber"]), int(limits["StartingSequenceNumber"]))
                if ended:
                    self.assertLessEqual(int(change["SequenceNumber"]), int(limits["EndingSequenceNumber"]))
                where, number, sequence = last.get(change["Keys"]["pk"]["S"], (None, -1, 0))
                self.assertEqual(where, parent, "a key goes on in a child of the shard it was in")
                self.assertEqual(int(change["NewImage"]["n"]["N"]), number + 1)
                self.assertGreater(int(change["SequenceNumber"]), sequence)
                last[change["Keys"]["pk"]["S"]] = (shard["ShardId"], number + 1, int(change["SequenceNumber"]))
        self.assertEqual(sorted(last), sorted(keys))
        self.assertEqual({number for _, number, _ in last.values()}, {2})
        self.assertTrue(all(known[parent] for parent in {s.get("ParentShardId") for s in shards} - {None}))
