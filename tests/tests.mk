# The tests: unit tests a room, stack tests on the real libpam, and the runner.
# tests/plan says what each needs; tests/run runs them.

unit_tests = \
	tests/base/test_bytes \
	tests/base/test_ccname \
	tests/base/test_channel \
	tests/base/test_deadline \
	tests/base/test_expand \
	tests/base/test_foreign \
	tests/base/test_log \
	tests/base/test_message \
	tests/base/test_options \
	tests/base/test_outcome \
	tests/base/test_safefs

client_tests = \
	tests/client/test_client \
	tests/client/test_spawn

room_tests = \
	tests/helper/test_identity \
	tests/helper/test_timer \
	tests/pam/test_codes \
	tests/krb/test_appdefaults \
	tests/krb/test_ccache \
	tests/krb/test_krb \
	tests/krb/test_pkinit \
	tests/krb/test_preauth \
	tests/krb/test_tickets \
	tests/krb/test_verify

registry_tests = \
	tests/registry/test_cost \
	tests/registry/test_presence \
	tests/registry/test_record \
	tests/registry/test_registry \
	tests/registry/test_stash

admin_tests = \
	tests/admin/test_check \
	tests/admin/test_check_clock \
	tests/admin/test_command \
	tests/admin/test_due \
	tests/admin/test_json \
	tests/admin/test_list \
	tests/admin/test_pamfiles \
	tests/admin/test_reap \
	tests/admin/test_renew

stack_tests = \
	tests/stack/test_account \
	tests/stack/test_auth \
	tests/stack/test_bad_input \
	tests/stack/test_clock \
	tests/stack/test_collections \
	tests/stack/test_dropin \
	tests/stack/test_ground \
	tests/stack/test_groups \
	tests/stack/test_handover \
	tests/stack/test_holding \
	tests/stack/test_host \
	tests/stack/test_hostile \
	tests/stack/test_kdc \
	tests/stack/test_kinds \
	tests/stack/test_lies \
	tests/stack/test_model \
	tests/stack/test_names \
	tests/stack/test_options \
	tests/stack/test_password \
	tests/stack/test_preauth \
	tests/stack/test_places \
	tests/stack/test_races \
	tests/stack/test_readers \
	tests/stack/test_session \
	tests/stack/test_setcred \
	tests/stack/test_spake \
	tests/stack/test_terminal \
	tests/stack/test_threads \
	tests/stack/test_timing \
	tests/stack/test_who

# Programs that tests run.
other_programs = \
	tests/apps/unlock \
	tests/client/fake_helper \
	tests/helper/lying_helper \
	tests/stack/login_loop \
	tests/stack/witness \
	tests/faults/faulty_helper

EXTRA_PROGRAMS =
EXTRA_LTLIBRARIES = libsupport.la
CLEANFILES += libsupport.la
if HAVE_CHECK
check_PROGRAMS = $(unit_tests) $(client_tests) $(room_tests) \
	$(registry_tests) $(admin_tests) $(stack_tests) $(fault_tests) $(other_programs)
endif

# Of the sanitized build alone (Makefile.am).
EXTRA_krb5cc_helper_SOURCES = tests/support/sanitizer_options.c

libsupport_la_SOURCES = \
	tests/admin/desk.c tests/admin/desk.h \
	tests/client/fake.c tests/client/fake.h \
	tests/helper/forge.c tests/helper/forge.h \
	tests/krb/here.c tests/krb/here.h \
	tests/registry/sample.c tests/registry/sample.h \
	tests/stack/attacker.c tests/stack/attacker.h \
	tests/stack/canary.c tests/stack/canary.h \
	tests/stack/common.c tests/stack/common.h \
	tests/stack/kinds.c tests/stack/kinds.h \
	tests/stack/scene.c tests/stack/scene.h \
	tests/support/cache.c tests/support/cache.h \
	tests/support/changepw.c tests/support/changepw.h \
	tests/support/kcm.c tests/support/kcm.h \
	tests/support/keys.c tests/support/keys.h \
	tests/support/realm.c tests/support/realm.h \
	tests/support/records.c tests/support/records.h \
	tests/support/shared.c tests/support/shared.h \
	tests/support/stack.c tests/support/stack.h \
	tests/support/suite.c tests/support/suite.h
libsupport_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DBUILT_MODULE='"$(abs_builddir)/.libs/pam_krb5cc.so"' \
	-DBUILT_HELPER='"$(abs_builddir)/krb5cc-helper"' \
	-DBUILT_FAKE_HELPER='"$(abs_builddir)/tests/client/fake_helper"' \
	-DBUILT_UNIT='"$(abs_builddir)/systemd/krb5cc.service"' \
	$(COMMAND_CPPFLAGS)

COMMAND_CPPFLAGS = -DBUILT_COMMAND='"$(abs_builddir)/krb5cc"'
tests_admin_test_list_CPPFLAGS = $(AM_CPPFLAGS) $(COMMAND_CPPFLAGS)

# The real helper with another exchange.
tests_helper_lying_helper_SOURCES = src/helper/main.c \
	tests/helper/lying_exchange.c
tests_stack_test_lies_CPPFLAGS = $(AM_CPPFLAGS) \
	-DBUILT_LYING_HELPER='"$(abs_builddir)/tests/helper/lying_helper"'

