"""What docs/iam.md allows, as pairs of action and resource, and a proxy that notes which of AWS's rights requests take."""
import fnmatch
import http.client
import http.server
import json
import os
import re
import threading
import urllib.parse

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


def listed(value):
    return value if isinstance(value, list) else [value]


def policy(statements):
    """Every (action, resource) that is allowed."""
    allowed = set()
    for statement in statements:
        if statement["Effect"] != "Allow":
            raise ValueError(statement)
        allowed |= {(action, resource) for action in listed(statement["Action"]) for resource in listed(statement["Resource"])}
    return allowed


def documented(heading):
    """What the JSON right under a heading of docs/iam.md allows."""
    with open(os.path.join(ROOT, "docs", "iam.md"), encoding="utf-8") as file:
        text = file.read()
    sections = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^## |^### |\Z)", text, re.MULTILINE | re.DOTALL)
    if len(sections) != 1:
        raise ValueError(f"docs/iam.md has {len(sections)} headings '{heading}'")
    statements = []
    for block in re.findall(r"```json\n(.*?)```", sections[0], re.DOTALL):
        document = json.loads(block)
        statements += document["Statement"] if "Statement" in document else listed(document)
    return policy(statements)


def lacking(used, allowed, names):
    """Of the rights in `used` those that `allowed` does not give; `names` are what the documentation's stand for."""
    def real(resource):
        for name, value in names.items():
            resource = re.sub(rf"\b{name}\b", value, resource)
        return resource
    patterns = [(action, real(resource)) for action, resource in allowed]
    return {(action, resource) for action, resource in used
            if not any(action == a and fnmatch.fnmatchcase(resource, r) for a, r in patterns)}


def right_of(method, target, headers, body):
    """(action, resource) of a request to DynamoDB, Lambda or, with the bucket in the path, S3. No resource: it does not tell."""
    if "X-Amz-Target" in headers:
        operation = headers["X-Amz-Target"].split(".")[1]
        asked = json.loads(body)
        if "StreamArn" in asked:
            return f"dynamodb:{operation}", "arn:aws:dynamodb:REGION:ACCOUNT:" + asked["StreamArn"].split(":", 5)[-1]
        if "ShardIterator" in asked:
            return f"dynamodb:{operation}", None
        table = asked.get("TableName") or next(iter(asked["RequestItems"]))
        return f"dynamodb:{operation}", f"arn:aws:dynamodb:REGION:ACCOUNT:table/{table}"
    url = urllib.parse.urlsplit(target)
    if url.path == "/2015-03-31/event-source-mappings/" and method == "GET":
        return "lambda:ListEventSourceMappings", "*"
    bucket, _, key = urllib.parse.unquote(url.path[1:]).partition("/")
    query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
    version = "Version" if "versionId" in query else ""
    if not key:
        named = {"versioning": "GetBucketVersioning", "versions": "ListBucketVersions",
                 "lifecycle": "GetLifecycleConfiguration", "uploads": "ListBucketMultipartUploads"}
        action = next((named[name] for name in named if name in query), "ListBucket")
        if method != "GET":
            action = f"{method} of a bucket"
    elif "uploadId" in query and method in ("GET", "DELETE"):
        action = {"GET": "ListMultipartUploadParts", "DELETE": "AbortMultipartUpload"}[method]
    else:
        action = {"GET": f"GetObject{version}", "HEAD": f"GetObject{version}", "DELETE": f"DeleteObject{version}"}.get(method, "PutObject")
    return f"s3:{action}", f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")


class Watch:
    """Passes requests on to `endpoint` and notes in `used` what rights they take."""

    def __init__(self, endpoint):
        watch = self
        self.used, self.streams = set(), set()
        host = urllib.parse.urlsplit(endpoint).netloc

        class Pass(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def take(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                watch.note(*right_of(self.command, self.path, self.headers, body))
                onward = http.client.HTTPConnection(host, timeout=60)
                onward.request(self.command, self.path, body, dict(self.headers))
                answer = onward.getresponse()
                content = answer.read()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
                if answer.status != 204:
                    self.send_header("Content-Length", length)
                self.end_headers()
                self.wfile.write(content)
                onward.close()

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = take

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pass)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def note(self, action, resource):
        if "/stream/" in (resource or ""):
            self.streams.add(resource)
        # A shard's iterator does not tell of which stream it is: one of those that were asked for iterators.
        self.used |= {(action, r) for r in ([resource] if resource else self.streams)}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
