/* SPDX-License-Identifier: Apache-2.0 */
/* LABEL(NAME, label, reason code that the sender sees, highest action, default severity) */
LABEL(CONTACT_PHONE, "contact_phone", "contact.phone", RULE_BLOCK, 3)
LABEL(CONTACT_EMAIL, "contact_email", "contact.email", RULE_BLOCK, 3)
LABEL(CONTACT_LINK, "contact_link", "contact.link", RULE_BLOCK, 3)
LABEL(CONTACT_HANDLE, "contact_handle", "contact.handle", RULE_BLOCK, 3)
LABEL(PAYMENT_CARD, "payment_card", "payment.card", RULE_BLOCK, 3)
LABEL(PROFANITY, "profanity", "abuse.profanity", RULE_BLOCK, 2)
LABEL(INSULT, "insult", "abuse.insult", RULE_HOLD, 2)
LABEL(BYPASS_INTENT, "bypass_intent", "intent.bypass", RULE_HOLD, 2)
LABEL(MINOR_SAFETY, "minor_safety", "safety.minor", RULE_HOLD, 4)
LABEL(SPAM, "spam", "spam.flood", RULE_BLOCK, 1)
