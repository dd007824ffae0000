"""The figures: what each fact counts for, what a scrape costs, and that dashboard and rules ask for what there is."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from autocom.core.journal import Entry, Json
from autocom.core.record import OUTCOMES
from autocom.metrics import AGAIN, CLIENTS, COURSES, LAG_EVERY, Metrics, Now
from tests.support.virtual import EPOCH, VirtualClock, run

ROOT = Path(__file__).parents[1]
DASHBOARD = ROOT / "docker/grafana-autocom.json"
RULES = ROOT / "docker/prometheus-autocom.rules.yaml"


class FixedClock:
    def __init__(self) -> None:
        self.at = EPOCH

    def now(self) -> float:
        self.at += AGAIN  # every scrape is a new one
        return self.at

    async def until(self, instant: float) -> None:
        raise AssertionError(instant)


async def scraped(metrics: Metrics) -> dict[str, dict[tuple[str, ...], float]]:
    """Values by sample's name and label values, as Prometheus' own parser reads them."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def of(now: Now | None = None, clients: int = 2) -> Metrics:
    metrics = Metrics(FixedClock(), lambda: now or Now())
    metrics.clients = clients
    return metrics


def call(metrics: Metrics, name: str, *facts: tuple[float, str, dict[str, Json]]) -> None:
    for at, kind, fields in facts:
        metrics.hear(Entry(EPOCH + at, kind, name, fields))


SERVED = (
    (0.0, "arrived", {"trunk": "operator"}),
    (0.01, "identified", {"client": "lilas", "caller": "+33199006666"}),
    (0.02, "queued", {"team": "medical"}),
    (0.03, "offered", {"secretary": "lea", "leg": "ring-1"}),
    (8.0, "offer_ended", {"leg": "ring-1", "result": "no_answer"}),
    (8.1, "offered", {"secretary": "ines", "leg": "ring-2"}),
    (12.0, "offer_ended", {"leg": "ring-2", "result": "answered"}),
    (12.04, "bridged", {"secretary": "ines", "leg": "ring-2"}),
    (60.0, "ended", {"outcome": "served"}),
)


async def test_a_served_call_counts_with_its_offers_its_wait_and_its_set_up() -> None:
    metrics = of()
    call(metrics, "c1", *SERVED)
    found = await scraped(metrics)
    assert found["autocom_calls_total"]["in", "served"] == 1
    assert found["autocom_client_calls_total"] == {("lilas", "served"): 1}
    assert found["autocom_offers_total"] == {("no_answer",): 1, ("answered",): 1}
    assert found["autocom_setup_seconds_sum"][()] == pytest.approx(0.03, abs=1e-6)
    assert found["autocom_answer_to_bridge_seconds_sum"][()] == pytest.approx(0.04, abs=1e-6)
    assert found["autocom_wait_seconds_sum"][("served",)] == pytest.approx(12.04, abs=1e-6)
    assert found["autocom_journal_entries_total"][()] == len(SERVED)


async def test_who_gave_up_counts_with_his_wait() -> None:
    metrics = of()
    call(metrics, "c1", *SERVED[:4], (31.0, "ended", {"outcome": "abandoned"}))
    call(metrics, "c2", SERVED[0], (2.0, "ended", {"outcome": "closed"}))
    found = await scraped(metrics)
    assert found["autocom_wait_seconds_sum"] == {("abandoned",): 31.0}
    assert found["autocom_calls_total"]["in", "closed"] == 1


async def test_every_outcome_is_there_before_it_happens() -> None:
    found = await scraped(of())
    assert set(found["autocom_calls_total"]) == {("in", outcome) for outcome in OUTCOMES}


async def test_a_call_that_began_before_us_ends_all_the_same() -> None:
    metrics = of()
    call(metrics, "c1", *SERVED[5:])
    found = await scraped(metrics)
    assert found["autocom_calls_total"]["in", "served"] == 1
    assert "autocom_client_calls_total" not in found


