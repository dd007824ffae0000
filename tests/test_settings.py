from __future__ import annotations

from pathlib import Path

import pytest

from autocom.settings import Bind, PortRange, Settings, SettingsError


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch, tmp_path):
    import os

    for name in list(os.environ):
        if name.startswith("AUTOCOM_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_an_empty_environment_gives_the_defaults_of_the_contract():
    settings = Settings.read()
    assert (settings.config, settings.state) == (Path("config"), Path("var"))
    assert settings.database_url is None
    assert settings.ari_url is None
    assert (settings.sip_bind, settings.http_bind) == (Bind("127.0.0.1", 5060), Bind("127.0.0.1", 8080))
    assert (settings.agi_bind, settings.rtp_ports) == (Bind("127.0.0.1", 4573), PortRange(10000, 10999))
    assert (settings.log, settings.drain, settings.say) == ("info", 10.0, None)


def test_the_environment_goes_before_the_env_file_and_an_empty_value_is_none(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("AUTOCOM_STATE=from-file\nAUTOCOM_CONFIG=from-file\nAUTOCOM_SAY=\n")
    monkeypatch.setenv("AUTOCOM_STATE", "from-environment")
    monkeypatch.setenv("AUTOCOM_DATABASE_URL", "")
    settings = Settings.read()
    assert (settings.config, settings.state) == (Path("from-file"), Path("from-environment"))
    assert (settings.say, settings.database_url) == (None, None)


def test_every_setting_is_read(monkeypatch):
    for name, value in {
        "DATABASE_URL": "postgresql+psycopg://u:p@127.0.0.1/x", "ARI_URL": "http://127.0.0.1:8088/",
        "ARI_USER": "a", "ARI_PASSWORD": "b", "AMI_HOST": "127.0.0.1", "AMI_PORT": "5039", "AMI_USER": "c",
        "AMI_PASSWORD": "d", "SIP_BIND": "[::1]:5061", "RTP_PORTS": "20000-20099", "HTTP_BIND": "0.0.0.0:80",
        "AGI_BIND": "localhost:4574", "LOG": "debug", "LOG_FORMAT": "json", "DRAIN": "1500ms",
        "SAY": "speak -o {out} {text}",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"AUTOCOM_{name}", value)
    settings = Settings.read()
    assert settings.ari_url == "http://127.0.0.1:8088"
    assert (settings.ami_port, settings.sip_bind, settings.agi_bind) == (
        5039,
        Bind("::1", 5061),
        Bind("127.0.0.1", 4574),
    )
    assert str(settings.sip_bind) == "[::1]:5061"
    assert (settings.rtp_ports, settings.drain, settings.log_format) == (PortRange(20000, 20099), 1.5, "json")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SIP_BIND", "5060", "write an address and a port, as 127.0.0.1:8080"),
        ("SIP_BIND", "127.0.0.1:99999", "write an address and a port"),
        ("HTTP_BIND", "example.org:80", "write an address (not a name) and a port"),
        ("AGI_BIND", "127.0.0.1:", "write an address and a port"),
        ("RTP_PORTS", "10000", "write the first and the last port, as 10000-10999"),
        ("RTP_PORTS", "20000-10000", "write the first and the last port"),
        ("RTP_PORTS", "10000-10001", "write at least four"),
        ("AMI_PORT", "x", "write a port number, as 5038"),
        ("AMI_PORT", "70000", "write a port number"),
        ("LOG", "loud", "write one of debug, info, warning or error"),
        ("LOG_FORMAT", "xml", "write one of json or console"),
        ("DRAIN", "10", "write a duration, as 10s or 2m"),
        ("DATABASE_URL", "mysql://x", "write a PostgreSQL address"),
        ("ARI_URL", "127.0.0.1:8088", "write the address of Asterisk's HTTP server"),
        ("SAY", "speak {text}", "the command needs {out}: write a command as"),
        ("ARI_URL", "http://127.0.0.1:8088", "needed beside AUTOCOM_ARI_URL"),
        ("AMI_HOST", "127.0.0.1", "needed beside AUTOCOM_AMI_HOST"),
        ("SMTP_HOST", "mail.example", "needed beside AUTOCOM_SMTP_HOST"),
        ("SMTP_USER", "bureau", "needed beside AUTOCOM_SMTP_USER"),
        ("SMTP_PASSWORD", "x", "needed beside AUTOCOM_SMTP_PASSWORD"),
        ("SMTP_PORT", "smtp", "write a port number"),
        ("SMTP_TLS", "ssl", "write one of starttls, tls or none"),
        ("SMTP_FROM", "Secrétariat", "write the address that mail comes from"),
        ("SMTP_FROM", "a@b.example\nBcc: c@d.example", "write the address that mail comes from"),
        ("SIP_TLS_BIND", "5061", "write an address and a port"),
        ("HTTPS_BIND", "autocom.example:8443", "write an address (not a name) and a port"),
        ("HOST", "autocom example", "write the name or the address by which phones reach this machine"),
        ("URL", "autocom.example", "write the address by which browsers reach our pages"),
        ("TLS_CERT", "/nowhere.crt", "/nowhere.crt cannot be read: No such file"),
        ("TLS_KEY", "/dev/null", "is no PEM file"),
        ("SRTP", "required", "required needs AUTOCOM_SIP_TLS_BIND"),
        ("SRTP", "on", "write one of off or required"),
        ("SMS_URL", "sms.example/send", "write the address that texts are posted to"),
        ("RECORDING_KEY", "secret", "write 32 bytes in base64"),
        ("RECORDING_KEY", "A" * 43 + "=, x", "the newest first"),
    ],
)
def test_a_bad_setting_is_one_line_that_names_it_and_says_what_to_write(monkeypatch, name, value, words):
    monkeypatch.setenv(f"AUTOCOM_{name}", value)
    with pytest.raises(SettingsError) as refusal:
        Settings.read()
    message = str(refusal.value)
    assert words in message
    assert message.startswith("AUTOCOM_")
    assert message.split(":", maxsplit=1)[0].startswith(f"AUTOCOM_{name.split('_')[0]}")
    assert "\n" not in message


