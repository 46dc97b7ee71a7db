"""`chappe reference`: write the generated pages of `docs/`, or say which are out of date."""

from pathlib import Path

import click

from chappe.reference.composition import composed
from chappe.reference.pages import PAGES, written


@click.command()
@click.argument("subject", type=click.Choice(["docs", *PAGES]))
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("docs"),
    show_default=True,
    help="Where the pages are.",
)
@click.option("--check", is_flag=True, help="Write nothing; fail if a page is not what the code says.")
def reference(subject: str, folder: Path, *, check: bool) -> None:
    """Write the pages of SUBJECT; `docs` is all of them."""
    stale = {
        folder / path: text
        for path, text in written(subject, composed()).items()
        if not (folder / path).exists() or (folder / path).read_text(encoding="utf-8") != text
    }
    if check and stale:
        raise click.ClickException(f"out of date (make docs): {', '.join(map(str, stale))}")
    for path, text in stale.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        click.echo(path)
