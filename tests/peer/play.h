/*
 * Plays a row of the drop-in test on the real libpam and tells what came of
 * it.  Knows hosts, accounts and the realm; not what is expected.
 */
#ifndef PEER_PLAY_H
#define PEER_PLAY_H

#include <stdbool.h>

#include "peer/row.h"

/* Whether the module under test is the peer (PEER_MODULE), not ours. */
bool play_is_peer(void);

/*
 * Plays ROW and gives its line; static storage.  A test's process plays one
 * row, since it leaves KRB5_CONFIG as the row has it.  Fails the test where a
 * row cannot be played.
 */
const char *play(const struct row *row);

#endif
