/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults of a channel, armed and counted one by one: see the top of main.c for
 * what they do, fault.c for when they strike.
 *
 * A fault strikes at events of its kind: the hardware turns to a descriptor,
 * prep is asked for one, the channel is terminated.
 */
#ifndef DMOVER_SIM_FAULT_H
#define DMOVER_SIM_FAULT_H

#include <linux/types.h>

struct dma_device;
struct sim_chan;
struct sim_desc;

/**
 * enum sim_fault - what can go wrong; the names are in fault.c
 * @SIM_READ_ERROR: nothing is moved, and reported
 * @SIM_WRITE_ERROR: half is moved, and reported
 * @SIM_ABORT_NEXT: the same, and the next descriptor is aborted
 * @SIM_LOST: nothing is moved, and called a success
 * @SIM_SHORT: half is moved, and called a success; the residue tells
 * @SIM_RESIDUE: all is moved, but the residue says nothing
 * @SIM_NO_CALLBACK: all is moved, but nobody is called back
 * @SIM_NR_EFFECTS: those above are effects on one descriptor's data
 * @SIM_HANG: the channel stands still
 * @SIM_LATE: no terminate stops it; never called back
 * @SIM_LATE_CALLBACK: no terminate stops it; called back even then
 * @SIM_NR_DESC_FAULTS: those above strike when a descriptor's turn comes
 * @SIM_NO_DESC: prep gives none
 * @SIM_TERMINATE_ERROR: terminate fails, and stops nothing
 * @SIM_TERMINATE_ABORTED: it calls back what is unfinished
 * @SIM_TERMINATE_SUCCESS: the same, as a success
 * @SIM_NR_FAULTS: how many there are
 */
enum sim_fault {
	SIM_READ_ERROR,
	SIM_WRITE_ERROR,
	SIM_ABORT_NEXT,
	SIM_LOST,
	SIM_SHORT,
	SIM_RESIDUE,
	SIM_NO_CALLBACK,
	SIM_NR_EFFECTS,
	SIM_HANG = SIM_NR_EFFECTS,
	SIM_LATE,
	SIM_LATE_CALLBACK,
	SIM_NR_DESC_FAULTS,
	SIM_NO_DESC = SIM_NR_DESC_FAULTS,
	SIM_TERMINATE_ERROR,
	SIM_TERMINATE_ABORTED,
	SIM_TERMINATE_SUCCESS,
	SIM_NR_FAULTS
};

/**
 * struct sim_trigger - when a fault strikes
 * @before: events that it still spares
 * @count: how often it still strikes; negative: for good; 0: it is not armed
 * @ms: how long it lasts, where it lasts; 0: no limit of that kind
 * @struck: how often it struck since it was armed
 * @end: of %SIM_NO_DESC, in jiffies, once it struck
 */
struct sim_trigger {
	unsigned int before;
	int count;
	unsigned int ms;
	unsigned int struck;
	unsigned long end;
};

bool sim_fault_strikes_locked(struct sim_chan *sc, enum sim_fault fault);
void sim_fault_turn(struct sim_chan *sc, struct sim_desc *desc);
int sim_fault_create_files(struct dma_device *dma);

#endif /* DMOVER_SIM_FAULT_H */
