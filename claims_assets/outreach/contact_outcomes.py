"""What came of an attempt to reach a member, in one word, however the outreach team writes it.

Elsewhere: the attempts as they came (`bronze/outreach_contacts.py`).
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

WORDS = {
    "reached": ("spoke_with_member", "contacted", "completed"),
    "appointment": ("appointment_made", "appointment_scheduled", "scheduled"),
    "refused": ("declined", "refusal", "not_interested"),
    "opt_out": ("opted_out", "do_not_contact", "do_not_call"),
    "left_message": ("message_left", "voicemail", "left_voicemail", "sent", "delivered"),
    "no_answer": ("not_home", "busy", "unanswered"),
    "wrong_number": ("disconnected", "bad_number", "wrong_address"),
    "returned_mail": ("undeliverable", "bounced", "returned"),
}
"""Outcome -> other words for it. The outcomes are those of the landing contract; the other words are common ones."""
OUTCOMES = tuple(WORDS)
OTHER = "other"
REACHED = ("reached", "appointment", "refused", "opt_out")
"""Outcomes that tell that somebody was spoken to or answered."""


def contact_outcome(written: Column) -> Column:
    """One of OUTCOMES, or `other`; never NULL. Case, blanks, hyphens and full stops say nothing."""
    word = F.trim(F.regexp_replace(F.lower(F.coalesce(written, F.lit(""))), r"[\s\-_.]+", " "))
    word = F.regexp_replace(word, " ", "_")
    found = F.lit(OTHER)
    for outcome, others in WORDS.items():
        found = F.when(word.isin(outcome, *others), F.lit(outcome)).otherwise(found)
    return found


def is_reached(written: Column) -> Column:
    """Whether somebody was spoken to or answered; never NULL."""
    return contact_outcome(written).isin(*REACHED)
