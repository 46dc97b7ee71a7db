"""Where the hub is and who we are: from options, or from a profile file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import click

PROFILE_KEYS = ("hub", "ca", "cert", "key")


@dataclass(frozen=True, slots=True)
class Profile:
    """How to reach the hub's administration service."""

    hub: str
    """host:port."""
    ca: Path
    """PEM file of the authority that the hub's certificate comes from."""
    cert: Path
    """PEM file of the administrator's certificate (URI chappe://admin/NAME)."""
    key: Path
    """PEM file of its key."""

    def read(self) -> tuple[bytes, bytes, bytes]:
        """Return the contents of (ca, cert, key)."""
        contents = []
        for path in (self.ca, self.cert, self.key):
            try:
                contents.append(path.read_bytes())
            except OSError as error:
                raise click.UsageError(f"{path}: {error.strerror}") from error
        return contents[0], contents[1], contents[2]


def resolve(profile: Path | None, options: dict[str, str | None]) -> Profile:
    """Lay options over the profile file.

    Args:
        profile: TOML file with any of hub, ca, cert, key; relative paths are taken from its folder.
        options: the same keys as given on the command line or in the environment; None = not given.

    Raises:
        click.UsageError: the file can't be read, or something is missing: named.
    """
    values: dict[str, str] = {} if profile is None else read_profile(profile)
    values |= {key: value for key, value in options.items() if value is not None}
    missing = [f"--{key}" for key in PROFILE_KEYS if key not in values]
    if missing:
        raise click.UsageError(
            f"missing {', '.join(missing)}: give the options, or a profile file (--profile, CHAPPE_ADMIN_PROFILE)"
        )
    return Profile(values["hub"], Path(values["ca"]), Path(values["cert"]), Path(values["key"]))


def read_profile(path: Path) -> dict[str, str]:
    """Read a profile file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.UsageError(f"profile {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"profile {path}: {error}") from error
    values: dict[str, str] = {}
    for key, value in content.items():
        if key not in PROFILE_KEYS:
            raise click.UsageError(f"profile {path}: unknown key {key!r}; known: {', '.join(PROFILE_KEYS)}")
        if not isinstance(value, str) or not value:
            raise click.UsageError(f"profile {path}: {key} must be a text that is not empty")
        values[key] = value if key == "hub" else str(path.parent / value)
    return values
