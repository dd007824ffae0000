from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autocom.asterisk.conf import Tls, render
from tests.asterisk.host_support import bureau
from tests.asterisk.test_conf import NET, SECRETS, paths, sections

TLS = Tls(("::1", 5061), Path("/srv/tls/server.crt"), Path("/srv/tls/server.key"))


def options(title: str, kind: str | None = None, **changes: object) -> dict[str, list[str]]:
    text = render(bureau(), paths(), replace(NET, **changes), SECRETS)["pjsip.conf"]  # type: ignore[arg-type]
    return next(
        (
            found
            for name, found in sections(text)
            if name == title and (kind is None or found.get("type") == [kind])
        ),
        {},
    )


def test_tls_is_a_transport_of_its_own_with_its_certificate_and_no_version_before_1_2():
    assert options("tls") == {}
    assert options("tls", tls=TLS) == {
        "type": ["transport"], "protocol": ["tls"], "bind": ["[::1]:5061"], "method": ["tlsv1_2"],
        "cert_file": ["/srv/tls/server.crt"], "priv_key_file": ["/srv/tls/server.key"],
    }  # fmt: skip


@pytest.mark.parametrize(("srtp", "wanted"), [(False, None), (True, ["sdes"])])
def test_srtp_is_asked_of_softphones_and_never_half(srtp: bool, wanted: list[str] | None):
    phone = options("autocom-phone", srtp=srtp)
    assert phone.get("media_encryption") == wanted
    assert "media_encryption_optimistic" not in phone
    assert "media_encryption" not in options("autocom-trunk", srtp=srtp)
    assert options("autocom-web", srtp=srtp)["webrtc"] == ["yes"]


def test_only_browsers_are_offered_ice():
    for title in ("autocom-phone", "autocom-trunk"):
        assert "ice_support" not in options(title)
        assert "webrtc" not in options(title)
