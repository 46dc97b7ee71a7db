"""What the demo says when it is ready."""

import shutil
import sys
from pathlib import Path

from chappe.chat.profile import PROFILE_VARIABLE
from chappe.demo.company import people
from chappe.demo.layout import DEFAULT_FOLDER, DOMAIN, PASSWORD, Layout


def own_command() -> str:
    """What to type for `chappe` in the folder that this process was started in."""
    started = Path(sys.argv[0])
    found = shutil.which("chappe")
    if started.name != "chappe" or (found is not None and Path(found).samefile(started)):
        return "chappe"
    here = Path.cwd()
    return str(started.relative_to(here) if started.is_relative_to(here) else started)


def welcome(layout: Layout, chappe: str = "chappe") -> str:
    """Who can log in, and how; `chappe` is the command to type."""
    paris, lyon = layout.branches
    by_site = {branch.name: [each.local for each in people() if each.site == branch.name] for branch in layout.branches}
    count = sum(map(len, by_site.values()))
    where = profile = ""
    if layout.folder != DEFAULT_FOLDER:
        where, profile = f" --folder {layout.folder}", f"{PROFILE_VARIABLE}={layout.config('profile')} "
    return f"""
  Ready.  {count} people, password {PASSWORD!r} for everybody, addresses like anna@{DOMAIN}:

    Paris  {wrapped(by_site["paris"])}
    Lyon   {wrapped(by_site["lyon"])}

  In two more terminals, in this folder:

    {profile}{chappe} chat anna@{DOMAIN}
    {profile}{chappe} chat chloe@{DOMAIN} --to anna

  Any XMPP client, with the authority {layout.ca.absolute()}:

           STARTTLS         TLS              WebSocket
    Paris  localhost:{paris.starttls:<6} localhost:{paris.tls:<6} wss://localhost:{paris.http}/ws
    Lyon   localhost:{lyon.starttls:<6} localhost:{lyon.tls:<6} wss://localhost:{lyon.http}/ws

  Cut a branch off, and heal the link:

    {chappe} demo{where} --cut lyon
    {chappe} demo{where} --heal lyon

  Ctrl-C ends the demo; what was said is kept until `{chappe} demo{where} --reset`.
"""


def wrapped(names: list[str], width: int = 70) -> str:
    """Names, in lines of a readable length."""
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > width:
            lines.append("")
        lines[-1] += f"{name} "
    return "\n           ".join(line.rstrip() for line in lines)
