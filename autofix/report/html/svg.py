"""Matplotlib figures as SVG that takes its colours and its font from the page around it.

Matplotlib writes colours into the drawing. Here each role (before, after, grid ...) is drawn in a colour of its own
that nothing else uses, and that is then replaced by a CSS variable: one drawing serves the light and the dark page.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours that stand in for CSS variables `--NAME`.
ROLES = {
    "before": "#fe0101",
    "after": "#fe0102",
    "control": "#fe0103",
    "ink": "#fe0104",
    "muted": "#fe0105",
    "grid": "#fe0106",
    "paper": "#fe0107",
}
# CSS pixels. Two drawings of each chart: a wide one, and one for phones, whose text would be too small to read in the
# wide one; the page shows one of them.
WIDE, NARROW = 704, 328
FONT_SIZE = 12.0
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": FONT_SIZE,
    "axes.labelsize": FONT_SIZE,
    "axes.edgecolor": ROLES["muted"],
    "axes.labelcolor": ROLES["muted"],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "grid.color": ROLES["grid"],
    "grid.linewidth": 0.8,
    "xtick.color": ROLES["muted"],
    "ytick.color": ROLES["muted"],
    "xtick.labelcolor": ROLES["muted"],
    "ytick.labelcolor": ROLES["muted"],
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "text.color": ROLES["ink"],
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "figure.dpi": 72,
    "savefig.dpi": 72,
    "savefig.transparent": True,
}
DECIMALS = re.compile(r"(\.\d\d)\d+")


@dataclass(frozen=True)
class Frame:
    """Where the data is in a drawing, so that the page can tell what the pointer is on.

    Attributes:
        width: Width of the drawing, in its own units.
        height: Height of the drawing.
        box: Left, top, right and bottom of the plotting area.
        x: Data limits along it, and whether they are logarithmic.
        y: Likewise, from bottom to top.
    """

    width: float
    height: float
    box: tuple[float, float, float, float]
    x: tuple[float, float, bool]
    y: tuple[float, float, bool]


@dataclass(frozen=True)
class Drawing:
    """One rendering of a chart.

    Attributes:
        svg: The `<svg>` element.
        frame: Where its data is.
    """

    svg: str
    frame: Frame


@dataclass(frozen=True)
class Sketch:
    """What a chart draws on: the axes and how wide they are.

    Attributes:
        axes: To draw on.
        prefix: What the ids of its groups begin with.
        is_narrow: Whether it is for a phone.
    """

    axes: Axes
    prefix: str
    is_narrow: bool
    names: dict[str, str] = field(default_factory=dict)

    def group(self, artist: Any, series: str) -> None:
        """Makes what was drawn a part of a series that the page can hide."""
        count = len(self.names)
        key = f"{self.prefix}-g{count}"
        self.names[key] = series
        artist.set_gid(key)


@contextmanager
def styled() -> Iterator[None]:
    """Draws in the style of the page."""
    import matplotlib

    with matplotlib.rc_context({**STYLE, "svg.hashsalt": "autofix"}):
        yield


def draw(prefix: str, paint: Callable[[Sketch], None], width: int, height: int) -> Drawing:
    """Returns what `paint` draws, at a size in CSS pixels.

    Args:
        prefix: What all ids in it begin with; unique on the page.
        paint: Draws on the axes that it gets.
        width: Width.
        height: Height.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72))
    FigureCanvasSVG(figure)
    figure.set_layout_engine("constrained", w_pad=2 / 72, h_pad=2 / 72)
    sketch = Sketch(figure.add_subplot(), prefix, width < WIDE)
    paint(sketch)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return Drawing(_themed(text.getvalue(), sketch), _frame(sketch.axes, width, height))


def _frame(axes: Axes, width: int, height: int) -> Frame:
    place = axes.get_position()
    left, right = place.x0 * width, place.x1 * width
    top, bottom = (1 - place.y1) * height, (1 - place.y0) * height
    (x_low, x_high), (y_low, y_high) = axes.get_xlim(), axes.get_ylim()
    box = (round(left, 2), round(top, 2), round(right, 2), round(bottom, 2))
    return Frame(
        width,
        height,
        box,
        (float(x_low), float(x_high), axes.get_xscale() == "log"),
        (float(y_low), float(y_high), axes.get_yscale() == "log"),
    )


def _themed(svg: str, sketch: Sketch) -> str:
    """Leaves out what a page has no use for, and takes colours and font from it."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true" focusable="false">', svg)
    svg = re.sub(r"<[^>]*>", lambda tag: DECIMALS.sub(r"\1", tag[0]), svg)
    svg = re.sub(r"font: ([\d.]+)px [^;\"]+", r"font: \1px var(--sans)", svg)
    svg = re.sub(r"font-family: [^;\"]+", "font-family: var(--sans)", svg)
    # Ids are unique on the page, and so are what refers to them.
    svg = re.sub(r'(id="|url\(#|href="#)(?!' + re.escape(sketch.prefix) + ")", rf"\g<1>{sketch.prefix}-", svg)
    for role, colour in ROLES.items():
        svg = svg.replace(colour, f"var(--{role})")
    for key, series in sketch.names.items():
        svg = svg.replace(f'<g id="{key}"', f'<g data-series="{series}"')
    return re.sub(r">\s+<", "><", svg).strip()
