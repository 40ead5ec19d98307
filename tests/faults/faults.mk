# Faults: the module and the helper once more, each call out of our own objects
# wrapped (tests/faults/wrap.c), and the tests that let them fail one at a time.

fault_tests = \
	tests/faults/test_faults \
	tests/faults/test_kills \
	tests/faults/test_limits

fault_link = -Wl,@$(srcdir)/tests/faults/wrapped

EXTRA_LTLIBRARIES += tests/faults/faulty_module.la
CLEANFILES += tests/faults/faulty_module.la
tests_faults_faulty_module_la_SOURCES = src/pam/module.c \
	tests/faults/wrap.c tests/faults/wrap.h tests/faults/faults.h
tests_faults_faulty_module_la_CPPFLAGS = $(AM_CPPFLAGS) -DWRAP_MODULE
tests_faults_faulty_module_la_LIBADD = $(pam_krb5cc_la_LIBADD)
tests_faults_faulty_module_la_LDFLAGS = $(AM_LDFLAGS) $(fault_link) -module \
	-avoid-version -shared -rpath /nowhere $(MODULE_UNDEFINED) \
	-Wl,--version-script=$(srcdir)/src/pam/module.map
EXTRA_tests_faults_faulty_module_la_DEPENDENCIES = \
	$(srcdir)/src/pam/module.map $(srcdir)/tests/faults/wrapped

tests_faults_faulty_helper_SOURCES = src/helper/main.c src/helper/exchange.c \
	tests/faults/wrap.c tests/faults/wrap.h tests/faults/faults.h \
	tests/faults/libkrb5_memory.c
if SANITIZED
tests_faults_faulty_helper_SOURCES += tests/support/sanitizer_options.c
endif
EXTRA_tests_faults_faulty_helper_SOURCES = tests/support/sanitizer_options.c
tests_faults_faulty_helper_CFLAGS = $(krb5cc_helper_CFLAGS)
tests_faults_faulty_helper_LDADD = $(krb5cc_helper_LDADD)
tests_faults_faulty_helper_LDFLAGS = $(krb5cc_helper_LDFLAGS) $(fault_link)
EXTRA_tests_faults_faulty_helper_DEPENDENCIES = $(srcdir)/tests/faults/wrapped

EXTRA_LTLIBRARIES += tests/faults/libscene.la
CLEANFILES += tests/faults/libscene.la
tests_faults_libscene_la_SOURCES = \
	tests/faults/faults.h tests/faults/page.c \
	tests/faults/scene.c tests/faults/scene.h \
	tests/faults/story.c tests/faults/story.h \
	tests/faults/whole.c tests/faults/whole.h
tests_faults_libscene_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DBUILT_FAULTY_MODULE='"$(abs_builddir)/tests/faults/.libs/faulty_module.so"' \
	-DBUILT_FAULTY_HELPER='"$(abs_builddir)/tests/faults/faulty_helper"'
tests_faults_test_faults_LDADD = tests/faults/libscene.la $(LDADD)
tests_faults_test_kills_LDADD = tests/faults/libscene.la $(LDADD)
tests_faults_test_limits_LDADD = tests/faults/libscene.la $(LDADD)

EXTRA_DIST += tests/faults/wrapped