# What libkrb5 loads into the exchange.
EXTRA_LTLIBRARIES += tests/stack/chatty_preauth.la
CLEANFILES += tests/stack/chatty_preauth.la
tests_stack_chatty_preauth_la_SOURCES = tests/stack/chatty_preauth.c
tests_stack_chatty_preauth_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version \
	-shared -rpath /nowhere
tests_stack_test_preauth_CPPFLAGS = $(AM_CPPFLAGS) \
	-DBUILT_CHATTY='"$(abs_builddir)/tests/stack/.libs/chatty_preauth.so"'

# A host like any other.
tests_apps_unlock_LDADD = $(PAM_LIBS)

# A model, and hosts that may be killed (tests/faults).
tests_stack_test_model_SOURCES = tests/stack/test_model.c \
	tests/model/actor.c tests/model/actor.h \
	tests/model/journal.c tests/model/journal.h \
	tests/model/model.c tests/model/model.h \
	tests/model/play.c tests/model/play.h \
	tests/model/reality.c tests/model/reality.h \
	tests/model/step_commands.c tests/model/step_ends.c \
	tests/model/step_logins.c tests/model/step_users.c \
	tests/model/step_visits.c \
	tests/model/steps.c tests/model/steps.h \
	tests/model/visit.c tests/model/visit.h
tests_stack_test_model_LDADD = tests/faults/libscene.la $(LDADD)

# What looks over the helper's shoulder; not the tests' libraries.
tests_stack_witness_SOURCES = tests/stack/witness.c tests/stack/witness.h
tests_stack_witness_LDADD = libbase.la
tests_stack_test_who_CPPFLAGS = $(AM_CPPFLAGS) \
	-DBUILT_WITNESS='"$(abs_builddir)/tests/stack/witness"'

# For every program that has no list of its own; archives give what is asked.
# Symbols are exported: libpam shall find the test's own syslog(3).
LDADD = $(EXPORT_SYMBOLS) libsupport.la libadmin.la libpamrooms.la libclient.la \
	libregistry.la libhelper.la libkrb.la libbase.la $(PAM_LIBS) $(KRB5_LIBS) $(CHECK_LIBS) -ldl


# Everything that the tests run, built.
build-tests: $(check_PROGRAMS) $(pam_LTLIBRARIES) $(pkglibexec_PROGRAMS) \
	$(sbin_PROGRAMS) systemd/krb5cc.service \
	tests/faults/faulty_module.la tests/peer/recorder.la \
	tests/stack/chatty_preauth.la $(bench_programs)

# Another command in its place (RUN_TESTS=true) leaves the tests out.
RUN_TESTS = $(srcdir)/tests/run

check-local: build-tests
	@$(RUN_TESTS)

check-long: build-tests
	@$(RUN_TESTS) --long

# For tests/in-namespace --machine: where things are installed, where records
# and what does not outlive a boot are kept.
show-places:
	@echo $(pamdir) $(pkglibexecdir) $(sbindir) \
	    $(localstatedir)/lib/pam_krb5cc $(runstatedir)/pam_krb5cc

lint:
	@LINT_FLAGS="-I$(abs_srcdir)/src -I$(abs_srcdir)/tests \
	    -DPATH_HELPER='\"h\"' -DPATH_MODULE='\"m\"' -DPATH_STATE='\"s\"' \
	    -DPATH_RUNTIME='\"r\"' \
	    -DHELPER_USER='\"u\"' -DBUILT_MODULE='\"m\"' \
	    -DBUILT_HELPER='\"h\"' -DBUILT_FAKE_HELPER='\"f\"' \
	    -DBUILT_LYING_HELPER='\"l\"' -DBUILT_CHATTY='\"c\"' -DBUILT_FAULTY_MODULE='\"m\"' \
	    -DBUILT_FAULTY_HELPER='\"h\"' -DFUZZ_SEEDS='\"s\"' -DBUILT_WITNESS='\"w\"' \
	    -DBUILT_UNIT='\"u\"' -DBUILT_COMMAND='\"c\"' -DPACKAGE_VERSION='\"v\"' \
	    -DBUILT_RECORDER='\"r\"' \
	    $(KRB5_CFLAGS) $(CHECK_CFLAGS)" \
	LINT_WARNINGS="$(WARNINGS)" $(srcdir)/tests/lint $(abs_srcdir)

.PHONY: build-tests check-long lint show-places

clean-local:
	rm -rf tests/logs build-peer build-sanitized build-tsan

EXTRA_DIST += bootstrap .ci/run .clang-format .editorconfig \
	src/pam/module.map \
	kdc-test-env tests/run tests/plan tests/lint tests/in-namespace \
	tests/clear-keyrings \
	tests/apps/kcm.py tests/apps/sshd.py tests/apps/stage.py \
	tests/apps/test_caches tests/apps/test_cron tests/apps/test_lockers \
	tests/apps/test_login tests/apps/test_passwd tests/apps/test_sshd \
	tests/apps/test_su tests/apps/test_sudo tests/env tests/copy-tree tests/support/valgrind.supp \
	tests/stack/tsan.supp tests/stack/planted_race.c

include $(srcdir)/tests/faults/faults.mk
include $(srcdir)/tests/peer/peer.mk
