"""Three pictures of a simulated day, as SVG: service level, waiting, secretaries needed and present.

Drawn by pygal, without its script from the web: the files are whole by themselves. Must not compute.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pygal
from pygal.style import CleanStyle

from autocom.simulate.report import Report
from autocom.simulate.words import Language

# pygal 3.1.3 leaves a hook for its plugins among the importers, written for Python 2: without `find_spec`, at
# which Python 3.11 warns with every import that follows. No plugin is used here.
sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]

Line = Sequence[float | None]

_LIVELY = re.compile(r"<!--.*?-->|<script.*?</script>", re.DOTALL)


def write(report: Report, folder: Path, say: Language) -> list[Path]:
    """`service-level.svg`, `waiting.svg` and `staffing.svg`."""
    figures = report.figures
    slots = list(report.needs)
    sheets = [figures.slots.get(slot) for slot in slots]
    labels = [figures.day.label(slot) for slot in slots]
    level: Mapping[str, Line] = {
        say("service_level"): [_scaled(s.service_level.value if s else None, 100) for s in sheets],
        say("expected"): [
            100 * n.expected.service_level if n.expected and n.calls else None for n in report.needs.values()
        ],
        say("goal"): [100 * report.goal for _ in slots],
    }
    waiting: Mapping[str, Line] = {
        say("asa"): [s.asa.value if s else None for s in sheets],
        say("p90"): [s.p90.value if s else None for s in sheets],
        say("p95"): [s.p95.value if s else None for s in sheets],
    }
    staff: Mapping[str, Line] = {
        say("present"): [need.present for need in report.needs.values()],
        say("needed_c"): [need.patient for need in report.needs.values()],
        say("needed_a"): [need.impatient for need in report.needs.values()],
    }
    return [
        _draw(folder / "service-level.svg", say("level_plot"), labels, level, highest=100),
        _draw(folder / "waiting.svg", say("wait_plot"), labels, waiting),
        _draw(folder / "staffing.svg", say("staff_plot"), labels, staff),
    ]


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _draw(
    path: Path, title: str, labels: list[str], lines: Mapping[str, Line], highest: float | None = None
) -> Path:
    chart = pygal.Line(
        title=title,
        style=CleanStyle,
        js=(),
        width=960,
        height=420,
        range=(0, highest) if highest else None,
        min_scale=4,
        include_x_axis=True,
        x_label_rotation=60,
        show_dots=True,
        dots_size=2,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(lines),
        disable_xml_declaration=True,
        value_formatter=lambda value: f"{value:.1f}",
    )
    chart.x_labels = labels
    for name, values in lines.items():
        chart.add(name, [None if value is None else round(value, 2) for value in values])
    # pygal's own id is random, its comments are dated, its script is of no use without another one of the web's
    chart.uuid = path.stem
    path.write_text(_LIVELY.sub("", chart.render(is_unicode=True)), encoding="utf-8")
    return path