async def test_no_caller_stands_in_any_figure() -> None:
    metrics = of(Now(configuration="v1", waiting={"medical": 1}))
    call(metrics, "c1", *SERVED)
    call(
        metrics, "c2", (0.0, "arrived", {"direction": "+33199006666"}), (1.0, "ended", {"outcome": "served"})
    )
    metrics.request("GET", "/channels/PJSIP-0199006666/variable", "2xx", 0.01)
    text = metrics.text().decode()
    assert "199006666" not in text
    assert "c1" not in re.findall(r'"([^"]*)"', text)


async def test_a_large_bureau_has_no_figure_for_each_client() -> None:
    metrics = of(clients=CLIENTS + 1)
    call(metrics, "c1", *SERVED)
    assert "autocom_client_calls_total" not in await scraped(metrics)


async def test_calls_that_never_end_cannot_fill_the_memory() -> None:
    metrics = of()
    for n in range(COURSES + 500):
        call(metrics, f"c{n}", SERVED[0])
    assert len(metrics._courses) == COURSES


@pytest.mark.parametrize(
    ("kind", "fields", "sample", "labels"),
    [
        ("crashed", {"error": "x"}, "autocom_crashes_total", ()),
        ("fault", {"fault": "disk_low", "over": False}, "autocom_faults_total", ("disk_low",)),
        ("alert", {"alert": "disk_low", "state": "raised"}, "autocom_alerts_total", ("disk_low", "raised")),
        ("mail_sent", {}, "autocom_mails_total", ("sent",)),
        ("mail_failed", {"final": True}, "autocom_mails_total", ("given_up",)),
        ("mail_failed", {"final": False}, "autocom_mails_total", ("failed",)),
        ("text_delivered", {}, "autocom_texts_total", ("delivered",)),
        ("text_failed", {"final": True}, "autocom_texts_total", ("given_up",)),
    ],
)
async def test_what_is_written_down_counts(
    kind: str, fields: dict[str, Json], sample: str, labels: tuple[str, ...]
) -> None:
    metrics = of()
    metrics.hear(Entry(EPOCH, kind, None, fields))
    assert (await scraped(metrics))[sample][labels] == 1


async def test_the_end_of_a_fault_is_no_fault() -> None:
    metrics = of()
    metrics.hear(Entry(EPOCH, "fault", None, {"fault": "disk_low", "over": True}))
    assert "autocom_faults_total" not in await scraped(metrics)


async def test_the_gauges_are_what_the_exchange_holds() -> None:
    now = Now(
        connected=True, ami=True, database=False, ready=True, calls=3, waiting={"medical": 2, "general": 0},
        oldest_wait=17.5, secretaries={"free": 2, "talking": 1}, trunks={"operator": (4, 30), "second": (0, 0)},
        backlog=12, backlog_age=3.5, log_bytes=4096, held=1, unread=0.2, canary=1.5, mails={"waiting": 1},
        texts={"failed": 2}, alerts={("disk_low", "critical"): 1}, configuration="abc", refused=True,
    )  # fmt: skip
    found = await scraped(of(now))
    assert {
        name: found[f"autocom_{name}"][()]
        for name in ("asterisk_up", "ami_up", "database_up", "ready", "calls_open", "oldest_wait_seconds")
    } == {
        "asterisk_up": 1,
        "ami_up": 1,
        "database_up": 0,
        "ready": 1,
        "calls_open": 3,
        "oldest_wait_seconds": 17.5,
    }
    assert found["autocom_waiting"] == {("medical",): 2, ("general",): 0}
    assert found["autocom_secretaries"] == {("free",): 2, ("talking",): 1}
    assert found["autocom_trunk_calls"] == {("operator",): 4, ("second",): 0}
    assert found["autocom_trunk_max_calls"] == {("operator",): 30}
    assert found["autocom_alerts_active"] == {("disk_low", "critical"): 1}
    assert found["autocom_config_info"] == {("abc",): 1}
    assert found["autocom_tasks"][()] >= 1
    assert found["process_resident_memory_bytes"][()] > 1e6
    assert found["process_open_fds"][()] > 1


def test_a_scrape_is_the_same_for_a_moment() -> None:
    asked = []

    def now() -> Now:
        asked.append(1)
        return Now()

    async def ask() -> None:
        metrics = Metrics(VirtualClock(), now)
        for _ in range(50):
            metrics.text()
        assert len(asked) == 1
        await asyncio.sleep(AGAIN)
        metrics.text()
        assert len(asked) == 2

    run(ask())


