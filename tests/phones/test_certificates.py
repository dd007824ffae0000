from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from autocom.phones.certificates import DAY, WARN, CertificateFault, own, read

NOW = 1.8e9
NAMES = ("autocom.example", "192.0.2.7", "localhost")


def serial(path: Path) -> int:
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


def test_ours_is_for_every_name_from_an_authority_that_is_bound_to_them(tmp_path: Path) -> None:
    made = own(tmp_path, NAMES, NOW)
    assert made.names == NAMES
    assert made.authority
    assert 390 * DAY < made.left(NOW) < 400 * DAY
    authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert not limits.critical, "Linphone would refuse the authority"
    assert {str(each.value) for each in limits.value.permitted_subtrees or ()} == {
        "autocom.example", "192.0.2.7/32", "localhost"
    }  # fmt: skip
    chain = x509.load_pem_x509_certificates(made.certificate.read_bytes())
    verifier = PolicyBuilder().store(Store([authority])).time(chain[0].not_valid_before_utc)
    assert verifier.build_server_verifier(x509.DNSName("autocom.example")).verify(chain[0], [])
    for key in ("server.key", "authority.key"):
        assert stat.S_IMODE((tmp_path / key).stat().st_mode) == 0o600


def test_it_is_kept_until_it_is_due_and_renewed_under_the_same_authority(tmp_path: Path) -> None:
    first = own(tmp_path, NAMES, NOW)
    before, authority = serial(first.certificate), serial(tmp_path / "authority.crt")
    assert serial(own(tmp_path, NAMES, first.expires - WARN - 60).certificate) == before
    second = own(tmp_path, NAMES, first.expires - WARN + 60)
    assert serial(second.certificate) != before
    assert serial(tmp_path / "authority.crt") == authority
    fewer = own(tmp_path, NAMES[:1], NOW)
    assert fewer.names == NAMES[:1]
    assert serial(tmp_path / "authority.crt") == authority


def test_another_name_needs_another_authority(tmp_path: Path) -> None:
    own(tmp_path, NAMES, NOW)
    authority = serial(tmp_path / "authority.crt")
    assert own(tmp_path, ("telephone.example", *NAMES), NOW).names[0] == "telephone.example"
    assert serial(tmp_path / "authority.crt") != authority


@pytest.mark.parametrize("file", ["server.crt", "server.key", "authority.crt", "authority.key"])
def test_what_was_half_written_is_made_again(tmp_path: Path, file: str) -> None:
    own(tmp_path, NAMES, NOW)
    (tmp_path / file).write_text("-----BEGIN CERT")
    (tmp_path / "server.crt").unlink(missing_ok=True)
    made = own(tmp_path, NAMES, NOW)
    assert made.names == NAMES


def test_a_key_of_another_certificate_is_refused_by_name(tmp_path: Path) -> None:
    mine = own(tmp_path / "a", NAMES, NOW)
    other = own(tmp_path / "b", NAMES, NOW)
    with pytest.raises(CertificateFault, match="is not that of"):
        read(mine.certificate, other.key)
    with pytest.raises(CertificateFault, match="No such file"):
        read(tmp_path / "nothing.crt", mine.key)
    with pytest.raises(CertificateFault, match="cannot be used"):
        read(mine.key, mine.certificate)
