"""What the product relies on in S3, asked of Ceph's gateway and of aws-fake alike (conformance.py)."""
import hashlib
import urllib.parse

from conformance import ConformanceTest, FakeServer, stack_server

# (server, case): (what it does instead of AWS, what we believe AWS does and why)
KNOWN = {
    ("Ceph", "If-None-Match over an object, versioned"): ((200, ""), "AWS enforces it: 412"),
    ("Ceph", "If-Match with the ETag, versioned"): ((412, "PreconditionFailed"), "AWS compares with what is current"),
    ("Ceph", "If-Match with the ETag, unversioned"): ((412, "PreconditionFailed"), "Ceph compares unquoted"),
    ("Ceph", "GET of a deleted key says marker"): (None, "AWS sends x-amz-delete-marker: true with the 404"),
    ("Ceph", "GET of a marker by its id"): ((404, "NoSuchKey"), "AWS: 405 MethodNotAllowed"),
    ("Ceph", "HEAD of a marker by its id"): (404, "AWS: 405"),
    ("Ceph", "an error names its key"): (False, "AWS's error XML has Key or Resource and a Message"),
    ("Ceph", "slash in encoding-type=url"): ("%2F", "AWS leaves the slash as it is"),
    ("Ceph", "parts out of order"): ((200, ""), "AWS: 400 InvalidPartOrder"),
    ("Ceph", "completion of an aborted upload"): ((500, "InternalError"), "AWS: 404 NoSuchUpload"),
    ("Ceph", "ETag that CompleteMultipartUpload tells"): ("", "AWS tells it; Ceph does so in unversioned buckets only"),
    ("Ceph", "markers on a marker"): (1, "AWS puts a delete marker for every DELETE without a version id"),
    ("Ceph", "versions behind a key marker alone"): (["a"] * 6 + ["b", "b", "c", "c"],
                                                     "AWS begins behind all versions of the key-marker"),
    ("Ceph", "a version of another key"): ((404, "NoSuchKey"), "AWS: NoSuchVersion"),
    ("Ceph", "a malformed version id"): ((404, "NoSuchKey"), "AWS: 400 InvalidArgument"),
    ("Ceph", "a key of 1025 bytes"): ((400, "InvalidObjectName"), "AWS: KeyTooLongError"),
}

ODD = ["a+b", "a b", "a%20b", "a%", "ä/日本語", "😀", "a&b=c", "q?x#y", "quo\"te'",
       "<x>", "semi;colon,comma", "tilde~star*"]


def md5(body):
    return hashlib.md5(body).hexdigest()


