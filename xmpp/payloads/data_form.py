"""Data forms (XEP-0004): fields with values, and the form's type (XEP-0068)."""

from dataclasses import dataclass
from typing import Final

from xmpp import namespaces
from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError

NAME: Final = f"{{{namespaces.DATA_FORM}}}x"
FORM_TYPE: Final = "FORM_TYPE"

_FIELD: Final = f"{{{namespaces.DATA_FORM}}}field"
_VALUE: Final = f"{{{namespaces.DATA_FORM}}}value"
_TYPES: Final = frozenset({"form", "submit", "cancel", "result"})
_TRUE: Final = frozenset({"true", "1"})
_FALSE: Final = frozenset({"false", "0"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form."""

    var: str
    values: tuple[str, ...] = ()
    type: str | None = None
    """`text-single`, `hidden`, `list-multi` and so on; may be left out of a submitted form."""
    extra: tuple[Element, ...] = ()
    """What else stands in the field, such as XEP-0122's `<validate/>`."""

    @property
    def value(self) -> str:
        """The only value; raise StanzaError (`bad-request`) if there is not exactly one."""
        if len(self.values) != 1:
            raise StanzaError(StanzaCondition.BAD_REQUEST, text=f"{self.var} must have one value")
        return self.values[0]

    @property
    def boolean(self) -> bool:
        """The only value as a truth value; raise StanzaError (`bad-request`) if it is none."""
        if self.value in _TRUE:
            return True
        if self.value in _FALSE:
            return False
        raise StanzaError(StanzaCondition.BAD_REQUEST, text=f"{self.var} must be true or false")


@dataclass(frozen=True, slots=True)
class Form:
    """A form, to be filled in (`form`), filled in (`submit`), given up (`cancel`) or filled by a query (`result`)."""

    type: str
    fields: tuple[Field, ...] = ()

    @property
    def form_type(self) -> str | None:
        """The value of the hidden field `FORM_TYPE`, which says what the fields mean; or None."""
        field = self.field(FORM_TYPE)
        if field is None or len(field.values) != 1:
            return None
        # A submitted form need not repeat the types of its fields (XEP-0004, section 3.2).
        return field.values[0] if field.type == "hidden" or (field.type is None and self.type == "submit") else None

    def field(self, var: str) -> Field | None:
        """Return the first field of that name, or None."""
        return next((field for field in self.fields if field.var == var), None)

    def element(self) -> Element:
        """Return `<x/>`."""
        return Element(NAME, {"type": self.type}, tuple(_write_field(field) for field in self.fields))


def of_type(form_type: str, *fields: Field, type: str = "submit") -> Form:
    """Return a form with its `FORM_TYPE`."""
    return Form(type, (Field(FORM_TYPE, (form_type,), "hidden"), *fields))


def read(element: Element) -> Form:
    """Read `<x/>`; raise StanzaError (`bad-request`) if its type is not known."""
    type_ = element.get("type") or ""
    if type_ not in _TYPES:
        raise StanzaError(StanzaCondition.BAD_REQUEST, text="not a type of form")
    return Form(type_, tuple(_read_field(field) for field in element.find_all(_FIELD)))


def _read_field(element: Element) -> Field:
    return Field(
        element.get("var") or "",
        tuple(value.text for value in element.find_all(_VALUE)),
        element.get("type"),
        tuple(child for child in element.elements if child.name != _VALUE),
    )


def _write_field(field: Field) -> Element:
    attributes = {"var": field.var} if field.var else {}
    if field.type is not None:
        attributes["type"] = field.type
    values = tuple(Element(_VALUE, children=(value,) if value else ()) for value in field.values)
    return Element(_FIELD, attributes, (*values, *field.extra))
