"""Plots as SVG, without a library: curves over a logarithmic axis, their spread as a band, their names in a legend."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 200, 58, 52
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b")


def nice_step(most, marks=6):
    """1, 2 or 5 times a power of ten, so that about so many reach `most`."""
    rough = most / marks
    power = 10 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def short(value):
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if value >= limit and value % limit == 0:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"


class Frame:
    def __init__(self, xs, most):
        self.low, self.high = math.log(min(xs)), math.log(max(xs))
        self.step = nice_step(most)
        self.most = math.ceil(most / self.step) * self.step

    def x(self, value):
        share = (math.log(value) - self.low) / ((self.high - self.low) or 1)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return HEIGHT - BOTTOM - value / self.most * (HEIGHT - TOP - BOTTOM)


def points(frame, pairs):
    return " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in pairs)


def text(x, y, words, anchor="start", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def axes(frame, xs, title, x_label, y_label):
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    lines = [text(LEFT, 22, title, extra=' font-size="15" font-weight="bold"'),
             text((LEFT + right) / 2, HEIGHT - 12, x_label, "middle"), text(LEFT - 48, TOP - 14, y_label)]
    for i in range(round(frame.most / frame.step) + 1):
        value = i * frame.step
        y = frame.y(value)
        lines.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#ddd"/>')
        lines.append(text(LEFT - 8, y + 4, f"{value:g}", "end"))
    for x in xs:
        at = frame.x(x)
        lines.append(f'<line x1="{at:.1f}" y1="{bottom}" x2="{at:.1f}" y2="{bottom + 5}" stroke="#888"/>')
        lines.append(text(at, bottom + 20, short(x), "middle"))
    return lines


def svg(title, x_label, y_label, curves):
    """curves: (name, dashed, colour number, [(x, least, median, most)])."""
    xs = sorted({p[0] for _, _, _, curve in curves for p in curve})
    frame = Frame(xs, max(p[3] for _, _, _, curve in curves for p in curve))
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
             f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *axes(frame, xs, title, x_label, y_label)]
    for row, (name, dashed, number, curve) in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        outline = [(x, most) for x, _, _, most in curve] + [(x, least) for x, least, _, _ in reversed(curve)]
        lines.append(f'<polygon points="{points(frame, outline)}" fill="{colour}" fill-opacity="0.12"/>')
        lines.append(f'<polyline points="{points(frame, [(x, m) for x, _, m, _ in curve])}" fill="none" '
                     f'stroke="{colour}" stroke-width="2"{dash}/>')
        at, y = WIDTH - RIGHT + 16, TOP + 12 + 20 * row
        lines.append(f'<line x1="{at}" y1="{y}" x2="{at + 24}" y2="{y}" stroke="{colour}" stroke-width="2"{dash}/>')
        lines.append(text(at + 30, y + 4, name))
    return "\n".join([*lines, "</svg>", ""])
