"""Where a domain's server is, which authority it has, and (in the demo) everybody's password: from a profile file.

The demo writes one; it is found from any folder below the one that the demo was started in.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

PROFILE_VARIABLE = "CHAPPE_PROFILE"
DEMO_PROFILE = Path(".demo", "profile.toml")
KEYS = frozenset({"domain", "server", "ca", "password"})


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a domain."""

    domain: str
    server: str
    """As `chappe.client.parse_endpoint` reads it."""
    ca: Path | None
    password: str | None


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
    wrong = [key for key, value in content.items() if key not in KEYS or not isinstance(value, str)]
    if wrong or "domain" not in content or "server" not in content:
        raise click.UsageError(f"profile {path}: needs domain and server, may have ca and password, all of them texts")
    ca = content.get("ca")
    return Profile(
        content["domain"], content["server"], None if ca is None else path.parent / ca, content.get("password")
    )


def profile_of(domain: str) -> Profile | None:
    """Find the profile of a domain."""
    profile = find_profile(os.environ, Path.cwd())
    return profile if profile is not None and profile.domain == domain else None
