/*
 * Whether libkrb5 has its PKINIT plugin, and whether that has a certificate.
 * The plugin and what it makes of OpenSSL take longer to load and to unload
 * than all else an exchange does on its own, and read certificates that the
 * network sends.
 */
#ifndef KRB_PKINIT_H
#define KRB_PKINIT_H

#include <stdbool.h>

#include "base/options.h"
#include "krb/krb.h"

/*
 * Leaves the plugin out of KRB's context where neither OPTIONS, as krb5.conf
 * completes them, nor krb5.conf itself (pkinit_identities) can make it do
 * anything, and krb5.conf says nothing of clpreauth plugins.  Before the first
 * exchange: libkrb5 loads its plugins with that.  KRB has another context then.
 * What cannot be done is left as it is.
 */
void pkinit_leave_out(struct krb *krb, const struct options *options);

/*
 * Lets libkrb5 know of no certificate any more, for whoever is to be asked for
 * a password behind one that was refused: neither of the one that it was given,
 * which it keeps in its context, nor of one that krb5.conf names.  Anonymous
 * tickets can still be had.  KRB has another context then: what belongs to the
 * old one is of no more use.  False where that cannot be done: KRB is as it
 * was.
 */
bool pkinit_forget(struct krb *krb);

#endif
