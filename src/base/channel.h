/*
 * Whole messages over a stream socket, within a deadline: a peer that is slow,
 * gone or talks nonsense ends the conversation, it never blocks or kills us
 * (MSG_NOSIGNAL, nonblocking calls, poll).  What the messages mean is
 * base/message's.
 */
#ifndef BASE_CHANNEL_H
#define BASE_CHANNEL_H

#include "base/deadline.h"
#include "base/message.h"

/*
 * Sends PAYLOAD as a message of TYPE in VERSION.  DEADLINE may be NULL: no
 * limit.  PAYLOAD stays the caller's.  0, -ETIMEDOUT, -EPIPE (the peer is
 * gone), payload->error, -EMSGSIZE, or another -errno.
 */
int channel_send(int fd, const struct deadline *deadline, uint16_t version,
                 enum message_type type, const struct bytes *payload);

/*
 * Receives one message into MESSAGE_OUT, which the caller frees
 * (message_free).  0, -ETIMEDOUT, -EPIPE (closed), -EPROTONOSUPPORT (a version
 * that is not spoken here), -EMSGSIZE (longer than MESSAGE_MAX), -ENOMEM.
 */
int channel_receive(int fd, const struct deadline *deadline,
                    struct message *message_out);

#endif
