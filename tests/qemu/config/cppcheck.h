/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What cppcheck has to know of macros: it sees no header of the kernel.
 */
#define ARRAY_SIZE(array)		(sizeof(array) / sizeof((array)[0]))

#define list_for_each_entry(pos, head, member)				\
	for (pos = first_of(head); is_of(pos, head); pos = next_of(pos))
#define list_for_each_entry_safe(pos, next, head, member)		\
	for (pos = first_of(head), next = next_of(pos); is_of(pos, head);	\
	     pos = next, next = next_of(next))
#define for_each_sgtable_sg(table, sg, i)				\
	for (i = 0, sg = (table)->sgl; i < (table)->nents; i++, sg = next_of(sg))
#define for_each_set_bit(bit, word, nr)	for (bit = 0; bit < (nr); bit++)
#define for_each_node_state(nid, state)	for (nid = 0; nid < nr_of(state); nid++)
