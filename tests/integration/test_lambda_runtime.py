"""The loop of bootstrap against a Runtime API that is strict, and against one that misbehaves: it goes on, or ends with a
clear last line; it never crashes, hangs, or asks in a busy loop."""
import json
import os
import signal
import statistics
import threading
import time

import runtime_emulator as emulator
from functions import FunctionTest, puts, sample, sanitized, stream_event
from runtime_emulator import Event

EMPTY = {"Records": []}
DONE = {"batchItemFailures": []}
NEXT_TOO_EARLY = "next while an invocation is open"


class Start(FunctionTest):
    def test_from_exec_to_the_first_next(self):
        spans, memory = [], 0
        for _ in range(20):
            with self.sandbox() as sandbox:
                sandbox.start()
                spans.append(sandbox.api.first_next_at - sandbox.started_at)
                sandbox.idle()
                memory = sandbox.memory_kib()
            self.sandboxes.remove(sandbox)
        print(f"\n    exec to first /next: {statistics.median(spans) * 1000:.1f} ms (median of {len(spans)}, best "
              f"{min(spans) * 1000:.1f} ms, with starting the process from here), resident {memory / 1024:.1f} MiB")
        if not sanitized():
            # Some milliseconds alone on a machine; ten times that where others compile on it.
            self.assertLess(min(spans), 0.05)
            self.assertLess(memory, 20 << 10)

    def refused(self, error_type, *words, handler="backup", **environment):
        sandbox = self.sandbox(handler, **environment)
        sandbox.start(wait=False)
        self.assertEqual(sandbox.exit_code(), 1)
        (told,) = sandbox.api.init_errors
        self.assertEqual(told.error_type, error_type)
        for word in words:
            self.assertIn(word, told.message)
        self.assertEqual([r[1] for r in sandbox.api.requests], [emulator.PREFIX + "/init/error"])

    def test_a_function_that_cannot_start_says_why(self):
        self.refused("Runtime.NoSuchHandler", "'index.handler'", "backup, snapshot or restore", handler="index.handler")
        self.refused("Runtime.NoSuchHandler", handler="")
        self.refused("Runtime.ConfigInvalid", "INCREMENTAL_BUCKET", INCREMENTAL_BUCKET=None)
        self.refused("Runtime.ConfigInvalid", "SNAPSHOT_BUCKET", handler="snapshot", SNAPSHOT_BUCKET=None)
        self.refused("Runtime.ConfigInvalid", "DYNAMODB_PARALLELISM", "nearest", DYNAMODB_PARALLELISM="33")
        self.refused("Runtime.ConfigInvalid", "DYNABACKUP_PARTIAL_BATCH", DYNABACKUP_PARTIAL_BATCH="maybe")
        self.refused("Runtime.ConfigInvalid", "snapshots", handler="snapshot", SNAPSHOT_PREFIX="items")

    def test_the_older_spelling_of_handlers(self):
        older = "eu.jobmatchme.dynamodb.backup.Lambda::"
        backup = self.sandbox(older + "backup")
        self.recorded(backup.invoke(sample("ddb-stream-insert")), backup, Puts=1)
        for name in ("snapshot", "restore"):
            outcome = self.sandbox(older + name).invoke({"tableName": 7})
            self.failed(outcome, "Function.BadRequest", "tableName has to be a string")

    def test_an_error_of_the_start_that_cannot_be_told_ends_it_all_the_same(self):
        sandbox = self.sandbox("none")
        sandbox.api.on_post.extend([500])
        sandbox.start(wait=False)
        self.assertEqual(sandbox.exit_code(), 1)
        self.assertIn("error of the container", sandbox.log())


