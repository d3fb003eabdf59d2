"""Servers that never come to an end, in one way or the other: a clear error, in time, in bounded memory."""
import socket
import threading
import time

import harness


class Server:
    """Accepts, and treats each connection as `behave(socket)` says."""

    def __init__(self, behave):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.behave = behave
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self.behave(connection)
        except OSError:
            pass  # the client has hung up

    def close(self):
        for each in (self.listener, *self.open):
            each.close()


def endlessly(prologue, piece):
    def behave(connection):
        connection.recv(65536)
        connection.sendall(prologue)
        while True:
            connection.sendall(piece)
    return behave


def silent(connection):
    time.sleep(3600)


def dripping(connection):
    connection.recv(65536)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 100000\r\n\r\n" + b" " * 10000:
        connection.sendall(bytes([byte]))
        time.sleep(0.5)


class HostileServer(harness.StackTest):
    def describe(self, behave, at_most):
        """DescribeTable, one attempt, 20 s for it."""
        server = Server(behave)
        self.addCleanup(server.close)
        began = time.monotonic()
        run = self.refused((1, 2), [f"127.0.0.1:{server.port}"], "backfill", "table", "--dynamodb-endpoint",
                           f"http://127.0.0.1:{server.port}", AWS_MAX_ATTEMPTS="1",
                           AWS_ENDPOINT_URL_DYNAMODB=None, DYNAMODB_HOST=None, DYNAMODB_PORT=None)
        self.assertLess(time.monotonic() - began, at_most)
        self.assertLess(run.peak_kib, 64 << 10)

    def test_headers_without_end(self):
        self.describe(endlessly(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 1000 + b"\r\n"), 10)

    def test_one_header_without_end(self):
        self.describe(endlessly(b"HTTP/1.1 200 OK\r\nX-More: ", b"x" * 4096), 10)

    def test_a_body_without_end(self):
        self.describe(endlessly(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"), 15)

    def test_interim_answers_without_end(self):
        self.describe(endlessly(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), 25)

    def test_no_answer_at_all(self):
        self.describe(silent, 30)

    def test_an_answer_byte_by_byte(self):
        self.describe(dripping, 30)
