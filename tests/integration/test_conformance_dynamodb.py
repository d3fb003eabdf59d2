"""What the product relies on in DynamoDB, asked of DynamoDB Local and of aws-fake alike (conformance.py)."""
import json

from conformance import ConformanceTest, FakeServer, stack_server

VALIDATION = (400, "ValidationException")

# (server, case): (what it does instead of AWS, what we believe AWS does and why)
KNOWN = {
    ("DynamoDB Local", "checksum of an error"): (False, "AWS sends x-amz-crc32 with errors as well"),
    ("DynamoDB Local", "name of an error's message"): ("Message", "AWS mostly writes message"),
    ("DynamoDB Local", "a body that is no JSON"): ((500, "InternalFailure"), "AWS: 400 SerializationException"),
    ("DynamoDB Local", "a table has an id"): (False, "AWS gives TableId"),
    ("DynamoDB Local", "half a surrogate pair"): ((200, ""), "AWS refuses what is no Unicode"),
    ("DynamoDB Local", "a name twice"): ((200, ""), "AWS refuses it; which of the two values should count?"),
    ("DynamoDB Local", "a string that is a number"): ((200, ""), "AWS wants a JSON string"),
    ("DynamoDB Local", "base64 without its padding"): ((500, "InternalFailure"), "AWS: 400 SerializationException"),
    ("aws-fake", "32 levels"): ((200, ""), "DynamoDB Local takes 31 lists around a value and so, we believe, does AWS; "
                                "the fake takes what docs/format.md allows, one more"),
}