class Loop(FunctionTest):
    def goes_on(self, sandbox, times=2):
        """Whatever was before: events are handled, one after the other."""
        for _ in range(times):
            outcome = sandbox.invoke(EMPTY)
            self.assertEqual((outcome.kind, outcome.json if outcome.body else None), ("response", DONE),
                             f"{outcome}\n{sandbox.log()}")

    def test_events_one_after_the_other_over_one_connection(self):
        sandbox = self.sandbox()
        self.goes_on(sandbox, 20)
        self.assertEqual([r[0] for r in sandbox.api.requests[:4]], ["GET", "POST", "GET", "POST"])

    def test_answers_to_next_that_are_none(self):
        """Each once: the process asks again and lives."""
        for name, bad in {
                "closed": emulator.close, "reset": emulator.reset,
                "400": emulator.status(400), "403": emulator.status(403), "404": emulator.status(404),
                "garbage status line": emulator.raw(b"\x00\x01 nothing of HTTP\r\n\r\n"),
                "garbage status": emulator.raw(b"HTTP/1.1 abc OK\r\n\r\n"),
                "an endless header": emulator.raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000),
                "only a head": emulator.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
                "no request id": emulator.status(200, b"{}"),
                "absurd length": emulator.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
                "a negative length": emulator.raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
                "endless chunks": emulator.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\n"),
        }.items():
            with self.subTest(name):
                sandbox = self.sandbox().start()
                pid = sandbox.process.pid
                sandbox.api.events.put(bad)
                self.goes_on(sandbox)
                self.assertEqual(sandbox.process.pid, pid, sandbox.log())

    def test_a_platform_that_only_misbehaves_is_left_soon_and_clearly(self):
        for name, bad in {"closed": emulator.close, "403": emulator.status(403), "no id": emulator.status(200, b"{}"),
                          "garbage": emulator.raw(b"garbage\r\n\r\n")}.items():
            with self.subTest(name):
                sandbox = self.sandbox().start()
                for _ in range(50):
                    sandbox.api.events.put(bad)
                self.assertEqual(sandbox.exit_code(), 1)
                self.assertLess(len(sandbox.api.requests), 10)
                last = json.loads(sandbox.log().splitlines()[-1])
                self.assertEqual(last["level"], "FATAL")
                self.assertIn("gave no event in 5 tries", last["message"])

    def test_an_error_of_the_container_ends_the_process_at_once(self):
        sandbox = self.sandbox().start()
        sandbox.api.events.put(emulator.status(500))
        self.assertEqual(sandbox.exit_code(), 1)
        self.assertIn("error of the container", sandbox.log())
        for event in (EMPTY, "not an event"):
            sandbox = self.sandbox().start()
            sandbox.api.on_post.append(500)
            self.assertEqual(sandbox.invoke(event).kind, "exit")
            self.assertEqual(sandbox.exit_code(), 1)
            self.assertEqual(len(sandbox.api.requests), 2)

    def test_events_that_are_broken_on_the_way(self):
        """The platform's loss: the process lives, and takes the next one."""
        for name, send in {"truncated": emulator.truncated, "in its head": emulator.truncated_head,
                           "reset": emulator.reset_in_body}.items():
            with self.subTest(name):
                sandbox = self.sandbox().start()
                pid = sandbox.process.pid
                self.assertEqual(sandbox.deliver(Event(EMPTY, send=send)).kind, "lost")
                self.goes_on(sandbox)
                self.assertEqual(sandbox.process.pid, pid)

    def test_an_event_that_says_to_be_longer_than_it_is(self):
        sandbox = self.sandbox().start()
        event = Event(EMPTY, headers={"Content-Length": "100"}, send=emulator.shorter_than_said)
        self.assertEqual(sandbox.deliver(event).kind, "lost")
        self.goes_on(sandbox)

    def test_an_event_that_says_to_be_shorter_than_it_is(self):
        sandbox = self.sandbox().start()
        outcome = sandbox.deliver(Event(EMPTY, headers={"Content-Length": "5"}))
        self.failed(outcome, "Function.Malformed")
        sandbox.deliver(Event(EMPTY, send=emulator.longer_than_said))
        self.goes_on(sandbox)

    def test_an_event_byte_by_byte(self):
        sandbox = self.sandbox()
        self.assertEqual(sandbox.deliver(Event(EMPTY, send=emulator.dripping)).json, DONE)

    def test_events_that_are_none(self):
        sandbox = self.sandbox().start()
        deep = b'{"Records":' + b"[" * 100_000
        for name, body in {"empty": b"", "malformed": b'{"Records":[{', "no JSON": b"hello", "invalid UTF-8":
                           b'{"Records":[{"eventID":"\xff\xfe"}]}', "NUL": b"\0" * 100, "deep": deep,
                           "records of another kind": b'{"Records":"x"}', "no object in it": b'{"Records":[1,null]}'
                           }.items():
            with self.subTest(name):
                outcome = sandbox.invoke(body)
                self.assertEqual(outcome.kind, "error", outcome)
                self.assertIn(outcome.error_type, ("Function.Malformed", "Function.BatchFailed", "Function.Refused"))
                self.goes_on(sandbox, 1)
        self.assertEqual(self.aws.keys(self.bucket), {})

    def test_an_event_that_is_too_large(self):
        sandbox = self.sandbox().start()
        event = puts(1, size=(7 << 20) + 1)
        self.failed(sandbox.invoke(event), "Runtime.EventRefused", "more than")
        # So large that not even its id is read: nobody can be told, and the platform waits. The process ends.
        self.assertEqual(sandbox.deliver(Event(b" " * (20 << 20))).exit_code, 1)
        self.assertIn("403", sandbox.log())
        self.allowed_violations = [NEXT_TOO_EARLY]
        self.goes_on(sandbox)

    def test_headers_that_are_missing_or_wrong(self):
        sandbox = self.sandbox().start()
        for name, headers, kind in (
                ("no deadline", {"Lambda-Runtime-Deadline-Ms": None}, "response"),
                ("no trace", {"Lambda-Runtime-Trace-Id": None}, "response"),
                ("no arn", {"Lambda-Runtime-Invoked-Function-Arn": None}, "response"),
                ("no invocation id", {"Lambda-Runtime-Invocation-Id": None}, "response"),
                ("a deadline in the past", {"Lambda-Runtime-Deadline-Ms": "1000"}, "error"),
                ("a deadline that is none", {"Lambda-Runtime-Deadline-Ms": "soon"}, "error")):
            with self.subTest(name):
                event = Event(puts(1), headers=headers)
                outcome = sandbox.deliver(event)
                self.assertEqual(outcome.kind, kind, outcome)
                if kind == "error":
                    self.failed(outcome, "Runtime.EventRefused", "deadline")
                echoed = sandbox.api.requests[-1 if sandbox.api.requests[-1][0] == "POST" else -2][2]
                self.assertEqual(echoed.get("lambda-runtime-invocation-id"),
                                 None if name == "no invocation id" else event.invocation_id)

    def test_nothing_is_sent_for_an_event_whose_deadline_has_passed(self):
        proxy = self.proxy()
        sandbox = self.sandbox(S3_ENDPOINT=proxy.url, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
        self.failed(sandbox.deliver(Event(puts(5), headers={"Lambda-Runtime-Deadline-Ms": "5000"})),
                    "Runtime.EventRefused", "deadline")
        self.assertEqual(proxy.accepted, 0)

    def test_the_same_id_twice_is_a_redelivery(self):
        sandbox = self.sandbox()
        event = puts(3)
        for repeats in (0, 3):
            self.recorded(sandbox.deliver(Event(event, request_id="same")), sandbox, Records=3, Repeats=repeats)

    def test_answers_that_are_refused(self):
        for status, log in ((413, "413"), (400, "400"), (403, "403")):
            with self.subTest(status):
                sandbox = self.sandbox().start()
                sandbox.api.on_post.append(status)
                outcome = sandbox.invoke(EMPTY)
                self.failed(outcome, "Function.ResponseRefused", str(status))
                self.goes_on(sandbox)
                self.assertIn(log, sandbox.log())

    def test_an_error_that_is_refused(self):
        """Nothing else can be said about the invocation, and the platform gives no other one: the process ends."""
        sandbox = self.sandbox().start()
        sandbox.api.on_post.append(400)
        self.assertEqual(sandbox.invoke(b"x").exit_code, 1)
        self.assertIn("refused an error", sandbox.log())
        self.allowed_violations = [NEXT_TOO_EARLY]
        self.goes_on(sandbox)

    def test_an_answer_that_is_lost_is_given_again(self):
        for trouble in ("close", "lost"):
            with self.subTest(trouble):
                sandbox = self.sandbox().start()
                pid = sandbox.process.pid
                sandbox.api.on_post.append(trouble)
                self.assertEqual(sandbox.invoke(EMPTY).json, DONE)
                self.goes_on(sandbox)
                self.assertEqual(sandbox.process.pid, pid, sandbox.log())

    def test_frozen_and_thawed(self):
        proxy = self.proxy()
        sandbox = self.sandbox(S3_ENDPOINT=proxy.url, AWS_ENDPOINT_URL_DYNAMODB=proxy.url).start()
        pid = sandbox.process.pid
        for n in range(3):
            self.recorded(sandbox.invoke(puts(5, first=5 * n)), sandbox, Puts=5)
            sandbox.freeze()
            proxy.sever()
            time.sleep(0.3)
        self.recorded(sandbox.invoke(puts(5, first=100)), sandbox, Puts=5)
        self.assertEqual(sandbox.process.pid, pid)

    def test_connections_that_died_in_a_long_freeze_are_not_used(self):
        """Dead without a word: only their age tells."""
        proxy = self.proxy()
        sandbox = self.sandbox(S3_ENDPOINT=proxy.url, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)
        self.recorded(sandbox.invoke(puts(40)), sandbox, Puts=40)
        sandbox.freeze()
        proxy.deaden()
        time.sleep(5.5)
        began = time.monotonic()
        self.recorded(sandbox.invoke(puts(40, first=40)), sandbox, Puts=40, Retries=0)
        self.assertLess(time.monotonic() - began, 3)

    def test_a_function_that_runs_into_its_deadline_is_killed_and_started_anew(self):
        """The emulator's own part."""
        proxy = self.proxy()
        proxy.delay = 30
        sandbox = self.sandbox(S3_ENDPOINT=proxy.url, AWS_ENDPOINT_URL_DYNAMODB=proxy.url).start()
        event = Event(puts(1), seconds=1.0)
        waiting = threading.Thread(target=sandbox.deliver, args=(event,))
        waiting.start()
        while event.deadline is None:
            time.sleep(0.01)
        os.kill(sandbox.process.pid, signal.SIGSTOP)
        waiting.join(20)
        self.assertEqual(event.outcome.kind, "timeout")
        proxy.delay = 0.0
        self.recorded(sandbox.invoke(puts(1)), sandbox, Puts=1)

    def test_the_log_in_both_forms(self):
        for form, level, expected in (("JSON", "INFO", "INFO"), ("JSON", "ERROR", None), ("Text", None, "INFO"),
                                      (None, None, "INFO")):
            with self.subTest(f"{form} {level}"):
                sandbox = self.sandbox(AWS_LAMBDA_LOG_FORMAT=form, AWS_LAMBDA_LOG_LEVEL=level)
                sandbox.environment["AWS_LAMBDA_LOG_FORMAT"] = form
                event = Event(stream_event([("INSERT", {"pk": {"S": "k"}, "sk": {"N": "1"}},
                                             {"pk": {"S": "k"}, "sk": {"N": "1"}, "t": {"S": "confidential"}}, 7)]))
                sandbox.deliver(event)
                sandbox.idle()
                lines = sandbox.log().splitlines()
                self.assertEqual(len(lines), 1 if expected else 0)
                self.assertNotIn("confidential", sandbox.log())
                if form == "JSON" and expected:
                    line = json.loads(lines[0])
                    self.assertEqual((line["level"], line["requestId"]), (expected, event.request_id))
                    self.assertRegex(line["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
                elif expected:
                    self.assertIn(f"{expected} RequestId: {event.request_id} ", lines[0])
