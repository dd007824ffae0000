"""ARI's events, models and operations, typed. Made by `tools/generate_ari.py`: do not edit.

From the Swagger files of Asterisk 22.10.1 (109 operations, 85 models). Unknown event
types and unknown fields are tolerated; an optional field that is missing is None; a required one
that is missing is a KeyError (see `parse_message`). Who sends the requests is `client.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from aiohttp import ClientWebSocketResponse

ASTERISK_VERSION = "22.10.1"

Query = Mapping[str, str | int | bool | Sequence[str] | None]


class Transport(Protocol):
    """What carries a request to Asterisk: paths are below `/ari`, None in a query is left out."""

    async def call(self, method: str, path: str, query: Query, body: object = None) -> Any:
        """The decoded JSON answer, None where there is none."""
        ...

    async def download(self, path: str) -> bytes:
        """A binary answer."""
        ...

    async def upgrade(self, path: str, query: Query) -> ClientWebSocketResponse:
        """A web socket."""
        ...


def _seg(value: str) -> str:
    # unquoted, `a/../b` would be another path; empty, another operation (DELETE /channels/ + id)
    if value in ("", ".", ".."):
        raise ValueError(f"not a path segment: {value!r}")
    return quote(value, safe="")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditionalParam:
    """ARI's AdditionalParam."""

    parameter_name: str
    parameter_value: str

    @classmethod
    def from_json(cls, raw: Any) -> AdditionalParam:
        """From decoded JSON."""
        return cls(
            parameter_name=raw["parameter_name"],
            parameter_value=raw["parameter_value"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """ARI's Application."""

    name: str
    channel_ids: tuple[str, ...]
    bridge_ids: tuple[str, ...]
    endpoint_ids: tuple[str, ...]
    device_names: tuple[str, ...]
    events_allowed: tuple[Any, ...]
    events_disallowed: tuple[Any, ...]

    @classmethod
    def from_json(cls, raw: Any) -> Application:
        """From decoded JSON."""
        return cls(
            name=raw["name"],
            channel_ids=tuple(raw["channel_ids"]),
            bridge_ids=tuple(raw["bridge_ids"]),
            endpoint_ids=tuple(raw["endpoint_ids"]),
            device_names=tuple(raw["device_names"]),
            events_allowed=tuple(raw["events_allowed"]),
            events_disallowed=tuple(raw["events_disallowed"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskInfo:
    """ARI's AsteriskInfo."""

    build: BuildInfo | None
    system: SystemInfo | None
    config: ConfigInfo | None
    status: StatusInfo | None

    @classmethod
    def from_json(cls, raw: Any) -> AsteriskInfo:
        """From decoded JSON."""
        return cls(
            build=None if (v_ := raw.get("build")) is None else BuildInfo.from_json(v_),
            system=None if (v_ := raw.get("system")) is None else SystemInfo.from_json(v_),
            config=None if (v_ := raw.get("config")) is None else ConfigInfo.from_json(v_),
            status=None if (v_ := raw.get("status")) is None else StatusInfo.from_json(v_),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskPing:
    """ARI's AsteriskPing."""

    asterisk_id: str
    ping: str
    timestamp: str

    @classmethod
    def from_json(cls, raw: Any) -> AsteriskPing:
        """From decoded JSON."""
        return cls(
            asterisk_id=raw["asterisk_id"],
            ping=raw["ping"],
            timestamp=raw["timestamp"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """ARI's Bridge."""

    id: str
    technology: str
    bridge_type: str
    bridge_class: str
    creator: str
    name: str
    channels: tuple[str, ...]
    video_mode: str | None
    video_source_id: str | None
    creationtime: str
    bridgevars: Any

    @classmethod
    def from_json(cls, raw: Any) -> Bridge:
        """From decoded JSON."""
        return cls(
            id=raw["id"],
            technology=raw["technology"],
            bridge_type=raw["bridge_type"],
            bridge_class=raw["bridge_class"],
            creator=raw["creator"],
            name=raw["name"],
            channels=tuple(raw["channels"]),
            video_mode=raw.get("video_mode"),
            video_source_id=raw.get("video_source_id"),
            creationtime=raw["creationtime"],
            bridgevars=raw.get("bridgevars"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInfo:
    """ARI's BuildInfo."""

    os: str
    kernel: str
    options: str
    machine: str
    date: str
    user: str

    @classmethod
    def from_json(cls, raw: Any) -> BuildInfo:
        """From decoded JSON."""
        return cls(
            os=raw["os"],
            kernel=raw["kernel"],
            options=raw["options"],
            machine=raw["machine"],
            date=raw["date"],
            user=raw["user"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerID:
    """ARI's CallerID."""

    name: str
    number: str

    @classmethod
    def from_json(cls, raw: Any) -> CallerID:
        """From decoded JSON."""
        return cls(
            name=raw["name"],
            number=raw["number"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """ARI's Channel."""

    id: str
    protocol_id: str
    name: str
    state: str
    caller: CallerID
    connected: CallerID
    accountcode: str
    dialplan: DialplanCEP
    creationtime: str
    language: str
    channelvars: Any
    caller_rdnis: str | None
    tenantid: str | None

    @classmethod
    def from_json(cls, raw: Any) -> Channel:
        """From decoded JSON."""
        return cls(
            id=raw["id"],
            protocol_id=raw["protocol_id"],
            name=raw["name"],
            state=raw["state"],
            caller=CallerID.from_json(raw["caller"]),
            connected=CallerID.from_json(raw["connected"]),
            accountcode=raw["accountcode"],
            dialplan=DialplanCEP.from_json(raw["dialplan"]),
            creationtime=raw["creationtime"],
            language=raw["language"],
            channelvars=raw.get("channelvars"),
            caller_rdnis=raw.get("caller_rdnis"),
            tenantid=raw.get("tenantid"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigInfo:
    """ARI's ConfigInfo."""

    name: str
    default_language: str
    max_channels: int | None
    max_open_files: int | None
    max_load: float | None
    setid: SetId

    @classmethod
    def from_json(cls, raw: Any) -> ConfigInfo:
        """From decoded JSON."""
        return cls(
            name=raw["name"],
            default_language=raw["default_language"],
            max_channels=raw.get("max_channels"),
            max_open_files=raw.get("max_open_files"),
            max_load=raw.get("max_load"),
            setid=SetId.from_json(raw["setid"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigTuple:
    """ARI's ConfigTuple."""

    attribute: str
    value: str

    @classmethod
    def from_json(cls, raw: Any) -> ConfigTuple:
        """From decoded JSON."""
        return cls(
            attribute=raw["attribute"],
            value=raw["value"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactInfo:
    """ARI's ContactInfo."""

    uri: str
    contact_status: str
    aor: str
    roundtrip_usec: str | None

    @classmethod
    def from_json(cls, raw: Any) -> ContactInfo:
        """From decoded JSON."""
        return cls(
            uri=raw["uri"],
            contact_status=raw["contact_status"],
            aor=raw["aor"],
            roundtrip_usec=raw.get("roundtrip_usec"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """ARI's DeviceState."""

    name: str
    state: str

    @classmethod
    def from_json(cls, raw: Any) -> DeviceState:
        """From decoded JSON."""
        return cls(
            name=raw["name"],
            state=raw["state"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialed:
    """ARI's Dialed."""

    @classmethod
    def from_json(cls, raw: Any) -> Dialed:
        """From decoded JSON."""
        return cls()


@dataclass(frozen=True, slots=True, kw_only=True)
class DialplanCEP:
    """ARI's DialplanCEP."""

    context: str
    exten: str
    priority: int
    app_name: str
    app_data: str

    @classmethod
    def from_json(cls, raw: Any) -> DialplanCEP:
        """From decoded JSON."""
        return cls(
            context=raw["context"],
            exten=raw["exten"],
            priority=raw["priority"],
            app_name=raw["app_name"],
            app_data=raw["app_data"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """ARI's Endpoint."""

    technology: str
    resource: str
    state: str | None
    channel_ids: tuple[str, ...]

    @classmethod
    def from_json(cls, raw: Any) -> Endpoint:
        """From decoded JSON."""
        return cls(
            technology=raw["technology"],
            resource=raw["resource"],
            state=raw.get("state"),
            channel_ids=tuple(raw["channel_ids"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatLangPair:
    """ARI's FormatLangPair."""

    language: str
    format: str

    @classmethod
    def from_json(cls, raw: Any) -> FormatLangPair:
        """From decoded JSON."""
        return cls(
            language=raw["language"],
            format=raw["format"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRecording:
    """ARI's LiveRecording."""

    name: str
    format: str
    target_uri: str
    state: str
    duration: int | None
    talking_duration: int | None
    silence_duration: int | None
    cause: str | None

    @classmethod
    def from_json(cls, raw: Any) -> LiveRecording:
        """From decoded JSON."""
        return cls(
            name=raw["name"],
            format=raw["format"],
            target_uri=raw["target_uri"],
            state=raw["state"],
            duration=raw.get("duration"),
            talking_duration=raw.get("talking_duration"),
            silence_duration=raw.get("silence_duration"),
            cause=raw.get("cause"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChannel:
    """ARI's LogChannel."""

    channel: str
    type: str
    status: str
    configuration: str

    @classmethod
    def from_json(cls, raw: Any) -> LogChannel:
        """From decoded JSON."""
        return cls(
            channel=raw["channel"],
            type=raw["type"],
            status=raw["status"],
            configuration=raw["configuration"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """ARI's Mailbox."""

    name: str
    old_messages: int
    new_messages: int

    @classmethod
    def from_json(cls, raw: Any) -> Mailbox:
        """From decoded JSON."""
        return cls(
            name=raw["name"],
            old_messages=raw["old_messages"],
            new_messages=raw["new_messages"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """ARI's Message."""

    type: str
    asterisk_id: str | None

    @classmethod
    def from_json(cls, raw: Any) -> Message:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """ARI's Module."""

    name: str
    description: str
    use_count: int
    status: str
    support_level: str

    @classmethod
    def from_json(cls, raw: Any) -> Module:
        """From decoded JSON."""
        return cls(
            name=raw["name"],
            description=raw["description"],
            use_count=raw["use_count"],
            status=raw["status"],
            support_level=raw["support_level"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """ARI's Peer."""

    peer_status: str
    cause: str | None
    address: str | None
    port: str | None
    time: str | None

    @classmethod
    def from_json(cls, raw: Any) -> Peer:
        """From decoded JSON."""
        return cls(
            peer_status=raw["peer_status"],
            cause=raw.get("cause"),
            address=raw.get("address"),
            port=raw.get("port"),
            time=raw.get("time"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """ARI's Playback."""

    id: str
    media_uri: str
    next_media_uri: str | None
    target_uri: str
    language: str | None
    state: str

    @classmethod
    def from_json(cls, raw: Any) -> Playback:
        """From decoded JSON."""
        return cls(
            id=raw["id"],
            media_uri=raw["media_uri"],
            next_media_uri=raw.get("next_media_uri"),
            target_uri=raw["target_uri"],
            language=raw.get("language"),
            state=raw["state"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RESTHeader:
    """ARI's RESTHeader."""

    name: str
    value: str

    @classmethod
    def from_json(cls, raw: Any) -> RESTHeader:
        """From decoded JSON."""
        return cls(
            name=raw["name"],
            value=raw["value"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RESTQueryStringParameter:
    """ARI's RESTQueryStringParameter."""

    name: str
    value: str

    @classmethod
    def from_json(cls, raw: Any) -> RESTQueryStringParameter:
        """From decoded JSON."""
        return cls(
            name=raw["name"],
            value=raw["value"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RESTRequest:
    """ARI's RESTRequest."""

    type: str
    transaction_id: str
    request_id: str
    method: str
    uri: str
    content_type: str | None
    query_strings: tuple[RESTQueryStringParameter, ...] | None
    message_body: str | None

    @classmethod
    def from_json(cls, raw: Any) -> RESTRequest:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            transaction_id=raw["transaction_id"],
            request_id=raw["request_id"],
            method=raw["method"],
            uri=raw["uri"],
            content_type=raw.get("content_type"),
            query_strings=None
            if (v_ := raw.get("query_strings")) is None
            else tuple(RESTQueryStringParameter.from_json(v) for v in v_),
            message_body=raw.get("message_body"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RTPstat:
    """ARI's RTPstat."""

    txcount: int
    rxcount: int
    txjitter: float | None
    rxjitter: float | None
    remote_maxjitter: float | None
    remote_minjitter: float | None
    remote_normdevjitter: float | None
    remote_stdevjitter: float | None
    local_maxjitter: float | None
    local_minjitter: float | None
    local_normdevjitter: float | None
    local_stdevjitter: float | None
    txploss: int
    rxploss: int
    remote_maxrxploss: float | None
    remote_minrxploss: float | None
    remote_normdevrxploss: float | None
    remote_stdevrxploss: float | None
    local_maxrxploss: float | None
    local_minrxploss: float | None
    local_normdevrxploss: float | None
    local_stdevrxploss: float | None
    rtt: float | None
    maxrtt: float | None
    minrtt: float | None
    normdevrtt: float | None
    stdevrtt: float | None
    local_ssrc: int
    remote_ssrc: int
    txoctetcount: int
    rxoctetcount: int
    channel_uniqueid: str

    @classmethod
    def from_json(cls, raw: Any) -> RTPstat:
        """From decoded JSON."""
        return cls(
            txcount=raw["txcount"],
            rxcount=raw["rxcount"],
            txjitter=raw.get("txjitter"),
            rxjitter=raw.get("rxjitter"),
            remote_maxjitter=raw.get("remote_maxjitter"),
            remote_minjitter=raw.get("remote_minjitter"),
            remote_normdevjitter=raw.get("remote_normdevjitter"),
            remote_stdevjitter=raw.get("remote_stdevjitter"),
            local_maxjitter=raw.get("local_maxjitter"),
            local_minjitter=raw.get("local_minjitter"),
            local_normdevjitter=raw.get("local_normdevjitter"),
            local_stdevjitter=raw.get("local_stdevjitter"),
            txploss=raw["txploss"],
            rxploss=raw["rxploss"],
            remote_maxrxploss=raw.get("remote_maxrxploss"),
            remote_minrxploss=raw.get("remote_minrxploss"),
            remote_normdevrxploss=raw.get("remote_normdevrxploss"),
            remote_stdevrxploss=raw.get("remote_stdevrxploss"),
            local_maxrxploss=raw.get("local_maxrxploss"),
            local_minrxploss=raw.get("local_minrxploss"),
            local_normdevrxploss=raw.get("local_normdevrxploss"),
            local_stdevrxploss=raw.get("local_stdevrxploss"),
            rtt=raw.get("rtt"),
            maxrtt=raw.get("maxrtt"),
            minrtt=raw.get("minrtt"),
            normdevrtt=raw.get("normdevrtt"),
            stdevrtt=raw.get("stdevrtt"),
            local_ssrc=raw["local_ssrc"],
            remote_ssrc=raw["remote_ssrc"],
            txoctetcount=raw["txoctetcount"],
            rxoctetcount=raw["rxoctetcount"],
            channel_uniqueid=raw["channel_uniqueid"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferTo:
    """ARI's ReferTo."""

    requested_destination: RequiredDestination
    destination_channel: Channel | None
    connected_channel: Channel | None
    bridge: Bridge | None

    @classmethod
    def from_json(cls, raw: Any) -> ReferTo:
        """From decoded JSON."""
        return cls(
            requested_destination=RequiredDestination.from_json(raw["requested_destination"]),
            destination_channel=None
            if (v_ := raw.get("destination_channel")) is None
            else Channel.from_json(v_),
            connected_channel=None if (v_ := raw.get("connected_channel")) is None else Channel.from_json(v_),
            bridge=None if (v_ := raw.get("bridge")) is None else Bridge.from_json(v_),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferredBy:
    """ARI's ReferredBy."""

    source_channel: Channel
    connected_channel: Channel | None
    bridge: Bridge | None

    @classmethod
    def from_json(cls, raw: Any) -> ReferredBy:
        """From decoded JSON."""
        return cls(
            source_channel=Channel.from_json(raw["source_channel"]),
            connected_channel=None if (v_ := raw.get("connected_channel")) is None else Channel.from_json(v_),
            bridge=None if (v_ := raw.get("bridge")) is None else Bridge.from_json(v_),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredDestination:
    """ARI's RequiredDestination."""

    protocol_id: str | None
    destination: str | None
    additional_protocol_params: tuple[AdditionalParam, ...] | None

    @classmethod
    def from_json(cls, raw: Any) -> RequiredDestination:
        """From decoded JSON."""
        return cls(
            protocol_id=raw.get("protocol_id"),
            destination=raw.get("destination"),
            additional_protocol_params=None
            if (v_ := raw.get("additional_protocol_params")) is None
            else tuple(AdditionalParam.from_json(v) for v in v_),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SetId:
    """ARI's SetId."""

    user: str
    group: str

    @classmethod
    def from_json(cls, raw: Any) -> SetId:
        """From decoded JSON."""
        return cls(
            user=raw["user"],
            group=raw["group"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """ARI's Sound."""

    id: str
    text: str | None
    formats: tuple[FormatLangPair, ...]

    @classmethod
    def from_json(cls, raw: Any) -> Sound:
        """From decoded JSON."""
        return cls(
            id=raw["id"],
            text=raw.get("text"),
            formats=tuple(FormatLangPair.from_json(v) for v in raw["formats"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusInfo:
    """ARI's StatusInfo."""

    startup_time: str
    last_reload_time: str

    @classmethod
    def from_json(cls, raw: Any) -> StatusInfo:
        """From decoded JSON."""
        return cls(
            startup_time=raw["startup_time"],
            last_reload_time=raw["last_reload_time"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecording:
    """ARI's StoredRecording."""

    name: str
    format: str

    @classmethod
    def from_json(cls, raw: Any) -> StoredRecording:
        """From decoded JSON."""
        return cls(
            name=raw["name"],
            format=raw["format"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemInfo:
    """ARI's SystemInfo."""

    version: str
    entity_id: str

    @classmethod
    def from_json(cls, raw: Any) -> SystemInfo:
        """From decoded JSON."""
        return cls(
            version=raw["version"],
            entity_id=raw["entity_id"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """ARI's TextMessage."""

    from_: str
    to: str
    body: str
    variables: Any

    @classmethod
    def from_json(cls, raw: Any) -> TextMessage:
        """From decoded JSON."""
        return cls(
            from_=raw["from"],
            to=raw["to"],
            body=raw["body"],
            variables=raw.get("variables"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """ARI's Variable."""

    value: str

    @classmethod
    def from_json(cls, raw: Any) -> Variable:
        """From decoded JSON."""
        return cls(
            value=raw["value"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """ARI's Variables."""

    variables: Any

    @classmethod
    def from_json(cls, raw: Any) -> Variables:
        """From decoded JSON."""
        return cls(
            variables=raw["variables"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Message):
    """ARI's Event."""

    application: str
    timestamp: str

    @classmethod
    def from_json(cls, raw: Any) -> Event:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingParams(Message):
    """ARI's MissingParams."""

    params: tuple[str, ...]

    @classmethod
    def from_json(cls, raw: Any) -> MissingParams:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            params=tuple(raw["params"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationMoveFailed(Event):
    """ARI's ApplicationMoveFailed."""

    channel: Channel
    destination: str
    args: tuple[str, ...]

    @classmethod
    def from_json(cls, raw: Any) -> ApplicationMoveFailed:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
            destination=raw["destination"],
            args=tuple(raw["args"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRegistered(Event):
    """ARI's ApplicationRegistered."""

    @classmethod
    def from_json(cls, raw: Any) -> ApplicationRegistered:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationReplaced(Event):
    """ARI's ApplicationReplaced."""

    @classmethod
    def from_json(cls, raw: Any) -> ApplicationReplaced:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationUnregistered(Event):
    """ARI's ApplicationUnregistered."""

    @classmethod
    def from_json(cls, raw: Any) -> ApplicationUnregistered:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeAttendedTransfer(Event):
    """ARI's BridgeAttendedTransfer."""

    transferer_first_leg: Channel
    transferer_second_leg: Channel
    replace_channel: Channel | None
    transferee: Channel | None
    transfer_target: Channel | None
    result: str
    is_external: bool
    transferer_first_leg_bridge: Bridge | None
    transferer_second_leg_bridge: Bridge | None
    destination_type: str
    destination_bridge: str | None
    destination_application: str | None
    destination_link_first_leg: Channel | None
    destination_link_second_leg: Channel | None
    destination_threeway_channel: Channel | None
    destination_threeway_bridge: Bridge | None

    @classmethod
    def from_json(cls, raw: Any) -> BridgeAttendedTransfer:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            transferer_first_leg=Channel.from_json(raw["transferer_first_leg"]),
            transferer_second_leg=Channel.from_json(raw["transferer_second_leg"]),
            replace_channel=None if (v_ := raw.get("replace_channel")) is None else Channel.from_json(v_),
            transferee=None if (v_ := raw.get("transferee")) is None else Channel.from_json(v_),
            transfer_target=None if (v_ := raw.get("transfer_target")) is None else Channel.from_json(v_),
            result=raw["result"],
            is_external=raw["is_external"],
            transferer_first_leg_bridge=None
            if (v_ := raw.get("transferer_first_leg_bridge")) is None
            else Bridge.from_json(v_),
            transferer_second_leg_bridge=None
            if (v_ := raw.get("transferer_second_leg_bridge")) is None
            else Bridge.from_json(v_),
            destination_type=raw["destination_type"],
            destination_bridge=raw.get("destination_bridge"),
            destination_application=raw.get("destination_application"),
            destination_link_first_leg=None
            if (v_ := raw.get("destination_link_first_leg")) is None
            else Channel.from_json(v_),
            destination_link_second_leg=None
            if (v_ := raw.get("destination_link_second_leg")) is None
            else Channel.from_json(v_),
            destination_threeway_channel=None
            if (v_ := raw.get("destination_threeway_channel")) is None
            else Channel.from_json(v_),
            destination_threeway_bridge=None
            if (v_ := raw.get("destination_threeway_bridge")) is None
            else Bridge.from_json(v_),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeBlindTransfer(Event):
    """ARI's BridgeBlindTransfer."""

    channel: Channel
    replace_channel: Channel | None
    transferee: Channel | None
    exten: str
    context: str
    result: str
    is_external: bool
    bridge: Bridge | None

    @classmethod
    def from_json(cls, raw: Any) -> BridgeBlindTransfer:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
            replace_channel=None if (v_ := raw.get("replace_channel")) is None else Channel.from_json(v_),
            transferee=None if (v_ := raw.get("transferee")) is None else Channel.from_json(v_),
            exten=raw["exten"],
            context=raw["context"],
            result=raw["result"],
            is_external=raw["is_external"],
            bridge=None if (v_ := raw.get("bridge")) is None else Bridge.from_json(v_),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeCreated(Event):
    """ARI's BridgeCreated."""

    bridge: Bridge

    @classmethod
    def from_json(cls, raw: Any) -> BridgeCreated:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            bridge=Bridge.from_json(raw["bridge"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeDestroyed(Event):
    """ARI's BridgeDestroyed."""

    bridge: Bridge

    @classmethod
    def from_json(cls, raw: Any) -> BridgeDestroyed:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            bridge=Bridge.from_json(raw["bridge"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeMerged(Event):
    """ARI's BridgeMerged."""

    bridge: Bridge
    bridge_from: Bridge

    @classmethod
    def from_json(cls, raw: Any) -> BridgeMerged:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            bridge=Bridge.from_json(raw["bridge"]),
            bridge_from=Bridge.from_json(raw["bridge_from"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeVideoSourceChanged(Event):
    """ARI's BridgeVideoSourceChanged."""

    bridge: Bridge
    old_video_source_id: str | None

    @classmethod
    def from_json(cls, raw: Any) -> BridgeVideoSourceChanged:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            bridge=Bridge.from_json(raw["bridge"]),
            old_video_source_id=raw.get("old_video_source_id"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBroadcast(Event):
    """ARI's CallBroadcast."""

    channel: Channel
    caller: str | None
    called: str | None

    @classmethod
    def from_json(cls, raw: Any) -> CallBroadcast:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
            caller=raw.get("caller"),
            called=raw.get("called"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallClaimed(Event):
    """ARI's CallClaimed."""

    channel: Channel
    winner_app: str

    @classmethod
    def from_json(cls, raw: Any) -> CallClaimed:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
            winner_app=raw["winner_app"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCallerId(Event):
    """ARI's ChannelCallerId."""

    caller_presentation: int
    caller_presentation_txt: str
    channel: Channel

    @classmethod
    def from_json(cls, raw: Any) -> ChannelCallerId:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            caller_presentation=raw["caller_presentation"],
            caller_presentation_txt=raw["caller_presentation_txt"],
            channel=Channel.from_json(raw["channel"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConnectedLine(Event):
    """ARI's ChannelConnectedLine."""

    channel: Channel

    @classmethod
    def from_json(cls, raw: Any) -> ChannelConnectedLine:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCreated(Event):
    """ARI's ChannelCreated."""

    channel: Channel

    @classmethod
    def from_json(cls, raw: Any) -> ChannelCreated:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDestroyed(Event):
    """ARI's ChannelDestroyed."""

    cause: int
    cause_txt: str
    tech_cause: int | None
    channel: Channel

    @classmethod
    def from_json(cls, raw: Any) -> ChannelDestroyed:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            cause=raw["cause"],
            cause_txt=raw["cause_txt"],
            tech_cause=raw.get("tech_cause"),
            channel=Channel.from_json(raw["channel"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDialplan(Event):
    """ARI's ChannelDialplan."""

    channel: Channel
    dialplan_app: str
    dialplan_app_data: str

    @classmethod
    def from_json(cls, raw: Any) -> ChannelDialplan:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
            dialplan_app=raw["dialplan_app"],
            dialplan_app_data=raw["dialplan_app_data"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDtmfReceived(Event):
    """ARI's ChannelDtmfReceived."""

    digit: str
    duration_ms: int
    channel: Channel

    @classmethod
    def from_json(cls, raw: Any) -> ChannelDtmfReceived:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            digit=raw["digit"],
            duration_ms=raw["duration_ms"],
            channel=Channel.from_json(raw["channel"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelEnteredBridge(Event):
    """ARI's ChannelEnteredBridge."""

    bridge: Bridge
    channel: Channel | None

    @classmethod
    def from_json(cls, raw: Any) -> ChannelEnteredBridge:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            bridge=Bridge.from_json(raw["bridge"]),
            channel=None if (v_ := raw.get("channel")) is None else Channel.from_json(v_),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHangupRequest(Event):
    """ARI's ChannelHangupRequest."""

    cause: int | None
    tech_cause: int | None
    soft: bool | None
    channel: Channel

    @classmethod
    def from_json(cls, raw: Any) -> ChannelHangupRequest:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            cause=raw.get("cause"),
            tech_cause=raw.get("tech_cause"),
            soft=raw.get("soft"),
            channel=Channel.from_json(raw["channel"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHold(Event):
    """ARI's ChannelHold."""

    channel: Channel
    musicclass: str | None

    @classmethod
    def from_json(cls, raw: Any) -> ChannelHold:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
            musicclass=raw.get("musicclass"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLeftBridge(Event):
    """ARI's ChannelLeftBridge."""

    bridge: Bridge
    channel: Channel

    @classmethod
    def from_json(cls, raw: Any) -> ChannelLeftBridge:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            bridge=Bridge.from_json(raw["bridge"]),
            channel=Channel.from_json(raw["channel"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStateChange(Event):
    """ARI's ChannelStateChange."""

    channel: Channel

    @classmethod
    def from_json(cls, raw: Any) -> ChannelStateChange:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTalkingFinished(Event):
    """ARI's ChannelTalkingFinished."""

    channel: Channel
    duration: int

    @classmethod
    def from_json(cls, raw: Any) -> ChannelTalkingFinished:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
            duration=raw["duration"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTalkingStarted(Event):
    """ARI's ChannelTalkingStarted."""

    channel: Channel

    @classmethod
    def from_json(cls, raw: Any) -> ChannelTalkingStarted:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelToneDetected(Event):
    """ARI's ChannelToneDetected."""

    channel: Channel

    @classmethod
    def from_json(cls, raw: Any) -> ChannelToneDetected:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTransfer(Event):
    """ARI's ChannelTransfer."""

    state: str | None
    refer_to: ReferTo
    referred_by: ReferredBy

    @classmethod
    def from_json(cls, raw: Any) -> ChannelTransfer:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            state=raw.get("state"),
            refer_to=ReferTo.from_json(raw["refer_to"]),
            referred_by=ReferredBy.from_json(raw["referred_by"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelUnhold(Event):
    """ARI's ChannelUnhold."""

    channel: Channel

    @classmethod
    def from_json(cls, raw: Any) -> ChannelUnhold:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelUserevent(Event):
    """ARI's ChannelUserevent."""

    eventname: str
    channel: Channel | None
    bridge: Bridge | None
    endpoint: Endpoint | None
    userevent: Any

    @classmethod
    def from_json(cls, raw: Any) -> ChannelUserevent:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            eventname=raw["eventname"],
            channel=None if (v_ := raw.get("channel")) is None else Channel.from_json(v_),
            bridge=None if (v_ := raw.get("bridge")) is None else Bridge.from_json(v_),
            endpoint=None if (v_ := raw.get("endpoint")) is None else Endpoint.from_json(v_),
            userevent=raw["userevent"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelVarset(Event):
    """ARI's ChannelVarset."""

    variable: str
    value: str
    channel: Channel | None

    @classmethod
    def from_json(cls, raw: Any) -> ChannelVarset:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            variable=raw["variable"],
            value=raw["value"],
            channel=None if (v_ := raw.get("channel")) is None else Channel.from_json(v_),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactStatusChange(Event):
    """ARI's ContactStatusChange."""

    endpoint: Endpoint
    contact_info: ContactInfo

    @classmethod
    def from_json(cls, raw: Any) -> ContactStatusChange:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            endpoint=Endpoint.from_json(raw["endpoint"]),
            contact_info=ContactInfo.from_json(raw["contact_info"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStateChanged(Event):
    """ARI's DeviceStateChanged."""

    device_state: DeviceState

    @classmethod
    def from_json(cls, raw: Any) -> DeviceStateChanged:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            device_state=DeviceState.from_json(raw["device_state"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial(Event):
    """ARI's Dial."""

    caller: Channel | None
    peer: Channel
    forward: str | None
    forwarded: Channel | None
    dialstring: str | None
    dialstatus: str

    @classmethod
    def from_json(cls, raw: Any) -> Dial:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            caller=None if (v_ := raw.get("caller")) is None else Channel.from_json(v_),
            peer=Channel.from_json(raw["peer"]),
            forward=raw.get("forward"),
            forwarded=None if (v_ := raw.get("forwarded")) is None else Channel.from_json(v_),
            dialstring=raw.get("dialstring"),
            dialstatus=raw["dialstatus"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStateChange(Event):
    """ARI's EndpointStateChange."""

    endpoint: Endpoint

    @classmethod
    def from_json(cls, raw: Any) -> EndpointStateChange:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            endpoint=Endpoint.from_json(raw["endpoint"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStatusChange(Event):
    """ARI's PeerStatusChange."""

    endpoint: Endpoint
    peer: Peer

    @classmethod
    def from_json(cls, raw: Any) -> PeerStatusChange:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            endpoint=Endpoint.from_json(raw["endpoint"]),
            peer=Peer.from_json(raw["peer"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackContinuing(Event):
    """ARI's PlaybackContinuing."""

    playback: Playback

    @classmethod
    def from_json(cls, raw: Any) -> PlaybackContinuing:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            playback=Playback.from_json(raw["playback"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackFinished(Event):
    """ARI's PlaybackFinished."""

    playback: Playback

    @classmethod
    def from_json(cls, raw: Any) -> PlaybackFinished:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            playback=Playback.from_json(raw["playback"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackStarted(Event):
    """ARI's PlaybackStarted."""

    playback: Playback

    @classmethod
    def from_json(cls, raw: Any) -> PlaybackStarted:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            playback=Playback.from_json(raw["playback"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RESTResponse(Event):
    """ARI's RESTResponse."""

    transaction_id: str
    request_id: str
    status_code: int
    reason_phrase: str
    uri: str
    content_type: str | None
    message_body: str | None

    @classmethod
    def from_json(cls, raw: Any) -> RESTResponse:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            transaction_id=raw["transaction_id"],
            request_id=raw["request_id"],
            status_code=raw["status_code"],
            reason_phrase=raw["reason_phrase"],
            uri=raw["uri"],
            content_type=raw.get("content_type"),
            message_body=raw.get("message_body"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFailed(Event):
    """ARI's RecordingFailed."""

    recording: LiveRecording

    @classmethod
    def from_json(cls, raw: Any) -> RecordingFailed:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            recording=LiveRecording.from_json(raw["recording"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFinished(Event):
    """ARI's RecordingFinished."""

    recording: LiveRecording

    @classmethod
    def from_json(cls, raw: Any) -> RecordingFinished:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            recording=LiveRecording.from_json(raw["recording"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStarted(Event):
    """ARI's RecordingStarted."""

    recording: LiveRecording

    @classmethod
    def from_json(cls, raw: Any) -> RecordingStarted:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            recording=LiveRecording.from_json(raw["recording"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StasisEnd(Event):
    """ARI's StasisEnd."""

    channel: Channel

    @classmethod
    def from_json(cls, raw: Any) -> StasisEnd:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            channel=Channel.from_json(raw["channel"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StasisStart(Event):
    """ARI's StasisStart."""

    args: tuple[str, ...]
    channel: Channel
    replace_channel: Channel | None

    @classmethod
    def from_json(cls, raw: Any) -> StasisStart:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            args=tuple(raw["args"]),
            channel=Channel.from_json(raw["channel"]),
            replace_channel=None if (v_ := raw.get("replace_channel")) is None else Channel.from_json(v_),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessageReceived(Event):
    """ARI's TextMessageReceived."""

    message: TextMessage
    endpoint: Endpoint | None

    @classmethod
    def from_json(cls, raw: Any) -> TextMessageReceived:
        """From decoded JSON."""
        return cls(
            type=raw["type"],
            asterisk_id=raw.get("asterisk_id"),
            application=raw["application"],
            timestamp=raw["timestamp"],
            message=TextMessage.from_json(raw["message"]),
            endpoint=None if (v_ := raw.get("endpoint")) is None else Endpoint.from_json(v_),
        )


MESSAGES: Mapping[str, Callable[[Any], Message]] = {
    "MissingParams": MissingParams.from_json,
    "ApplicationMoveFailed": ApplicationMoveFailed.from_json,
    "ApplicationRegistered": ApplicationRegistered.from_json,
    "ApplicationReplaced": ApplicationReplaced.from_json,
    "ApplicationUnregistered": ApplicationUnregistered.from_json,
    "BridgeAttendedTransfer": BridgeAttendedTransfer.from_json,
    "BridgeBlindTransfer": BridgeBlindTransfer.from_json,
    "BridgeCreated": BridgeCreated.from_json,
    "BridgeDestroyed": BridgeDestroyed.from_json,
    "BridgeMerged": BridgeMerged.from_json,
    "BridgeVideoSourceChanged": BridgeVideoSourceChanged.from_json,
    "CallBroadcast": CallBroadcast.from_json,
    "CallClaimed": CallClaimed.from_json,
    "ChannelCallerId": ChannelCallerId.from_json,
    "ChannelConnectedLine": ChannelConnectedLine.from_json,
    "ChannelCreated": ChannelCreated.from_json,
    "ChannelDestroyed": ChannelDestroyed.from_json,
    "ChannelDialplan": ChannelDialplan.from_json,
    "ChannelDtmfReceived": ChannelDtmfReceived.from_json,
    "ChannelEnteredBridge": ChannelEnteredBridge.from_json,
    "ChannelHangupRequest": ChannelHangupRequest.from_json,
    "ChannelHold": ChannelHold.from_json,
    "ChannelLeftBridge": ChannelLeftBridge.from_json,
    "ChannelStateChange": ChannelStateChange.from_json,
    "ChannelTalkingFinished": ChannelTalkingFinished.from_json,
    "ChannelTalkingStarted": ChannelTalkingStarted.from_json,
    "ChannelToneDetected": ChannelToneDetected.from_json,
    "ChannelTransfer": ChannelTransfer.from_json,
    "ChannelUnhold": ChannelUnhold.from_json,
    "ChannelUserevent": ChannelUserevent.from_json,
    "ChannelVarset": ChannelVarset.from_json,
    "ContactStatusChange": ContactStatusChange.from_json,
    "DeviceStateChanged": DeviceStateChanged.from_json,
    "Dial": Dial.from_json,
    "EndpointStateChange": EndpointStateChange.from_json,
    "PeerStatusChange": PeerStatusChange.from_json,
    "PlaybackContinuing": PlaybackContinuing.from_json,
    "PlaybackFinished": PlaybackFinished.from_json,
    "PlaybackStarted": PlaybackStarted.from_json,
    "RESTResponse": RESTResponse.from_json,
    "RecordingFailed": RecordingFailed.from_json,
    "RecordingFinished": RecordingFinished.from_json,
    "RecordingStarted": RecordingStarted.from_json,
    "StasisEnd": StasisEnd.from_json,
    "StasisStart": StasisStart.from_json,
    "TextMessageReceived": TextMessageReceived.from_json,
}


def parse_message(raw: Any) -> Message | None:
    """The typed message, or None where its type is not known to this version of the file.

    Raises KeyError, TypeError or AttributeError where `raw` is not what Asterisk would send."""
    known = MESSAGES.get(raw["type"])
    return None if known is None else known(raw)


def _body(**fields: object) -> dict[str, object]:
    return {
        name: list(value) if isinstance(value, (tuple, list)) else value
        for name, value in fields.items()
        if value is not None
    }


class Asterisk:
    """The operations below /asterisk."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get_object(self, config_class: str, object_type: str, id: str) -> tuple[ConfigTuple, ...]:
        """GET /asterisk/config/dynamic/{configClass}/{objectType}/{id}"""
        raw = await self._transport.call(
            "GET", f"/asterisk/config/dynamic/{_seg(config_class)}/{_seg(object_type)}/{_seg(id)}", {}
        )
        return tuple(ConfigTuple.from_json(v) for v in raw)

    async def update_object(
        self,
        config_class: str,
        object_type: str,
        id: str,
        *,
        fields: Mapping[str, object] | Sequence[object] | None = None,
    ) -> tuple[ConfigTuple, ...]:
        """PUT /asterisk/config/dynamic/{configClass}/{objectType}/{id}"""
        raw = await self._transport.call(
            "PUT",
            f"/asterisk/config/dynamic/{_seg(config_class)}/{_seg(object_type)}/{_seg(id)}",
            {},
            _body(fields=fields),
        )
        return tuple(ConfigTuple.from_json(v) for v in raw)

    async def delete_object(self, config_class: str, object_type: str, id: str) -> None:
        """DELETE /asterisk/config/dynamic/{configClass}/{objectType}/{id}"""
        await self._transport.call(
            "DELETE", f"/asterisk/config/dynamic/{_seg(config_class)}/{_seg(object_type)}/{_seg(id)}", {}
        )

    async def get_info(self, *, only: Sequence[str] | None = None) -> AsteriskInfo:
        """GET /asterisk/info"""
        raw = await self._transport.call("GET", "/asterisk/info", {"only": only})
        return AsteriskInfo.from_json(raw)

    async def ping(self) -> AsteriskPing:
        """GET /asterisk/ping"""
        raw = await self._transport.call("GET", "/asterisk/ping", {})
        return AsteriskPing.from_json(raw)

    async def list_modules(self) -> tuple[Module, ...]:
        """GET /asterisk/modules"""
        raw = await self._transport.call("GET", "/asterisk/modules", {})
        return tuple(Module.from_json(v) for v in raw)

    async def get_module(self, module_name: str) -> Module:
        """GET /asterisk/modules/{moduleName}"""
        raw = await self._transport.call("GET", f"/asterisk/modules/{_seg(module_name)}", {})
        return Module.from_json(raw)

    async def load_module(self, module_name: str) -> None:
        """POST /asterisk/modules/{moduleName}"""
        await self._transport.call("POST", f"/asterisk/modules/{_seg(module_name)}", {})

    async def unload_module(self, module_name: str) -> None:
        """DELETE /asterisk/modules/{moduleName}"""
        await self._transport.call("DELETE", f"/asterisk/modules/{_seg(module_name)}", {})

    async def reload_module(self, module_name: str) -> None:
        """PUT /asterisk/modules/{moduleName}"""
        await self._transport.call("PUT", f"/asterisk/modules/{_seg(module_name)}", {})

    async def list_log_channels(self) -> tuple[LogChannel, ...]:
        """GET /asterisk/logging"""
        raw = await self._transport.call("GET", "/asterisk/logging", {})
        return tuple(LogChannel.from_json(v) for v in raw)

    async def add_log(self, log_channel_name: str, configuration: str) -> None:
        """POST /asterisk/logging/{logChannelName}"""
        await self._transport.call(
            "POST", f"/asterisk/logging/{_seg(log_channel_name)}", {"configuration": configuration}
        )

    async def delete_log(self, log_channel_name: str) -> None:
        """DELETE /asterisk/logging/{logChannelName}"""
        await self._transport.call("DELETE", f"/asterisk/logging/{_seg(log_channel_name)}", {})

    async def rotate_log(self, log_channel_name: str) -> None:
        """PUT /asterisk/logging/{logChannelName}/rotate"""
        await self._transport.call("PUT", f"/asterisk/logging/{_seg(log_channel_name)}/rotate", {})

    async def get_global_var(self, variable: str) -> Variable:
        """GET /asterisk/variable"""
        raw = await self._transport.call("GET", "/asterisk/variable", {"variable": variable})
        return Variable.from_json(raw)

    async def set_global_var(self, variable: str, *, value: str | None = None) -> None:
        """POST /asterisk/variable"""
        await self._transport.call("POST", "/asterisk/variable", {"variable": variable, "value": value})


class Endpoints:
    """The operations below /endpoints."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> tuple[Endpoint, ...]:
        """GET /endpoints"""
        raw = await self._transport.call("GET", "/endpoints", {})
        return tuple(Endpoint.from_json(v) for v in raw)

    async def send_message(
        self,
        to: str,
        from_: str,
        *,
        body: str | None = None,
        variables: Mapping[str, object] | Sequence[object] | None = None,
    ) -> None:
        """PUT /endpoints/sendMessage"""
        await self._transport.call(
            "PUT",
            "/endpoints/sendMessage",
            {"to": to, "from": from_, "body": body},
            _body(variables=variables),
        )

    async def refer(
        self,
        to: str,
        from_: str,
        refer_to: str,
        *,
        to_self: bool | None = None,
        variables: Mapping[str, object] | Sequence[object] | None = None,
    ) -> None:
        """POST /endpoints/refer"""
        await self._transport.call(
            "POST",
            "/endpoints/refer",
            {"to": to, "from": from_, "refer_to": refer_to, "to_self": to_self},
            _body(variables=variables),
        )

    async def list_by_tech(self, tech: str) -> tuple[Endpoint, ...]:
        """GET /endpoints/{tech}"""
        raw = await self._transport.call("GET", f"/endpoints/{_seg(tech)}", {})
        return tuple(Endpoint.from_json(v) for v in raw)

    async def get(self, tech: str, resource: str) -> Endpoint:
        """GET /endpoints/{tech}/{resource}"""
        raw = await self._transport.call("GET", f"/endpoints/{_seg(tech)}/{_seg(resource)}", {})
        return Endpoint.from_json(raw)

    async def send_message_to_endpoint(
        self,
        tech: str,
        resource: str,
        from_: str,
        *,
        body: str | None = None,
        variables: Mapping[str, object] | Sequence[object] | None = None,
    ) -> None:
        """PUT /endpoints/{tech}/{resource}/sendMessage"""
        await self._transport.call(
            "PUT",
            f"/endpoints/{_seg(tech)}/{_seg(resource)}/sendMessage",
            {"from": from_, "body": body},
            _body(variables=variables),
        )

    async def refer_to_endpoint(
        self,
        tech: str,
        resource: str,
        from_: str,
        refer_to: str,
        *,
        to_self: bool | None = None,
        variables: Mapping[str, object] | Sequence[object] | None = None,
    ) -> None:
        """POST /endpoints/{tech}/{resource}/refer"""
        await self._transport.call(
            "POST",
            f"/endpoints/{_seg(tech)}/{_seg(resource)}/refer",
            {"from": from_, "refer_to": refer_to, "to_self": to_self},
            _body(variables=variables),
        )


class Channels:
    """The operations below /channels."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> tuple[Channel, ...]:
        """GET /channels"""
        raw = await self._transport.call("GET", "/channels", {})
        return tuple(Channel.from_json(v) for v in raw)

    async def originate(
        self,
        endpoint: str,
        *,
        extension: str | None = None,
        context: str | None = None,
        priority: int | None = None,
        label: str | None = None,
        app: str | None = None,
        app_args: str | None = None,
        caller_id: str | None = None,
        timeout: int | None = None,
        variables: Mapping[str, object] | Sequence[object] | None = None,
        channel_id: str | None = None,
        other_channel_id: str | None = None,
        originator: str | None = None,
        formats: str | None = None,
    ) -> Channel:
        """POST /channels"""
        raw = await self._transport.call(
            "POST",
            "/channels",
            {
                "endpoint": endpoint,
                "extension": extension,
                "context": context,
                "priority": priority,
                "label": label,
                "app": app,
                "appArgs": app_args,
                "callerId": caller_id,
                "timeout": timeout,
                "channelId": channel_id,
                "otherChannelId": other_channel_id,
                "originator": originator,
                "formats": formats,
            },
            _body(variables=variables),
        )
        return Channel.from_json(raw)

    async def create(
        self,
        endpoint: str,
        app: str,
        *,
        app_args: str | None = None,
        channel_id: str | None = None,
        other_channel_id: str | None = None,
        originator: str | None = None,
        formats: str | None = None,
        variables: Mapping[str, object] | Sequence[object] | None = None,
    ) -> Channel:
        """POST /channels/create"""
        raw = await self._transport.call(
            "POST",
            "/channels/create",
            {
                "endpoint": endpoint,
                "app": app,
                "appArgs": app_args,
                "channelId": channel_id,
                "otherChannelId": other_channel_id,
                "originator": originator,
                "formats": formats,
            },
            _body(variables=variables),
        )
        return Channel.from_json(raw)

    async def get(self, channel_id: str) -> Channel:
        """GET /channels/{channelId}"""
        raw = await self._transport.call("GET", f"/channels/{_seg(channel_id)}", {})
        return Channel.from_json(raw)

    async def originate_with_id(
        self,
        channel_id: str,
        endpoint: str,
        *,
        extension: str | None = None,
        context: str | None = None,
        priority: int | None = None,
        label: str | None = None,
        app: str | None = None,
        app_args: str | None = None,
        caller_id: str | None = None,
        timeout: int | None = None,
        variables: Mapping[str, object] | Sequence[object] | None = None,
        other_channel_id: str | None = None,
        originator: str | None = None,
        formats: str | None = None,
    ) -> Channel:
        """POST /channels/{channelId}"""
        raw = await self._transport.call(
            "POST",
            f"/channels/{_seg(channel_id)}",
            {
                "endpoint": endpoint,
                "extension": extension,
                "context": context,
                "priority": priority,
                "label": label,
                "app": app,
                "appArgs": app_args,
                "callerId": caller_id,
                "timeout": timeout,
                "otherChannelId": other_channel_id,
                "originator": originator,
                "formats": formats,
            },
            _body(variables=variables),
        )
        return Channel.from_json(raw)

    async def hangup(
        self, channel_id: str, *, reason_code: str | None = None, reason: str | None = None
    ) -> None:
        """DELETE /channels/{channelId}"""
        await self._transport.call(
            "DELETE", f"/channels/{_seg(channel_id)}", {"reason_code": reason_code, "reason": reason}
        )

    async def continue_in_dialplan(
        self,
        channel_id: str,
        *,
        context: str | None = None,
        extension: str | None = None,
        priority: int | None = None,
        label: str | None = None,
    ) -> None:
        """POST /channels/{channelId}/continue"""
        await self._transport.call(
            "POST",
            f"/channels/{_seg(channel_id)}/continue",
            {"context": context, "extension": extension, "priority": priority, "label": label},
        )

    async def move(self, channel_id: str, app: str, *, app_args: str | None = None) -> None:
        """POST /channels/{channelId}/move"""
        await self._transport.call(
            "POST", f"/channels/{_seg(channel_id)}/move", {"app": app, "appArgs": app_args}
        )

    async def redirect(self, channel_id: str, endpoint: str) -> None:
        """POST /channels/{channelId}/redirect"""
        await self._transport.call("POST", f"/channels/{_seg(channel_id)}/redirect", {"endpoint": endpoint})

    async def answer(self, channel_id: str) -> None:
        """POST /channels/{channelId}/answer"""
        await self._transport.call("POST", f"/channels/{_seg(channel_id)}/answer", {})

    async def ring(self, channel_id: str) -> None:
        """POST /channels/{channelId}/ring"""
        await self._transport.call("POST", f"/channels/{_seg(channel_id)}/ring", {})

    async def ring_stop(self, channel_id: str) -> None:
        """DELETE /channels/{channelId}/ring"""
        await self._transport.call("DELETE", f"/channels/{_seg(channel_id)}/ring", {})

    async def progress(self, channel_id: str) -> None:
        """POST /channels/{channelId}/progress"""
        await self._transport.call("POST", f"/channels/{_seg(channel_id)}/progress", {})

    async def send_dtmf(
        self,
        channel_id: str,
        *,
        dtmf: str | None = None,
        before: int | None = None,
        between: int | None = None,
        duration: int | None = None,
        after: int | None = None,
    ) -> None:
        """POST /channels/{channelId}/dtmf"""
        await self._transport.call(
            "POST",
            f"/channels/{_seg(channel_id)}/dtmf",
            {"dtmf": dtmf, "before": before, "between": between, "duration": duration, "after": after},
        )

    async def mute(self, channel_id: str, *, direction: str | None = None) -> None:
        """POST /channels/{channelId}/mute"""
        await self._transport.call("POST", f"/channels/{_seg(channel_id)}/mute", {"direction": direction})

    async def unmute(self, channel_id: str, *, direction: str | None = None) -> None:
        """DELETE /channels/{channelId}/mute"""
        await self._transport.call("DELETE", f"/channels/{_seg(channel_id)}/mute", {"direction": direction})

    async def hold(self, channel_id: str) -> None:
        """POST /channels/{channelId}/hold"""
        await self._transport.call("POST", f"/channels/{_seg(channel_id)}/hold", {})

    async def unhold(self, channel_id: str) -> None:
        """DELETE /channels/{channelId}/hold"""
        await self._transport.call("DELETE", f"/channels/{_seg(channel_id)}/hold", {})

    async def start_moh(self, channel_id: str, *, moh_class: str | None = None) -> None:
        """POST /channels/{channelId}/moh"""
        await self._transport.call("POST", f"/channels/{_seg(channel_id)}/moh", {"mohClass": moh_class})

    async def stop_moh(self, channel_id: str) -> None:
        """DELETE /channels/{channelId}/moh"""
        await self._transport.call("DELETE", f"/channels/{_seg(channel_id)}/moh", {})

    async def start_silence(self, channel_id: str) -> None:
        """POST /channels/{channelId}/silence"""
        await self._transport.call("POST", f"/channels/{_seg(channel_id)}/silence", {})

    async def stop_silence(self, channel_id: str) -> None:
        """DELETE /channels/{channelId}/silence"""
        await self._transport.call("DELETE", f"/channels/{_seg(channel_id)}/silence", {})

    async def play(
        self,
        channel_id: str,
        media: Sequence[str],
        *,
        lang: str | None = None,
        offsetms: int | None = None,
        skipms: int | None = None,
        playback_id: str | None = None,
    ) -> Playback:
        """POST /channels/{channelId}/play"""
        raw = await self._transport.call(
            "POST",
            f"/channels/{_seg(channel_id)}/play",
            {"lang": lang, "offsetms": offsetms, "skipms": skipms, "playbackId": playback_id},
            _body(media=media),
        )
        return Playback.from_json(raw)

    async def play_with_id(
        self,
        channel_id: str,
        playback_id: str,
        media: Sequence[str],
        *,
        lang: str | None = None,
        offsetms: int | None = None,
        skipms: int | None = None,
    ) -> Playback:
        """POST /channels/{channelId}/play/{playbackId}"""
        raw = await self._transport.call(
            "POST",
            f"/channels/{_seg(channel_id)}/play/{_seg(playback_id)}",
            {"lang": lang, "offsetms": offsetms, "skipms": skipms},
            _body(media=media),
        )
        return Playback.from_json(raw)

    async def record(
        self,
        channel_id: str,
        name: str,
        format: str,
        *,
        max_duration_seconds: int | None = None,
        max_silence_seconds: int | None = None,
        if_exists: str | None = None,
        beep: bool | None = None,
        terminate_on: str | None = None,
    ) -> LiveRecording:
        """POST /channels/{channelId}/record"""
        raw = await self._transport.call(
            "POST",
            f"/channels/{_seg(channel_id)}/record",
            {
                "name": name,
                "format": format,
                "maxDurationSeconds": max_duration_seconds,
                "maxSilenceSeconds": max_silence_seconds,
                "ifExists": if_exists,
                "beep": beep,
                "terminateOn": terminate_on,
            },
        )
        return LiveRecording.from_json(raw)

    async def get_channel_var(self, channel_id: str, variable: str) -> Variable:
        """GET /channels/{channelId}/variable"""
        raw = await self._transport.call(
            "GET", f"/channels/{_seg(channel_id)}/variable", {"variable": variable}
        )
        return Variable.from_json(raw)

    async def set_channel_var(
        self, channel_id: str, variable: str, *, value: str | None = None, report_events: bool | None = None
    ) -> None:
        """POST /channels/{channelId}/variable"""
        await self._transport.call(
            "POST",
            f"/channels/{_seg(channel_id)}/variable",
            {"variable": variable, "value": value, "report_events": report_events},
        )

    async def get_channel_vars(self, channel_id: str, variables: Sequence[str]) -> Variables:
        """GET /channels/{channelId}/variables"""
        raw = await self._transport.call(
            "GET", f"/channels/{_seg(channel_id)}/variables", {"variables": variables}
        )
        return Variables.from_json(raw)

    async def set_channel_vars(
        self, channel_id: str, variables: Mapping[str, object] | Sequence[object]
    ) -> None:
        """POST /channels/{channelId}/variables"""
        await self._transport.call(
            "POST", f"/channels/{_seg(channel_id)}/variables", {}, _body(variables=variables)
        )

    async def snoop_channel(
        self,
        channel_id: str,
        app: str,
        *,
        spy: str | None = None,
        whisper: str | None = None,
        app_args: str | None = None,
        snoop_id: str | None = None,
    ) -> Channel:
        """POST /channels/{channelId}/snoop"""
        raw = await self._transport.call(
            "POST",
            f"/channels/{_seg(channel_id)}/snoop",
            {"spy": spy, "whisper": whisper, "app": app, "appArgs": app_args, "snoopId": snoop_id},
        )
        return Channel.from_json(raw)

    async def snoop_channel_with_id(
        self,
        channel_id: str,
        snoop_id: str,
        app: str,
        *,
        spy: str | None = None,
        whisper: str | None = None,
        app_args: str | None = None,
    ) -> Channel:
        """POST /channels/{channelId}/snoop/{snoopId}"""
        raw = await self._transport.call(
            "POST",
            f"/channels/{_seg(channel_id)}/snoop/{_seg(snoop_id)}",
            {"spy": spy, "whisper": whisper, "app": app, "appArgs": app_args},
        )
        return Channel.from_json(raw)

    async def dial(self, channel_id: str, *, caller: str | None = None, timeout: int | None = None) -> None:
        """POST /channels/{channelId}/dial"""
        await self._transport.call(
            "POST", f"/channels/{_seg(channel_id)}/dial", {"caller": caller, "timeout": timeout}
        )

    async def rtpstatistics(self, channel_id: str) -> RTPstat:
        """GET /channels/{channelId}/rtp_statistics"""
        raw = await self._transport.call("GET", f"/channels/{_seg(channel_id)}/rtp_statistics", {})
        return RTPstat.from_json(raw)

    async def external_media(
        self,
        app: str,
        format: str,
        *,
        channel_id: str | None = None,
        variables: Mapping[str, object] | Sequence[object] | None = None,
        external_host: str | None = None,
        encapsulation: str | None = None,
        transport: str | None = None,
        connection_type: str | None = None,
        direction: str | None = None,
        data: str | None = None,
        transport_data: str | None = None,
    ) -> Channel:
        """POST /channels/externalMedia"""
        raw = await self._transport.call(
            "POST",
            "/channels/externalMedia",
            {
                "channelId": channel_id,
                "app": app,
                "external_host": external_host,
                "encapsulation": encapsulation,
                "transport": transport,
                "connection_type": connection_type,
                "format": format,
                "direction": direction,
                "data": data,
                "transport_data": transport_data,
            },
            _body(variables=variables),
        )
        return Channel.from_json(raw)

    async def transfer_progress(self, channel_id: str, states: str) -> None:
        """POST /channels/{channelId}/transfer_progress"""
        await self._transport.call(
            "POST", f"/channels/{_seg(channel_id)}/transfer_progress", {"states": states}
        )


class Bridges:
    """The operations below /bridges."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> tuple[Bridge, ...]:
        """GET /bridges"""
        raw = await self._transport.call("GET", "/bridges", {})
        return tuple(Bridge.from_json(v) for v in raw)

    async def create(
        self,
        *,
        type: str | None = None,
        bridge_id: str | None = None,
        name: str | None = None,
        variables: Mapping[str, object] | Sequence[object] | None = None,
    ) -> Bridge:
        """POST /bridges"""
        raw = await self._transport.call(
            "POST",
            "/bridges",
            {"type": type, "bridgeId": bridge_id, "name": name},
            _body(variables=variables),
        )
        return Bridge.from_json(raw)

    async def create_with_id(
        self,
        bridge_id: str,
        *,
        type: str | None = None,
        name: str | None = None,
        variables: Mapping[str, object] | Sequence[object] | None = None,
    ) -> Bridge:
        """POST /bridges/{bridgeId}"""
        raw = await self._transport.call(
            "POST", f"/bridges/{_seg(bridge_id)}", {"type": type, "name": name}, _body(variables=variables)
        )
        return Bridge.from_json(raw)

    async def get(self, bridge_id: str) -> Bridge:
        """GET /bridges/{bridgeId}"""
        raw = await self._transport.call("GET", f"/bridges/{_seg(bridge_id)}", {})
        return Bridge.from_json(raw)

    async def destroy(self, bridge_id: str) -> None:
        """DELETE /bridges/{bridgeId}"""
        await self._transport.call("DELETE", f"/bridges/{_seg(bridge_id)}", {})

    async def get_bridge_var(self, bridge_id: str, variable: str) -> Variable:
        """GET /bridges/{bridgeId}/variable"""
        raw = await self._transport.call(
            "GET", f"/bridges/{_seg(bridge_id)}/variable", {"variable": variable}
        )
        return Variable.from_json(raw)

    async def set_bridge_var(
        self, bridge_id: str, variable: str, *, value: str | None = None, report_events: bool | None = None
    ) -> None:
        """POST /bridges/{bridgeId}/variable"""
        await self._transport.call(
            "POST",
            f"/bridges/{_seg(bridge_id)}/variable",
            {"variable": variable, "value": value, "report_events": report_events},
        )

    async def get_bridge_vars(self, bridge_id: str, variables: Sequence[str]) -> Variables:
        """GET /bridges/{bridgeId}/variables"""
        raw = await self._transport.call(
            "GET", f"/bridges/{_seg(bridge_id)}/variables", {"variables": variables}
        )
        return Variables.from_json(raw)

    async def set_bridge_vars(
        self, bridge_id: str, variables: Mapping[str, object] | Sequence[object]
    ) -> None:
        """POST /bridges/{bridgeId}/variables"""
        await self._transport.call(
            "POST", f"/bridges/{_seg(bridge_id)}/variables", {}, _body(variables=variables)
        )

    async def add_channel(
        self,
        bridge_id: str,
        channel: Sequence[str],
        *,
        role: str | None = None,
        absorb_dtmf: bool | None = None,
        mute: bool | None = None,
        inhibit_connected_line_updates: bool | None = None,
    ) -> None:
        """POST /bridges/{bridgeId}/addChannel"""
        await self._transport.call(
            "POST",
            f"/bridges/{_seg(bridge_id)}/addChannel",
            {
                "role": role,
                "absorbDTMF": absorb_dtmf,
                "mute": mute,
                "inhibitConnectedLineUpdates": inhibit_connected_line_updates,
            },
            _body(channel=channel),
        )

    async def remove_channel(self, bridge_id: str, channel: Sequence[str]) -> None:
        """POST /bridges/{bridgeId}/removeChannel"""
        await self._transport.call(
            "POST", f"/bridges/{_seg(bridge_id)}/removeChannel", {}, _body(channel=channel)
        )

    async def set_video_source(self, bridge_id: str, channel_id: str) -> None:
        """POST /bridges/{bridgeId}/videoSource/{channelId}"""
        await self._transport.call("POST", f"/bridges/{_seg(bridge_id)}/videoSource/{_seg(channel_id)}", {})

    async def clear_video_source(self, bridge_id: str) -> None:
        """DELETE /bridges/{bridgeId}/videoSource"""
        await self._transport.call("DELETE", f"/bridges/{_seg(bridge_id)}/videoSource", {})

    async def start_moh(self, bridge_id: str, *, moh_class: str | None = None) -> None:
        """POST /bridges/{bridgeId}/moh"""
        await self._transport.call("POST", f"/bridges/{_seg(bridge_id)}/moh", {"mohClass": moh_class})

    async def stop_moh(self, bridge_id: str) -> None:
        """DELETE /bridges/{bridgeId}/moh"""
        await self._transport.call("DELETE", f"/bridges/{_seg(bridge_id)}/moh", {})

    async def play(
        self,
        bridge_id: str,
        media: Sequence[str],
        *,
        announcer_format: str | None = None,
        lang: str | None = None,
        offsetms: int | None = None,
        skipms: int | None = None,
        playback_id: str | None = None,
    ) -> Playback:
        """POST /bridges/{bridgeId}/play"""
        raw = await self._transport.call(
            "POST",
            f"/bridges/{_seg(bridge_id)}/play",
            {
                "announcer_format": announcer_format,
                "lang": lang,
                "offsetms": offsetms,
                "skipms": skipms,
                "playbackId": playback_id,
            },
            _body(media=media),
        )
        return Playback.from_json(raw)

    async def play_with_id(
        self,
        bridge_id: str,
        playback_id: str,
        media: Sequence[str],
        *,
        announcer_format: str | None = None,
        lang: str | None = None,
        offsetms: int | None = None,
        skipms: int | None = None,
    ) -> Playback:
        """POST /bridges/{bridgeId}/play/{playbackId}"""
        raw = await self._transport.call(
            "POST",
            f"/bridges/{_seg(bridge_id)}/play/{_seg(playback_id)}",
            {"announcer_format": announcer_format, "lang": lang, "offsetms": offsetms, "skipms": skipms},
            _body(media=media),
        )
        return Playback.from_json(raw)

    async def record(
        self,
        bridge_id: str,
        name: str,
        format: str,
        *,
        recorder_format: str | None = None,
        max_duration_seconds: int | None = None,
        max_silence_seconds: int | None = None,
        if_exists: str | None = None,
        beep: bool | None = None,
        terminate_on: str | None = None,
    ) -> LiveRecording:
        """POST /bridges/{bridgeId}/record"""
        raw = await self._transport.call(
            "POST",
            f"/bridges/{_seg(bridge_id)}/record",
            {
                "name": name,
                "format": format,
                "recorder_format": recorder_format,
                "maxDurationSeconds": max_duration_seconds,
                "maxSilenceSeconds": max_silence_seconds,
                "ifExists": if_exists,
                "beep": beep,
                "terminateOn": terminate_on,
            },
        )
        return LiveRecording.from_json(raw)


class Recordings:
    """The operations below /recordings."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list_stored(self) -> tuple[StoredRecording, ...]:
        """GET /recordings/stored"""
        raw = await self._transport.call("GET", "/recordings/stored", {})
        return tuple(StoredRecording.from_json(v) for v in raw)

    async def get_stored(self, recording_name: str) -> StoredRecording:
        """GET /recordings/stored/{recordingName}"""
        raw = await self._transport.call("GET", f"/recordings/stored/{_seg(recording_name)}", {})
        return StoredRecording.from_json(raw)

    async def delete_stored(self, recording_name: str) -> None:
        """DELETE /recordings/stored/{recordingName}"""
        await self._transport.call("DELETE", f"/recordings/stored/{_seg(recording_name)}", {})

    async def get_stored_file(self, recording_name: str) -> bytes:
        """GET /recordings/stored/{recordingName}/file"""
        return await self._transport.download(f"/recordings/stored/{_seg(recording_name)}/file")

    async def copy_stored(self, recording_name: str, destination_recording_name: str) -> StoredRecording:
        """POST /recordings/stored/{recordingName}/copy"""
        raw = await self._transport.call(
            "POST",
            f"/recordings/stored/{_seg(recording_name)}/copy",
            {"destinationRecordingName": destination_recording_name},
        )
        return StoredRecording.from_json(raw)

    async def get_live(self, recording_name: str) -> LiveRecording:
        """GET /recordings/live/{recordingName}"""
        raw = await self._transport.call("GET", f"/recordings/live/{_seg(recording_name)}", {})
        return LiveRecording.from_json(raw)

    async def cancel(self, recording_name: str) -> None:
        """DELETE /recordings/live/{recordingName}"""
        await self._transport.call("DELETE", f"/recordings/live/{_seg(recording_name)}", {})

    async def stop(self, recording_name: str) -> None:
        """POST /recordings/live/{recordingName}/stop"""
        await self._transport.call("POST", f"/recordings/live/{_seg(recording_name)}/stop", {})

    async def pause(self, recording_name: str) -> None:
        """POST /recordings/live/{recordingName}/pause"""
        await self._transport.call("POST", f"/recordings/live/{_seg(recording_name)}/pause", {})

    async def unpause(self, recording_name: str) -> None:
        """DELETE /recordings/live/{recordingName}/pause"""
        await self._transport.call("DELETE", f"/recordings/live/{_seg(recording_name)}/pause", {})

    async def mute(self, recording_name: str) -> None:
        """POST /recordings/live/{recordingName}/mute"""
        await self._transport.call("POST", f"/recordings/live/{_seg(recording_name)}/mute", {})

    async def unmute(self, recording_name: str) -> None:
        """DELETE /recordings/live/{recordingName}/mute"""
        await self._transport.call("DELETE", f"/recordings/live/{_seg(recording_name)}/mute", {})


class Sounds:
    """The operations below /sounds."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, *, lang: str | None = None, format: str | None = None) -> tuple[Sound, ...]:
        """GET /sounds"""
        raw = await self._transport.call("GET", "/sounds", {"lang": lang, "format": format})
        return tuple(Sound.from_json(v) for v in raw)

    async def get(self, sound_id: str) -> Sound:
        """GET /sounds/{soundId}"""
        raw = await self._transport.call("GET", f"/sounds/{_seg(sound_id)}", {})
        return Sound.from_json(raw)


class Playbacks:
    """The operations below /playbacks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, playback_id: str) -> Playback:
        """GET /playbacks/{playbackId}"""
        raw = await self._transport.call("GET", f"/playbacks/{_seg(playback_id)}", {})
        return Playback.from_json(raw)

    async def stop(self, playback_id: str) -> None:
        """DELETE /playbacks/{playbackId}"""
        await self._transport.call("DELETE", f"/playbacks/{_seg(playback_id)}", {})

    async def control(self, playback_id: str, operation: str) -> None:
        """POST /playbacks/{playbackId}/control"""
        await self._transport.call(
            "POST", f"/playbacks/{_seg(playback_id)}/control", {"operation": operation}
        )


class DeviceStates:
    """The operations below /deviceStates."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> tuple[DeviceState, ...]:
        """GET /deviceStates"""
        raw = await self._transport.call("GET", "/deviceStates", {})
        return tuple(DeviceState.from_json(v) for v in raw)

    async def get(self, device_name: str) -> DeviceState:
        """GET /deviceStates/{deviceName}"""
        raw = await self._transport.call("GET", f"/deviceStates/{_seg(device_name)}", {})
        return DeviceState.from_json(raw)

    async def update(self, device_name: str, device_state: str) -> None:
        """PUT /deviceStates/{deviceName}"""
        await self._transport.call("PUT", f"/deviceStates/{_seg(device_name)}", {"deviceState": device_state})

    async def delete(self, device_name: str) -> None:
        """DELETE /deviceStates/{deviceName}"""
        await self._transport.call("DELETE", f"/deviceStates/{_seg(device_name)}", {})


class Mailboxes:
    """The operations below /mailboxes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> tuple[Mailbox, ...]:
        """GET /mailboxes"""
        raw = await self._transport.call("GET", "/mailboxes", {})
        return tuple(Mailbox.from_json(v) for v in raw)

    async def get(self, mailbox_name: str) -> Mailbox:
        """GET /mailboxes/{mailboxName}"""
        raw = await self._transport.call("GET", f"/mailboxes/{_seg(mailbox_name)}", {})
        return Mailbox.from_json(raw)

    async def update(self, mailbox_name: str, old_messages: int, new_messages: int) -> None:
        """PUT /mailboxes/{mailboxName}"""
        await self._transport.call(
            "PUT",
            f"/mailboxes/{_seg(mailbox_name)}",
            {"oldMessages": old_messages, "newMessages": new_messages},
        )

    async def delete(self, mailbox_name: str) -> None:
        """DELETE /mailboxes/{mailboxName}"""
        await self._transport.call("DELETE", f"/mailboxes/{_seg(mailbox_name)}", {})


class Events:
    """The operations below /events."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def event_websocket(
        self, app: Sequence[str], *, subscribe_all: bool | None = None
    ) -> ClientWebSocketResponse:
        """GET /events"""
        return await self._transport.upgrade("/events", {"app": app, "subscribeAll": subscribe_all})

    async def user_event(
        self,
        event_name: str,
        application: str,
        *,
        source: Sequence[str] | None = None,
        variables: Mapping[str, object] | Sequence[object] | None = None,
    ) -> None:
        """POST /events/user/{eventName}"""
        await self._transport.call(
            "POST",
            f"/events/user/{_seg(event_name)}",
            {"application": application},
            _body(source=source, variables=variables),
        )

    async def claim_channel(self, channel_id: str, application: str) -> None:
        """POST /events/claim"""
        await self._transport.call(
            "POST", "/events/claim", {"channelId": channel_id, "application": application}
        )


class Applications:
    """The operations below /applications."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> tuple[Application, ...]:
        """GET /applications"""
        raw = await self._transport.call("GET", "/applications", {})
        return tuple(Application.from_json(v) for v in raw)

    async def get(self, application_name: str) -> Application:
        """GET /applications/{applicationName}"""
        raw = await self._transport.call("GET", f"/applications/{_seg(application_name)}", {})
        return Application.from_json(raw)

    async def subscribe(self, application_name: str, event_source: Sequence[str]) -> Application:
        """POST /applications/{applicationName}/subscription"""
        raw = await self._transport.call(
            "POST",
            f"/applications/{_seg(application_name)}/subscription",
            {},
            _body(eventSource=event_source),
        )
        return Application.from_json(raw)

    async def unsubscribe(self, application_name: str, event_source: Sequence[str]) -> Application:
        """DELETE /applications/{applicationName}/subscription"""
        raw = await self._transport.call(
            "DELETE", f"/applications/{_seg(application_name)}/subscription", {"eventSource": event_source}
        )
        return Application.from_json(raw)

    async def filter(
        self, application_name: str, *, filter: Mapping[str, object] | None = None
    ) -> Application:
        """PUT /applications/{applicationName}/eventFilter"""
        raw = await self._transport.call(
            "PUT", f"/applications/{_seg(application_name)}/eventFilter", {}, filter
        )
        return Application.from_json(raw)


class Ari:
    """All operations, by resource."""

    def __init__(self, transport: Transport) -> None:
        self.asterisk = Asterisk(transport)
        self.endpoints = Endpoints(transport)
        self.channels = Channels(transport)
        self.bridges = Bridges(transport)
        self.recordings = Recordings(transport)
        self.sounds = Sounds(transport)
        self.playbacks = Playbacks(transport)
        self.device_states = DeviceStates(transport)
        self.mailboxes = Mailboxes(transport)
        self.events = Events(transport)
        self.applications = Applications(transport)
