"""TLS is verified: against the right authority, for the right host, in the right time; and works where all of it fits."""
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import urllib.parse

import harness
import samples

FAILS = (1, 2)


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    def key(name):
        openssl(folder, "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", name)

    def certificate(name, subject_names, days):
        key(f"{name}.key")
        openssl(folder, "req", "-new", "-key", f"{name}.key", "-subj", "/CN=test", "-out", f"{name}.csr")
        with open(os.path.join(folder, f"{name}.ext"), "w", encoding="ascii") as out:
            out.write(f"subjectAltName={subject_names}\nextendedKeyUsage=serverAuth\n")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", days, "-out", f"{name}.pem", "-extfile", f"{name}.ext")

    for authority in ("ca", "other"):
        key(f"{authority}.key")
        openssl(folder, "req", "-x509", "-new", "-key", f"{authority}.key", "-days", "30", "-subj", f"/CN={authority}",
                "-addext", "basicConstraints=critical,CA:TRUE", "-out", f"{authority}.pem")
    certificate("good", "DNS:localhost,IP:127.0.0.1", "30")
    certificate("wrong-host", "DNS:elsewhere.example", "30")
    certificate("expired", "DNS:localhost", "-1")


class TlsFront:
    """Takes TLS connections and passes the bytes on to a plain server."""

    def __init__(self, certificate, key, target):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        url = urllib.parse.urlsplit(target)
        self.target = (url.hostname, url.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with self.context.wrap_socket(connection, server_side=True) as near, \
                    socket.create_connection(self.target) as far:
                near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=self._copy, args=(far, near), daemon=True)
                back.start()
                self._copy(near, far)
                back.join(5)
        except (OSError, ValueError):
            connection.close()

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            pass

    def close(self):
        self.listener.close()


class Tls(harness.StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.mkdtemp(prefix="dynabackup-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        make_certificates(cls.folder)

    def front(self, name, service="S3"):
        server = TlsFront(f"{self.folder}/{name}.pem", f"{self.folder}/{name}.key",
                          harness.STACK["AWS_ENDPOINT_URL_" + service])
        self.addCleanup(server.close)
        return f"https://localhost:{server.port}"

    def source(self):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(40))
        return table

    def test_a_trusted_certificate_works(self):
        table = self.source()
        run = self.expect(0, "backfill", table, AWS_ENDPOINT_URL_S3=self.front("good"),
                          AWS_ENDPOINT_URL_DYNAMODB=self.front("good", "DYNAMODB"), AWS_CA_BUNDLE=f"{self.folder}/ca.pem")
        self.assertEqual(run.items_written, 40)

    def test_a_certificate_of_an_unknown_authority(self):
        table = self.source()
        for bundle in (None, f"{self.folder}/other.pem"):
            self.refused(FAILS, ["certificate"], "backfill", table, AWS_ENDPOINT_URL_S3=self.front("good"), AWS_CA_BUNDLE=bundle)
        self.refused(FAILS, ["certificate"], "backfill", table, AWS_ENDPOINT_URL_DYNAMODB=self.front("good", "DYNAMODB"))
        self.assertEqual(self.keys(self.items_prefix), [])

    def test_a_certificate_of_another_host(self):
        self.refused(FAILS, ["certificate"], "backfill", self.source(), AWS_ENDPOINT_URL_S3=self.front("wrong-host"),
                     AWS_CA_BUNDLE=f"{self.folder}/ca.pem")

    def test_a_certificate_that_has_expired(self):
        self.refused(FAILS, ["certificate"], "backfill", self.source(), AWS_ENDPOINT_URL_S3=self.front("expired"),
                     AWS_CA_BUNDLE=f"{self.folder}/ca.pem")

    def test_a_bundle_that_is_not_there(self):
        self.refused(FAILS, ["/no/such.pem"], "backfill", self.source(), AWS_ENDPOINT_URL_S3=self.front("good"),
                     AWS_CA_BUNDLE="/no/such.pem")

    def test_a_plain_server_behind_https(self):
        plain = harness.STACK["AWS_ENDPOINT_URL_S3"].replace("http://", "https://")
        self.refused(FAILS, [plain.split("/")[2]], "backfill", self.source(), AWS_ENDPOINT_URL_S3=plain)
