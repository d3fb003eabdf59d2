"""What the rounds come to: medians, ratios round by round, and a table of them."""
import statistics

# A path's cost is held against so many of these, in the same round.
AGAINST = {
    "backfill": {"R-put": 1},
    "backfill_tls": {"R-put": 1},
    "snapshot": {"R-get": 1},
    "snapshot_late": {"R-get": 1},
    "restore": {"R-batch": 1},
    "record_changes": {"R-put": 2, "R-get": 1},
    "page": {"parse": 1},
}
# Part of the cost, told as well.
BESIDE = {"snapshot": ["gzip"]}
REFERENCES = {
    "wrk": "wrk, a constant PUT of 400 bytes",
    "R-put unsigned": "the same PUT by R-put's client",
    "R-put": "a signed PUT of 400 bytes",
    "R-get": "a signed GET of 400 bytes",
    "R-batch": "an item of a signed BatchWriteItem of 25",
    "gzip": "an item's line through the raw compressor",
    "parse": "an item of a Scan page walked by simdjson",
}
MOST_OVER_WRK = 1.10


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "rounds": values}


def unit_of(path):
    return " + ".join((f"{factor} " if factor > 1 else "") + name for name, factor in AGAINST[path].items())


def summary(rounds, paths, counts):
    """rounds: for each round what was measured by name. counts: for each path its {what: count a request}."""
    references = {}
    for name in REFERENCES:
        measured = [r[name] for r in rounds if name in r]
        if measured:
            references[name] = {
                "cpu_us": spread([m.cost() for m in measured]),
                "per_second": statistics.median(m.units / m.seconds for m in measured),
            }
    return {"references": references, "paths": {p: path_summary(rounds, p, counts.get(p, {})) for p in paths},
            "void": why_void(rounds)}


def path_summary(rounds, path, counts):
    measured = [r[path] for r in rounds]
    told = {
        "per_second": statistics.median(m.units / m.seconds for m in measured),
        "cpu_seconds_per_million": spread([m.cost() for m in measured]),
        "against": unit_of(path),
        "ratio": spread([r[path].cost() / sum(factor * r[name].cost() for name, factor in AGAINST[path].items())
                         for r in rounds]),
        "requests": measured[-1].requests,
        "peak_rss_bytes": max(m.peak_rss_bytes for m in measured),
        **counts,
    }
    for note in measured[-1].notes:
        told[note] = statistics.median(m.notes[note] for m in measured)
    return told


def why_void(rounds):
    """References that are not the cheapest prove nothing."""
    over = statistics.median(r["R-put unsigned"].cost() / r["wrk"].cost() for r in rounds)
    if over > MOST_OVER_WRK:
        return f"unsigned, R-put costs {over:.2f} of what wrk's PUT does; {MOST_OVER_WRK:.2f} is the most it may"
    return None


def range_text(s, form):
    return f"{s['least']:{form}}–{s['most']:{form}}"


def columns(rows, left):
    """Lines of cells; the first `left` columns to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    def cell(row, i):
        return row[i].ljust(widths[i]) if i < left else row[i].rjust(widths[i])
    return ["  ".join(cell(row, i) for i in range(len(row))).rstrip() for row in rows]


def count_text(told, name):
    return f"{told[name]:.1f}" if told.get(name) is not None else "-"


def table(told):
    rows = [["reference", "", "CPU us", "range", "a second"]]
    for name, r in told["references"].items():
        rows.append([name, REFERENCES[name], f"{r['cpu_us']['median']:.2f}", range_text(r["cpu_us"], ".2f"),
                     f"{r['per_second']:,.0f}"])
    lines = [*columns(rows, 2), ""]
    rows = [["path", "against", "a second", "CPU s/million", "range", "ratio", "range", "peak MiB", "allocations",
             "system calls", "retries"]]
    for path, p in told["paths"].items():
        rows.append([path, p["against"], f"{p['per_second']:,.0f}", f"{p['cpu_seconds_per_million']['median']:.2f}",
                     range_text(p["cpu_seconds_per_million"], ".2f"), f"{p['ratio']['median']:.2f}",
                     range_text(p["ratio"], ".2f"),
                     f"{p['peak_rss_bytes'] / 2**20:.1f}" if p["peak_rss_bytes"] else "-",
                     count_text(p, "allocations_per_request"), count_text(p, "system_calls_per_request"),
                     f"{p['retries']:.0f}" if "retries" in p else "-"])
    lines += columns(rows, 2)
    if "page" in told["paths"]:
        lines += ["", f"page: {told['paths']['page']['mb_per_cpu_second']:.0f} MB of Scan pages a CPU second"]
    if told["void"]:
        lines += ["", f"VOID: {told['void']}"]
    return lines
