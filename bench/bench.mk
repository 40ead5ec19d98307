# The benchmark: ours and pam_krb5 of Debian side by side (bench/measure).

bench_programs = bench/crowd bench/host bench/reader
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs) bench/results.json
bench_crowd_SOURCES = bench/crowd.c
bench_crowd_LDADD = libregistry.la libbase.la
bench_host_SOURCES = bench/host.c
bench_host_LDADD = $(PAM_LIBS)
bench_reader_SOURCES = bench/reader.c
bench_reader_LDADD = $(KRB5_LIBS)

build-bench: $(bench_programs) $(pam_LTLIBRARIES) $(pkglibexec_PROGRAMS)

# BENCH_FLAGS: see bench/measure.
bench: build-bench
	@$(srcdir)/bench/run $(BENCH_FLAGS)

.PHONY: bench build-bench
EXTRA_DIST += bench/run bench/measure
