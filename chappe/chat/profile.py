"""Where a domain's servers are, which authority they have, and (in the demo) everybody's password: from a profile file.

The demo writes one; it is found from any folder below the one that the demo was started in.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

PROFILE_VARIABLE = "CHAPPE_PROFILE"
DEMO_PROFILE = Path(".demo", "profile.toml")
TEXTS = frozenset({"domain", "server", "ca", "password"})
HOMES = "homes"


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a domain."""

    domain: str
    server: str
    """As `chappe.client.parse_endpoint` reads it."""
    ca: Path | None
    password: str | None
    homes: Mapping[str, str]
    """The same by the account's local part, of those who are not at home there: so the hub need not be asked."""

    def server_of(self, local: str) -> str:
        """Where an account logs in."""
        return self.homes.get(local, self.server)


def find_profile(environment: Mapping[str, str], folder: Path) -> Profile | None:
    """Read the profile that the environment names, or the demo's; None if there is neither.

    Raises:
        click.UsageError: there is one, and it cannot be used.
    """
    named = environment.get(PROFILE_VARIABLE)
    if named:
        return read_profile(Path(named))
    for place in (folder, *folder.parents):
        if (place / DEMO_PROFILE).is_file():
            return read_profile(place / DEMO_PROFILE)
    return None


def read_profile(path: Path) -> Profile:
    """Read a profile file; relative paths are taken from its folder."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.UsageError(f"profile {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"profile {path}: {error}") from error
    homes = content.pop(HOMES, {})
    wrong = [key for key, value in content.items() if key not in TEXTS or not isinstance(value, str)]
    if wrong or not is_of_texts(homes) or "domain" not in content or "server" not in content:
        raise click.UsageError(
            f"profile {path}: needs domain and server, may have ca and password, all of them texts, "
            "and a table homes of texts"
        )
    ca = None if "ca" not in content else path.parent / content["ca"]
    return Profile(content["domain"], content["server"], ca, content.get("password"), homes)


def is_of_texts(value: Any) -> bool:  # noqa: ANN401 - as TOML has it
    """Whether it is a table of texts."""
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def profile_of(domain: str) -> Profile | None:
    """Find the profile of a domain."""
    profile = find_profile(os.environ, Path.cwd())
    return profile if profile is not None and profile.domain == domain else None
