"""The Asterisk modules that autocom loads, and why each group is there.

Asterisk loads nothing by itself here (`autoload=no`): a start takes a fraction of a second, and
what is not loaded cannot be attacked. `MODULES` is the list in load order; the dialplan lint
reads `PROVIDES` to see that every application and function of `dialplan/` comes from a listed
module. Must not know where modules lie on disk. Invariant: with this list and the files of
`conf`, Asterisk 22.10 starts without one WARNING or ERROR line; leaving out a partner inside a
group brings lines back (res_ari needs res_websocket_client, res_agi needs res_speech,
res_ari_channels needs res_stasis_snoop).
"""

from __future__ import annotations

SIP = (
    "res_pjproject",
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_sorcery_astdb",  # registrations outlive a restart
    "res_pjsip",
    "res_pjsip_session",
    "res_pjsip_pubsub",
    "chan_pjsip",
    "res_pjsip_authenticator_digest",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_endpoint_identifier_user",
    "res_pjsip_registrar",
    "res_pjsip_sdp_rtp",
    "res_pjsip_nat",
    "res_pjsip_caller_id",
    "res_pjsip_diversion",
    "res_pjsip_refer",
    "res_pjsip_rfc3326",
    "res_pjsip_dtmf_info",
    "res_pjsip_messaging",  # a text to a secretary's phone; what phones and operators send is refused (pjsip.conf)
    "res_pjsip_header_funcs",
    "res_pjsip_logger",
    "res_pjsip_outbound_authenticator_digest",
    "res_pjsip_acl",
    "res_pjsip_dlg_options",
    "res_pjsip_maintenance",
    "func_pjsip_endpoint",
    "func_pjsip_aor",
    "func_pjsip_contact",
)
# Lamps: who is on the phone (RFC 4235, RFC 3856), and messages left (RFC 3842). Debian builds no
# res_mwi_external, so the counts enter Asterisk by app_minivm's MinivmMWI, which keeps no mailbox itself.
LAMPS = (
    "res_pjsip_outbound_publish",  # res_pjsip_exten_state does not load without it
    "res_pjsip_exten_state",
    "res_pjsip_pidf_body_generator",
    "res_pjsip_pidf_eyebeam_body_supplement",
    "res_pjsip_xpidf_body_generator",
    "res_pjsip_dialog_info_body_generator",
    "res_pjsip_mwi",
    "res_pjsip_mwi_body_generator",
    "app_minivm",
)
WEBRTC = ("res_http_websocket", "res_pjsip_transport_websocket", "res_crypto", "res_srtp")
MEDIA = (
    "res_rtp_asterisk",
    "res_timing_timerfd",
    "res_musiconhold",
    "codec_alaw",
    "codec_ulaw",
    "codec_a_mu",
    "codec_g722",
    "codec_gsm",
    "codec_resample",
    "codec_opus_open_source",
    "res_format_attr_opus",
    "format_pcm",  # .alaw .ulaw .g722
    "format_gsm",
    "format_wav",
    "format_sln",
    "bridge_simple",
    "bridge_native_rtp",
    "bridge_softmix",
    "bridge_holding",
    "bridge_builtin_features",
)
FAX = ("res_fax",)  # only its ear: FAXOPT(faxdetect) hears a calling fax machine
ARI = (
    "res_websocket_client",
    "res_stasis",
    "res_stasis_answer",
    "res_stasis_playback",
    "res_stasis_recording",
    "res_stasis_snoop",
    "res_stasis_device_state",
    "res_stasis_broadcast",
    "app_stasis",
    "app_stasis_broadcast",
    "chan_bridge_media",
    "res_ari",
    "res_ari_model",
    "res_ari_applications",
    "res_ari_asterisk",
    "res_ari_bridges",
    "res_ari_channels",
    "res_ari_device_states",
    "res_ari_endpoints",
    "res_ari_events",
    "res_ari_playbacks",
    "res_ari_recordings",
    "res_ari_sounds",
)
AGI_AMI = ("res_speech", "res_agi", "res_manager_devicestate")
DIALPLAN = (
    "pbx_config",
    "app_dial",
    "app_playback",
    "app_playtones",
    "app_read",
    "app_stack",
    "app_userevent",
    "func_callerid",
    "func_channel",
    "func_devstate",
    "func_global",
    "func_groupcount",
    "func_hangupcause",
    "func_logic",
    "func_math",
    "func_rand",
    "func_strings",
    "func_timeout",
    "app_queue",  # serves callers while autocom is away; after the channels and hints that its members are
)

MODULES: tuple[str, ...] = (*SIP, *LAMPS, *WEBRTC, *MEDIA, *FAX, *ARI, *AGI_AMI, *DIALPLAN)

# Without these there is no service, and the start fails by their name.
REQUIRED = frozenset({"chan_pjsip", "res_ari_channels", "app_stasis_broadcast", "pbx_config"})

# What the dialplan may use, by the module that brings it ("core": always there).
PROVIDES: dict[str, tuple[str, ...]] = {
    "core": (
        "Answer",
        "Congestion",
        "EPOCH",
        "Goto",
        "GotoIf",
        "Hangup",
        "NoOp",
        "Progress",
        "Ringing",
        "Set",
        "Wait",
    ),
    "app_dial": ("Dial",),
    "chan_pjsip": ("PJSIP_TRANSFER_HANDLING",),
    "app_minivm": ("MinivmMWI",),
    "app_playback": ("Playback",),
    "app_playtones": ("PlayTones",),
    "app_queue": ("Queue", "QUEUE_EXISTS"),
    "app_read": ("Read",),
    "app_stack": ("Gosub", "GosubIf", "Return", "LOCAL"),
    "app_stasis_broadcast": ("StasisBroadcast",),
    "app_stasis": ("Stasis",),
    "app_userevent": ("UserEvent",),
    "func_callerid": ("CALLERID", "CONNECTEDLINE"),
    "func_channel": ("CHANNEL",),
    "func_devstate": ("DEVICE_STATE",),
    "func_global": ("GLOBAL",),
    "func_groupcount": ("GROUP", "GROUP_COUNT"),
    "func_logic": ("IF", "ISNULL"),
    "func_math": ("INC", "MATH"),
    "func_pjsip_aor": ("PJSIP_AOR",),
    "func_pjsip_contact": ("PJSIP_CONTACT",),
    "func_strings": ("FILTER", "LEN", "REGEX"),
    "func_timeout": ("TIMEOUT",),
    "res_agi": ("AGI",),
    "res_musiconhold": ("MusicOnHold", "StartMusicOnHold", "StopMusicOnHold"),
    "res_pjsip_header_funcs": ("PJSIP_HEADER",),
}
