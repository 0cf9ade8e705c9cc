"""A small drawing vocabulary: everything the chapters' pictures are made of, in one palette and one type face.

All lengths are pixels of the finished picture. `x` grows to the right and `y` downwards from the top left corner. Each
picture is an opaque, near-white card with a thin border, so that it reads the same on a light and on a dark page.

A `Sheet` remembers what was drawn. `Sheet.faults()` uses this to find words that overlap, that leave their box or the
card, and arrows that run through words; tests/chapters/chapter_pictures.py uses it for contrast and colours as well.
"""

import io
from dataclasses import dataclass

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle
from matplotlib.path import Path as Outline
from PIL import Image

WIDTH = 900  # pixels: the text column of a notebook
DPI = 100
MARGIN = 28
LEADING = 1.35  # from one line of a text to the next, in sizes of the type
SMALLEST = 11  # pixels: the smallest type that reads well
SHADE = 8  # of 255: shades closer than this are made one; the eye cannot tell them apart

PAPER = "#fdfdfb"
FRAME = "#9aa0a6"
INK = "#1f2328"
QUIET = "#50565e"


@dataclass(frozen=True)
class Hue:
    """One colour in two forms: the pale `fill` of areas, and the `line` of borders and arrows.

    The lines are colours of Okabe and Ito (https://jfly.uni-koeln.de/color/), blue and purple made darker, so that they
    differ in lightness as well for people with any kind of colour vision. `meaning` is what a colour says in every
    picture; a word always says the same.
    """

    fill: str
    line: str
    meaning: str


YOURS = Hue("#dcecf7", "#005ea8", "what runs or lies on your own machine")
ENTRA = Hue("#d8f0e8", "#009e73", "Entra ID, and what it knows")
GRAPH = Hue("#f7e6f0", "#5e1a5e", "Microsoft Graph, and what it answers")
CARE = Hue("#fce4d6", "#d55e00", "what is secret or goes wrong")
PLAIN = Hue("#f0f1f3", "#565d66", "everything else")
HUES = (YOURS, ENTRA, GRAPH, CARE, PLAIN)


