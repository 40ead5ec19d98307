/*
 * Files and directories of other people's that nobody may touch: bob's and
 * root's caches with tickets that alice would like to have, a text of root's,
 * and the directories that they are in.  Knows when one of them was written,
 * read or joined by another.
 */
#ifndef STACK_CANARY_H
#define STACK_CANARY_H

#include <stdbool.h>
#include <sys/types.h>

#define CANARY_BOBS_DIRECTORY "/tmp/others/bob"
#define CANARY_ROOTS_DIRECTORY "/tmp/others/root"
#define CANARY_BOBS_CACHE CANARY_BOBS_DIRECTORY "/cache"
#define CANARY_ROOTS_CACHE CANARY_ROOTS_DIRECTORY "/cache"
#define CANARY_ROOTS_TEXT CANARY_ROOTS_DIRECTORY "/shadow"
/* bob's; may have other names than this one. */
#define CANARY_BOBS_LINKED CANARY_BOBS_DIRECTORY "/linked"
/* Names that are not there. */
#define CANARY_BOBS_NOBODY CANARY_BOBS_DIRECTORY "/nobody"
#define CANARY_ROOTS_NOBODY CANARY_ROOTS_DIRECTORY "/nobody"

/* The service of a ticket that is in these caches and in no other. */
#define CANARY_MARK "testhost.pam.test"

/* Makes them, as root; canary_clear removes them. */
void canary_setup(void);
void canary_clear(void);

/*
 * What is not as it was made, in words (static storage), or NULL.  Looking
 * leaves no trace.
 */
const char *canary_problem(void);

/* Whether the inode is one of theirs; that of CANARY_BOBS_LINKED. */
bool canary_is(ino_t inode);
ino_t canary_linked_inode(void);

#endif
