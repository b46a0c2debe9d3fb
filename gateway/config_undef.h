/* SPDX-License-Identifier: Apache-2.0 */
/* Ends one use of config_table.h. No include guard. */
#undef CONFIG_SECTION
#undef CONFIG_SECTION_END
#undef CONFIG_TEXT
#undef CONFIG_URL
#undef CONFIG_SECRET
#undef CONFIG_CHOICE
#undef CONFIG_INT
#undef CONFIG_BOOL
