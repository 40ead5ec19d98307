/*
 * Whether libkrb5 has its PKINIT plugin.  It brings OpenSSL along, which takes
 * longer to load and to unload than all else an exchange does on its own, and
 * code that reads what the network sends.
 */
#ifndef KRB_PKINIT_H
#define KRB_PKINIT_H

#include "base/options.h"
#include "krb/krb.h"

/*
 * Leaves the plugin out of KRB's context where neither OPTIONS, as krb5.conf
 * completes them, nor krb5.conf itself (pkinit_identities) can make it do
 * anything.  Before the first exchange: libkrb5 loads its plugins with that.
 * KRB has another context then.  What cannot be done is left as it is.
 */
void pkinit_leave_out(struct krb *krb, const struct options *options);

#endif
