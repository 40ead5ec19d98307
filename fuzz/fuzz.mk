# Fuzzing: `make fuzz SECONDS=60` with clang's libFuzzer, and the seeds as tests
# of `make check` with whatever compiler there is.  `make fuzz-seeds` writes
# the seeds that a program makes (after a change of the protocol).

fuzz_tests = \
	fuzz/replay_channel \
	fuzz/replay_expand \
	fuzz/replay_message \
	fuzz/replay_options \
	fuzz/replay_record \
	fuzz/replay_text
if HAVE_CHECK
check_PROGRAMS += $(fuzz_tests)
endif

EXTRA_LTLIBRARIES += libreplay.la
CLEANFILES += libreplay.la
libreplay_la_SOURCES = fuzz/replay.c fuzz/fuzz.h
libreplay_la_CPPFLAGS = $(AM_CPPFLAGS) \
	-DFUZZ_SEEDS='"$(abs_srcdir)/fuzz/seeds"'

fuzz_replay_channel_SOURCES = fuzz/channel.c
fuzz_replay_channel_LDADD = libreplay.la libbase.la
fuzz_replay_expand_SOURCES = fuzz/expand.c
fuzz_replay_expand_LDADD = libreplay.la libbase.la
fuzz_replay_message_SOURCES = fuzz/message.c
fuzz_replay_message_LDADD = libreplay.la libbase.la
fuzz_replay_options_SOURCES = fuzz/options.c
fuzz_replay_options_LDADD = libreplay.la libbase.la
fuzz_replay_record_SOURCES = fuzz/record.c
fuzz_replay_record_LDADD = libreplay.la libregistry.la libbase.la
fuzz_replay_text_SOURCES = fuzz/text.c
fuzz_replay_text_LDADD = libreplay.la libbase.la

SECONDS = 60

fuzz:
	@$(srcdir)/fuzz/run $(SECONDS)

fuzz-seeds: fuzz/replay_channel fuzz/replay_message
	@fuzz/replay_channel --samples && fuzz/replay_message --samples

distclean-local:
	rm -rf build-fuzz

.PHONY: fuzz fuzz-seeds

EXTRA_DIST += fuzz/run fuzz/seeds