async def test_a_scrape_after_ten_thousand_calls_is_as_quick_as_the_first() -> None:
    metrics = of(Now(waiting={f"team-{n}": n for n in range(20)}, secretaries={"free": 30}))

    def quickest() -> float:
        taken = []
        for _ in range(5):
            began = time.perf_counter()
            metrics.text()
            taken.append(time.perf_counter() - began)
        return min(taken)

    call(metrics, "c0", *SERVED)
    before, size = quickest(), len(metrics.text())
    for n in range(10_000):
        call(metrics, f"c{n}", *SERVED)
    assert len(metrics.text()) < size * 1.2
    assert quickest() < max(0.05, 5 * before)


def test_the_loop_is_measured() -> None:
    async def measure() -> Metrics:
        metrics = Metrics(VirtualClock(), Now)
        running = asyncio.ensure_future(metrics.run())
        await asyncio.sleep(40 * LAG_EVERY + 0.01)
        running.cancel()
        await asyncio.wait([running])
        (lag,) = [f for f in metrics.registry.collect() if f.name == "autocom_loop_lag_seconds"]
        assert next(s.value for s in lag.samples if s.name.endswith("_count")) == 40
        return metrics

    run(measure())


async def test_requests_are_counted_by_what_they_are_about() -> None:
    metrics = of()
    metrics.request("POST", "/channels/ring-c1-1/dial", "2xx", 0.02)
    metrics.request("GET", "/applications/autocom", "no_answer", 2.0)
    metrics.event(0.004)
    found = await scraped(metrics)
    assert found["autocom_ari_requests_total"] == {
        ("POST", "2xx", "channels"): 1,
        ("GET", "no_answer", "applications"): 1,
    }
    assert found["autocom_ari_request_seconds_count"][("channels",)] == 1
    assert found["autocom_ari_event_age_seconds_sum"][()] == pytest.approx(0.004)


# --- what asks for them --------------------------------------------------------------------------------------


async def known() -> set[str]:
    """Every sample's name that there can be."""
    metrics = of(
        Now(alerts={("disk_low", "critical"): 1}, waiting={"m": 1}, configuration="v", trunks={"o": (1, 2)})
    )
    names: set[str] = set()
    for family in metrics.registry.collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(
            family.type, ("",)
        )
        names |= {family.name + suffix for suffix in suffixes}
    return names


def queries() -> list[str]:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [each["query"] for each in dashboard["templating"]["list"] if each["type"] == "query"]
    return asked


def rules() -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


async def named(expressions: list[str]) -> set[str]:
    return {name for each in expressions for name in re.findall(r"\b(?:autocom|process)_[a-z_]+", each)}


@pytest.mark.parametrize(
    "asked", [queries, lambda: [str(rule["expr"]) for rule in rules()]], ids=["grafana", "rules"]
)
async def test_every_query_names_figures_that_there_are(asked: Callable[[], list[str]]) -> None:
    names = await named(asked())
    assert len(names) >= 7
    assert names <= await known(), names - await known()


async def test_the_dashboard_shows_every_figure_of_ours() -> None:
    shown = await named(queries())
    ours = {
        re.sub(r"_(sum|count|bucket)$", "", name) for name in await known() if name.startswith("autocom_")
    }
    left_out = {name for name in ours if name not in shown and f"{name}_bucket" not in shown}
    assert left_out == {"autocom_alerts_total", "autocom_mails_total", "autocom_texts_total"}


async def test_the_version_is_that_of_the_code_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autocom.metrics.version", lambda _: "the next one, just installed")
    assert (await scraped(of()))["autocom_build_info"] == {(version("autocom"),): 1.0}


async def test_the_page_lists_every_figure_of_ours() -> None:
    page = (ROOT / "docs/alerts.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(autocom_[a-z_]+)", page, re.MULTILINE))
    ours = {
        re.sub(r"_(sum|count|bucket)$", "", name) for name in await known() if name.startswith("autocom_")
    }
    assert listed == ours


def test_every_rule_says_how_bad_it_is_and_what_it_means() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]


def test_the_panels_have_places_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
