from __future__ import annotations

import configparser
import xml.etree.ElementTree as ET

import pytest
from baresip.config import Account as BaresipAccount
from hypothesis import given
from hypothesis import strategies as st

from autocom.core.accounts import EXPIRES, Account, ha1
from autocom.phones.files import CLIENTS, Unwritable, baresip, encoded, linphone, microsip, settings, sheet

LEA = Account("lea", "Léa Martin", "201", "lea-fiction", "autocom.example", 5060)
SAFE = Account("lea", "Léa Martin", "201", "lea-fiction", "2001:db8::7", 5061, "tls", srtp=True)
NAMESPACE = "{http://www.linphone.org/xsds/lpconfig.xsd}"


def entries(xml: str) -> dict[str, dict[str, str]]:
    root = ET.fromstring(xml)  # noqa: S314 - our own
    return {
        section.get("name", ""): {entry.get("name", ""): entry.text or "" for entry in section}
        for section in root.iter(f"{NAMESPACE}section")
    }


def test_baresip_reads_the_account_line_as_its_own_library_writes_it() -> None:
    line = baresip(LEA)["accounts"].strip()
    library = BaresipAccount(
        "lea",
        "autocom.example:5060",
        "lea-fiction",
        reg_interval=EXPIRES,
        audio_codecs=("pcma", "pcmu"),
        auth_user="lea",
    ).aor()
    address, _, parameters = line.partition(">;")
    assert address == '"Léa Martin" <sip:lea@autocom.example:5060;transport=udp'
    assert set(parameters.split(";")) == set(library.partition(">;")[2].split(";"))


def test_with_srtp_every_client_is_told_to_insist_on_it() -> None:
    assert "mediaenc=srtp-mand" in baresip(SAFE)["accounts"]
    assert "<sip:lea@[2001:db8::7]:5061;transport=tls>" in baresip(SAFE)["accounts"]
    assert "SRTP=mandatory" in microsip(SAFE)["MicroSIP.ini"]
    assert entries(linphone(SAFE))["sip"]["media_encryption_mandatory"] == "1"
    assert settings(SAFE)["srtp"] == "required (SDES)"


def test_linphone_gets_the_digest_and_not_the_password_and_forgets_where_it_came_from() -> None:
    found = entries(linphone(LEA))
    assert found["auth_info_0"]["ha1"] == ha1("lea", "lea-fiction")
    assert "lea-fiction" not in linphone(LEA)
    assert found["misc"]["transient_provisioning"] == "1"
    assert found["proxy_0"]["reg_proxy"] == "<sip:autocom.example:5060;transport=udp>"


def test_microsip_finds_its_account_in_a_file_that_windows_reads_as_unicode() -> None:
    raw = encoded("MicroSIP.ini", microsip(LEA)["MicroSIP.ini"])
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(raw.decode("utf-16"))
    account = dict(parser["Account1"])
    assert (account["username"], account["password"], account["displayName"]) == (
        "lea",
        "lea-fiction",
        "Léa Martin",
    )
    assert parser["Settings"]["accountId"] == "1"


def test_the_sheet_says_everything_a_person_types_and_hides_the_password_on_demand() -> None:
    assert "autocom.example" in sheet(LEA)
    assert "lea-fiction" in sheet(LEA, "fr")
    hidden = sheet(LEA, "fr", password="********")
    assert "lea-fiction" not in hidden
    assert "mot de passe                     ********" in hidden


@pytest.mark.parametrize("password", ['with"quote', "with\\backslash", "line\nend"])
def test_a_password_that_a_format_would_misread_is_refused_in_words(password: str) -> None:
    with pytest.raises(Unwritable, match="password"):
        baresip(Account("lea", "Léa", "201", password, "autocom.example", 5060))


@given(name=st.text(max_size=30), password=st.text(min_size=1, max_size=30))
def test_no_value_ends_its_line_or_its_element(name: str, password: str) -> None:
    account = Account("lea", name, "201", password, "autocom.example", 5060)
    plain = Account("lea", "x", "201", "x", "autocom.example", 5060)
    for write in CLIENTS.values():
        try:
            files = write(account)
        except Unwritable:
            continue
        for file, content in files.items():
            assert len(content.split("\n")) == len(write(plain)[file].split("\n"))
    try:
        xml = linphone(account)
    except Unwritable:
        return
    assert set(entries(xml)) == set(entries(linphone(plain)))
