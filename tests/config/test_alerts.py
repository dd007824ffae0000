"""`alerts` of bureau.yaml: what it becomes, and what is refused with its place and a French sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from autocom.config import ConfigurationRefused, load
from autocom.core.alerts import RULES, Alerting
from autocom.core.model import Configuration
from autocom.exchange import masked

BUREAU = """\
bureau: {name: Essai, number: "+33199001000", country: FR, timezone: Europe/Paris, language: LANGUAGE, holidays: FR, unknown_client: accueil}
secretaries:
  - {id: lea, name: Léa, extension: "201", password: lea-demo, teams: {medical: 1}}
teams: {medical: {}}
trunks: [{id: operator, match: ["127.0.0.1"], host: sip.operator.example, qualify: QUALIFY}]
"""
CLIENT = """\
id: accueil
name: Accueil
profile: general
numbers: [{did: "+33199001000"}]
hours: {mon-fri: ["08:00-12:00"]}
rules: [{name: open, do: [{queue: {team: medical}}]}]
"""


def read(folder: Path, alerts: str, language: str = "en", qualify: str = "false") -> Configuration:
    (folder / "clients").mkdir(exist_ok=True)
    (folder / "sounds").mkdir(exist_ok=True)
    text = BUREAU.replace("LANGUAGE", language).replace("QUALIFY", qualify)
    (folder / "bureau.yaml").write_text(text + alerts, encoding="utf-8")
    (folder / "clients/accueil.yaml").write_text(CLIENT, encoding="utf-8")
    return load(folder, None, 2026, environment={}).configuration


def test_a_bureau_that_says_nothing_has_the_rules_and_tells_nobody(tmp_path: Path) -> None:
    alerts = read(tmp_path, "").bureau.alerts
    assert alerts == Alerting()
    assert (alerts.mail, alerts.webhook, alerts.repeat, dict(alerts.rules)) == ((), None, 1800.0, dict(RULES))


def test_everything_that_can_be_said_is_understood(tmp_path: Path) -> None:
    alerts = read(
        tmp_path,
        """\
alerts:
  mail: chef@example.org
  webhook: {url: "https://alerts.example.org/x", secret: "not-for-all", signature: X-Proof}
  repeat: 0s
  rules:
    long_wait: {over: 45s, clients: {accueil: 20s}, severity: critical}
    no_secretary: {after: 2m}
    banned: {enabled: false}
""",
    ).bureau.alerts
    assert alerts.mail == ("chef@example.org",)
    assert alerts.webhook is not None
    assert (alerts.webhook.url, alerts.webhook.signature) == ("https://alerts.example.org/x", "X-Proof")
    assert alerts.repeat == 0.0
    assert alerts.clients == {"accueil": 20.0}
    assert (alerts.rules["long_wait"].over, alerts.rules["long_wait"].severity) == (45.0, "critical")
    assert alerts.rules["no_secretary"].after == 120.0
    assert not alerts.rules["banned"].enabled
    assert alerts.rules["database_down"] == RULES["database_down"]


def test_a_trunk_is_asked_whether_it_is_there_only_where_the_files_say_so(tmp_path: Path) -> None:
    assert not read(tmp_path, "").trunks["operator"].qualify
    assert read(tmp_path, "", qualify="true").trunks["operator"].qualify


@pytest.mark.parametrize(
    ("alerts", "place", "english", "french"),
    [
        ("alerts: {rules: {long_weight: {}}}", "6:18", "not one of", "n'est pas"),
        ("alerts: {rules: {banned: {over: 2m}}}", "6:27", "`over` means nothing to `banned`", "`over` ne veut rien dire"),
        (
            "alerts: {rules: {banned: {clients: {accueil: 2m}}}}", "6:27", "`clients` means something to `long_wait` only",
            "`clients` n'a de sens",
        ),
        (
            "alerts: {rules: {long_wait: {clients: {acueil: 2m}}}}", "6:40", "there is no client `acueil`",
            "il n'y a pas de client `acueil`",
        ),
        (
            "alerts: {rules: {loop_blocked: {after: 5m}}}", "6:33", "`after` of `loop_blocked` must be less than 300s",
            "`after` de `loop_blocked` doit être inférieur à 300s",
        ),
        ("alerts: {mails: [a@b.example]}", "6:10", "unknown key `mails`", "clé inconnue"),
        ("alerts: {webhook: {url: ftp://x, secret: secret-1}}", "6:25", "a web address", "adresse web"),
        ('alerts: {webhook: {url: "https://x.example"}}', "6:10", "key `secret` is missing", "`secret`"),
        ("alerts: {rules: {banned: off}}", "6:26", "", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_at_its_place(
    tmp_path: Path, alerts: str, place: str, english: str, french: str
) -> None:
    for language, words in (("en", english), ("fr", french)):
        with pytest.raises(ConfigurationRefused) as refused:
            read(tmp_path, alerts, language)
        (fault,) = refused.value.faults
        assert f"bureau.yaml:{place}: " in str(fault)
        assert words in str(fault)


def test_the_secret_is_masked_where_versions_are_kept() -> None:
    text = 'alerts: {webhook: {url: "https://x.example", secret: "not-for-all"}}'
    assert masked(text) == 'alerts: {webhook: {url: "https://x.example", secret: ***}}'


def test_the_secret_shows_in_no_repr(tmp_path: Path) -> None:
    alerts = read(
        tmp_path, 'alerts: {webhook: {url: "https://x.example", secret: "not-for-all"}}'
    ).bureau.alerts
    assert "not-for-all" not in repr(alerts)
