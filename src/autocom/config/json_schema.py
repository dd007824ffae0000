"""JSON Schema of both kinds of files, for editors.

Generated from the models that judge the files, so it cannot say anything else than they do. Must
not know relations between keys and files: those only `check` tells.
"""

from __future__ import annotations

from typing import Any

from autocom.config.models import Bureau, Client, ClientDefaults


def schema() -> dict[str, Any]:
    """`{"bureau": …, "client": …}`, JSON Schema draft 2020-12.

    A client's keys that `defaults` may hold are not required: the schema sees one file at a time."""
    client = Client.model_json_schema()
    inherited = set(ClientDefaults.model_fields)
    client["required"] = [key for key in client["required"] if key not in inherited]
    both = {"bureau": Bureau.model_json_schema(), "client": client}
    for part in both.values():
        part["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return both
