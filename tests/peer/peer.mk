# The drop-in test: its rows, what plays them, and the module that looks over
# the shoulder of the one under test.  `make check-peer` tries the rows on
# pam_krb5 of Debian.

EXTRA_LTLIBRARIES += tests/peer/recorder.la
CLEANFILES += tests/peer/recorder.la
tests_peer_recorder_la_SOURCES = tests/peer/recorder.c tests/peer/recorder.h
tests_peer_recorder_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-rpath /nowhere
tests_peer_recorder_la_LIBADD = $(PAM_LIBS)

tests_stack_test_dropin_SOURCES = tests/stack/test_dropin.c \
	tests/peer/play.c tests/peer/play.h tests/peer/recorder.h \
	tests/peer/row.h tests/peer/rows.c tests/peer/rows_expired.c \
	tests/peer/rows_login.c tests/peer/rows_names.c \
	tests/peer/rows_password.c tests/peer/rows_session.c
tests_stack_test_dropin_CPPFLAGS = $(AM_CPPFLAGS) \
	-DBUILT_RECORDER='"$(abs_builddir)/tests/peer/.libs/recorder.so"'

check-peer: build-tests
	@echo "Where pam_krb5cc means to differ (doc/dropin.md):"
	@tests/stack/test_dropin --differences | sed -e \
	    's/^| \(.*\) | `\(.*\)` | `\(.*\)` | \(.*\) |$$/\n\1\n    pam_krb5:   \2\n    pam_krb5cc: \3\n    \4/'
	@echo
	@$(RUN_TESTS) --peer

.PHONY: check-peer
EXTRA_DIST += tests/peer/fetch tests/peer/test_peer
