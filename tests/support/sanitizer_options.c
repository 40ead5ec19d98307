/*
 * What the sanitizers do in a helper that is built with them: its environment
 * is not passed on, it has no stderr, and it may not be traced, so that the
 * leak checker cannot work (valgrind looks for leaks instead).
 */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

__attribute__((visibility("default"))) const char *
__asan_default_options(void)
{
    return "detect_leaks=0:abort_on_error=1:log_path=/tmp/sanitizer";
}

__attribute__((visibility("default"))) const char *
__ubsan_default_options(void)
{
    return "print_stacktrace=1:abort_on_error=1:log_path=/tmp/sanitizer";
}
