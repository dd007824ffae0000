"""What the report says, in French and English: headings, units, numbers as each language writes them.

Must not know where a number comes from. Every key has both languages; an unknown one is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from autocom.simulate.confidence import Estimate

_WORDS: dict[str, tuple[str, str]] = {
    # key: français, English
    "all": ("Ensemble", "All"),
    "time": ("Heure", "Time"),
    "team": ("Équipe", "Team"),
    "client": ("Client", "Client"),
    "secretary": ("Secrétaire", "Secretary"),
    "calls": ("Appels", "Calls"),
    "wanted": ("À traiter", "Wanted"),
    "service_level": ("Niveau de service", "Service level"),
    "asa": ("Attente moy.", "Mean wait"),
    "p90": ("P90", "P90"),
    "p95": ("P95", "P95"),
    "longest": ("Max", "Longest"),
    "abandons": ("Abandons", "Abandoned"),
    "occupancy": ("Occupation", "Occupancy"),
    "spread": ("Écart d'occupation", "Occupancy spread"),
    "offers": ("Sonneries/appel", "Offers/call"),
    "own": ("Équipe propre", "Own team"),
    "present": ("Présentes", "Present"),
    "needed_c": ("Erlang C", "Erlang C"),
    "needed_a": ("Erlang A", "Erlang A"),
    "expected": ("NS Erlang A", "SL Erlang A"),
    "needed_title": ("Secrétaires nécessaires", "Secretaries needed"),
    "half_hours": ("Par demi-heure", "By half hour"),
    "teams": ("Par équipe", "By team"),
    "clients": ("Par client", "By client"),
    "secretaries": ("Par secrétaire", "By secretary"),
    "outcomes": ("Issues", "Outcomes"),
    "before": ("Avant", "Before"),
    "after": ("Après", "After"),
    "difference": ("Différence", "Difference"),
    "compared": (
        "Comparaison, mêmes appelants (* : plus que du hasard)",
        "Compared, the same callers (*: more than chance)",
    ),
    "wait_plot": ("Attente par demi-heure (s)", "Waiting by half hour (s)"),
    "level_plot": ("Niveau de service par demi-heure (%)", "Service level by half hour (%)"),
    "staff_plot": ("Secrétaires nécessaires et présentes", "Secretaries needed and present"),
    "goal": ("Objectif", "Goal"),
    "peak": ("Demi-heure de pointe", "Busiest half hour"),
    "head": (
        "{date} · {calls} appels par jour · {seeds} tirages · traitement {handling} s · patience {patience} s",
        "{date} · {calls} calls a day · {seeds} seeds · handling {handling} s · patience {patience} s",
    ),
    "misjudged": (
        "Attente prévue, à l'arrivée, de ceux qui ont dû attendre : fausse de {seconds} en moyenne",
        "Expected wait, on joining, of those who had to wait: wrong by {seconds} on average",
    ),
    "note": (
        "Erlang : combien il en faut pour {goal} % en {target} s, toutes en un seul groupe. ± : confiance à 95 %.",
        "Erlang: how many are needed for {goal} % within {target} s, all as one pool. ±: 95 % confidence.",
    ),
}
_DAYS = (
    ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)
LANGUAGES = ("fr", "en")


@dataclass(frozen=True, slots=True)
class Language:
    """One of `LANGUAGES`; any other code reads English."""

    code: str

    def __call__(self, key: str, **parts: object) -> str:
        """The word or sentence."""
        return _WORDS[key][0 if self.code == "fr" else 1].format(**parts)

    def number(self, value: float, digits: int = 0) -> str:
        """With the language's decimal sign."""
        text = f"{round(value, digits) + 0.0:.{digits}f}"  # never a negative nothing
        return text.replace(".", ",") if self.code == "fr" else text

    def percent(self, estimate: Estimate, digits: int = 0) -> str:
        """`87 % ±2.1`, a dash where there is nothing."""
        return self._with_error(estimate, 100.0, " %", digits)

    def points(self, estimate: Estimate) -> str:
        """`5.4 pt ±0.7`: a difference of percentages."""
        return self._with_error(estimate, 100.0, " pt", 1)

    def seconds(self, estimate: Estimate, digits: int = 0) -> str:
        """`12 s ±1.3`."""
        return self._with_error(estimate, 1.0, " s", digits)

    def plain(self, estimate: Estimate) -> str:
        """`1.05 ±0.01`."""
        return self._with_error(estimate, 1.0, "", 2)

    def _with_error(self, estimate: Estimate, scale: float, unit: str, digits: int) -> str:
        if estimate.value is None:
            return "–"
        text = self.number(estimate.value * scale, digits) + unit
        if estimate.error is None:
            return text
        return f"{text} ±{self.number(estimate.error * scale, max(digits, 1))}"

    def day(self, day: date) -> str:
        """With its weekday."""
        return f"{_DAYS[0 if self.code == 'fr' else 1][day.weekday()]} {day.isoformat()}"
