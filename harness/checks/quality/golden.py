"""Golden labels: documents of a shop for telescopes, and questions with the intent and the document that a person gave each.

Written by hand, in the words of people who ask; no question repeats a sentence of its document. Nothing that a service measures
of itself is among it: these labels say what is right.
"""

from dataclasses import dataclass

DOCUMENTS = {
    "returns": (
        "Returning items",
        "Unopened goods may be sent back within thirty days. The refund is paid to the card that was used.",
    ),
    "warranty": ("Warranty", "Every telescope has a guarantee of two years. Batteries are covered for six months only."),
    "delivery": ("Delivery", "Parcels to Jakarta arrive within two days, elsewhere in Indonesia within five."),
    "loyalty": ("Loyalty points", "Each ten dollars spent earn one point. Points lapse after a year."),
    "charging": ("Charging the mount", "Charge the motor mount with the supplied adapter. A full charge takes ninety minutes."),
    "deleting": ("Deleting a profile", "A profile is erased on demand within a week; purchases are kept for the tax office."),
    "repairs": ("Repairs", "Broken tubes go to the workshop in Bandung. Mending takes ten days, lenses are replaced at cost."),
    "cleaning": ("Cleaning a mirror", "Blow dust off the mirror first, then rinse it with distilled water. Never wipe it dry."),
    "classes": ("Evening classes", "Astronomy classes for beginners meet every Thursday on the roof. Children need a parent."),
    "rental": ("Renting", "Binoculars may be hired by the weekend against a deposit of eighty dollars."),
    "collimation": ("Collimation", "To collimate the secondary mirror, turn its three screws until the rings are concentric."),
    "gifts": ("Gift vouchers", "Vouchers are valid for three years and cannot be exchanged for cash."),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """One message and what a person says of it. document: what a knowledge question is about; score: what a rating says."""

    text: str
    intent: str
    document: str | None = None
    score: int | None = None


def _of(intent: str, *texts: str) -> tuple[Golden, ...]:
    return tuple(Golden(text=text, intent=intent) for text in texts)


_RATED = {
    "I rate this answer 5 out of 5": 5, "My rating is 4": 4, "I give you 2 stars": 2, "My score: 5/5": 5,
    "I rate it 1 of 5": 1, "I give that 4 stars!": 4, "My feedback is 3": 3, "I rate this 5.": 5,
}  # fmt: skip

_KNOWLEDGE = {
    "How do I send back goods that are unopened?": "returns",
    "To which card is a refund paid?": "returns",
    "How long is the guarantee on a telescope?": "warranty",
    "Are batteries covered as well, and for how many months?": "warranty",
    "How many days does a parcel to Jakarta need?": "delivery",
    "When do parcels arrive elsewhere in Indonesia?": "delivery",
    "When will my loyalty points lapse?": "loyalty",
    "How many dollars spent make one point?": "loyalty",
    "How long does charging the mount take?": "charging",
    "Which adapter do I use to charge the motor?": "charging",
    "Explain how my profile is erased and what happens to purchases": "deleting",
    "Why does the tax office need my purchases?": "deleting",
    "Where do broken tubes go?": "repairs",
    "Are lenses replaced by the workshop, and at what cost?": "repairs",
    "Should I wipe a mirror dry after rinsing it?": "cleaning",
    "How do I get dust off the mirror?": "cleaning",
    "Which evening do the astronomy classes meet?": "classes",
    "Do children need a parent at the classes on the roof?": "classes",
    "What deposit do I leave for binoculars?": "rental",
    "Can binoculars be hired for a weekend?": "rental",
    "Which screws do I turn to collimate the secondary mirror?": "collimation",
    "How do I see that the rings are concentric?": "collimation",
    "Can a voucher be exchanged for cash?": "gifts",
    "For how many years are gift vouchers valid?": "gifts",
}

GOLDEN = (
    *(Golden(text=text, intent="feedback", score=score) for text, score in _RATED.items()),
    *_of(
        "greeting",
        "Hello!", "Hi there", "Good morning!", "hey", "Good evening.", "Hello team", "Hi all!", "Greetings!",
    ),
    *_of(
        "faq",
        "What are your opening hours?", "How can I reset my password?", "Which payment methods do you take?",
        "Can I cancel my order?", "How do I track my order?", "What is the shipping cost?", "What is your return policy?",
        "Where are you located?", "Please send me a copy of my invoice", "Do you have a price list?",
    ),
    *(Golden(text=text, intent="knowledge", document=document) for text, document in _KNOWLEDGE.items()),
    *_of(
        "escalation",
        "I want to talk to a human agent.", "Please connect me with a person.", "Let me speak with your supervisor.",
        "I want to file a complaint.", "Transfer me to a representative, please.", "Can I speak to someone in your office?",
        "Is there a real person who can help?", "I will call my lawyer.", "I need to talk to the manager of the shop.",
        "Please transfer this to an agent",
    ),
)  # fmt: skip
"""Ratings come first: what the service says of satisfaction it reads anew every few seconds."""
