"""What a script with boto3 does of a backfill and a restore: tools/bench --dynamodb-local holds us against it.

usage: boto3_peer.py backfill TABLE BUCKET SEGMENTS      every item to an object of its own
       boto3_peer.py restore FILE TABLE                  every line of a snapshot (gzip) into the table
"""
import concurrent.futures
import gzip
import hashlib
import itertools
import json
import os
import sys

import boto3
from botocore.config import Config

THREADS = 32
BATCH_ITEMS = 25


def client(service):
    """Debian's boto3 does not know AWS_ENDPOINT_URL yet."""
    how = Config(max_pool_connections=THREADS, s3={"addressing_style": "path"}, retries={"max_attempts": 10})
    return boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL_" + service.upper()], config=how)


def backfill(table, bucket, segments):
    dynamodb, s3 = client("dynamodb"), client("s3")
    keys = [k["AttributeName"] for k in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]

    def store(item):
        name = hashlib.sha256(json.dumps({k: item[k] for k in keys}, sort_keys=True).encode()).hexdigest()
        s3.put_object(Bucket=bucket, Key=name, Body=json.dumps({"Item": item}).encode())

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for segment in range(segments):
            pages = dynamodb.get_paginator("scan").paginate(TableName=table, Segment=segment, TotalSegments=segments)
            for page in pages:
                list(pool.map(store, page["Items"]))


def restore(file, table):
    dynamodb = client("dynamodb")

    def write(lines):
        left = {table: [{"PutRequest": json.loads(line)} for line in lines]}
        while left:
            left = dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems")

    with gzip.open(file, "rt", encoding="utf-8") as lines, concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        batches = iter(lambda: list(itertools.islice(lines, BATCH_ITEMS)), [])
        list(pool.map(write, batches))


if __name__ == "__main__":
    if sys.argv[1] == "backfill":
        backfill(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        restore(sys.argv[2], sys.argv[3])
