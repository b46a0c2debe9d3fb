/* SPDX-License-Identifier: Apache-2.0 */
/* DETECTOR(NAME, name in a rules file): findings that code makes, where a pattern would lie. The
 * doubtful ones are apart, so that a rule can hold them and block the others. */
DETECTOR(PHONE, "phone")
DETECTOR(PHONE_DOUBTFUL, "phone.doubtful")
DETECTOR(EMAIL, "email")
DETECTOR(EMAIL_DOUBTFUL, "email.doubtful")
DETECTOR(LINK, "link")
DETECTOR(LINK_DOUBTFUL, "link.doubtful")
DETECTOR(HANDLE, "handle")
DETECTOR(HANDLE_DOUBTFUL, "handle.doubtful")
DETECTOR(CARD, "card")
DETECTOR(CARD_DOUBTFUL, "card.doubtful")
DETECTOR(FLOOD_REPEAT, "flood.repeat")
DETECTOR(FLOOD_RATE, "flood.rate")
DETECTOR(FLOOD_WALL, "flood.wall")
DETECTOR(FLOOD_NOISE, "flood.noise")
