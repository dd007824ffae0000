"""The settings: environment variables `AUTOCOM_…`, or a `.env` file in the working folder.

Everything has a default, so `autocom up` runs on an empty environment. Must not know what the
parts do with their settings. Invariant: a bad value is one line that names the variable and says
what to write; secrets never show in a `repr`. The story goes on in `app`.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from autocom.config.say import SayCommand
from autocom.config.scalars import duration

PREFIX: Final = "AUTOCOM_"
_AMI_PORT: Final = 5038
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class SettingsError(Exception):
    """A setting that cannot be used; the message names it and says what to write."""


@dataclass(frozen=True, slots=True)
class Bind:
    """An address and a port to listen at."""

    host: str
    port: int

    def __str__(self) -> str:
        """As it is written in the environment."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class PortRange:
    """Ports, both ends included."""

    first: int
    last: int

    def __str__(self) -> str:
        """As it is written in the environment."""
        return f"{self.first}-{self.last}"


def _bind(value: object) -> Bind:
    if isinstance(value, Bind):
        return value
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):([0-9]{1,5})", str(value))
    if match is None or not 0 < int(match.group(3)) < 65536:
        raise ValueError("write an address and a port, as 127.0.0.1:8080")
    host = match.group(1) or match.group(2)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if host != "localhost":
            raise ValueError("write an address (not a name) and a port, as 127.0.0.1:8080") from None
        host = "127.0.0.1"
    return Bind(host, int(match.group(3)))


def _ports(value: object) -> PortRange:
    if isinstance(value, PortRange):
        return value
    match = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", str(value))
    if match is None or not 1024 <= int(match.group(1)) < int(match.group(2)) < 65536:
        raise ValueError("write the first and the last port, as 10000-10999")
    if int(match.group(2)) - int(match.group(1)) < 3:
        raise ValueError("a call takes four ports: write at least four, as 10000-10999")
    return PortRange(int(match.group(1)), int(match.group(2)))


def _seconds(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    try:
        return duration(str(value))
    except ValueError:
        raise ValueError("write a duration, as 10s or 2m") from None


def _say(value: str | None) -> str | None:
    if value:
        try:
            SayCommand(value)
        except ValueError as error:
            raise ValueError(
                f"{error}: write a command as `pico2wave -l {{language}}-FR -w {{out}} {{text}}`"
            ) from None
    return value or None


def _ari_url(value: str | None) -> str | None:
    if value and not re.fullmatch(r"https?://[^\s/:]+(?::[0-9]{1,5})?(?:/\S*)?", value):
        raise ValueError("write the address of Asterisk's HTTP server, as http://127.0.0.1:8088")
    return value.rstrip("/") if value else None


def _database_url(value: str | None) -> str | None:
    if value and not re.match(r"postgres(?:ql)?(?:\+[a-z0-9_]+)?://", value):
        raise ValueError("write a PostgreSQL address, as postgresql+psycopg://user:password@host/database")
    return value or None


def _address(value: str | None) -> str | None:
    if value and not re.fullmatch(r"[^@\s<>,;\"]+@[A-Za-z0-9.-]+", value):
        raise ValueError("write the address that mail comes from, as secretariat@bureau.example")
    return value or None


def _gateway(value: str | None) -> str | None:
    if value and not re.fullmatch(r"https?://[^\s/]+(?:/\S*)?", value):
        raise ValueError("write the address that texts are posted to, as https://sms.operator.example/send")
    return value or None


def _host(value: str | None) -> str | None:
    if value and not re.fullmatch(
        r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9a-fA-F:]*:[0-9a-fA-F:]+", value
    ):
        raise ValueError(
            "write the name or the address by which phones reach this machine, as autocom.bureau.example"
        )
    return value or None


def _recording_key(value: str | None) -> str | None:
    if value and not all(re.fullmatch(r"[A-Za-z0-9+/]{43}=", word) for word in re.split(r"[\s,]+", value)):
        raise ValueError(
            "write 32 bytes in base64, as `openssl rand -base64 32` makes them; the newest first"
        )
    return value or None


def _url(value: str | None) -> str | None:
    if value and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+/?", value):
        raise ValueError(
            "write the address by which browsers reach our pages, as https://autocom.bureau.example"
        )
    return value.rstrip("/") if value else None


def _pem(value: Path | None) -> Path | None:
    if value is None:
        return None
    try:
        text = value.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise ValueError(f"{value} cannot be read: {error.strerror}") from None
    if "-----BEGIN " not in text:
        raise ValueError(f"{value} is no PEM file")
    return value.absolute()


BindSetting = Annotated[Bind, NoDecode, BeforeValidator(_bind)]
PortsSetting = Annotated[PortRange, NoDecode, BeforeValidator(_ports)]


