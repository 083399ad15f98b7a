"""Templates for Belize: each can be sent as it stands once its blanks are filled."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from composed import CITY, NOW

from dispatch.alerting import cap, life
from dispatch.alerting.cap import Response, Severity, Status, Urgency, Weight
from dispatch.alerting.channels import fit
from dispatch.alerting.checking import findings
from dispatch.alerting.content import ENGLISH, KRIOL, LANGUAGES, SPANISH, Channel, Content
from dispatch.alerting.issuing import NEMO
from dispatch.alerting.life import Policy
from dispatch.alerting.templates import GIVEN, Template, templates, until
from dispatch.sms import short_messages

WANTED = {
    "hurricane_preliminary", "hurricane_red_1", "hurricane_red_2", "hurricane_green",
    "tropical_storm_watch", "tropical_storm_warning", "flood", "storm_surge", "small_craft",
    "wildfire", "tsunami", "chemical", "boil_water", "missing_person", "exercise",
}  # fmt: skip
VALUES = {
    "storm": "Tropical Storm Lisa",
    "shelters": "6:00 p.m.",
    "orders": "Airport closed tonight, sea ports at 7:00 a.m., buses stop at 10:00 a.m.",
    "details": "Winds near 60 mph.",
    "river": "Belize River",
    "height": "5 feet",
    "conditions": "wind 25 knots, waves 7 to 10 feet",
    "arrival": "10:30 p.m.",
    "place": "Mile 4 Western Highway",
    "substance": "ammonia",
    "reason": "",
    "person": "Jane Example, 12, blue dress",
    "since": "Monday noon",
}
BLANK = re.compile(r"\{([a-z_]+)\}")


def filled(template: Template, status: Status = Status.ACTUAL) -> Content:
    content = template.content(status, CITY, VALUES, NOW)
    return replace(content, note="Exercise Cay Sal 2026")


def errors(content: Content) -> list[str]:
    message = life.draft(1, 1, content, 1)
    told = findings(message, (), NEMO, Policy(), NOW)
    return [f"{each.path} {each.text}" for each in told if each.weight is Weight.ERROR]


def test_everything_that_is_wanted_is_there() -> None:
    """DOM-WRN-21."""
    assert set(templates()) == WANTED


@pytest.mark.parametrize("template", templates().values(), ids=lambda each: each.code)
class TestEach:
    @pytest.mark.parametrize("status", [Status.ACTUAL, Status.EXERCISE, Status.TEST])
    def test_it_can_be_sent_once_its_blanks_are_filled(
        self, template: Template, status: Status
    ) -> None:
        """DOM-WRN-21; the one for exercises cannot be made real (DOM-WRN-5)."""
        told = errors(filled(template, status))
        if template.code == "exercise" and status is Status.ACTUAL:
            assert len(told) == len(LANGUAGES)
            assert all("begins as an exercise" in each for each in told)
        else:
            assert told == []

    def test_it_cannot_be_sent_before(self, template: Template) -> None:
        """DOM-WRN-21."""
        told = errors(template.content(Status.TEST, CITY, {}, NOW))
        needed = [blank for blank in template.blanks if not blank.optional]
        assert bool(told) is bool(needed)
        assert all("blank" in each for each in told)

    def test_its_blanks_are_the_same_in_every_language(self, template: Template) -> None:
        declared = {blank.name for blank in template.blanks}
        for text in template.texts:
            used = {
                name
                for words in (text.headline, text.description, text.instruction, text.short)
                for name in BLANK.findall(words)
            }
            assert used - GIVEN == declared, text.language
            if template.code != "missing_person":  # who is told by where he was seen
                assert "area" in BLANK.findall(text.headline + text.description)
            assert not BLANK.search(text.event)

    def test_it_says_where_its_words_and_hours_are_from(self, template: Template) -> None:
        """DOM-WRN-22."""
        assert template.sources
        for source in template.sources:
            assert source.what and re.fullmatch(r"https?://\S+", source.where)
        assert template.doubt == "" or template.doubt.endswith(".")

    def test_it_is_short_enough_to_be_read(self, template: Template) -> None:
        content = filled(template)
        for text in content.texts:
            assert len(text.headline) <= 110
            said = short_messages.plainer(fit(content, text, Channel.SMS, NEMO.word).text)
            assert len(short_messages.measure(said).parts) <= 2, said
            assert len(fit(content, text, Channel.SPOKEN, NEMO.word).text) < 600

    def test_its_times_are_sensible(self, template: Template) -> None:
        content = filled(template)
        assert content.expires is not None
        assert content.expires.minute == 0
        hours = timedelta(hours=template.hours)
        assert hours <= content.expires - NOW < hours + timedelta(hours=1)
        assert template.name["en"] and template.name["es"]
        assert [text.language for text in template.texts] == list(LANGUAGES)


def test_the_phases_of_a_hurricane_rise_and_end() -> None:
    """DOM-WRN-22."""
    phases = [
        templates()[f"hurricane_{phase}"] for phase in ("preliminary", "red_1", "red_2", "green")
    ]
    assert [each.severity for each in phases] == [
        Severity.MODERATE, Severity.SEVERE, Severity.EXTREME, Severity.MINOR,
    ]  # fmt: skip
    said = [each.texts[0].description + each.texts[0].headline for each in phases]
    assert "72 hours" in said[0] and "One red flag is flown" in said[0]
    assert "36 hours" in said[1] and "One red flag with a black centre" in said[1]
    assert "24 hours" in said[2] and "Two red flags with black centres" in said[2]
    assert "One green flag" in said[3]
    assert phases[3].responses == (Response.ALL_CLEAR,)
    assert phases[3].urgency is Urgency.PAST


def test_what_the_officer_types_is_text() -> None:
    flood = templates()["flood"]
    content = flood.content(
        Status.ACTUAL, CITY, {"river": "  {area} & <Moho>  River {until}", "x": "y"}, NOW
    )
    english = content.text(ENGLISH)
    assert english is not None
    assert english.headline == "Flood warning for the {area} & <Moho> River {until}: Belize City"
    assert not english.description.endswith(" ")


@pytest.mark.parametrize(
    ("moment", "language", "said"),
    [
        (datetime(2026, 9, 1, 18, 0, tzinfo=UTC), ENGLISH, "12:00 pm 1 Sep"),
        (datetime(2026, 9, 1, 5, 59, tzinfo=UTC), SPANISH, "11:59 pm 31 ago"),
        (datetime(2026, 1, 1, 6, 5, tzinfo=UTC), KRIOL, "12:05 am 1 Jan"),
    ],
)
def test_times_are_told_by_the_clock_of_the_country(
    moment: datetime, language: str, said: str
) -> None:
    assert until(moment, language) == said


def test_a_template_is_a_warning_of_the_standard() -> None:
    assert all(isinstance(each, cap.Category) for each in templates()["chemical"].categories)
