"""The message archive's queries and answers (XEP-0313), and its preferences (XEP-0441)."""

from dataclasses import dataclass
from typing import Final, Literal

from xmpp import namespaces
from xmpp.element import Element
from xmpp.errors import StanzaCondition, StanzaError
from xmpp.jid import JID, InvalidJID
from xmpp.payloads import data_form, forwarding, result_set
from xmpp.payloads.data_form import Field, Form
from xmpp.payloads.delay import Delay
from xmpp.payloads.result_set import Page, PageRequest
from xmpp.payloads.timestamps import format_datetime, parse_datetime

QUERY: Final = f"{{{namespaces.ARCHIVE}}}query"
FIN: Final = f"{{{namespaces.ARCHIVE}}}fin"
RESULT: Final = f"{{{namespaces.ARCHIVE}}}result"
METADATA: Final = f"{{{namespaces.ARCHIVE}}}metadata"
PREFERENCES: Final = f"{{{namespaces.ARCHIVE}}}prefs"

_FLIP_PAGE: Final = f"{{{namespaces.ARCHIVE}}}flip-page"
_VALIDATE: Final = "{http://jabber.org/protocol/xdata-validate}validate"  # XEP-0122
_OPEN: Final = "{http://jabber.org/protocol/xdata-validate}open"
_GROUPCHAT: Final = "include-groupchat"
_FIELDS: Final = frozenset({"start", "end", "with", "before-id", "after-id", "ids", _GROUPCHAT})

