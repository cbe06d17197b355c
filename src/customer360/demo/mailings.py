"""What the shop's mail tool tells: opt-ins with their text, newsletters and flows sent, opened and clicked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random

from customer360.clock import DAY, HOUR, MINUTE, SECOND, Instant
from customer360.demo.arrivals import SITE, from_mail
from customer360.demo.lives import Intent, Life, Visit
from customer360.demo.script import Json, Script
from customer360.demo.seasons import Seasons, span

OPT_IN_TEXT = (
    "Yes, send me news and offers from Fernleaf Pantry by e-mail. I can unsubscribe at any time."
)
# How many of a hundred who get a mail want no more of them.
_LEAVES = 0.004
_SUBJECTS = {
    1: "New year, new beans",
    2: "A mug for two",
    3: "Spring teas are here",
    4: "Easter chocolate, slowly made",
    5: "Meet the growers",
    6: "Cold brew season",
    7: "Iced tea for long evenings",
    8: "Back in stock: the travel flask",
    9: "Autumn roasts",
    10: "Warm up with spice",
    11: "Gift boxes are open",
    12: "Last days for Christmas",
}
_BLACK_FRIDAY = "One weekend, 15 % off"


@dataclass(frozen=True, slots=True)
class Mailing:
    """One e-mail to many, or the step of a flow."""

    campaign_id: str
    campaign: str
    subject: str
    flow: bool = False


_WELCOME = Mailing("flow-1", "welcome", "Welcome, and 10 % off your first order", True)
_BASKET = Mailing("flow-2", "left-behind", "You left something behind", True)
_THANKS = Mailing("flow-3", "how-was-it", "How was it?", True)


class MailTool:
    """Writes mailings down; who clicks makes a visit, which is added to their life."""

    def __init__(self, rng: Random, script: Script, seasons: Seasons) -> None:
        self._rng = rng
        self._script = script
        self._newsletters = list(_newsletters(seasons))

    def write(self, life: Life) -> None:
        """All mails to one subscriber, until they have had enough."""
        if life.subscribed_at is None:
            return
        self._opt_in(life, life.subscribed_at)
        for at, mailing in self._mails_for(life, life.subscribed_at):
            self._send(life, at, mailing)
            if self._rng.random() < _LEAVES:
                self._leave(life, at + span(self._rng.uniform(1, 60), MINUTE), mailing)
                return

    def _mails_for(self, life: Life, since: Instant) -> list[tuple[Instant, Mailing]]:
        mails = [(since + 4 * MINUTE, _WELCOME)]
        mails += [(at, newsletter) for at, newsletter in self._newsletters if at > since]
        left = [visit.at for visit in life.visits if visit.intent == Intent.CHECKOUT]
        mails += [(at + 4 * HOUR, _BASKET) for at in left if at > since]
        online = [purchase.at for purchase in life.purchases if purchase.where == "online"]
        mails += [(at + 9 * DAY, _THANKS) for at in online[:2] if at + 9 * DAY > since]
        return sorted(mails, key=lambda mail: mail[0])

    def _opt_in(self, life: Life, at: Instant) -> None:
        """The mail tool has the address confirmed, then says what was agreed to."""
        confirmed_at = at + self._rng.randrange(40, 900) * SECOND
        traits = {
            "email": life.subscribed_email,
            "email_consent": {"state": "granted", "text": OPT_IN_TEXT, "source": "double opt-in"},
        }
        self._script.call("write", confirmed_at, "identify", traits=traits)

    def _send(self, life: Life, at: Instant, mailing: Mailing) -> None:
        """Sent, perhaps opened, perhaps clicked: then a visit follows."""
        rng = self._rng
        at += rng.randrange(600) * SECOND
        self._tell(life, at, "Email Sent", mailing)
        opens = life.person.opens * (1.4 if mailing.flow else 1.0)
        if at > life.last_at + 60 * DAY:
            opens *= 0.35
        if rng.random() >= opens:
            return
        opened_at = at + span(min(rng.expovariate(1 / 5), 60), HOUR) + 30 * SECOND
        self._tell(life, opened_at, "Email Opened", mailing)
        if rng.random() < 0.16:
            clicked_at = opened_at + rng.randrange(5, 120) * SECOND
            self._tell(life, clicked_at, "Email Link Clicked", mailing, {"link": f"{SITE}/"})
            visit_at = clicked_at + 4 * SECOND
            arrival = from_mail(mailing.campaign)
            person = life.person
            visit = Visit(visit_at, person.cookies[0], Intent.LOOK, person.taste, person, arrival)
            life.visits.append(visit)

    def _leave(self, life: Life, at: Instant, mailing: Mailing) -> None:
        self._tell(life, at, "Email Unsubscribed", mailing)

    def _tell(
        self, life: Life, at: Instant, event: str, mailing: Mailing, more: Json | None = None
    ) -> None:
        properties = {
            "email": life.subscribed_email,
            "campaign": mailing.campaign,
            "campaign_id": mailing.campaign_id,
            "subject": mailing.subject,
            **(more or {}),
        }
        self._script.call("write", at, "track", event=event, properties=properties)


def _newsletters(seasons: Seasons) -> list[tuple[Instant, Mailing]]:
    """Two a month, on Thursday mornings, and one more for the weekend of Black Friday."""
    made = []
    for day, start in zip(seasons.dates, seasons.starts, strict=True):
        thursday = day.weekday() == 3
        if thursday and (1 <= day.day <= 7 or 15 <= day.day <= 21):
            made.append((start + 9 * HOUR, _newsletter(day, _SUBJECTS[day.month])))
        elif thursday and day.month == 11 and day.day >= 22:
            made.append((start + 7 * HOUR, _newsletter(day, _BLACK_FRIDAY)))
    return made


def _newsletter(day: date, subject: str) -> Mailing:
    return Mailing(f"nl-{day:%Y%m%d}", f"newsletter-{day:%Y-%m-%d}", subject)