@dataclass(frozen=True)
class Area:
    """A rectangle on the sheet: left, top, right and bottom edge in pixels, and the hue it is filled with, if any."""

    left: float
    top: float
    right: float
    bottom: float
    hue: Hue | None = None

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def holds(self, other: "Area", spare: float = 0) -> bool:
        """Whether `other` lies inside, `spare` pixels away from every edge."""
        wide = self.left + spare <= other.left and other.right <= self.right - spare
        return wide and self.top + spare <= other.top and other.bottom <= self.bottom - spare

    def meets(self, other: "Area") -> bool:
        """Whether the two share more than an edge."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)


@dataclass(frozen=True)
class Word:
    """A text that was set: what it says, its size in pixels, its colour, the colour behind it, and where it is."""

    text: str
    size: float
    colour: str
    behind: str
    area: Area


@dataclass(frozen=True)
class Stroke:
    """An arrow or a line: its corner points, its hue, and the word that says what it means."""

    points: tuple[tuple[float, float], ...]
    hue: Hue
    word: str


class Sheet:
    """One picture in the making.

    Args:
        height: of the picture, in pixels; the width is always WIDTH.
        title: the line at its head.
    """

    def __init__(self, height: int, title: str) -> None:
        self.height = height
        self.words: list[Word] = []
        self.areas: list[Area] = []
        self.strokes: list[Stroke] = []
        self._figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=FRAME)
        self._canvas = FigureCanvasAgg(self._figure)
        self._axes = self._figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0))
        self._axes.axis("off")
        self._axes.add_patch(Rectangle((1, 1), WIDTH - 2, height - 2, facecolor=PAPER, linewidth=0, zorder=0))
        self.text(MARGIN, 32, title, size=17, bold=True)

    # Words

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 13,
        align: str = "left",
        bold: bool = False,
        mono: bool = False,
        colour: str = INK,
        behind: str = PAPER,
    ) -> Area:
        """Sets a text whose block is centred on `y`; `align` says which of its edges is at `x`. Returns its area."""
        lines = text.split("\n")
        boxes = []
        for at, line in enumerate(lines):
            drawn = self._axes.text(
                x,
                # A fixed baseline: centred by its outline, a word without descenders would sit lower than others.
                y + (at - (len(lines) - 1) / 2) * LEADING * size + 0.36 * size,
                line,
                fontsize=size * 72 / DPI,
                fontfamily="DejaVu Sans Mono" if mono else "DejaVu Sans",
                fontweight="bold" if bold else "normal",
                color=colour,
                ha=align,
                va="baseline",
                parse_math=False,
                zorder=5,
            )
            boxes.append(drawn.get_window_extent(self._canvas.get_renderer()))
        area = Area(
            min(box.x0 for box in boxes),
            self.height - max(box.y1 for box in boxes),
            max(box.x1 for box in boxes),
            self.height - min(box.y0 for box in boxes),
        )
        self.words.append(Word(text, size, colour, behind, area))
        return area

    # Areas

    def area(self, x: float, y: float, width: float, height: float, hue: Hue, *, dashed: bool = False) -> Area:
        """An empty rounded box with its top left corner at (x, y), for words that are set into it."""
        self._axes.add_patch(
            FancyBboxPatch(
                (x, y),
                width,
                height,
                boxstyle="round,pad=0,rounding_size=7",
                facecolor=hue.fill,
                edgecolor=hue.line,
                linewidth=1.4,
                linestyle=(0, (4, 3)) if dashed else "solid",
                zorder=2,
            )
        )
        made = Area(x, y, x + width, y + height, hue)
        self.areas.append(made)
        return made

    def frame(self, x: float, y: float, width: float, height: float) -> Area:
        """A thin frame without a filling, around things that belong together."""
        self._axes.add_patch(
            FancyBboxPatch(
                (x, y),
                width,
                height,
                boxstyle="round,pad=0,rounding_size=9",
                fill=False,
                edgecolor=PLAIN.line,
                linewidth=1.2,
                linestyle=(0, (5, 4)),
                zorder=1,
            )
        )
        made = Area(x, y, x + width, y + height)
        self.areas.append(made)
        return made

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        hue: Hue,
        title: str,
        below: str = "",
        *,
        size: float = 14,
        mono: bool = False,
        dashed: bool = False,
    ) -> Area:
        """A box with a bold title in its middle and, when given, smaller words below the title."""
        made = self.area(x, y, width, height, hue, dashed=dashed)
        across, down = made.middle
        if not below:
            self.text(across, down, title, size=size, align="center", bold=True, mono=mono, behind=hue.fill)
            return made
        rows = below.count("\n") + 1
        block = size * LEADING + 6 + rows * 12 * LEADING
        top = down - block / 2
        self.text(
            across, top + size * LEADING / 2, title, size=size, align="center", bold=True, mono=mono, behind=hue.fill
        )
        lower = top + size * LEADING + 6 + rows * 12 * LEADING / 2
        self.text(across, lower, below, size=12, align="center", behind=hue.fill)
        return made

    def envelope(self, x: float, y: float, width: float, height: float, hue: Hue, name: str, kind: str) -> Area:
        """An envelope seen from its back, with the name of a file and its format on it."""
        made = self.area(x, y, width, height, hue)
        flap = [(x + 2, y + 2), (x + width / 2, y + height * 0.42), (x + width - 2, y + 2)]
        self._axes.add_patch(
            Polygon(flap, closed=False, fill=False, edgecolor=hue.line, linewidth=1.4, joinstyle="round", zorder=3)
        )
        across = x + width / 2
        self.text(across, y + height * 0.60, name, size=15, align="center", bold=True, mono=True, behind=hue.fill)
        self.text(across, y + height * 0.83, kind, size=12, align="center", behind=hue.fill)
        return made

    def band(self, x: float, y: float, width: float, height: float, hue: Hue, *, hatched: bool = False) -> Area:
        """A bar with square corners on a line of time; hatched where it no longer counts."""
        self._axes.add_patch(
            Rectangle(
                (x, y),
                width,
                height,
                facecolor=PAPER if hatched else hue.fill,
                edgecolor=hue.line,
                hatch="////" if hatched else None,
                linewidth=1.4,
                zorder=2,
            )
        )
        # The hatching is a sign without the colour, explained beside the bar: there is no room for a word in it.
        made = Area(x, y, x + width, y + height, None if hatched else hue)
        self.areas.append(made)
        return made

    # Marks and lines

    def badge(self, x: float, y: float, number: int) -> None:
        """A number in a dark disc, centred on (x, y)."""
        self._axes.add_patch(Circle((x, y), 10.5, facecolor=INK, edgecolor=INK, zorder=4))
        self.text(x, y + 0.5, str(number), size=12, align="center", bold=True, colour=PAPER, behind=INK)

    def dot(self, x: float, y: float, hue: Hue, *, hollow: bool = False) -> None:
        """A round mark on a line of time: filled, or hollow."""
        face = PAPER if hollow else hue.line
        self._axes.add_patch(Circle((x, y), 7, facecolor=face, edgecolor=hue.line, linewidth=2, zorder=4))

    def arrow(
        self, *points: tuple[float, float], hue: Hue = PLAIN, word: str, dashed: bool = False, head: bool = True
    ) -> None:
        """A line through `points`, with a head at its end; `word` is what the words beside it say it means."""
        codes = [Outline.MOVETO] + [Outline.LINETO] * (len(points) - 1)
        self._axes.add_patch(
            FancyArrowPatch(
                path=Outline(points, codes),
                arrowstyle="-|>,head_length=7,head_width=3.6" if head else "-",
                color=hue.line,
                linewidth=1.8,
                linestyle=(0, (4, 3)) if dashed else "solid",
                joinstyle="round",
                capstyle="butt",
                mutation_scale=1,
                zorder=3,
            )
        )
        self.strokes.append(Stroke(points, hue, word))

    def line(self, *points: tuple[float, float], dashed: bool = False) -> None:
        """A thin grey line without a meaning of its own: a lifeline, an axis, a rule."""
        across, down = zip(*points, strict=True)
        style = (0, (4, 4)) if dashed else "solid"
        self._axes.plot(across, down, color=PLAIN.line, linewidth=1.2, linestyle=style, zorder=1)
        self.strokes.append(Stroke(points, PLAIN, ""))

    # What comes of it

    def png(self) -> bytes:
        """The finished picture: the same bytes each time, without a date or a program's name."""
        with matplotlib.rc_context({"hatch.linewidth": 0.8}):
            self._canvas.draw()
        pixels = Image.frombytes("RGBA", self._canvas.get_width_height(), self._canvas.buffer_rgba().tobytes())
        file = io.BytesIO()
        slim(pixels.convert("RGB")).save(file, format="png", optimize=True)
        return file.getvalue()

    def faults(self) -> list[str]:
        """What a careful eye would object to, each as a sentence; empty when there is nothing."""
        card = Area(0, 0, WIDTH, self.height)
        found = []
        for at, word in enumerate(self.words):
            if not card.holds(word.area, spare=10):
                found.append(f"{word.text!r} comes too near to the edge of the card.")
            found += [f"{word.text!r} overlaps {o.text!r}." for o in self.words[at + 1 :] if word.area.meets(o.area)]
            for area in self.areas:
                if word.area.meets(area) and not area.holds(word.area, spare=2):
                    found.append(f"{word.text!r} crosses the edge of a box.")
            if any(crosses(stroke, word.area) for stroke in self.strokes):
                found.append(f"A line runs through {word.text!r}.")
        return found


