"""The items that tests and demo load: those of items.jsonl, and generated ones of every type."""
import base64
import json
import os
import random
from dataclasses import dataclass

from wire import WireError

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))

# The key layouts that items.jsonl needs, as (partition key type, sort key type).
KEY_LAYOUTS = [("S", None), ("B", None), ("S", "N"), ("S", "S"), ("B", "B")]


@dataclass
class Sample:
    name: str
    accepted: bool  # what DynamoDB is documented to do
    json: bytes  # the item, byte for byte as the file spells it
    layout: tuple


def items_file():
    folder = os.environ.get("DYNABACKUP_TESTDATA")
    if folder and os.path.exists(os.path.join(folder, "items.jsonl")):
        return os.path.join(folder, "items.jsonl")
    return os.path.join(ROOT, "tests", "data", "items.jsonl")


def samples(path=None):
    result = []
    with open(path or items_file(), "rb") as lines:
        for line in lines:
            row = json.loads(line)
            accepted = row["expect"] == "accept"
            if "item" in row:
                # Not parsed and written again: duplicate members and lone surrogates must reach the server as they are.
                item = raw_object(line, line.index(b'"item"'))
                result.append(Sample(row["name"], accepted, item, layout_of(row["item"])))
            else:
                result += [Sample(name, accepted, item, ("S", None)) for name, item in generated_samples(row["name"])]
    return result


def raw_object(line, start):
    """The JSON object that begins at or after `start`, as bytes."""
    start = line.index(b"{", start)
    depth, inside_string, escaped = 0, False, False
    for position in range(start, len(line)):
        byte = line[position]
        if inside_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                inside_string = False
        elif byte == 0x22:
            inside_string = True
        elif byte == 0x7B:
            depth += 1
        elif byte == 0x7D:
            depth -= 1
            if depth == 0:
                return line[start:position + 1]
    raise ValueError("no whole object")


def load_samples(wire, table, layout):
    """Puts the samples with such keys into a table, one by one. Returns what is not in it then, a line each.

    The local servers take some items that DynamoDB is known to refuse; those are removed again.
    """
    left_out = []
    for sample in samples():
        if sample.layout != layout:
            continue
        try:
            wire.put(table, sample.json)
        except WireError as error:
            who = "refused by this server, though DynamoDB takes it" if sample.accepted else "refused by the server"
            left_out.append(f"{sample.name}: {who}: {error.message[:100]}")
            continue
        if not sample.accepted:
            key = {name: value for name, value in json.loads(sample.json).items() if name in ("pk", "sk")}
            wire.delete(table, json.dumps(key).encode())
            left_out.append(f"{sample.name}: taken by the local server, removed because DynamoDB refuses it")
    return left_out


def generated_samples(name):
    """The items that items.jsonl only describes, because they are too long to store."""

    def item(key, **attributes):
        return json.dumps({"pk": {"S": key}, **attributes}, separators=(",", ":")).encode()

    if name == "nested-maps-deep-limit":
        for times in (33,):  # the deeper ones only try the server: dynalite dies of them
            nested = b'{"M":{"d":' * times + b'{"S":"deep"}' + b"}}" * times
            yield f"{name}-{times}", b'{"pk":{"S":"deep-%d"},"a":%s}' % (times, nested)
    elif name == "item-near-400-kb":
        yield name, item("big", data={"S": "x" * 409591})
    elif name == "item-over-400-kb":
        yield name, item("big", data={"S": "x" * 409592})
    elif name == "item-400-kb-json-inflated":
        yield name, item("ctl", data={"S": "\x01" * 204795})
    elif name == "item-400-kb-binary":
        yield name, item("bin", data={"B": base64.b64encode(b"\xa5" * 307200).decode()})
    elif name == "set-huge-numbers":
        yield name, item("ns", ns={"NS": [str(number) for number in range(1, 60001)]})
    elif name == "batch-16-mb":
        for number in range(25):
            yield f"{name}-{number:02}", item(f"{number:03}", data={"S": "x" * 409591})
    else:
        raise ValueError(f"items.jsonl describes an item nobody here knows how to make: {name}")


def layout_of(attributes):
    def key_type(attribute):
        value = attributes.get(attribute)
        return next(iter(value)) if value else None

    return key_type("pk"), key_type("sk")


def generated_items(count, layout=("S", None), seed=1):
    """`count` items of every attribute type, a few hundred bytes each; the same for the same seed."""
    rng = random.Random(f"{seed}/{layout}")
    for number in range(count):
        yield json.dumps(generated_item(rng, number, layout), ensure_ascii=number % 2 == 0,
                         separators=(",", ":")).encode("utf-8")


TEXTS = ["", "plain", "Ελληνικά", "日本語", "😀👨‍👩‍👧", "\u0000\u001f\u007f", 'quo"te\\back/slash', "e\u0301 \u00e9", "\u2028 line"]


def generated_item(rng, number, layout):
    item = {"pk": key_value(layout[0], f"item-{number:06}")}
    if layout[1]:
        item["pk"] = key_value(layout[0], f"group-{number % 97:03}")
        item["sk"] = {"N": f"{number}.{number % 7}50"} if layout[1] == "N" else key_value(layout[1], f"row-{number:06}")
    item.update({
        "s": {"S": rng.choice(TEXTS) + rng.choice(TEXTS)},
        "n": {"N": number_text(rng)},
        "b": {"B": base64.b64encode(rng.randbytes(rng.randrange(0, 40))).decode()},
        "ss": {"SS": sorted({rng.choice(TEXTS) + str(rng.randrange(9)) for _ in range(3)}, reverse=True)},
        "ns": {"NS": list({str(rng.randrange(-50, 50)) for _ in range(4)})},
        "bs": {"BS": list({base64.b64encode(rng.randbytes(3)).decode() for _ in range(3)})},
        "bool": {"BOOL": rng.random() < 0.5},
        "null": {"NULL": True},
        "l": {"L": [{"N": number_text(rng)}, {"S": rng.choice(TEXTS)}, {"L": []}, {"M": {}}]},
        "m": {"M": {"ä": {"S": ""}, "a.b": {"N": "-0.0"}, "deep": {"M": {"l": {"L": [{"NULL": True}]}}}}},
    })
    return item


def key_value(kind, text):
    if kind == "B":
        return {"B": base64.b64encode(b"\x00\xff" + text.encode()).decode()}
    return {kind: text}


def number_text(rng):
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randrange(1, 39)))
    form = rng.randrange(4)
    if form == 0:
        return "-" + digits
    if form == 1:
        return digits[0] + "." + (digits[1:] or "0")
    if form == 2:
        return f"{digits[0]}E{rng.randrange(-125, 125)}"
    return digits
