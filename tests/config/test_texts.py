"""`texts`: providers of each kind, what is wrong with them, and secrets that are never said again."""

from __future__ import annotations

import pytest

from autocom.config import ConfigurationRefused
from autocom.exchange import masked

from .conftest import BUREAU, load

WEBHOOK = '{id: op, kind: webhook, url: "https://sms.example/send", secret: hush-hush}'
NUMBERS = '[{did: "+33199001001"}]'


def bureau(*providers: str, more: str = "") -> str:
    written = "".join(f"    - {provider}\n" for provider in providers)
    return BUREAU + f"texts:\n  providers:\n{written}{more}"


def test_providers_of_every_kind(desk):
    desk.write(
        "bureau.yaml",
        bureau(
            WEBHOOK,
            '{id: in-only, kind: webhook, inbound_token: "token-token", fields: {id: data.ref, from: who}}',
            '{id: smsc, kind: smpp, host: "SMSC.example:2776", tls: true, user: us, password: secret12}',
            '{id: six, kind: smpp, host: "[2001:db8::1]", user: us, password: secret12}',
            "{id: sip, kind: trunk, trunk: operator}",
            more="  limits: {per_client: 5, per_secretary: 3}\n",
        ),
    )
    desk.client(texts="{provider: smsc}", retention="{texts: 7d}")
    configuration = desk.load().configuration
    texts = configuration.texts
    assert list(texts.providers) == ["op", "in-only", "smsc", "six", "sip"]
    assert [provider.sends for provider in texts.providers.values()] == [True, False, True, True, True]
    assert (texts.providers["smsc"].host, texts.providers["smsc"].port) == ("SMSC.example", 2776)
    assert (texts.providers["six"].host, texts.providers["six"].port) == ("2001:db8::1", 2775)
    assert (texts.providers["sip"].trunk, texts.providers["sip"].host) == ("operator", "sip.operator.example")
    assert texts.providers["in-only"].fields == {"id": "data.ref", "from": "who"}
    assert (texts.per_client, texts.per_secretary) == (5, 3)
    lilas = configuration.clients["cab-lilas"]
    assert (lilas.texts_by, lilas.retention_texts) == ("smsc", 7 * 86400.0)


def test_without_texts_there_are_limits_and_nobody_to_send_by(desk):
    desk.write("bureau.yaml", BUREAU)
    desk.client()
    texts = desk.load().configuration.texts
    assert (dict(texts.providers), texts.per_client) == ({}, 60)


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        ("{id: x, kind: webhook}", "needs `url` to send, or `secret` or `inbound_token` to receive"),
        (
            "{id: x, kind: webhook, secret: hush-hush, inbound_token: token-token}",
            "needs either `secret` or `inbound_token`, and not both",
        ),
        (
            '{id: x, kind: webhook, url: "https://x/", user: us}',
            "`user` means nothing to a provider of kind `webhook`",
        ),
        ("{id: x, kind: smpp, host: smsc.example, user: us}", "a provider of kind `smpp` needs `password`"),
        (
            "{id: x, kind: smpp, host: smsc.example, user: us, password: nine-long}",
            "SMPP allows 8 characters here at most",
        ),
        ("{id: x, kind: trunk}", "a provider of kind `trunk` needs `trunk`"),
        ("{id: x, kind: trunk, trunk: operatr}", "there is no trunk `operatr`: did you mean `operator`?"),
        ("{id: x, kind: pigeon}", "pigeon"),
        ('{id: x, kind: webhook, url: "https://x/", secret: "a b c d"}', "a secret has 6 to 256"),
        ('{id: x, kind: webhook, url: "https://x/", fields: {id: "a b"}}', "the name of a field"),
        ('{id: x, kind: webhook, url: "https://x/", signature: "X Y"}', "the name of a header"),
        ('{id: x, kind: webhook, url: "https://x/", colour: red}', "colour"),
    ],
)
def test_what_could_not_work_is_refused_where_it_stands(desk, provider, said):
    desk.write("bureau.yaml", bureau(provider))
    desk.client()
    with pytest.raises(ConfigurationRefused) as refused:
        desk.load()
    (fault,) = refused.value.faults
    assert said in str(fault)
    assert "bureau.yaml:" in str(fault)


def test_two_providers_of_one_name_and_a_trunk_without_a_host(desk):
    text = bureau(WEBHOOK, WEBHOOK, "{id: sip, kind: trunk, trunk: operator}")
    desk.write("bureau.yaml", text.replace(", host: sip.operator.example", ""))
    desk.client()
    with pytest.raises(ConfigurationRefused) as refused:
        desk.load()
    said = [fault.message for fault in refused.value.faults]
    assert said == [
        "provider `op` stands twice; the first is in line 19",
        "trunk `operator` has no `host`: nothing goes out by it",
    ]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"texts": "{provider: opp}"}, "no provider `opp` sends texts: did you mean `op`?"),
        ({"texts": "{provider: in-only}"}, "no provider `in-only` sends texts"),
        ({"retention": "{texts: 366d}"}, "texts may be kept for 365d at most"),
    ],
)
def test_a_clients_texts_go_by_a_provider_that_sends_and_are_not_kept_for_ever(desk, keys, said):
    desk.write("bureau.yaml", bureau(WEBHOOK, "{id: in-only, kind: webhook, inbound_token: token-token}"))
    desk.client(**keys)
    with pytest.raises(ConfigurationRefused) as refused:
        desk.load()
    (fault,) = refused.value.faults
    assert said in fault.message


def test_a_secret_is_never_said_again(desk):
    secret = "wh isper"
    desk.write("bureau.yaml", bureau(f'{{id: x, kind: webhook, secret: "{secret}"}}'))
    desk.client()
    with pytest.raises(ConfigurationRefused) as refused:
        desk.load()
    assert secret not in str(refused.value)
    written = bureau(WEBHOOK, '{id: b, kind: webhook, "inbound_token": "token-token", token: \'abc def\'}')
    assert not any(word in masked(written) for word in ("hush-hush", "token-token", "abc", "lea-demo"))
    desk.write("bureau.yaml", bureau(WEBHOOK))
    assert "hush" not in repr(load(desk.folder, None, 2026).configuration)
