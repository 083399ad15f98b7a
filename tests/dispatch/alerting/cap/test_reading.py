"""Each rule of the schema and of the standard, broken by itself in a document that is right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from written import DOCUMENT

from dispatch.alerting import cap
from dispatch.alerting.cap import Finding, Weight
from dispatch.alerting.cap.findings import MOST, Findings

INFO = "/alert/info[1]"
AREA = f"{INFO}/area[1]"


def changed(old: str, new: str) -> bytes:
    assert old in DOCUMENT
    return DOCUMENT.replace(old, new, 1).encode()


def only(data: bytes) -> Finding:
    found = cap.read(data).findings
    assert len(found) == 1, found
    assert found[0].text.endswith(".") and found[0].todo.endswith(".")
    return found[0]


def test_a_document_that_is_right_has_nothing_wrong() -> None:
    reading = cap.read(DOCUMENT.encode())
    assert reading.valid
    assert reading.findings == ()
    assert reading.version is cap.Version.V1_2
    assert cap.parse(DOCUMENT.encode()) == reading.alert


@pytest.mark.parametrize(
    ("old", "new", "path", "code"),
    [
        # What is required, in its order, and nothing else (the schema).
        ("<scope>Public</scope>", "", "/alert/scope", "cap.missing"),
        ("<event>Aviso de huracán</event>", "", f"{INFO}/event", "cap.missing"),
        ("<category>Met</category>", "", f"{INFO}/category", "cap.missing"),
        ("<areaDesc>Ciudad de Belice</areaDesc>", "", f"{AREA}/areaDesc", "cap.missing"),
        ("<status>", "<status>Test</status><status>", "/alert/status", "cap.repeated"),
        ("<msgType>", "<source>us</source><msgType>", "/alert/msgType", "cap.order"),
        ("<info>", "<Info/><info>", "/alert", "cap.unknown_element"),
        ("<info>", "<x:code xmlns:x='urn:x'/><info>", "/alert", "cap.unknown_element"),
        ("<scope>", "<password>x</password><scope>", "/alert", "cap.unknown_element"),
        ("<info>", "<info id='1'>", INFO, "cap.attribute"),
        ("<info>", "hurricane <info>", "/alert", "cap.stray_text"),
        ("</polygon>", "</polygon>x", AREA, "cap.stray_text"),
        ("de huracán", "de <b>huracán</b>", f"{INFO}/event", "cap.nested"),
        # Words.
        (">Actual<", ">actual<", "/alert/status", "cap.word"),
        (">Actual<", "> Actual <", "/alert/status", "cap.word"),
        (">Alert<", ">Warning<", "/alert/msgType", "cap.word"),
        (">Met<", ">Weather<", f"{INFO}/category[1]", "cap.word"),
        (">Likely<", ">Very Likely<", f"{INFO}/certainty", "cap.word"),
        # Identifiers.
        ("bz.nemo.2026.1", "bz nemo", "/alert/identifier", "cap.restricted_character"),
        ("bz.nemo.2026.1", "bz,nemo", "/alert/identifier", "cap.restricted_character"),
        ("bz.nemo.2026.1", "bz&amp;nemo", "/alert/identifier", "cap.restricted_character"),
        ("nemo.org.bz", "nemo&lt;1", "/alert/sender", "cap.restricted_character"),
        ("bz.nemo.2026.1", " ", "/alert/identifier", "cap.blank"),
        ("Ciudad de Belice", "", f"{AREA}/areaDesc", "cap.blank"),
        # Times.
        ("12:00:00-06:00<", "18:00:00Z<", "/alert/sent", "cap.time_letter"),
        ("12:00:00-06:00<", "12:00:00<", "/alert/sent", "cap.time_offset"),
        ("12:00:00-06:00<", "12:00:00CST<", "/alert/sent", "cap.time_offset"),
        ("12:00:00-06:00<", "12:00:00.5-06:00<", "/alert/sent", "cap.time_fraction"),
        ("12:00:00-06:00<", "25:00:00-06:00<", "/alert/sent", "cap.time_impossible"),
        ("12:00:00-06:00<", "12:00:00-16:00<", "/alert/sent", "cap.time_impossible"),
        ("12:00:00-06:00<", "12:00:00-06:60<", "/alert/sent", "cap.time_impossible"),
        ("2026-06-01T", "2026-02-30T", "/alert/sent", "cap.time_impossible"),
        ("2026-06-01T", "1 June 2026 ", "/alert/sent", "cap.time_form"),
        ("2026-06-01T", "٢٠٢٦-06-01T", "/alert/sent", "cap.time_form"),
        ("2026-06-02T", "tomorrow", f"{INFO}/expires", "cap.time_form"),
        # Languages.
        ("es-BZ", " ", f"{INFO}/language", "cap.language"),
        ("es-BZ", "es_BZ", f"{INFO}/language", "cap.language"),
        ("es-BZ", "español", f"{INFO}/language", "cap.language"),
        # Addresses.
        ("<area>", "<web>https://nemo.org.bz:x/</web><area>", f"{INFO}/web", "cap.uri"),
        ("<area>", "<web>https://nemo.org.bz/%zz</web><area>", f"{INFO}/web", "cap.uri"),
        # For whom.
        (">Public<", ">Restricted<", "/alert/restriction", "cap.restriction_missing"),
        (">Public<", ">Private<", "/alert/addresses", "cap.addresses_missing"),
        ("<info>", '<addresses>"a b</addresses><info>', "/alert/addresses", "cap.quotes"),
        # Places.
        (" 17.4,-88.3<", "<", f"{AREA}/polygon[1]", "cap.polygon_points"),
        (" 17.4,-88.3<", " 17.4,-88.4<", f"{AREA}/polygon[1]", "cap.polygon_open"),
        ("17.4,-88.1", "97.4,-88.1", f"{AREA}/polygon[1]", "cap.point_range"),
        ("17.4,-88.1", "17.4,-188.1", f"{AREA}/polygon[1]", "cap.point_range"),
        ("17.4,-88.1", "17.4;-88.1", f"{AREA}/polygon[1]", "cap.point_form"),
        ("17.4,-88.1", "17.4, -88.1", f"{AREA}/polygon[1]", "cap.point_form"),
        ("17.4,-88.1", "nan,-88.1", f"{AREA}/polygon[1]", "cap.point_form"),
        ("17.4,-88.1", "1e1,-88.1", f"{AREA}/polygon[1]", "cap.point_form"),
        ("</area>", "<circle>17.5,-88.2</circle></area>", f"{AREA}/circle[1]", "cap.circle_form"),
        ("</area>", "<circle>17.5 5</circle></area>", f"{AREA}/circle[1]", "cap.point_form"),
        ("</area>", "<circle>1,2 -5</circle></area>", f"{AREA}/circle[1]", "cap.circle_radius"),
        ("</area>", "<ceiling>100</ceiling></area>", f"{AREA}/ceiling", "cap.ceiling_alone"),
        ("</area>", "<altitude>high</altitude></area>", f"{AREA}/altitude", "cap.number"),
        ("</area>", "<altitude>1e3</altitude></area>", f"{AREA}/altitude", "cap.number"),
    ],
)  # fmt: skip
def test_a_rule_that_is_broken_is_named_with_its_place(
    old: str, new: str, path: str, code: str
) -> None:
    found = only(changed(old, new))
    assert (found.path, found.code, found.weight) == (path, code, Weight.ERROR)


@pytest.mark.parametrize(
    ("old", "new", "path", "code"),
    [
        ("12:00:00-06:00<", "18:00:00+00:00<", "/alert/sent", "cap.time_utc"),
        (">Actual<", ">Exercise<", "/alert/note", "cap.note_missing"),
        ("<info>", "<restriction>x</restriction><info>", "/alert/restriction",
         "cap.restriction_idle"),
        ("<info>", "<references>a,b,2026-05-01T12:00:00-06:00</references><info>",
         "/alert/references", "cap.references_idle"),
        ("2026-06-02T", "2026-05-02T", None, None),
        ("<expires>", "<onset>2026-07-01T12:00:00-06:00</onset><expires>", f"{INFO}/expires",
         "cap.expires_early"),
        ("<area>", "<web>nemo.org.bz</web><area>", f"{INFO}/web", "cap.web_relative"),
        ("es-BZ", "spanish", f"{INFO}/language", "cap.language"),
        ("</area>", "<altitude>9</altitude><ceiling>8</ceiling></area>", f"{AREA}/ceiling",
         "cap.ceiling_low"),
        ("17.4,-88.1 17.6,-88.1", "17.4,-88.3 17.4,-88.3", f"{AREA}/polygon[1]",
         "cap.polygon_flat"),
        ("<area>", "<resource><resourceDesc>map</resourceDesc><mimeType>png</mimeType>"
         "</resource><area>", f"{INFO}/resource[1]/mimeType", "cap.mime_type"),
        ("<area>", "<resource><resourceDesc>map</resourceDesc><mimeType>image/png</mimeType>"
         "<digest>0</digest></resource><area>", f"{INFO}/resource[1]/digest", "cap.digest"),
    ],
)  # fmt: skip
def test_what_everybody_understands_is_advice(
    old: str, new: str, path: str | None, code: str | None
) -> None:
    data = changed(old, new)
    assert cap.read(data).valid
    if path is not None:
        found = only(data)
        assert (found.path, found.code, found.weight) == (path, code, Weight.ADVICE)


def about(references: str, kind: str = "Update") -> bytes:
    data = changed(">Alert<", f">{kind}<").decode()
    return data.replace("<info>", f"<references>{references}</references><info>").encode()


@pytest.mark.parametrize("kind", ["Update", "Cancel", "Ack", "Error"])
def test_what_is_about_earlier_messages_names_them(kind: str) -> None:
    errors = cap.read(about("", kind)).errors
    assert [each.code for each in errors] == ["cap.references_missing"]
    named = cap.read(about("nemo.org.bz,a,2026-05-01T12:00:00-06:00", kind))
    assert named.valid
    assert named.alert is not None
    assert named.alert.references == (
        cap.Reference("nemo.org.bz", "a", datetime(2026, 5, 1, 18, tzinfo=UTC)),
    )


@pytest.mark.parametrize(
    ("references", "code"),
    [
        ("nemo.org.bz,bz.nemo.2026.1,2026-06-01T12:00:00-06:00", "cap.reference_order"),
        ("nemo.org.bz,a,2026-07-01T12:00:00-06:00", "cap.reference_order"),
        ("nemo.org.bz,a", "cap.reference_form"),
        ("nemo.org.bz,,2026-05-01T12:00:00-06:00", "cap.reference_form"),
        ("nemo.org.bz,a,2026-05-01T12:00:00Z", "cap.time_letter"),
        ("nemo.org.bz, a, 2026-05-01T12:00:00-06:00", "cap.reference_form"),
    ],
)
def test_a_chain_of_references_leads_back(references: str, code: str) -> None:
    assert code in {each.code for each in cap.read(about(references)).errors}


def test_many_references_are_parted_by_any_space() -> None:
    alert = cap.parse(about("a,b,2026-05-01T12:00:00-06:00\n\t c,d,2026-05-01T12:00:00-06:00 "))
    assert [each.identifier for each in alert.references] == ["b", "d"]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """DOM-WRN-23."""
    data = DOCUMENT
    for old, new in (
        ("<scope>Public</scope>", ""),
        (" 17.4,-88.3<", "<"),
        (">Extreme<", ">Awful<"),
        ("2026-06-02T12:00:00-06:00", "soon"),
    ):
        data = data.replace(old, new, 1)
    reading = cap.read(data.encode())
    assert reading.alert is None
    assert {(each.path, each.code) for each in reading.errors} == {
        ("/alert/scope", "cap.missing"),
        (f"{AREA}/polygon[1]", "cap.polygon_points"),
        (f"{INFO}/severity", "cap.word"),
        (f"{INFO}/expires", "cap.time_form"),
    }
    with pytest.raises(cap.CapRefused) as refusal:
        cap.parse(data.encode())
    assert refusal.value.findings == reading.findings
    assert refusal.value.code == refusal.value.findings[0].code


def test_a_second_info_in_a_language_is_told_of() -> None:
    """The standard allows it for other areas; that one is overlooked is what happens."""
    info = DOCUMENT[DOCUMENT.index("<info>") : DOCUMENT.index("</alert>")]
    twice = only(changed("</alert>", f"{info}</alert>"))
    assert (twice.path, twice.code) == ("/alert/info[2]", "cap.language_twice")
    assert twice.weight is Weight.ADVICE
    other = info.replace("es-BZ", "en-BZ")
    assert cap.read(changed("</alert>", f"{other}</alert>")).findings == ()


def test_no_language_is_english_of_the_united_states() -> None:
    without = cap.parse(changed("<language>es-BZ</language>", ""))
    empty = cap.parse(changed("<language>es-BZ</language>", "<language/>"))
    assert without.infos[0].spoken == empty.infos[0].spoken == "en-US"


def test_a_slip_that_leaves_no_doubt_is_understood() -> None:
    letter = cap.read(changed("12:00:00-06:00<", "18:00:00Z<")).alert
    opened = cap.read(changed(" 17.4,-88.3<", " 17.4,-88.4<")).alert
    assert letter is not None and letter.sent == datetime(2026, 6, 1, 18, tzinfo=UTC)
    assert opened is not None
    ring = opened.infos[0].areas[0].polygons[0]
    assert ring[0] == ring[-1]
    severe = cap.read(changed(">Extreme<", ">extreme<")).alert
    assert severe is not None and severe.infos[0].severity is cap.Severity.EXTREME


def test_a_day_may_end_at_24_hours() -> None:
    sent = cap.parse(changed("T12:00:00-06:00<", "T24:00:00-06:00<")).sent
    assert sent == datetime(2026, 6, 2, 6, tzinfo=UTC)
    assert sent.utcoffset() == timedelta(hours=-6)


def test_comments_between_letters_are_nothing() -> None:
    alert = cap.parse(changed("de huracán", "de <!-- not --><?x y?>hura<![CDATA[cán]]>"))
    assert alert.infos[0].event == "Aviso de huracán"


def test_names_with_spaces_stand_in_quotes() -> None:
    alert = cap.parse(changed("<info>", '<incidents>a "b c" d</incidents><info>'))
    assert alert.incidents == ("a", "b c", "d")


def test_heights_are_read_to_the_last_digit() -> None:
    area = cap.parse(
        changed("</area>", "<altitude>-12.50</altitude><ceiling>+1500</ceiling></area>")
    ).infos[0].areas[0]  # fmt: skip
    assert (area.altitude, area.ceiling) == (Decimal("-12.50"), Decimal(1500))


class TestOfVersion11:
    """CAP 1.1 is read by its own schema."""

    def document(self, old: str = "", new: str = "") -> bytes:
        return DOCUMENT.replace("cap:1.2", "cap:1.1").replace(old, new, 1).encode()

    def test_it_is_read(self) -> None:
        reading = cap.read(self.document())
        assert reading.valid and reading.version is cap.Version.V1_1

    def test_a_resource_needs_no_type_there(self) -> None:
        resource = "<resource><resourceDesc>map</resourceDesc></resource><area>"
        old = cap.read(self.document("<area>", resource))
        assert old.valid
        assert old.alert is not None
        assert old.alert.infos[0].resources == (cap.Resource("map"),)
        new = cap.read(changed("<area>", resource))
        assert [each.code for each in new.errors] == ["cap.missing"]

    def test_words_that_came_later_are_told_of(self) -> None:
        said = "<responseType>AllClear</responseType><urgency>"
        reading = cap.read(self.document("<urgency>", said))
        assert [each.code for each in reading.errors] == ["cap.word"]
        assert reading.alert is not None
        assert reading.alert.infos[0].responses == (cap.Response.ALL_CLEAR,)
        assert cap.read(changed("<urgency>", said)).valid

    def test_parts_of_a_second_were_allowed(self) -> None:
        assert cap.read(self.document("12:00:00-", "12:00:00.25-")).valid

    def test_utc_had_two_ways_to_be_written(self) -> None:
        assert cap.read(self.document("12:00:00-06:00<", "18:00:00+00:00<")).findings == ()


def test_a_word_of_cap_1_0_is_understood() -> None:
    reading = cap.read(changed(">Likely<", ">Very Likely<"))
    assert reading.alert is not None
    assert reading.alert.infos[0].certainty is cap.Certainty.LIKELY


@pytest.mark.parametrize(
    ("namespace", "code"),
    [
        ("http://www.incident.com/cap/1.0", "cap.version"),
        ("urn:oasis:names:tc:emergency:cap:1.3", "cap.version"),
        ("", "cap.version"),
    ],
)
def test_other_versions_are_refused(namespace: str, code: str) -> None:
    found = only(changed("urn:oasis:names:tc:emergency:cap:1.2", namespace))
    assert (found.path, found.code) == ("/", code)


def test_a_document_full_of_mistakes_is_told_of_in_so_many_lines() -> None:
    data = changed("<info>", "<wrong/>" * 5_000 + "<info>")
    found = cap.read(data).findings
    assert len(found) == MOST + 1
    assert found[-1].code == "cap.more"


def test_errors_are_told_before_advice() -> None:
    keep = Findings()
    for _ in range(MOST):
        keep(Finding("/alert", "a", "b.", "c.", Weight.ADVICE))
    keep(Finding("/alert", "error", "b.", "c."))
    assert [each.code for each in keep.all()].count("error") == 1
    assert len(keep.all()) == MOST + 1