class Settings(BaseSettings):
    """What the environment says. Make it with `Settings.read()`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    config: Path = Path("config")
    state: Path = Path("var")
    database_url: Annotated[str | None, AfterValidator(_database_url)] = Field(default=None, repr=False)
    ari_url: Annotated[str | None, AfterValidator(_ari_url)] = None
    ari_user: str | None = None
    ari_password: str | None = Field(default=None, repr=False)
    ami_host: str | None = None
    ami_port: int = Field(default=_AMI_PORT, ge=1, le=65535)
    ami_user: str | None = None
    ami_password: str | None = Field(default=None, repr=False)
    sip_bind: BindSetting = Bind("127.0.0.1", 5060)
    rtp_ports: PortsSetting = PortRange(10000, 10999)
    http_bind: BindSetting = Bind("127.0.0.1", 8080)
    agi_bind: BindSetting = Bind("127.0.0.1", 4573)
    host: Annotated[str | None, AfterValidator(_host)] = None
    url: Annotated[str | None, AfterValidator(_url)] = None
    sip_tls_bind: BindSetting | None = None
    https_bind: BindSetting | None = None
    tls_cert: Annotated[Path | None, AfterValidator(_pem)] = None
    tls_key: Annotated[Path | None, AfterValidator(_pem)] = None
    srtp: Literal["off", "required"] = "off"
    log: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] | None = None
    drain: Annotated[float, NoDecode, BeforeValidator(_seconds)] = 10.0
    language: Literal["fr", "en"] | None = None
    smtp_host: str | None = None
    smtp_port: int | None = Field(default=None, ge=1, le=65535)
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: str | None = Field(default=None, repr=False)
    smtp_from: Annotated[str | None, AfterValidator(_address)] = None
    sms_url: Annotated[str | None, AfterValidator(_gateway)] = Field(default=None, repr=False)
    sms_token: str | None = Field(default=None, repr=False)
    say: Annotated[str | None, AfterValidator(_say)] = None
    recording_key: Annotated[str | None, AfterValidator(_recording_key)] = Field(default=None, repr=False)

    @classmethod
    def read(cls, env_file: Path | None = Path(".env")) -> Settings:
        """Of the environment and the `.env` file; SettingsError where one is no good.

        `log_format` None means: console on a terminal, json elsewhere."""
        try:
            settings = cls(_env_file=env_file)
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False)[0]
            name = PREFIX + "_".join(str(part) for part in detail["loc"][:1]).upper()
            raise SettingsError(
                f"{name}: {_words(detail['type'], detail['msg'], detail.get('ctx', {}))}"
            ) from None
        except UnicodeDecodeError:
            raise SettingsError(f"{env_file}: this file is not UTF-8: save it in UTF-8") from None
        except OSError as error:  # started in a folder that this user may not look into
            raise SettingsError(
                f"{env_file} cannot be read in {Path.cwd()} ({error.strerror}): `cd /` first"
            ) from None
        settings._check_together()
        return settings

    def _check_together(self) -> None:
        if bool(self.tls_cert) != bool(self.tls_key):
            missing, given = ("KEY", "CERT") if self.tls_cert else ("CERT", "KEY")
            raise SettingsError(f"{PREFIX}TLS_{missing}: needed beside {PREFIX}TLS_{given}")
        if self.srtp == "required" and self.sip_tls_bind is None:
            raise SettingsError(
                f"{PREFIX}SRTP: required needs {PREFIX}SIP_TLS_BIND: over UDP the keys would travel in the clear"
            )
        if self.ari_url and not (self.ari_user and self.ari_password):
            missing = "ARI_PASSWORD" if self.ari_user else "ARI_USER"
            raise SettingsError(
                f"{PREFIX}{missing}: needed beside {PREFIX}ARI_URL: write what Asterisk's ari.conf says"
            )
        if self.ami_host and not (self.ami_user and self.ami_password):
            missing = "AMI_PASSWORD" if self.ami_user else "AMI_USER"
            raise SettingsError(
                f"{PREFIX}{missing}: needed beside {PREFIX}AMI_HOST: write what manager.conf says"
            )
        if self.smtp_host and not self.smtp_from:
            raise SettingsError(
                f"{PREFIX}SMTP_FROM: needed beside {PREFIX}SMTP_HOST: write the address that mail comes from"
            )
        if bool(self.smtp_user) != bool(self.smtp_password):
            missing, given = ("PASSWORD", "USER") if self.smtp_user else ("USER", "PASSWORD")
            raise SettingsError(f"{PREFIX}SMTP_{missing}: needed beside {PREFIX}SMTP_{given}")
        if self.smtp_user and self.smtp_tls == "none" and self.smtp_host not in _LOOPBACK:
            raise SettingsError(
                f"{PREFIX}SMTP_TLS: none would send the password in the clear: write starttls or tls"
            )


def _words(kind: str, message: str, context: dict[str, Any]) -> str:
    if kind == "literal_error":
        return f"write one of {str(context.get('expected', '')).replace(chr(39), '')}"
    if kind.startswith("int_") or kind in ("greater_than_equal", "less_than_equal"):
        return "write a port number, as 5038"
    if kind == "value_error" and "error" in context:
        return str(context["error"])
    return message