class Cases:
    """Everything but the server."""
    service = "s3"
    known = KNOWN

    # --- help

    def bucket(self, versioned=True):
        name = self.unique("b")
        self.ok("PUT", name)
        if versioned:
            self.ok("PUT", name, query=[("versioning", None)], body=b"<VersioningConfiguration xmlns="
                    b'"http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>')
        self.addCleanup(self.empty, name)
        return name

    def empty(self, bucket):
        for key, version, _, _ in self.versions(bucket):
            self.ok("DELETE", bucket, key, query=[("versionId", version)], status=204)
        self.ok("DELETE", bucket, status=204)

    def ok(self, *arguments, status=200, **named):
        answer = self.server.s3(*arguments, **named)
        self.assertEqual(answer.status, status, answer)
        return answer

    def put(self, bucket, key, body=b"x", **headers):
        return self.ok("PUT", bucket, key, body=body, **headers).headers.get("x-amz-version-id")

    def delete(self, bucket, key):
        return self.ok("DELETE", bucket, key, status=204).headers.get("x-amz-version-id")

    def pages(self, bucket, markers, **query):
        """Pages of a list as XML, followed by what each names to go on with."""
        more = []
        while True:
            page = self.ok("GET", bucket, query=[*query.items(), *more]).xml
            yield page
            if page.findtext("IsTruncated") != "true":
                return
            more = [(parameter, page.findtext(element)) for parameter, element in markers]

    def versions(self, bucket, **query):
        """(key, version id, whether a delete marker, whether the latest) in the list's order."""
        result = []
        for page in self.pages(bucket, [("key-marker", "NextKeyMarker"), ("version-id-marker", "NextVersionIdMarker")],
                               **{"versions": None, **query}):
            for entry in page:
                if entry.tag in ("Version", "DeleteMarker"):
                    result.append((entry.findtext("Key"), entry.findtext("VersionId"), entry.tag == "DeleteMarker",
                                   entry.findtext("IsLatest") == "true"))
        return result

    def keys(self, bucket, **query):
        found = []
        for page in self.pages(bucket, [("continuation-token", "NextContinuationToken")],
                               **{"list-type": "2", **query}):
            found += [entry.findtext("Key") for entry in page.iter("Contents")]
        return found

    # --- objects

    def test_put_get_head_delete(self):
        bucket = self.bucket(versioned=False)
        body = bytes(range(256)) * 10
        put = self.ok("PUT", bucket, "k", body=body, content_type="application/x-own", x_amz_meta_own="value")
        self.assertEqual(put.headers["ETag"], f'"{md5(body)}"')
        for method, expected in (("GET", body), ("HEAD", b"")):
            got = self.ok(method, bucket, "k")
            self.assertEqual(got.body, expected)
            self.assertEqual((got.headers["ETag"], got.headers["Content-Length"], got.headers["Content-Type"],
                              got.headers["x-amz-meta-own"]), (f'"{md5(body)}"', "2560", "application/x-own", "value"))
            self.assertIn("GMT", got.headers["Last-Modified"])
        self.ok("DELETE", bucket, "k", status=204)
        self.ok("DELETE", bucket, "k", status=204)
        self.same("GET of nothing", self.server.s3("GET", bucket, "k").outcome, (404, "NoSuchKey"))
        self.same("HEAD of nothing", self.server.s3("HEAD", bucket, "k").status, 404)

    def test_odd_keys_come_back_as_they_were(self):
        bucket = self.bucket()
        for key in ODD:
            self.put(bucket, key, key.encode())
        for key in ODD:
            self.assertEqual(self.ok("GET", bucket, key).body, key.encode(), key)
        ordered = sorted(ODD, key=str.encode)
        self.assertEqual(self.keys(bucket), ordered)
        self.assertEqual([urllib.parse.unquote_plus(k) for k in self.keys(bucket, **{"encoding-type": "url"})], ordered)
        spelled = [key for key, *_ in self.versions(bucket, **{"encoding-type": "url"})]
        self.assertEqual([urllib.parse.unquote_plus(k) for k in spelled], ordered)
        self.same("plus in encoding-type=url", [k for k in spelled if "%2B" in k], ["a%2Bb"])
        self.same("slash in encoding-type=url",
                  next("%2F" if "%2F" in k else "/" for k in spelled if k.startswith("%C3%A4")), "/")

    def test_ranges(self):
        bucket = self.bucket(versioned=False)
        self.put(bucket, "k", b"0123456789")
        for asked, status, body, told in (("bytes=2-4", 206, b"234", "bytes 2-4/10"),
                                          ("bytes=7-", 206, b"789", "bytes 7-9/10"),
                                          ("bytes=-3", 206, b"789", "bytes 7-9/10"),
                                          ("bytes=8-99", 206, b"89", "bytes 8-9/10")):
            got = self.server.s3("GET", bucket, "k", Range=asked)
            self.assertEqual((got.status, got.body, got.headers["Content-Range"]), (status, body, told), asked)
        past = self.server.s3("GET", bucket, "k", Range="bytes=10-")
        self.same("range past the end", past.outcome, (416, "InvalidRange"))

    def test_payload_and_md5_are_checked(self):
        bucket = self.bucket(versioned=False)
        for case, digest, code in (("wrong Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==", "BadDigest"),
                                   ("malformed Content-MD5", "x", "InvalidDigest")):
            put = self.server.s3("PUT", bucket, "k", body=b"x", Content_MD5=digest)
            self.same(case, put.outcome, (400, code))
        self.same("GET of what was refused", self.server.s3("GET", bucket, "k").outcome, (404, "NoSuchKey"))

    # --- versions

    def test_versions_and_markers_are_listed_newest_first(self):
        bucket = self.bucket()
        a = [self.put(bucket, "a", b"1"), self.put(bucket, "a", b"2"), self.delete(bucket, "a"),
             self.put(bucket, "a", b"3")]
        b = [self.put(bucket, "b", b"1"), self.delete(bucket, "b")]
        self.assertEqual(self.versions(bucket), [
            ("a", a[3], False, True), ("a", a[2], True, False), ("a", a[1], False, False), ("a", a[0], False, False),
            ("b", b[1], True, True), ("b", b[0], False, False)])
        self.assertEqual(self.keys(bucket), ["a"])
        self.assertEqual(self.ok("GET", bucket, "a", query=[("versionId", a[0])]).body, b"1")

    def test_a_page_may_end_between_the_versions_of_a_key(self):
        bucket = self.bucket()
        for _ in range(5):
            self.put(bucket, "a")
        self.delete(bucket, "a")
        for key in ("b", "c"):
            self.put(bucket, key)
            self.put(bucket, key)
        whole = self.versions(bucket)
        self.assertEqual(len(whole), 10)
        for size in (1, 2, 3, 4, 7):
            with self.subTest(size=size):
                self.assertEqual(self.versions(bucket, **{"max-keys": str(size)}), whole)
        self.assertEqual(self.versions(bucket, prefix="b"), [v for v in whole if v[0] == "b"])
        self.same("versions behind a key marker alone", [v[0] for v in self.versions(bucket, **{"key-marker": "a"})],
                  ["b", "b", "c", "c"])

    def test_a_version_is_removed_by_its_id(self):
        bucket = self.bucket()
        first, second = self.put(bucket, "k", b"1"), self.put(bucket, "k", b"2")
        self.ok("DELETE", bucket, "k", query=[("versionId", second)], status=204)
        self.assertEqual(self.versions(bucket), [("k", first, False, True)])
        self.assertEqual(self.ok("GET", bucket, "k").body, b"1")
        marker = self.delete(bucket, "k")
        removed = self.ok("DELETE", bucket, "k", query=[("versionId", marker)], status=204)
        self.same("removal of a marker says so", removed.headers.get("x-amz-delete-marker"), "true")
        self.assertEqual(self.ok("GET", bucket, "k").body, b"1")
        self.ok("DELETE", bucket, "k", query=[("versionId", second)], status=204)  # again: it is gone already

    def test_markers(self):
        bucket = self.bucket()
        self.put(bucket, "k")
        marker = self.delete(bucket, "k")
        gone = self.server.s3("GET", bucket, "k")
        self.assertEqual(gone.outcome, (404, "NoSuchKey"))
        self.same("GET of a deleted key says marker", gone.headers.get("x-amz-delete-marker"), "true")
        by_id = [("versionId", marker)]
        got = self.server.s3("GET", bucket, "k", query=by_id)
        self.same("GET of a marker by its id", got.outcome, (405, "MethodNotAllowed"))
        self.same("HEAD of a marker by its id", self.server.s3("HEAD", bucket, "k", query=by_id).status, 405)
        self.delete(bucket, "k")
        self.same("markers on a marker", sum(v[2] for v in self.versions(bucket)), 2)

    def test_a_version_id_that_is_none(self):
        bucket = self.bucket()
        self.put(bucket, "k")
        other = self.put(bucket, "other")
        for case, version in (("a version of another key", other), ("a malformed version id", "nonsense")):
            aws = (404, "NoSuchVersion") if version == other else (400, "InvalidArgument")
            self.same(case, self.server.s3("GET", bucket, "k", query=[("versionId", version)]).outcome, aws)

    # --- conditions

    def test_if_none_match(self):
        for versioned, kind in ((True, "versioned"), (False, "unversioned")):
            bucket = self.bucket(versioned)
            put = lambda: self.server.s3("PUT", bucket, "k", body=b"x", If_None_Match="*").outcome  # noqa: E731
            self.same(f"If-None-Match where nothing is, {kind}", put(), (200, ""))
            self.same(f"If-None-Match over an object, {kind}", put(), (412, "PreconditionFailed"))
            self.delete(bucket, "k")
            self.same(f"If-None-Match after a delete, {kind}", put(), (200, ""))

    def test_if_match(self):
        for versioned, kind in ((True, "versioned"), (False, "unversioned")):
            bucket = self.bucket(versioned)
            self.put(bucket, "k", b"1")
            put = lambda tag: self.server.s3("PUT", bucket, "k", body=b"2", If_Match=tag).outcome  # noqa: E731
            self.same(f"If-Match with another ETag, {kind}", put(f'"{md5(b"0")}"'), (412, "PreconditionFailed"))
            self.same(f"If-Match with the ETag, {kind}", put(f'"{md5(b"1")}"'), (200, ""))

    def test_conditional_reads(self):
        bucket = self.bucket()
        self.put(bucket, "k", b"1")
        tag = f'"{md5(b"1")}"'
        for name, value, status in (("If_Match", tag, 200), ("If_Match", '"no"', 412), ("If_None_Match", tag, 304),
                                    ("If_None_Match", '"no"', 200)):
            self.assertEqual(self.server.s3("GET", bucket, "k", **{name: value}).status, status, (name, value))

    # --- lists

    def test_pages_of_keys(self):
        bucket = self.bucket(versioned=False)
        names = sorted(f"{folder}/{i}" for folder in "ab" for i in range(5)) + ["c"]
        for name in names:
            self.put(bucket, name)
        for size in (1, 4, 11, 12):
            self.assertEqual(self.keys(bucket, **{"max-keys": str(size)}), names)
        self.assertEqual(self.keys(bucket, prefix="b/"), names[5:10])
        self.assertEqual(self.keys(bucket, **{"start-after": "b/3"}), ["b/4", "c"])
        page = self.ok("GET", bucket, query=[("list-type", "2"), ("delimiter", "/")]).xml
        self.assertEqual([e.findtext("Prefix") for e in page.iter("CommonPrefixes")], ["a/", "b/"])
        self.assertEqual([e.findtext("Key") for e in page.iter("Contents")], ["c"])
        self.assertEqual(self.keys(bucket, prefix="none"), [])

    # --- multipart

    def start(self, bucket, key):
        return self.ok("POST", bucket, key, query=[("uploads", None)]).xml.findtext("UploadId")

    def part(self, bucket, key, upload, number, body):
        query = [("partNumber", number), ("uploadId", upload)]
        return self.ok("PUT", bucket, key, query=query, body=body).headers["ETag"]

    def complete(self, bucket, key, upload, parts):
        listed = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{tag}</ETag></Part>" for n, tag in parts)
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        return self.server.s3("POST", bucket, key, query=[("uploadId", upload)], body=body)

    def test_multipart(self):
        bucket = self.bucket()
        bodies = [b"a" * (5 << 20), b"b" * 1000]
        upload = self.start(bucket, "k")
        tags = [self.part(bucket, "k", upload, n, body) for n, body in enumerate(bodies, 1)]
        self.assertEqual(tags, [f'"{md5(body)}"' for body in bodies])
        self.same("GET before it is complete", self.server.s3("GET", bucket, "k").outcome, (404, "NoSuchKey"))
        done = self.complete(bucket, "k", upload, enumerate(tags, 1))
        self.assertEqual(done.status, 200, done)
        expected = hashlib.md5(b"".join(hashlib.md5(b).digest() for b in bodies)).hexdigest() + "-2"
        self.same("ETag that CompleteMultipartUpload tells", done.xml.findtext("ETag"), f'"{expected}"')
        got = self.ok("GET", bucket, "k")
        self.assertEqual((got.body, got.headers["ETag"]), (b"".join(bodies), f'"{expected}"'))
        self.assertEqual(len(self.versions(bucket)), 1)

    def test_what_multipart_refuses(self):
        bucket = self.bucket(versioned=False)
        upload = self.start(bucket, "k")
        small = [(n, self.part(bucket, "k", upload, n, b"small%d" % n)) for n in (1, 2)]
        self.same("a small part that is not the last", self.complete(bucket, "k", upload, small).outcome,
                  (400, "EntityTooSmall"))
        self.same("a part with another ETag", self.complete(bucket, "k", upload, [(1, f'"{md5(b"?")}"')]).outcome,
                  (400, "InvalidPart"))
        self.same("a part that is not there", self.complete(bucket, "k", upload, [(7, small[0][1])]).outcome,
                  (400, "InvalidPart"))
        listed = self.ok("GET", bucket, query=[("uploads", None)]).xml
        self.assertEqual([e.findtext("UploadId") for e in listed.iter("Upload")], [upload])
        self.ok("DELETE", bucket, "k", query=[("uploadId", upload)], status=204)
        late = self.server.s3("PUT", bucket, "k", query=[("partNumber", 1), ("uploadId", upload)], body=b"x")
        self.same("a part of an aborted upload", late.outcome, (404, "NoSuchUpload"))
        self.same("completion of an aborted upload", self.complete(bucket, "k", upload, small).outcome,
                  (404, "NoSuchUpload"))
        self.assertEqual(list(self.ok("GET", bucket, query=[("uploads", None)]).xml.iter("Upload")), [])

    def test_parts_out_of_order(self):
        bucket = self.bucket(versioned=False)
        upload = self.start(bucket, "k")
        parts = [(n, self.part(bucket, "k", upload, n, bytes([n]) * (5 << 20))) for n in (1, 2)]
        self.same("parts out of order", self.complete(bucket, "k", upload, parts[::-1]).outcome,
                  (400, "InvalidPartOrder"))

    # --- buckets and errors

    def test_versioning_is_told(self):
        for versioned, status in ((True, "Enabled"), (False, None)):
            told = self.ok("GET", self.bucket(versioned), query=[("versioning", None)]).xml
            self.assertEqual(told.findtext("Status"), status)

    def test_a_suspended_bucket_puts_null_versions(self):
        bucket = self.bucket()
        kept = self.put(bucket, "k", b"1")
        self.ok("PUT", bucket, query=[("versioning", None)], body=b"<VersioningConfiguration xmlns="
                b'"http://s3.amazonaws.com/doc/2006-03-01/"><Status>Suspended</Status></VersioningConfiguration>')
        self.put(bucket, "k", b"2")
        self.put(bucket, "k", b"3")
        self.assertEqual(self.versions(bucket), [("k", "null", False, True), ("k", kept, False, False)])

    def test_errors(self):
        self.same("a bucket that is none", self.server.s3("GET", self.unique("b"), "k").outcome, (404, "NoSuchBucket"))
        self.same("HEAD of no bucket", self.server.s3("HEAD", self.unique("b")).status, 404)
        bucket = self.bucket()
        self.put(bucket, "k")
        wrong = self.server.s3("GET", bucket, "none")
        self.assertEqual(wrong.xml.tag, "Error")
        self.assertTrue(wrong.xml.findtext("RequestId"))
        self.assertTrue(wrong.headers["x-amz-request-id"])
        named = wrong.xml.findtext("Key") == "none" and bool(wrong.xml.findtext("Message"))
        self.same("an error names its key", named, True)
        self.same("a bucket that is not empty", self.server.s3("DELETE", bucket).outcome, (409, "BucketNotEmpty"))
        long = self.server.s3("PUT", bucket, "k" * 1025, body=b"x")
        self.same("a key of 1025 bytes", long.outcome, (400, "KeyTooLongError"))
        self.put(bucket, "k" * 1024)


class Ceph(Cases, ConformanceTest):
    make_server = staticmethod(stack_server)


class FakeS3(Cases, ConformanceTest):
    make_server = staticmethod(FakeServer)
