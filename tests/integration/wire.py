"""DynamoDB requests written by hand, for what no client library would send: items exactly as a test file spells them."""
import http.client
import json
import urllib.parse


class WireError(Exception):
    def __init__(self, status, code, message):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message


class Wire:
    """One keep-alive connection. The local servers want a signature's shape and don't verify it."""

    def __init__(self, endpoint):
        url = urllib.parse.urlsplit(endpoint)
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)

    def call(self, operation, body):
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "DynamoDB_20120810." + operation,
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": "AWS4-HMAC-SHA256 Credential=LOCALSTACKKEY/20260101/us-east-1/dynamodb/aws4_request, "
            "SignedHeaders=host;x-amz-date;x-amz-target, Signature=" + "0" * 64,
        }
        try:
            self.connection.request("POST", "/", body, headers)
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.connection.close()  # the server had closed the idle connection
            self.connection.request("POST", "/", body, headers)
            answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            try:
                error = json.loads(content)
            except ValueError:
                error = {}
            code = error.get("__type", "unknown").split("#")[-1]
            raise WireError(answer.status, code, error.get("Message") or error.get("message") or "")
        return json.loads(content)

    def put(self, table, item_json):
        return self.call("PutItem", b'{"TableName":"%s","Item":%s}' % (table.encode(), item_json))

    def delete(self, table, key_json):
        return self.call("DeleteItem", b'{"TableName":"%s","Key":%s}' % (table.encode(), key_json))

    def load(self, table, items, per_batch=25, batch_bytes=12 << 20):
        """Puts items (JSON bytes each) in batches; returns how many."""
        count, batch, size = 0, [], 0
        for item in items:
            if batch and (len(batch) == per_batch or size + len(item) > batch_bytes):
                self._send(table, batch)
                batch, size = [], 0
            batch.append(item)
            size += len(item)
            count += 1
        if batch:
            self._send(table, batch)
        return count

    def _send(self, table, batch):
        name = table.encode()
        puts = b",".join(b'{"PutRequest":{"Item":%s}}' % item for item in batch)
        body = b'{"RequestItems":{"%s":[%s]}}' % (name, puts)
        while True:
            left = self.call("BatchWriteItem", body).get("UnprocessedItems")
            if not left:
                return
            body = json.dumps({"RequestItems": left}).encode()
