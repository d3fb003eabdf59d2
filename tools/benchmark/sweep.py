"""Cost against table size and against parallelism, as plots."""
import os

import plot
import results

LEFT_OUT = ("page", "snapshot_late")  # they depend on neither
MOST_PARALLELISM = 256
ITEMS_OF_PARALLELISM = 100_000


def sizes(most):
    """1,000 and on by tens, `most` the last."""
    values = [10 ** power for power in range(3, 12) if 10 ** power < most]
    return [*values, most]


def parallelisms():
    return [1 << power for power in range(MOST_PARALLELISM.bit_length())]


def curves(told, paths):
    """told: for each x a summary of results."""
    rows = []

    def curve(name, dashed, number, cost):
        rows.append((name, dashed, number, [(x, cost(t)["least"], cost(t)["median"], cost(t)["most"])
                                            for x, t in told.items()]))
    for number, path in enumerate(paths):
        curve(path, False, number, lambda t, path=path: t["paths"][path]["cpu_seconds_per_million"])
    references = [name for name in results.REFERENCES if any(name in results.AGAINST[path] for path in paths)]
    for number, name in enumerate(references):
        curve(name, True, number, lambda t, name=name: t["references"][name]["cpu_us"])
    return rows


def options_at(name, value, items):
    if name == "sizes":
        return {"items": value}
    return {"items": min(items, ITEMS_OF_PARALLELISM), "parallelism": value}


def write(folder, told, paths, options):
    """Returns the files."""
    items = min(options.items, ITEMS_OF_PARALLELISM)
    drawn = {"cost-by-size.svg": ("sizes", f"Cost against table size (parallelism {options.parallelism})",
                                  "items of the table"),
             "cost-by-parallelism.svg": ("parallelism", f"Cost against parallelism ({items:,} items)",
                                         "requests in flight")}
    os.makedirs(folder, exist_ok=True)
    for file, (name, title, x_label) in drawn.items():
        with open(os.path.join(folder, file), "w", encoding="utf-8") as out:
            out.write(plot.svg(title, x_label, "CPU µs an item", curves(told[name], paths)))
    return [os.path.join(folder, file) for file in drawn]
