"""`autocom`: the commands of the contract, gathered.

Each finds the running exchange by its state folder and speaks to it over the API; the journal is
read from PostgreSQL directly. Must not decide anything itself. The commands are in `commands/`.
"""

from __future__ import annotations

import click

from autocom.commands.alerts import alerts
from autocom.commands.bans import bans
from autocom.commands.call_lists import call_list, say_result
from autocom.commands.calling import call_out
from autocom.commands.configuration import check, explain, reload, schema
from autocom.commands.database import db
from autocom.commands.doctor import doctor
from autocom.commands.exchange import secretary, status
from autocom.commands.journal import call, calls
from autocom.commands.overrides import override
from autocom.commands.pauses import pauses
from autocom.commands.phone import phone
from autocom.commands.recordings import recording, recordings
from autocom.commands.rescue import rescue
from autocom.commands.rooms import room, rooms
from autocom.commands.running import demo, serve, up
from autocom.commands.simulate import simulate
from autocom.commands.texts import text, texts
from autocom.commands.tokens import token
from autocom.commands.upgrade import upgrade
from autocom.commands.versions import diff, rollback, versions
from autocom.commands.voicemail import voicemail


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="autocom")
def main() -> None:
    """autocom, the telephone exchange of a télésecrétariat."""


for command in (
    up,
    serve,
    upgrade,
    rescue,
    demo,
    check,
    doctor,
    explain,
    schema,
    reload,
    status,
    alerts,
    secretary,
    calls,
    call,
    pauses,
    db,
    override,
    versions,
    rollback,
    diff,
    simulate,
    call_out,
    call_list,
    say_result,
    rooms,
    room,
    texts,
    text,
    voicemail,
    recordings,
    recording,
    phone,
    bans,
    token,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
