/*
 * The side of the faulty module and helper: what a call of theirs asks before
 * it is made.
 */
#ifndef FAULTS_WRAP_H
#define FAULTS_WRAP_H

#include "faults/faults.h"

/*
 * Counts a call NAME of FAMILY.  True: it is to fail.  Does not return where
 * it is to be the death of this process.
 */
bool wrap_strikes(enum faults_family family, const char *name);

/*
 * The return address of the innermost call of ours into a library that this
 * is called from, within this program; 0 = there is none.
 */
uintptr_t wrap_site(void);

/* Notes that an allocation of libkrb5's fails now. */
void wrap_note_hit(void);

#endif
