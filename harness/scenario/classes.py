"""The user classes that a mix can name without saying more: what the document's four workflows are asked.

`{n}` becomes the request's number, so that a question is new each time; a prompt without it repeats and may be cached.
"""

BUILT_IN_CLASSES: dict[str, tuple[str, ...]] = {
    "greeting": ("Hello!", "Hi there", "Good morning"),
    "faq": (
        "What are your opening hours?",
        "How do I reset my password?",
        "Where is my invoice {n}?",
        "Which payment methods do you accept?",
        "How can I cancel order {n}?",
    ),
    "knowledge": (
        "Explain step by step how the warranty for device {n} works when it was bought abroad and repaired by a third party.",
        "Compare the two delivery plans for account {n} and say which one suits a small office with changing addresses.",
        "Summarise what the policy says about returning opened items of shipment {n}, with the exceptions for software.",
        "Describe how data of customer {n} is stored, who may read it, and how long it is kept after the contract ends.",
    ),
    "escalation": (
        "I want to talk to a human agent about case {n}.",
        "Please connect me to a person, this is about complaint {n}.",
    ),
}