Default = Literal["always", "never", "roster"]
_DEFAULTS: Final[dict[str | None, Default]] = {"always": "always", "never": "never", "roster": "roster"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which messages are wanted (sections 4.1 and 4.3)."""

    query_id: str | None = None
    """What each result must repeat."""
    with_: JID | None = None
    start_us: int | None = None
    end_us: int | None = None
    before_id: str | None = None
    after_id: str | None = None
    ids: tuple[str, ...] = ()
    groupchat: bool | None = None
    """Whether messages of rooms are wanted too; None leaves it to the archive."""
    page: PageRequest = PageRequest()  # noqa: RUF009  immutable
    flip: bool = False
    """Whether the page is to be sent last item first."""

    def element(self) -> Element:
        """Return `<query/>`, as a client sends it."""
        attributes = {} if self.query_id is None else {"queryid": self.query_id}
        fields = tuple(
            Field(var, values)
            for var, values in (
                ("with", () if self.with_ is None else (self.with_.full,)),
                ("start", () if self.start_us is None else (format_datetime(self.start_us),)),
                ("end", () if self.end_us is None else (format_datetime(self.end_us),)),
                ("before-id", () if self.before_id is None else (self.before_id,)),
                ("after-id", () if self.after_id is None else (self.after_id,)),
                ("ids", self.ids),
                (_GROUPCHAT, () if self.groupchat is None else (str(self.groupchat).lower(),)),
            )
            if values
        )
        children = [data_form.of_type(namespaces.ARCHIVE, *fields).element()] if fields else []
        if self.page != PageRequest():
            children.append(self.page.element())
        if self.flip:
            children.append(Element(_FLIP_PAGE))
        return Element(QUERY, attributes, tuple(children))


def read_query(element: Element) -> Query:
    """Read `<query/>`.

    Raises:
        StanzaError: `feature-not-implemented` for a field that is not known (section
            4.1.5); `bad-request` or `jid-malformed` for a value that is none.

    """
    form_element = element.find(data_form.NAME)
    form = data_form.read(form_element) if form_element is not None else Form("submit")
    if form_element is not None and form.form_type != namespaces.ARCHIVE:
        raise StanzaError(StanzaCondition.BAD_REQUEST, text="not a form of the archive")
    fields = {field.var: field for field in form.fields if field.var != data_form.FORM_TYPE}
    if fields.keys() - _FIELDS:
        raise StanzaError(StanzaCondition.FEATURE_NOT_IMPLEMENTED, text="a field that is not known")
    values = {var: field.value for var, field in fields.items() if var != "ids"}
    page = element.find(result_set.NAME)
    return Query(
        query_id=element.get("queryid"),
        with_=_jid(values["with"]) if "with" in values else None,
        start_us=parse_datetime(values["start"]) if "start" in values else None,
        end_us=parse_datetime(values["end"]) if "end" in values else None,
        before_id=values.get("before-id"),
        after_id=values.get("after-id"),
        ids=fields["ids"].values if "ids" in fields else (),
        groupchat=fields[_GROUPCHAT].boolean if _GROUPCHAT in fields else None,
        page=result_set.read_request(page) if page is not None else PageRequest(),
        flip=element.find(_FLIP_PAGE) is not None,
    )


def query_form() -> Element:
    """Return `<query/>` with the fields that a query may have (section 4.1.5)."""
    any_id = Element(_VALIDATE, {"datatype": "xs:string"}, (Element(_OPEN),))
    form = data_form.of_type(
        namespaces.ARCHIVE,
        Field("with", type="jid-single"),
        Field("start", type="text-single"),
        Field("end", type="text-single"),
        Field("before-id", type="text-single"),
        Field("after-id", type="text-single"),
        Field("ids", type="list-multi", extra=(any_id,)),
        Field(_GROUPCHAT, type="boolean"),
        type="form",
    )
    return Element(QUERY, children=(form.element(),))


def render_result(rendered: bytes, archive_id: str, delay: Delay, query_id: str | None = None) -> bytes:
    """Write `<result/>` around an archived message, which is not read again (section 4.2)."""
    attributes = {"id": archive_id} if query_id is None else {"queryid": query_id, "id": archive_id}
    return forwarding.wrap(Element(RESULT, attributes), forwarding.render(rendered, delay), namespaces.CLIENT)


@dataclass(frozen=True, slots=True)
class Fin:
    """The end of a query's results (section 4.3)."""

    page: Page
    complete: bool = False
    """Whether there is no further page."""
    stable: bool = True
    """Whether the same query would always bring the same."""

    def element(self) -> Element:
        """Return `<fin/>`."""
        attributes = {"complete": "true"} if self.complete else {}
        if not self.stable:
            attributes["stable"] = "false"
        return Element(FIN, attributes, (self.page.element(),))


def read_fin(element: Element) -> Fin:
    """Read `<fin/>`; raise StanzaError (`bad-request`) for a page that is none."""
    page = element.find(result_set.NAME)
    return Fin(
        result_set.read_page(page) if page is not None else Page(),
        element.get("complete") in {"true", "1"},
        element.get("stable") not in {"false", "0"},
    )


@dataclass(frozen=True, slots=True)
class Edge:
    """The first or the last message of an archive."""

    id: str
    moment_us: int


def metadata(first: Edge | None, last: Edge | None) -> Element:
    """Return `<metadata/>` (section 5); an empty archive has neither edge."""
    return Element(
        METADATA,
        children=tuple(
            Element(
                f"{{{namespaces.ARCHIVE}}}{local}",
                {"id": edge.id, "timestamp": format_datetime(edge.moment_us)},
            )
            for local, edge in (("start", first), ("end", last))
            if edge is not None
        ),
    )


@dataclass(frozen=True, slots=True)
class Preferences:
    """What an account wants archived (XEP-0441, section 2)."""

    default: Default = "always"
    always: tuple[JID, ...] = ()
    never: tuple[JID, ...] = ()

    def element(self) -> Element:
        """Return `<prefs/>`."""
        return Element(
            PREFERENCES,
            {"default": self.default},
            (_jids("always", self.always), _jids("never", self.never)),
        )


def read_preferences(element: Element) -> Preferences:
    """Read `<prefs/>`; raise StanzaError (`bad-request`, `jid-malformed`) if they are none."""
    default = _DEFAULTS.get(element.get("default"))
    if default is None:
        raise StanzaError(StanzaCondition.BAD_REQUEST, text="not a default of XEP-0441")
    return Preferences(default, _read_jids(element, "always"), _read_jids(element, "never"))


def _jids(local: str, jids: tuple[JID, ...]) -> Element:
    name = f"{{{namespaces.ARCHIVE}}}jid"
    return Element(
        f"{{{namespaces.ARCHIVE}}}{local}", children=tuple(Element(name, children=(jid.full,)) for jid in jids)
    )


def _read_jids(element: Element, local: str) -> tuple[JID, ...]:
    listed = element.find(f"{{{namespaces.ARCHIVE}}}{local}")
    if listed is None:
        return ()
    return tuple(_jid(jid.text.strip()) for jid in listed.find_all(f"{{{namespaces.ARCHIVE}}}jid"))


def _jid(text: str) -> JID:
    try:
        return JID.parse(text)
    except InvalidJID as error:
        raise StanzaError(StanzaCondition.JID_MALFORMED) from error
