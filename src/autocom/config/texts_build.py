"""`texts` of bureau.yaml as the core's values, and what is wrong with it.

Each kind of provider has keys of its own; one that another kind would ignore is a fault, as everywhere.
Must not know how texts are sent. Invariant: a provider that passes can be used as it is: what comes in by
a webhook is proved by a secret, a trunk exists and has a host. The story goes on in `texts.room`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from autocom.config.faults import doubles, suggestion
from autocom.config.wording import told
from autocom.core.texts import Texting, TextProvider

if TYPE_CHECKING:
    from autocom.config import models
    from autocom.config.document import Document
    from autocom.config.faults import Fault
    from autocom.config.shape import Sheet

SMPP_PORT: Final = 2775
_KEYS: Final = {
    "webhook": frozenset({"url", "token", "secret", "signature", "inbound_token", "fields", "media_hosts"}),
    "smpp": frozenset({"host", "tls", "user", "password"}),
    "trunk": frozenset({"trunk"}),
}
_NEEDED: Final = {"webhook": (), "smpp": ("host", "user", "password"), "trunk": ("trunk",)}
_SYSTEM_ID_AT_MOST: Final = 15  # SMPP 3.4, 5.2.1
_SMPP_PASSWORD_AT_MOST: Final = 8  # SMPP 3.4, 5.2.2
_TEXTS_AT_MOST: Final = 365 * 86400.0


def build_texts(house: models.Bureau) -> Texting:
    """The core's value."""
    written = house.texts
    hosts = {trunk.id: trunk.host for trunk in house.trunks}
    return Texting(
        providers={provider.id: _provider(provider, hosts) for provider in written.providers},
        per_client=written.limits.per_client,
        per_secretary=written.limits.per_secretary,
    )


def _provider(written: models.TextProvider, hosts: Mapping[str, str | None]) -> TextProvider:
    if written.trunk is not None:
        host, port = hosts.get(written.trunk) or "", 0
    else:
        host, port = _host_and_port(written.host or "")
    fields = written.fields.model_dump(by_alias=True, exclude_none=True) if written.fields else {}
    return TextProvider(
        id=written.id,
        kind=written.kind,
        url=written.url,
        token=written.token,
        secret=written.secret,
        signature=written.signature or "X-Signature",
        inbound_token=written.inbound_token,
        fields=fields,
        media_hosts=tuple(host.lower() for host in written.media_hosts),
        host=host,
        port=port,
        tls=written.tls,
        user=written.user or "",
        password=written.password or "",
        trunk=written.trunk,
    )


def _host_and_port(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port:
        return text.strip("[]"), SMPP_PORT
    return host.strip("[]"), int(port)


def check_texts(house: models.Bureau, document: Document) -> Iterator[Fault]:
    """Providers that could not be used as they are written."""
    providers = list(enumerate(house.texts.providers))
    ids = ((provider.id, document.at(("texts", "providers", index, "id"))) for index, provider in providers)
    yield from doubles(ids, told("provider"))
    trunks = {trunk.id: trunk for trunk in house.trunks}
    for index, provider in providers:
        yield from _keys(provider, index, document)
        if provider.trunk is None:
            continue
        where = document.at(("texts", "providers", index, "trunk"))
        trunk = trunks.get(provider.trunk)
        if trunk is None:
            near = suggestion(provider.trunk, trunks)
            yield where.fault(told("there is no trunk `{name}`{near}", name=provider.trunk, near=near))
        elif trunk.host is None:
            yield where.fault(told("trunk `{name}` has no `host`: nothing goes out by it", name=trunk.id))


def _keys(provider: models.TextProvider, index: int, document: Document) -> Iterator[Fault]:
    route = ("texts", "providers", index)
    for key in sorted(provider.model_fields_set - {"id", "kind"}):
        if key not in _KEYS[provider.kind]:
            yield document.key_at((*route, key)).fault(
                told("`{key}` means nothing to a provider of kind `{kind}`", key=key, kind=provider.kind)
            )
    for key in _NEEDED[provider.kind]:
        if getattr(provider, key) is None:
            yield document.at(route).fault(
                told("a provider of kind `{kind}` needs `{key}`", key=key, kind=provider.kind)
            )
    if provider.kind == "webhook":
        proof = provider.secret is not None, provider.inbound_token is not None
        if all(proof):
            yield document.at(route).fault(told("needs either `secret` or `inbound_token`, and not both"))
        if not any(proof) and provider.url is None:
            yield document.at(route).fault(
                told("needs `url` to send, or `secret` or `inbound_token` to receive")
            )
    if provider.kind == "smpp":
        for key, most in (("user", _SYSTEM_ID_AT_MOST), ("password", _SMPP_PASSWORD_AT_MOST)):
            if len(getattr(provider, key) or "") > most:
                yield document.at((*route, key)).fault(
                    told("SMPP allows {most} characters here at most", most=most)
                )


def check_client_texts(
    house: models.Bureau, members: Sequence[tuple[models.Client, Sheet]]
) -> Iterator[Fault]:
    """Clients whose texts go by a provider that does not exist, or that only receives; who keep them too long."""
    sending = {provider.id for provider in house.texts.providers if _provider(provider, {}).sends}
    for client, sheet in members:
        if client.texts is not None and client.texts.provider not in sending:
            near = suggestion(client.texts.provider, sending)
            yield sheet.at(("texts", "provider")).fault(
                told("no provider `{name}` sends texts{near}", name=client.texts.provider, near=near)
            )
        if (client.retention.texts or 0.0) > _TEXTS_AT_MOST:
            yield sheet.at(("retention", "texts")).fault(told("texts may be kept for 365d at most"))