def crosses(stroke: Stroke, area: Area) -> bool:
    """Whether a line passes through an area: looked at pixel by pixel."""
    for (x1, y1), (x2, y2) in zip(stroke.points, stroke.points[1:], strict=False):
        steps = int(max(abs(x2 - x1), abs(y2 - y1))) + 1
        for step in range(steps + 1):
            x, y = x1 + (x2 - x1) * step / steps, y1 + (y2 - y1) * step / steps
            if area.left < x < area.right and area.top < y < area.bottom:
                return True
    return False


def luminance(colour: str) -> float:
    """The relative luminance of a colour `#rrggbb`, from 0 to 1 (WCAG 2.2, "relative luminance")."""
    red, green, blue = (linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(channel: float) -> float:
    """An sRGB channel from 0 to 1 as linear light."""
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def slim(picture: Image.Image) -> Image.Image:
    """The same picture with fewer shades, as a palette where that is enough: a third of the bytes in the notebook.

    A shade moves by half of `SHADE` at most. What processors round differently ends at most one shade apart, which is
    what the bake of the notebooks tolerates.
    """
    shades = [min(255, round(level / SHADE) * SHADE) for level in range(256)]
    fewer = picture.point(shades * 3)
    colours = fewer.getcolors(256)
    return fewer.quantize(len(colours), dither=Image.Dither.NONE) if colours else fewer
