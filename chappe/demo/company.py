"""The people of the demo: who works where, in which department, and so knows whom."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chappe.demo.layout import PASSWORD

_DEPARTMENTS: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "Project Semaphore": {
        "paris": ("anna Anna Keller", "bruno Bruno Lefort", "emma Emma Roussel"),
        "lyon": ("chloe Chloe Martin", "david David Aubry", "farid Farid Benali"),
    },
    "Sales": {
        "paris": ("gina Gina Moreau", "hugo Hugo Perrin", "ida Ida Costa", "jonas Jonas Weber"),
        "lyon": ("karim Karim Haddad", "lea Lea Fontaine", "marc Marc Dubois", "noemie Noemie Arnaud"),
    },
    "Engineering": {
        "paris": ("nadia Nadia Petit", "oscar Oscar Lindt", "petra Petra Holm"),
        "lyon": ("paula Paula Mendes", "quentin Quentin Roy", "rosa Rosa Ferri", "samir Samir Azzi", "tara Tara Novak"),
    },
    "Support": {
        "paris": ("ugo Ugo Bianchi", "vera Vera Klein", "william William Owen"),
        "lyon": ("xenia Xenia Popov", "yann Yann Le Goff", "zoe Zoe Lambert"),
    },
    "Finance": {
        "paris": (
            "alice Alice Girard",
            "boris Boris Hahn",
            "clara Clara Noel",
            "denis Denis Faure",
            "elena Elena Ricci",
        ),
        "lyon": ("fabien Fabien Roche",),
    },
    "Logistics": {
        "paris": ("greta Greta Olsen",),
        "lyon": (
            "henri Henri Blanc",
            "iris Iris Caron",
            "julien Julien Marty",
            "kenza Kenza Amrani",
            "louis Louis Vidal",
        ),
    },
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the company."""

    local: str
    name: str
    department: str
    site: str


def people() -> Iterator[Person]:
    """Yield everybody."""
    for department, sites in _DEPARTMENTS.items():
        for site, names in sites.items():
            for entry in names:
                local, _, name = entry.partition(" ")
                yield Person(local, name, department, site)


def colleagues(person: Person) -> list[Person]:
    """Who is on a person's contact list."""
    return [each for each in people() if each.department == person.department and each != person]


def write_csv(path: Path) -> None:
    """Write the company as `chappe account import` reads it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("local", "site", "password", "display_name"))
        writer.writerows((each.local, each.site, PASSWORD, each.name) for each in people())