class Cases:
    """Everything but the server."""
    service = "dynamodb"
    known = KNOWN

    # --- help

    def ok(self, operation, body):
        answer = self.server.call(operation, body)
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def refused(self, case, operation, body, aws=VALIDATION):
        self.same(case, self.server.call(operation, body).outcome, aws)

    def table(self, sort=None, partition="S", **more):
        name = self.unique()
        attributes = [("pk", partition, "HASH")] + ([("sk", sort, "RANGE")] if sort else [])
        self.ok("CreateTable", {
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": n, "AttributeType": t} for n, t, _ in attributes],
            "KeySchema": [{"AttributeName": n, "KeyType": r} for n, _, r in attributes], **more})
        self.addCleanup(self.server.call, "DeleteTable", {"TableName": name})
        return name

    def put(self, table, **item):
        return self.ok("PutItem", {"TableName": table, "Item": item})

    def item(self, table, key, consistent=True):
        return self.ok("GetItem", {"TableName": table, "Key": key, "ConsistentRead": consistent}).get("Item")

    def batch(self, table, requests, **more):
        return self.server.call("BatchWriteItem", {"RequestItems": {table: requests}, **more})

    def fill(self, table, keys, **more):
        puts = [{"PutRequest": {"Item": {"pk": {"S": key}, **more}}} for key in keys]
        for start in range(0, len(puts), 25):
            answer = self.batch(table, puts[start:start + 25])
            self.assertEqual((answer.status, answer.json), (200, {"UnprocessedItems": {}}))

    def pages(self, table, **more):
        start, result = None, []
        while True:
            body = {"TableName": table, **more}
            if start:
                body["ExclusiveStartKey"] = start
            result.append(self.ok("Scan", body))
            start = result[-1].get("LastEvaluatedKey")
            if not start:
                return result

    def keys(self, table, **more):
        return [item["pk"]["S"] for page in self.pages(table, **more) for item in page["Items"]]

    # --- scan

    def test_pages_are_complete_without_doubles(self):
        table = self.table()
        names = [f"item-{i:03}" for i in range(60)]
        self.fill(table, names)
        for limit in (1, 7, 59, 60, 61):
            with self.subTest(limit=limit):
                self.assertEqual(sorted(self.keys(table, Limit=limit)), names)

    def test_segments_are_complete_and_disjoint(self):
        table = self.table()
        names = [f"item-{i:03}" for i in range(75)]
        self.fill(table, names)
        for total in (1, 2, 5, 16):
            with self.subTest(total=total):
                found = [key for s in range(total) for key in self.keys(table, TotalSegments=total, Segment=s, Limit=4)]
                self.assertEqual(sorted(found), names)

    def test_a_page_that_ends_at_the_last_item_has_a_last_evaluated_key(self):
        table = self.table()
        self.fill(table, ["a", "b", "c"])
        full = self.ok("Scan", {"TableName": table, "Limit": 3})
        self.assertEqual((full["Count"], full["ScannedCount"]), (3, 3))
        self.assertEqual(full["LastEvaluatedKey"], {"pk": full["Items"][-1]["pk"]})
        rest = self.ok("Scan", {"TableName": table, "ExclusiveStartKey": full["LastEvaluatedKey"]})
        self.assertEqual((rest["Items"], rest["Count"]), ([], 0))
        self.assertNotIn("LastEvaluatedKey", rest)
        self.assertNotIn("LastEvaluatedKey", self.ok("Scan", {"TableName": table, "Limit": 4}))

    def test_a_page_takes_1_mb_and_the_item_that_crosses_it(self):
        table = self.table()
        for i in range(13):
            self.put(table, pk={"S": f"{i:02}"}, data={"S": "x" * 100_000})
        first = self.pages(table)[0]
        self.same("items of 100 KB in a page", first["Count"], 11)
        self.assertIn("LastEvaluatedKey", first)

    def test_a_start_key_that_is_gone_is_no_obstacle(self):
        table = self.table()
        self.fill(table, [f"{i:02}" for i in range(20)])
        page = self.ok("Scan", {"TableName": table, "Limit": 5})
        self.ok("DeleteItem", {"TableName": table, "Key": page["LastEvaluatedKey"]})
        rest = self.ok("Scan", {"TableName": table, "ExclusiveStartKey": page["LastEvaluatedKey"]})
        self.assertEqual(rest["Count"], 15)

    def test_a_partition_is_read_in_the_order_of_its_sort_keys(self):
        numbers = ["-1e20", "-5", "-4.5", "-0.001", "0", "1e-10", "0.5", "2", "10", "1e21"]
        for kind, values in (("N", numbers), ("S", ["A", "B", "a", "é", "日", "😀"]),
                             ("B", ["AA==", "AAA=", "fw==", "gA==", "/w=="])):
            table = self.table(kind)
            for value in reversed(values):
                self.put(table, pk={"S": "one"}, sk={kind: value}, said={"S": value})
            said = [item["said"]["S"] for page in self.pages(table, Limit=3) for item in page["Items"]]
            self.assertEqual(said, values, kind)

    def test_segments_are_checked(self):
        table = self.table()
        self.refused("Segment without TotalSegments", "Scan", {"TableName": table, "Segment": 0})
        self.refused("TotalSegments without Segment", "Scan", {"TableName": table, "TotalSegments": 2})
        self.refused("Segment beyond", "Scan", {"TableName": table, "Segment": 2, "TotalSegments": 2})
        self.refused("no segments", "Scan", {"TableName": table, "Segment": 0, "TotalSegments": 0})
        self.refused("a million and one segments", "Scan", {"TableName": table, "Segment": 0, "TotalSegments": 1000001})
        self.refused("limit of 0", "Scan", {"TableName": table, "Limit": 0})
        self.refused("start key of another shape", "Scan",
                     {"TableName": table, "ExclusiveStartKey": {"other": {"S": "x"}}})

    def test_a_start_key_belongs_to_its_segment(self):
        table = self.table()
        self.fill(table, [f"{i:02}" for i in range(40)])
        first = self.ok("Scan", {"TableName": table, "TotalSegments": 2, "Segment": 0, "Limit": 1})
        self.refused("start key of another segment", "Scan", {
            "TableName": table, "TotalSegments": 2, "Segment": 1, "ExclusiveStartKey": first["LastEvaluatedKey"]})

    def test_capacity_of_reads(self):
        table = self.table()
        for i in range(3):
            self.put(table, pk={"S": str(i)}, data={"S": "x" * 3000})
        for operation, more, expected in (("Scan", {}, [3.0, 1.5]), ("GetItem", {"Key": {"pk": {"S": "1"}}}, [1.0, 0.5])):
            answers = [self.ok(operation, {"TableName": table, "ReturnConsumedCapacity": "TOTAL", "ConsistentRead": c,
                                           **more}) for c in (True, False)]
            self.assertEqual([a["ConsumedCapacity"]["CapacityUnits"] for a in answers], expected)

    # --- writes

    def test_capacity_of_writes(self):
        table = self.table()
        big = {"pk": {"S": "big"}, "data": {"S": "x" * 2500}}
        units = lambda operation, **more: self.ok(operation, {  # noqa: E731
            "TableName": table, "ReturnConsumedCapacity": "TOTAL", **more})["ConsumedCapacity"]["CapacityUnits"]
        self.assertEqual(units("PutItem", Item=big), 3.0)
        self.assertEqual(units("PutItem", Item={"pk": {"S": "big"}}), 3.0)  # the larger of old and new
        self.assertEqual(units("PutItem", Item={"pk": {"S": "big"}}), 1.0)
        self.assertEqual(units("DeleteItem", Key={"pk": {"S": "none"}}), 1.0)
        answer = self.batch(table, [{"PutRequest": {"Item": big}}, {"PutRequest": {"Item": {"pk": {"S": "small"}}}}],
                            ReturnConsumedCapacity="TOTAL").json
        self.assertEqual(answer["ConsumedCapacity"], [{"TableName": table, "CapacityUnits": 4.0}])

    def test_a_batch_is_refused_whole(self):
        table = self.table()
        put = lambda key, **more: {"PutRequest": {"Item": {"pk": {"S": key}, **more}}}  # noqa: E731
        many = [put(f"{i}") for i in range(26)]
        for case, requests in (
                ("26 requests", many), ("a key twice", [put("a"), put("a", n={"N": "1"})]),
                ("put and delete of a key", [put("a"), {"DeleteRequest": {"Key": {"pk": {"S": "a"}}}}]),
                ("no requests", []), ("no key in an item", [put("a"), {"PutRequest": {"Item": {"x": {"S": "a"}}}}]),
                ("a key of another type", [put("a"), {"PutRequest": {"Item": {"pk": {"N": "1"}}}}]),
                ("an item over 400 KB", [put("a"), put("big", d={"S": "x" * 409_600})]),
                ("an empty key", [put("a"), put("")])):
            with self.subTest(case):
                self.refused(case, "BatchWriteItem", {"RequestItems": {table: requests}})
        self.refused("no table", "BatchWriteItem", {"RequestItems": {self.unique(): many[:1]}},
                     (400, "ResourceNotFoundException"))
        self.assertEqual(self.keys(table), [])

    def test_puts_and_deletes_in_one_batch(self):
        table = self.table()
        self.fill(table, ["old", "kept"])
        answer = self.batch(table, [{"PutRequest": {"Item": {"pk": {"S": "new"}}}},
                                    {"DeleteRequest": {"Key": {"pk": {"S": "old"}}}},
                                    {"DeleteRequest": {"Key": {"pk": {"S": "never"}}}}])
        self.assertEqual(answer.json, {"UnprocessedItems": {}})
        self.assertEqual(sorted(self.keys(table)), ["kept", "new"])

    def test_an_item_may_have_400_kb_with_its_names(self):
        table = self.table()
        for case, size, aws in (("400 KB", 409_600, (200, "")), ("a byte more", 409_601, VALIDATION)):
            item = {"pk": {"S": "1"}, "data": {"S": "x" * (size - len("pk1data"))}}
            self.refused(case, "PutItem", {"TableName": table, "Item": item}, aws)

    def test_lengths_of_keys(self):
        table = self.table("S")
        for case, pk, sk, aws in (("longest keys", 2048, 1024, (200, "")),
                                  ("partition key too long", 2049, 1, VALIDATION),
                                  ("sort key too long", 1, 1025, VALIDATION), ("no sort key", 1, 0, VALIDATION)):
            item = {"pk": {"S": "p" * pk}, "sk": {"S": "s" * sk}}
            self.refused(case, "PutItem", {"TableName": table, "Item": item}, aws)
        self.refused("a key without its sort key", "GetItem", {"TableName": table, "Key": {"pk": {"S": "a"}}})
        self.refused("a key with more", "GetItem",
                     {"TableName": table, "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}, "x": {"S": "c"}}})

    def test_a_consistent_read_sees_the_last_write(self):
        table = self.table()
        for i in range(20):
            self.put(table, pk={"S": "a"}, n={"N": str(i)})
            self.assertEqual(self.item(table, {"pk": {"S": "a"}})["n"], {"N": str(i)})
        self.ok("DeleteItem", {"TableName": table, "Key": {"pk": {"S": "a"}}})
        self.assertIsNone(self.item(table, {"pk": {"S": "a"}}))

    def test_numbers_are_kept_exactly_and_spelled_one_way(self):
        table = self.table(partition="N")
        nines = "9" * 38
        for sent, back in (("0001.500", "1.5"), ("-0", "0"), ("1e3", "1000"), ("+5", "5"), (nines, nines),
                           ("1E-3", "0.001"), (".5", "0.5")):
            self.put(table, pk={"N": "1"}, n={"N": sent})
            self.assertEqual(self.item(table, {"pk": {"N": "1"}})["n"], {"N": back}, sent)
        self.put(table, pk={"N": "1.0"}, n={"N": "2"})
        self.assertEqual(self.item(table, {"pk": {"N": "1e0"}})["n"], {"N": "2"})
        for case, number in (("39 digits", "1" * 39), ("too large", "1E126"), ("too small", "1E-131"),
                             ("no number", "x"), ("an empty number", "")):
            self.refused(case, "PutItem", {"TableName": table, "Item": {"pk": {"N": "1"}, "n": {"N": number}}})

    def test_empty_values_and_sets(self):
        table = self.table()
        self.put(table, pk={"S": "a"}, s={"S": ""}, b={"B": ""}, m={"M": {}}, l={"L": []}, ss={"SS": ["", "x"]})
        self.assertEqual(self.item(table, {"pk": {"S": "a"}}), {
            "pk": {"S": "a"}, "s": {"S": ""}, "b": {"B": ""}, "m": {"M": {}}, "l": {"L": []},
            "ss": {"SS": ["", "x"]}})
        for case, value in (("an empty set", {"SS": []}), ("an empty set of numbers", {"NS": []}),
                            ("a string twice in a set", {"SS": ["a", "a"]}),
                            ("a number twice in a set", {"NS": ["1", "1.0"]}), ("NULL false", {"NULL": False}),
                            ("no type", {}), ("two types", {"S": "a", "N": "1"})):
            self.refused(case, "PutItem", {"TableName": table, "Item": {"pk": {"S": "a"}, "v": value}})

    def test_nesting(self):
        table = self.table()
        for case, depth, aws in (("31 levels", 31, (200, "")), ("32 levels", 32, VALIDATION),
                                 ("33 levels", 33, VALIDATION)):
            value = '{"L":[' * depth + "]}" * depth
            self.refused(case, "PutItem", '{"TableName":"%s","Item":{"pk":{"S":"a"},"v":%s}}' % (table, value), aws)

    def test_items_that_are_not_quite_json(self):
        table = self.table()
        serialization = (400, "SerializationException")
        for case, item, aws in (
                ("half a surrogate pair", r'{"pk":{"S":"a"},"v":{"S":"\ud800"}}', serialization),
                ("a name twice", '{"pk":{"S":"a"},"v":{"S":"a"},"v":{"S":"b"}}', VALIDATION),
                ("a string that is a number", '{"pk":{"S":"a"},"v":{"S":5}}', serialization),
                ("base64 without its padding", '{"pk":{"S":"a"},"v":{"B":"YQ"}}', serialization),
                ("an unknown type", '{"pk":{"S":"a"},"v":{"X":"a"}}', VALIDATION)):
            self.refused(case, "PutItem", '{"TableName":"%s","Item":%s}' % (table, item), aws)

    def test_a_request_over_16_mb(self):
        table = self.table()
        requests = [{"PutRequest": {"Item": {"pk": {"S": str(i)}, "d": {"S": "\x01" * 120_000}}}} for i in range(25)]
        try:
            status = self.batch(table, requests).status
        except (BrokenPipeError, ConnectionResetError):
            self.server.reset()
            status = 413  # answered, and closed while we were still sending
        self.same("a request over 16 MB", status, 413)
        self.assertEqual(self.keys(table), [])

    def test_conditions(self):
        table = self.table()
        new = {"TableName": table, "Item": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(pk)"}
        self.ok("PutItem", new)
        self.refused("condition that fails", "PutItem", new, (400, "ConditionalCheckFailedException"))
        remove = {"TableName": table, "Key": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_exists(#k)",
                  "ExpressionAttributeNames": {"#k": "pk"}, "ReturnValues": "ALL_OLD"}
        self.assertEqual(self.ok("DeleteItem", remove), {"Attributes": {"pk": {"S": "a"}}})
        self.refused("condition on nothing", "DeleteItem", remove, (400, "ConditionalCheckFailedException"))

    def test_batch_get(self):
        table = self.table()
        self.fill(table, ["a", "b"])
        get = lambda *keys: {"RequestItems": {table: {"Keys": [{"pk": {"S": k}} for k in keys]}}}  # noqa: E731
        answer = self.ok("BatchGetItem", get("a", "b", "none"))
        self.assertEqual(sorted(item["pk"]["S"] for item in answer["Responses"][table]), ["a", "b"])
        self.assertEqual(answer["UnprocessedKeys"], {})
        self.refused("a key read twice", "BatchGetItem", get("a", "a"))
        self.refused("101 keys", "BatchGetItem", get(*map(str, range(101))))

    # --- tables and errors

    def test_a_table_is_described(self):
        table = self.table("N", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
        self.put(table, pk={"S": "a"}, sk={"N": "1"})
        told = self.ok("DescribeTable", {"TableName": table})["Table"]
        self.assertEqual((told["TableName"], told["TableStatus"]), (table, "ACTIVE"))
        self.assertEqual(told["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
        self.assertEqual(told["KeySchema"], [{"AttributeName": "pk", "KeyType": "HASH"},
                                             {"AttributeName": "sk", "KeyType": "RANGE"}])
        self.assertTrue(told["LatestStreamArn"].endswith(f":table/{table}/stream/{told['LatestStreamLabel']}"))
        self.assertIsInstance(told["CreationDateTime"], float)
        self.same("a table has an id", "TableId" in told, True)

    def test_create_and_delete(self):
        table = self.table()
        again = {"TableName": table, "BillingMode": "PAY_PER_REQUEST",
                 "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                 "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}
        self.refused("a table twice", "CreateTable", again, (400, "ResourceInUseException"))
        self.refused("a name with a slash", "CreateTable", {**again, "TableName": "a/bc"})
        self.assertIn(table, self.ok("ListTables", {})["TableNames"])
        first = self.ok("ListTables", {"Limit": 1})
        self.assertEqual(len(first["TableNames"]), 1)
        self.refused("no such table", "DescribeTable", {"TableName": self.unique()}, (400, "ResourceNotFoundException"))

    def test_errors(self):
        wrong = self.server.call("Scan", {"TableName": self.unique()})
        self.same("scan of no table", wrong.outcome, (400, "ResourceNotFoundException"))
        self.same("name of an error's message", [n for n in wrong.json if n.lower() == "message"][0], "message")
        self.same("checksum of an error", "x-amz-crc32" in wrong.headers, True)
        self.assertTrue(wrong.headers["x-amzn-RequestId"])
        self.refused("a body that is no JSON", "Scan", "{no JSON", (400, "SerializationException"))
        self.refused("no such operation", "Nothing", {}, (400, "UnknownOperationException"))
        self.refused("no table name", "Scan", {})

    def test_answers_carry_checksum_and_request_id(self):
        answer = self.server.call("ListTables", {})
        self.assert_checksum(answer)
        self.assertTrue(answer.headers["x-amzn-RequestId"])
        self.same("date of an answer", "Date" in answer.headers, True)


class DynamoDBLocal(Cases, ConformanceTest):
    make_server = staticmethod(stack_server)


class FakeDynamoDB(Cases, ConformanceTest):
    make_server = staticmethod(FakeServer)

    # What no server at hand but the fake can be made to do; the shapes are those of AWS's reference.

    def test_unprocessed_items_have_the_shape_of_request_items(self):
        first, second = self.table(), self.table("N")
        puts = [{"PutRequest": {"Item": {"pk": {"S": str(i)}, "v": {"N": "1.0"}}}} for i in range(4)]
        others = [{"PutRequest": {"Item": {"pk": {"S": "a"}, "sk": {"N": "1"}}}},
                  {"DeleteRequest": {"Key": {"pk": {"S": "b"}, "sk": {"N": "2"}}}}]
        self.addCleanup(self.server.arrange, "ProcessAtMost", {"Requests": 25})
        left, rounds = {first: puts, second: others}, 0
        self.server.arrange("ProcessAtMost", {"Requests": 4})
        answer = self.ok("BatchWriteItem", {"RequestItems": left, "ReturnConsumedCapacity": "TOTAL"})
        self.assertEqual(answer["UnprocessedItems"], {second: others})
        self.assertEqual(answer["ConsumedCapacity"], [{"TableName": first, "CapacityUnits": 4.0}])
        self.server.arrange("ProcessAtMost", {"Requests": 1})
        left = answer["UnprocessedItems"]
        while left:
            left = self.ok("BatchWriteItem", {"RequestItems": left})["UnprocessedItems"]
            rounds += 1
        self.assertEqual((rounds, len(self.keys(first)), self.keys(second)), (2, 4, ["a"]))

    def test_a_batch_of_which_nothing_was_done_is_an_error(self):
        table = self.table()
        self.addCleanup(self.server.arrange, "ProcessAtMost", {"Requests": 25})
        self.server.arrange("ProcessAtMost", {"Requests": 0})
        self.refused("nothing processed", "BatchWriteItem",
                     {"RequestItems": {table: [{"PutRequest": {"Item": {"pk": {"S": "a"}}}}]}},
                     (400, "ProvisionedThroughputExceededException"))
        self.assertEqual(self.keys(table), [])
