"""Are two tables equal, item by item, seen by a client that is not ours (botocore)? Numbers by value, sets unordered."""
import concurrent.futures
import itertools
from decimal import Decimal


def scan(dynamodb, table):
    """All items of a table: {key in normal form: item in normal form}."""
    description = dynamodb.describe_table(TableName=table)["Table"]
    keys = [key["AttributeName"] for key in description["KeySchema"]]
    # DynamoDB Local walks the whole table for every page, so a segment should not be much more than one page.
    segments = min(200, description["TableSizeBytes"] // 1_000_000 + 1)
    items = {}
    with concurrent.futures.ThreadPoolExecutor(2) as readers:
        parts = readers.map(lambda number: scan_segment(dynamodb, table, number, segments), range(segments))
        for item in itertools.chain.from_iterable(parts):
            key = tuple(normal(item[name]) for name in keys)
            assert key not in items, f"{table}: a scan returned one key twice"
            items[key] = normal_item(item)
    return items


def scan_segment(dynamodb, table, number, segments):
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table, ConsistentRead=True, Segment=number, TotalSegments=segments)
    return [item for page in pages for item in page["Items"]]


def normal_item(item):
    return tuple(sorted((name, normal(value)) for name, value in item.items()))


def normal(value):
    (kind, content), = value.items()
    if kind == "N":
        return kind, number(content)
    if kind == "NS":
        return kind, frozenset(number(element) for element in content)
    if kind in ("SS", "BS"):
        return kind, frozenset(content)
    if kind == "L":
        return kind, tuple(normal(element) for element in content)
    if kind == "M":
        return kind, normal_item(content)
    return kind, content


def number(text):
    """A number by its value: sign, digits, exponent; exact at any length."""
    sign, digits, exponent = Decimal(text).as_tuple()
    digits = list(digits)
    while len(digits) > 1 and digits[-1] == 0:
        digits.pop()
        exponent += 1
    while len(digits) > 1 and digits[0] == 0:
        digits.pop(0)
    return (0, (0,), 0) if digits == [0] else (sign, tuple(digits), exponent)


def differences(source, copy):
    """What keeps two scans from being equal, one line each; empty = equal."""
    found = [f"missing in the copy: {short(key)}" for key in source if key not in copy]
    found += [f"only in the copy: {short(key)}" for key in copy if key not in source]
    found += [f"differs: {short(key)}" for key, item in source.items() if key in copy and copy[key] != item]
    return found


def short(key):
    text = repr(key)
    return text if len(text) <= 120 else text[:117] + "..."
