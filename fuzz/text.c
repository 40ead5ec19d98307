/*
 * base/log, what becomes of text that a message brought: the input is that
 * text.  Escaped for the log, or stripped for a terminal, it is valid UTF-8
 * without a control character, fits, and is left alone the second time.
 */
#include "fuzz.h"

#include <locale.h>
#include <wchar.h>

#include "base/log.h"

/* A character of Unicode that is no control character. */
static bool
is_printable(wchar_t wide)
{
    return (wide >= 0x20 && wide < 0x7f) || (wide >= 0xa0 && wide < 0xd800) ||
           (wide >= 0xe000 && wide <= 0x10ffff);
}

/* Whether TEXT is UTF-8 without control characters, but those in BUT. */
static bool
is_harmless(const char *text, const char *but)
{
    mbstate_t state = {0};
    size_t left = strlen(text);

    while (left > 0) {
        wchar_t wide = 0;
        size_t length = mbrtowc(&wide, text, left, &state);

        if (length == 0 || length > left) {
            return false;
        }
        if (!is_printable(wide) && strchr(but, *text) == NULL) {
            return false;
        }
        text += length;
        left -= length;
    }
    return true;
}

/* TEXT escaped into SIZE bytes, the caller's to free. */
static char *
escaped(const char *text, size_t size)
{
    char *buffer = malloc(size);

    REQUIRE(buffer != NULL);
    REQUIRE(log_escape(buffer, size, text) == buffer);
    REQUIRE(strlen(buffer) < size);
    REQUIRE(is_harmless(buffer, ""));
    return buffer;
}

static void
escape(const char *text)
{
    char *whole = escaped(text, strlen(text) * 4 + 1);
    char *twice = escaped(whole, strlen(whole) + 1);
    char *cut = escaped(text, strlen(text) / 2 + 1);

    REQUIRE(strcmp(whole, twice) == 0);
    REQUIRE(strncmp(whole, cut, strlen(cut)) == 0);
    REQUIRE(!is_harmless(text, "") || strcmp(whole, text) == 0);
    free(whole);
    free(twice);
    free(cut);
}

static void
strip(char *text)
{
    size_t length = strlen(text);
    char *once = NULL;

    log_strip_for_terminal(text);
    REQUIRE(strlen(text) <= length);
    REQUIRE(is_harmless(text, "\n\t"));
    once = strdup(text);
    REQUIRE(once != NULL);
    log_strip_for_terminal(text);
    REQUIRE(strcmp(text, once) == 0);
    free(once);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *locale;
    char *text = strndup((const char *)data, size);

    if (locale == NULL) {
        locale = setlocale(LC_CTYPE, "C.UTF-8");
        REQUIRE(locale != NULL);
    }
    REQUIRE(text != NULL);
    escape(text);
    strip(text);
    free(text);
    return 0;
}

const struct fuzz_target fuzz_target = {.name = "text"};