def test_a_mail_password_is_not_sent_in_the_clear_but_to_this_machine(monkeypatch):
    for name, value in {
        "SMTP_HOST": "mail.example", "SMTP_FROM": "a@b.example", "SMTP_USER": "a", "SMTP_PASSWORD": "b",
        "SMTP_TLS": "none",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"AUTOCOM_{name}", value)
    with pytest.raises(SettingsError, match="SMTP_TLS: none would send the password in the clear"):
        Settings.read()
    monkeypatch.setenv("AUTOCOM_SMTP_HOST", "127.0.0.1")
    assert Settings.read().smtp_tls == "none"


def test_a_certificate_needs_its_key_and_both_are_whole_paths(monkeypatch, tmp_path):
    (tmp_path / "a.pem").write_text("-----BEGIN CERTIFICATE-----")
    monkeypatch.setenv("AUTOCOM_TLS_CERT", "a.pem")
    with pytest.raises(SettingsError, match="TLS_KEY: needed beside AUTOCOM_TLS_CERT"):
        Settings.read()
    monkeypatch.setenv("AUTOCOM_TLS_KEY", "a.pem")
    assert Settings.read().tls_key == tmp_path / "a.pem"


def test_secrets_never_show(monkeypatch):
    monkeypatch.setenv("AUTOCOM_SMTP_USER", "u")
    monkeypatch.setenv("AUTOCOM_SMS_URL", "https://sms.example/send?key=canary-secret")
    monkeypatch.setenv("AUTOCOM_RECORDING_KEY", "canary+" + "A" * 36 + "=")
    for name in ("ARI_PASSWORD", "AMI_PASSWORD", "SMTP_PASSWORD", "SMS_TOKEN"):
        monkeypatch.setenv(f"AUTOCOM_{name}", "canary-secret")
    monkeypatch.setenv("AUTOCOM_DATABASE_URL", "postgresql://u:canary-secret@127.0.0.1/x")
    assert "canary" not in repr(Settings.read())
    monkeypatch.setenv("AUTOCOM_DATABASE_URL", "mysql://u:canary-secret@127.0.0.1/x")
    with pytest.raises(SettingsError) as refusal:
        Settings.read()
    assert "canary" not in str(refusal.value)


def test_a_folder_that_this_user_may_not_look_into_is_said(monkeypatch, tmp_path):
    def refused(_):
        raise PermissionError(13, "Permission denied")  # as /root for `sudo -u autocom`

    monkeypatch.setattr(Path, "is_file", refused)
    with pytest.raises(SettingsError, match=rf"\.env cannot be read in {tmp_path} .*: `cd /` first"):
        Settings.read()


def test_an_env_file_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / ".env").write_bytes(b"AUTOCOM_STATE=\xe9\n")
    with pytest.raises(SettingsError, match="not UTF-8"):
        Settings.read()
