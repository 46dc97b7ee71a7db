"""What the demo says when it is ready."""

from chappe.demo.company import people
from chappe.demo.layout import DEFAULT_FOLDER, DOMAIN, PASSWORD, Layout


def welcome(layout: Layout) -> str:
    """Who can log in, and how."""
    paris, lyon = layout.branches
    by_site = {branch.name: [each.local for each in people() if each.site == branch.name] for branch in layout.branches}
    count = sum(map(len, by_site.values()))
    where = "" if layout.folder == DEFAULT_FOLDER else f" --folder {layout.folder}"
    return f"""
  Ready.  {count} people, password {PASSWORD!r} for everybody, addresses like anna@{DOMAIN}:

    Paris  {wrapped(by_site["paris"])}
    Lyon   {wrapped(by_site["lyon"])}

  In two more terminals:

    chappe chat anna@{DOMAIN}
    chappe chat chloe@{DOMAIN} --to anna

  Any XMPP client, with the authority {layout.ca.absolute()}:

           STARTTLS         TLS              WebSocket
    Paris  localhost:{paris.starttls:<6} localhost:{paris.tls:<6} wss://localhost:{paris.http}/ws
    Lyon   localhost:{lyon.starttls:<6} localhost:{lyon.tls:<6} wss://localhost:{lyon.http}/ws

  Cut a branch off, and heal the link:

    chappe demo{where} --cut lyon
    chappe demo{where} --heal lyon

  Ctrl-C ends the demo; what was said is kept until `chappe demo --reset`.
"""


def wrapped(names: list[str], width: int = 70) -> str:
    """Names, in lines of a readable length."""
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > width:
            lines.append("")
        lines[-1] += f"{name} "
    return "\n           ".join(line.rstrip() for line in lines)
