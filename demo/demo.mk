# The demo: a login from beginning to end, in a private realm.

EXTRA_PROGRAMS += demo/login-life
demo_login_life_SOURCES = demo/login-life.c
CLEANFILES += demo/login-life

demo: demo/login-life $(pam_LTLIBRARIES) $(pkglibexec_PROGRAMS)
	@$(srcdir)/tests/in-namespace $(srcdir)/kdc-test-env/with-realm \
	    --libdefaults 'renew_lifetime = 7d' demo/login-life

.PHONY: demo
