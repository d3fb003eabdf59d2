"""The CloudFormation template is held against the program and docs/iam.md: it sets what the functions read, allows what they need and no more, and
touches nothing that is the backup. Needs no server."""
import collections
import http.server
import json
import os
import re
import subprocess
import threading
import unittest

import botocore.session
import botocore.validate
import yaml

from rights import documented, policy

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
TEMPLATE = os.path.join(ROOT, "tools", "lambda", "template.yaml")
CLI = os.environ.get("DYNABACKUP_BINARY") or os.path.join(ROOT, "build", "src", "apps", "cli", "dynamodb-backup")
BOOTSTRAP = os.path.join(os.path.dirname(CLI), "..", "lambda", "bootstrap")
DAY = 24 * 3600
# What the parameters without a default, and AWS itself, stand for; as docs/iam.md calls them.
KNOWN = {
    "TableName": "TABLE", "StreamArn": "arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/stream/STREAM",
    "IncrementalPrefix": "INCREMENTAL_PREFIX/", "SnapshotPrefix": "SNAPSHOT_PREFIX/", "RestoreTables": "TABLE",
    "IncrementalBucket": "INCREMENTAL_BUCKET", "SnapshotBucket": "SNAPSHOT_BUCKET", "FailedBatchBucket": "FAILED_BATCH_BUCKET",
    "AWS::Partition": "aws", "AWS::Region": "REGION", "AWS::AccountId": "ACCOUNT", "AWS::NoValue": None,
}
FUNCTIONS = ("BackupFunction", "SnapshotFunction", "RestoreFunction")


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags: !Ref x becomes {"Ref": x}, !Sub x {"Fn::Sub": x}."""


def tagged(loader, suffix, node):
    construct = {yaml.ScalarNode: loader.construct_scalar}.get(type(node))
    value = construct(node) if construct else (
        loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else loader.construct_mapping(node, deep=True))
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


def one_of_a_name(loader, node, deep=False):
    """CloudFormation refuses a document in which a name comes twice; PyYAML keeps the last."""
    names = collections.Counter(key.value for key, _ in node.value)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise ValueError(f"twice in one map: {twice}")
    return loader.construct_mapping(node, deep=deep)


Loader.add_multi_constructor("!", tagged)
Loader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: one_of_a_name(loader, node, deep=True))


def source(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


class Template:
    def __init__(self):
        self.text = source("tools", "lambda", "template.yaml")
        self.document = yaml.load(self.text, Loader)
        self.resources = self.document["Resources"]
        self.parameters = self.document["Parameters"]

    def of_type(self, kind):
        return {name: r["Properties"] for name, r in self.resources.items() if r["Type"] == kind}

    def condition(self, name):
        return self.resolve(self.document["Conditions"][name])

    def named(self, name):
        if name in KNOWN:
            return KNOWN[name]
        if name in self.parameters:
            return self.parameters[name]["Default"]
        if name in self.resources:
            return name
        raise KeyError(f"{name}: no parameter and no resource")

    def resolve(self, value):
        """With every parameter at its default."""
        if isinstance(value, list):
            return [self.resolve(v) for v in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (function, argument), = value.items()
            if function == "Ref":
                return self.named(argument)
            if function.startswith("Fn::"):
                return getattr(self, function[4:].lower())(argument)
        return {name: self.resolve(v) for name, v in value.items()}

    def getatt(self, argument):
        name, attribute = argument.split(".") if isinstance(argument, str) else argument
        kind = self.resources[name]["Type"]
        if attribute != "Arn":
            raise KeyError(argument)
        return {"AWS::S3::Bucket": f"arn:aws:s3:::{self.named(name)}",
                "AWS::Logs::LogGroup": "arn:aws:logs:REGION:ACCOUNT:log-group:LOG_GROUP:*"}.get(kind, f"arn of {name}")

    def sub(self, argument):
        text, own = argument if isinstance(argument, list) else (argument, {})
        own = self.resolve(own)

        def replace(found):
            name = found.group(1)
            return str(own[name] if name in own else self.getatt(name) if name.endswith(".Arn") else self.named(name))
        return re.sub(r"\$\{([^}]+)\}", replace, text)

    def equals(self, argument):
        left, right = self.resolve(argument)
        return str(left) == str(right)

    def not_(self, argument):
        return not self.resolve(argument[0])

    def if_(self, argument):
        condition, yes, no = argument
        return self.resolve(yes if self.condition(condition) else no)


setattr(Template, "not", Template.not_)
setattr(Template, "if", Template.if_)


class TemplateTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.template = Template()
        self.functions = self.template.of_type("AWS::Lambda::Function")
        mappings = self.template.of_type("AWS::Lambda::EventSourceMapping")
        self.assertEqual(list(mappings), ["BackupMapping"])
        self.mapping = self.template.resolve(mappings["BackupMapping"])

    def variables(self, name):
        return self.template.resolve(self.functions[name]["Environment"]["Variables"])

    def rules(self, bucket):
        return self.template.resolve(self.template.resources[bucket]["Properties"]["LifecycleConfiguration"]["Rules"])


class Document(TemplateTest):
    def test_it_uses_only_what_cloudformation_reads(self):
        # CloudFormation knows neither anchors nor aliases.
        anchors = [t for t in yaml.scan(self.template.text, Loader=Loader) if isinstance(t, (yaml.AnchorToken, yaml.AliasToken))]
        self.assertEqual(anchors, [])

    def test_every_reference_names_something_and_every_parameter_is_used(self):
        used = set()

        def walk(value, own=()):
            if isinstance(value, list):
                for v in value:
                    walk(v, own)
            elif isinstance(value, dict):
                for name, v in value.items():
                    if name in ("Ref", "Condition") and isinstance(v, str):
                        used.add(v)
                    elif name == "Fn::GetAtt":
                        used.add(v.split(".")[0])
                    elif name == "Fn::If":
                        used.add(v[0])
                    elif name == "Fn::Sub":
                        text, inner = v if isinstance(v, list) else (v, {})
                        used.update(n.split(".")[0] for n in re.findall(r"\$\{([^}]+)\}", text) if n not in inner)
                    walk(v, own)
        walk({k: v for k, v in self.template.document.items() if k != "Parameters"})
        used -= {name for name in used if name.startswith("AWS::")}
        there = set(self.template.parameters) | set(self.template.resources) | set(self.template.document["Conditions"])
        self.assertEqual(used - there, set())
        self.assertEqual(set(self.template.parameters) - used, set())
        self.assertEqual(set(self.template.document["Conditions"]) - used, set())

    def test_what_is_made_only_sometimes_is_referred_to_only_then(self):
        sometimes = {name: r["Condition"] for name, r in self.template.resources.items() if "Condition" in r}
        text = json.dumps({n: r for n, r in self.template.resources.items() if n not in sometimes})
        for name, condition in sometimes.items():
            guarded = text.replace(json.dumps({"Fn::If": [condition, {"Ref": name}, {"Ref": "SnapshotBucketName"}]}), "")
            self.assertNotIn(f'"{name}"', guarded)
            self.assertNotIn(f'"{name}.', guarded)
            self.assertNotIn(f"${{{name}", guarded)


    def test_mapping_and_alarms_are_ones_that_the_services_take(self):
        session = botocore.session.Session()

        def problems(service, operation, values):
            shape = session.get_service_model(service).operation_model(operation).input_shape
            return botocore.validate.ParamValidator().validate(values, shape).generate_report()

        mapping = {k: v for k, v in self.mapping.items() if k != "MetricsConfig"}  # younger than Debian's botocore
        self.assertEqual(problems("lambda", "CreateEventSourceMapping", mapping), "")
        for name, properties in self.template.of_type("AWS::CloudWatch::Alarm").items():
            alarm = {k: v for k, v in self.template.resolve(properties).items() if v is not None}
            self.assertEqual(problems("cloudwatch", "PutMetricAlarm", {"AlarmName": name, **alarm}), "")


class Functions(TemplateTest):
    def test_there_is_one_for_each_handler_of_the_program(self):
        code = source("src", "apps", "lambda", "function_settings.cpp")
        body = re.search(r"std::string_view name_of\(function which\) \{(.*?)\n\}", code, re.DOTALL).group(1)
        handlers = set(re.findall(r'return "(\w+)";', body))
        self.assertEqual(handlers, {"backup", "snapshot", "restore"})
        self.assertEqual({f["Handler"] for f in self.functions.values()}, handlers)
        self.assertEqual(set(self.functions), set(FUNCTIONS))

    def test_their_variables_are_ones_that_the_program_reads(self):
        code = source("src", "apps", "configuration", "settings_table.cpp") + source("src", "apps", "lambda", "function_settings.cpp")
        read = set(re.findall(r'"([A-Z][A-Z0-9_]+)"', code))
        for name in FUNCTIONS:
            with self.subTest(name):
                self.assertTrue(self.variables(name))
                self.assertEqual(set(self.variables(name)) - read, set())

    def test_they_run_what_package_lambda_makes_where_that_runs(self):
        packer = source("tools", "package-lambda")
        self.assertIn("$folder/dynabackup-lambda-$arch.zip", packer)
        self.assertIn("folder=build-lambda\n", packer)
        for name in FUNCTIONS:
            with self.subTest(name):
                function = self.functions[name]
                self.assertEqual(os.path.normpath(os.path.join("tools", "lambda", function["Code"])),
                                 "build-lambda/dynabackup-lambda-x86_64.zip")
                self.assertEqual(function["Runtime"], "provided.al2023")
                self.assertEqual(function["Architectures"], ["x86_64"])

    def test_they_are_given_the_time_and_memory_that_the_work_takes(self):
        for name in FUNCTIONS:
            with self.subTest(name):
                function = self.template.resolve(self.functions[name])
                # A lost answer is waited for, 65 s; a run takes less than 64 MiB.
                self.assertGreaterEqual(function["Timeout"], 120)
                self.assertLessEqual(function["Timeout"], 900)
                self.assertGreaterEqual(function["MemorySize"], 128)
        self.assertIsNone(self.template.resolve(self.functions["BackupFunction"]["ReservedConcurrentExecutions"]))

    def test_their_logs_end(self):
        groups = self.template.of_type("AWS::Logs::LogGroup")
        for name in FUNCTIONS:
            with self.subTest(name):
                logging = self.functions[name]["LoggingConfig"]
                self.assertEqual(logging["LogFormat"], "JSON")
                self.assertGreater(self.template.resolve(groups[logging["LogGroup"]["Ref"]])["RetentionInDays"], 0)

    def test_each_starts_with_the_environment_it_is_given(self):
        if not os.access(BOOTSTRAP, os.X_OK):
            self.fail(f"no bootstrap: {BOOTSTRAP}")
        for name in FUNCTIONS:
            with self.subTest(name):
                self.assertEqual(first_call(self.functions[name]["Handler"], self.variables(name)),
                                 "GET /2018-06-01/runtime/invocation/next")

    def test_one_that_lacks_a_bucket_says_so_at_its_start(self):
        for name in FUNCTIONS:
            with self.subTest(name):
                variables = {k: v for k, v in self.variables(name).items() if not k.endswith("_BUCKET")}
                self.assertEqual(first_call(self.functions[name]["Handler"], variables),
                                 "POST /2018-06-01/runtime/init/error")


def first_call(handler, variables):
    """Method and path of the first request that bootstrap sends to the Runtime API."""
    calls, called = [], threading.Event()

    class Platform(http.server.BaseHTTPRequestHandler):
        def take(self):
            calls.append(f"{self.command} {self.path}")
            called.set()
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command == "POST":
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                ended.wait(30)  # no event comes

        do_GET = do_POST = take

        def log_message(self, *_):
            pass

    ended = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    platform = {"_HANDLER": handler, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_address[1]}", "AWS_REGION": "eu-central-1",
                "AWS_LAMBDA_FUNCTION_NAME": "function", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_SESSION_TOKEN": "token", "AWS_LAMBDA_LOG_FORMAT": "JSON"}
    with subprocess.Popen([BOOTSTRAP], env={**variables, **platform}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            called.wait(20)
        finally:
            process.kill()
            ended.set()
            server.shutdown()
            server.server_close()
    return calls[0] if calls else "nothing"


class Mapping(TemplateTest):
    def test_it_starts_with_the_oldest_change_there_is(self):
        self.assertEqual(self.mapping["StartingPosition"], "TRIM_HORIZON")
        self.assertEqual(self.mapping["EventSourceArn"], KNOWN["StreamArn"])
        self.assertEqual(self.mapping["FunctionName"], "BackupFunction")
        self.assertNotIn("FilterCriteria", self.mapping)
        self.assertNotIn("TumblingWindowInSeconds", self.mapping)

    def test_part_of_a_batch_may_fail_exactly_if_the_function_is_told_so(self):
        self.assertEqual(self.mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])
        self.assertEqual(self.variables("BackupFunction")["DYNABACKUP_PARTIAL_BATCH"], "true")

    def test_a_batch_that_fails_is_halved_repeated_and_given_up_before_the_stream_forgets_it(self):
        self.assertIs(self.mapping["BisectBatchOnFunctionError"], True)
        self.assertGreater(self.mapping["MaximumRetryAttempts"], 0)  # -1 would be: without end
        self.assertLessEqual(self.mapping["MaximumRetryAttempts"], 10000)
        self.assertGreater(self.mapping["MaximumRecordAgeInSeconds"], 60)
        self.assertLess(self.mapping["MaximumRecordAgeInSeconds"], DAY)

    def test_what_is_given_up_is_kept_with_its_records(self):
        # Only an S3 destination holds the records themselves.
        self.assertEqual(self.mapping["DestinationConfig"]["OnFailure"]["Destination"], "arn:aws:s3:::FAILED_BATCH_BUCKET")

    def test_batches_are_of_a_size_that_lambda_takes(self):
        self.assertLessEqual(self.mapping["BatchSize"], 10000)
        self.assertLessEqual(self.mapping["ParallelizationFactor"], 10)


class Buckets(TemplateTest):
    def test_they_are_private_encrypted_and_outlive_the_stack(self):
        buckets = self.template.of_type("AWS::S3::Bucket")
        self.assertEqual(set(buckets), {"IncrementalBucket", "SnapshotBucket", "FailedBatchBucket"})
        for name, properties in buckets.items():
            with self.subTest(name):
                self.assertEqual(set(properties["PublicAccessBlockConfiguration"].values()), {True})
                self.assertEqual(len(properties["PublicAccessBlockConfiguration"]), 4)
                rule, = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
                self.assertEqual(rule["ServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})
                self.assertEqual(self.template.resources[name]["DeletionPolicy"], "Retain")
                self.assertEqual(self.template.resources[name]["UpdateReplacePolicy"], "Retain")

    def test_they_are_versioned_where_there_is_a_backup(self):
        for name in ("IncrementalBucket", "SnapshotBucket"):
            self.assertEqual(self.template.resources[name]["Properties"]["VersioningConfiguration"], {"Status": "Enabled"})

    def test_they_refuse_what_does_not_come_over_tls(self):
        policies = self.template.of_type("AWS::S3::BucketPolicy")
        self.assertEqual({p["Bucket"]["Ref"] for p in policies.values()}, set(self.template.of_type("AWS::S3::Bucket")))
        for name, properties in policies.items():
            statement, = self.template.resolve(properties["PolicyDocument"]["Statement"])
            bucket = self.template.getatt(properties["Bucket"]["Ref"] + ".Arn")
            self.assertEqual((statement["Effect"], statement["Action"], statement["Resource"], statement["Condition"]),
                             ("Deny", "s3:*", [bucket, bucket + "/*"], {"Bool": {"aws:SecureTransport": "false"}}), name)

    def test_no_rule_touches_a_current_object_of_the_backup(self):
        harmless = {"Id", "Status", "Prefix", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload",
                    "ExpiredObjectDeleteMarker"}
        for name in ("IncrementalBucket", "SnapshotBucket"):
            for rule in self.rules(name):
                with self.subTest(f"{name} {rule['Id']}"):
                    self.assertEqual(set(rule) - harmless, set())

    def test_markers_of_deleted_items_stay_unless_somebody_chooses_otherwise(self):
        # A delete marker over nothing tells the sweep of a backfill that an item it stored has been deleted.
        for rule in self.rules("IncrementalBucket"):
            if "ExpiredObjectDeleteMarker" in rule:
                self.assertEqual(rule["Status"], "Disabled")

    def test_old_versions_of_items_gaps_and_runs_stay_as_long_as_a_past_moment_may_be_asked_for(self):
        short = {rule["Prefix"] for rule in self.rules("IncrementalBucket")
                 if rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 99) < 7}
        format_text = source("docs", "format.md")
        for name in ("checkpoints/", "probes/", "recorder.json"):
            self.assertIn(f"`{name}", format_text)
        self.assertEqual(short, {f"INCREMENTAL_PREFIX/.dynabackup/{name}" for name in ("checkpoints/", "probes/", "recorder.json")})
        self.assertGreaterEqual(self.template.parameters["OldVersionDays"]["MinValue"], 7)

    def test_uploads_are_given_up_later_than_a_snapshot_may_take(self):
        days = [rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
                for name in ("IncrementalBucket", "SnapshotBucket") for rule in self.rules(name) if "AbortIncompleteMultipartUpload" in rule]
        self.assertEqual(len(days), 2)
        self.assertTrue(all(d > 1 for d in days))


class Rights(TemplateTest):
    def of(self, function):
        role = self.functions[function]["Role"]["Fn::GetAtt"].split(".")[0]
        properties = self.template.resources[role]["Properties"]
        self.assertNotIn("ManagedPolicyArns", properties)
        allowed = set()
        for p in properties["Policies"]:
            allowed |= policy(self.template.resolve(p["PolicyDocument"]["Statement"]))
        return allowed

    def test_each_function_may_do_what_is_documented_and_nothing_else(self):
        log = documented("The Lambda functions")
        wanted = {"BackupFunction": documented("The backup function"), "SnapshotFunction": documented("snapshot"),
                  "RestoreFunction": documented("restore")}
        for function, rights in wanted.items():
            with self.subTest(function):
                self.assertEqual(self.of(function), rights | log)

    def test_the_backup_function_may_do_to_bucket_and_table_what_follow_may_but_for_the_lease(self):
        def recording(rights):
            return {(action, resource) for action, resource in rights
                    if "INCREMENTAL_BUCKET" in resource and "recorder.json" not in resource or resource.endswith("table/TABLE")}
        self.assertEqual(recording(self.of("BackupFunction")), recording(documented("follow")))

    def test_no_role_is_shared_and_only_lambda_takes_one(self):
        roles = self.template.of_type("AWS::IAM::Role")
        self.assertEqual({self.functions[f]["Role"]["Fn::GetAtt"] for f in FUNCTIONS}, {f"{role}.Arn" for role in roles})
        for properties in roles.values():
            statement, = properties["AssumeRolePolicyDocument"]["Statement"]
            self.assertEqual(statement["Principal"], {"Service": "lambda.amazonaws.com"})

    def test_no_resource_is_everything(self):
        for function in FUNCTIONS:
            for action, resource in self.of(function):
                self.assertNotIn("*", action)
                self.assertNotEqual(resource, "*")


class Alarms(TemplateTest):
    def test_they_watch_metrics_that_there_are(self):
        # AWS's own, with what they are told apart by.
        lambdas = {"IteratorAge": "FunctionName", "Errors": "FunctionName", "OnFailureDestinationDeliveredEventCount": "EventSourceMappingUUID",
                   "DroppedEventCount": "EventSourceMappingUUID"}
        log = source("src", "apps", "lambda", "function_log.cpp")
        seen = set()
        for name, properties in self.template.of_type("AWS::CloudWatch::Alarm").items():
            alarm = self.template.resolve(properties)
            metric, (dimension,) = alarm["MetricName"], alarm["Dimensions"]
            seen.add((metric, dimension["Value"]))
            with self.subTest(name):
                if alarm["Namespace"] == "AWS/Lambda":
                    self.assertEqual(lambdas[metric], dimension["Name"])
                else:
                    self.assertEqual(alarm["Namespace"], "dynabackup")
                    self.assertIn('"Namespace":"dynabackup"', log)
                    self.assertRegex(log, rf'"{metric}"')
                    self.assertIn('"Dimensions":[["FunctionName"]', log)
                self.assertEqual(alarm["ComparisonOperator"], "GreaterThanThreshold")
                self.assertEqual(alarm["TreatMissingData"], "notBreaching")
                self.assertIn("AlarmActions", alarm)
        self.assertEqual(seen, {("IteratorAge", "BackupFunction"), ("Lag", "BackupFunction"), ("DeadLetters", "BackupFunction"),
                                ("OnFailureDestinationDeliveredEventCount", "BackupMapping"), ("DroppedEventCount", "BackupMapping"),
                                ("Errors", "BackupFunction"), ("Errors", "SnapshotFunction"), ("Errors", "RestoreFunction")})
        self.assertEqual(self.mapping["MetricsConfig"], {"Metrics": ["EventCount"]})

    def test_what_takes_as_long_as_the_function_may_still_sets_off_those_that_watch_it(self):
        # An invocation that times out leaves one datapoint, at most, in that time.
        timeout = self.functions["BackupFunction"]["Timeout"]
        watched = {"ChangesAreOldAlarm", "RecordingIsLateAlarm", "BackupErrorsAlarm"}
        for name in watched:
            with self.subTest(name):
                alarm = self.template.of_type("AWS::CloudWatch::Alarm")[name]
                self.assertGreaterEqual(alarm["Period"] * alarm["EvaluationPeriods"], 2 * timeout)
                self.assertEqual(alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]), 1)

    def test_the_lag_alarm_comes_long_before_changes_are_given_up(self):
        self.assertLess(self.template.parameters["LagAlarmMilliseconds"]["Default"], self.mapping["MaximumRecordAgeInSeconds"] * 1000 / 10)


if __name__ == "__main__":
    unittest.main()
