"""Those who hand out temporary credentials, and those who ask for them, on loopback: STS, a container's agent, and a gate before a service that lets only valid tokens through."""
import http.client
import http.server
import json
import re
import threading
import time
import urllib.parse
import uuid

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class Server:
    """An HTTP server in a thread; `answer(handler, body)` is asked for every request."""

    def __init__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, content = outer.answer(self, body)
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                if not any(name.lower() == "content-length" for name, _ in headers):
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.lock = threading.Lock()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.server.server_address[1]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class HandOut(Server):
    """STS at POST / and a container's agent at GET /agent, for the keys given."""

    def __init__(self, key, secret, life=3600):
        super().__init__()
        self.key, self.secret, self.life = key, secret, life
        self.secrets = {key: secret}  # of those who may assume roles
        self.asked = []         # the forms and the Authorization headers of the agent
        self.expiry = {}        # token -> when it ends, time.time()
        self.refusal = None     # (status, code) instead of credentials
        self.key_of_role = {}   # role -> key id handed out for it; the stack's own for any other

    def issue(self):
        token = "token-" + uuid.uuid4().hex
        ends = time.time() + self.life
        self.expiry[token] = ends
        return token, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends))

    def answer(self, handler, body):
        with self.lock:
            if self.refusal:
                status, code = self.refusal
                self.asked.append({})
                return status, [("Content-Type", "text/xml")], (
                    f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error><RequestId>r-1</RequestId>"
                    "</ErrorResponse>").encode()
            if handler.command == "GET":
                self.asked.append({"Authorization": handler.headers.get("Authorization"), "path": handler.path})
                token, expiration = self.issue()
                return 200, [], json.dumps({"AccessKeyId": self.key, "SecretAccessKey": self.secret, "Token": token,
                                            "Expiration": expiration}).encode()
            form = dict(urllib.parse.parse_qsl(body.decode()))
            form["signed by"] = self.signer(handler, body)
            self.asked.append(form)
            role, operation = form["RoleArn"], form["Action"]
            token, expiration = self.issue()
            key = self.key_of_role.get(role, self.key)
            secret = self.secrets[key] = self.secrets.get(key, self.secret)
            return 200, [("Content-Type", "text/xml")], (
                f'<{operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{operation}Result><Credentials>'
                f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
                f"<SessionToken>{token}</SessionToken><Expiration>{expiration}</Expiration></Credentials>"
                f"</{operation}Result></{operation}Response>").encode()

    def signer(self, handler, body):
        """Whose signature it is, checked by a signer that is not ours; None where there is none, "forged" where it is wrong."""
        found = re.match(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d+/([^/]+)/sts/aws4_request, ?SignedHeaders=([^,]+), ?"
                         r"Signature=([0-9a-f]{64})$", handler.headers.get("Authorization") or "")
        if not found:
            return "forged" if handler.headers.get("Authorization") else None
        key, region, names, signature = found.groups()
        signer = SigV4Auth(Credentials(key, self.secrets.get(key, "")), "sts", region)
        request = AWSRequest("POST", self.url + handler.path, {name: handler.headers[name] for name in names.split(";")},
                             body)
        request.context["timestamp"] = handler.headers["X-Amz-Date"]
        right = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        return key if right == signature else "forged"


class Gate(Server):
    """Stands before a service and lets requests through that bear a token that is still good."""

    def __init__(self, service_url, hand_out, pause=0.0):
        super().__init__()
        self.behind = urllib.parse.urlsplit(service_url)
        self.hand_out, self.pause = hand_out, pause
        self.passed, self.refused, self.revoked = 0, [], set()
        self.revoke_after = None  # so many requests later the token then in use is worth nothing

    def answer(self, handler, body):
        token = handler.headers.get("X-Amz-Security-Token") or ""
        time.sleep(self.pause)
        with self.lock:
            if self.revoke_after is not None and self.passed >= self.revoke_after:
                self.revoked.add(token)
                self.revoke_after = None
            good = token not in self.revoked and self.hand_out.expiry.get(token, 0) > time.time()
            if good:
                self.passed += 1
            else:
                self.refused.append(token)
        return self.forward(handler, body) if good else self.refuse(handler)

    @staticmethod
    def refuse(handler):
        if handler.headers.get("X-Amz-Target"):
            return 400, [("Content-Type", "application/x-amz-json-1.0")], (
                b'{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"The security token included in the '
                b'request is expired"}')
        return 400, [("Content-Type", "application/xml")], (
            b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message><RequestId>r-2</RequestId>"
            b"</Error>")

    def forward(self, handler, body):
        line = http.client.HTTPConnection(self.behind.hostname, self.behind.port, timeout=60)
        try:
            line.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
            for name, value in handler.headers.items():
                line.putheader(name, value)
            line.endheaders(body or None)
            answer = line.getresponse()
            content = answer.read()
            headers = [(name, value) for name, value in answer.getheaders()
                       if name.lower() not in ("connection", "transfer-encoding", "keep-alive")]
            return answer.status, headers, content
        finally:
            line.close()
