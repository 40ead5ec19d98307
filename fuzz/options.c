/*
 * base/options: the input is lines, each an option behind a letter and a
 * space.  "a" comes from the PAM arguments and "k" from krb5.conf, into one
 * struct; "h" is what a helper says that krb5.conf has, into another, which
 * completes the first at the end.  What is refused changes nothing; what is
 * taken changes its own row, to a value in range; what may not come from
 * krb5.conf never does; all of it survives the way through a message.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/options.h"

static const struct option *table;
static size_t count;

static int64_t
number_of(const struct options *options, const struct option *row)
{
    int64_t number = 0;

    memcpy(&number, (const char *)options + row->offset, sizeof(number));
    return number;
}

static const char *
text_of(const struct options *options, const struct option *row)
{
    const char *text = NULL;

    memcpy(&text, (const char *)options + row->offset, sizeof(text));
    return text;
}

static bool
flag_of(const struct options *options, const struct option *row)
{
    return *((const char *)options + row->offset) != 0;
}

static bool
same_value(const struct options *a, const struct options *b,
           const struct option *row)
{
    const char *text = NULL;

    switch (row->type) {
    case OPTION_FLAG:
        return flag_of(a, row) == flag_of(b, row);
    case OPTION_NUMBER:
        return number_of(a, row) == number_of(b, row);
    case OPTION_TEXT:
        text = text_of(a, row);
        return text == NULL || text_of(b, row) == NULL
                   ? text == text_of(b, row)
                   : strcmp(text, text_of(b, row)) == 0;
    }
    return false;
}

/* The value of row INDEX, and whether it was given. */
static bool
same_row(const struct options *a, const struct options *b, size_t index)
{
    return same_value(a, b, &table[index]) &&
           options_is_given(a, index) == options_is_given(b, index);
}

/* A copy that owes nothing to the code that is tested. */
static struct options
copy_of(const struct options *options)
{
    struct options copy = *options;

    for (size_t i = 0; i < count; i++) {
        const char *text = NULL;
        char *own = NULL;

        if (table[i].type == OPTION_TEXT &&
            (text = text_of(options, &table[i])) != NULL) {
            own = strdup(text);
            REQUIRE(own != NULL);
            memcpy((char *)&copy + table[i].offset, &own, sizeof(own));
        }
    }
    return copy;
}

/* The row that TEXT is for, COUNT where there is none. */
static size_t
row_of(const char *text)
{
    size_t length = strcspn(text, "=");
    size_t row = 0;

    while (row < count && (strlen(table[row].name) != length ||
                           memcmp(table[row].name, text, length) != 0)) {
        row++;
    }
    return row;
}

/* Row INDEX has what TEXT has asked for. */
static void
require_taken(const struct options *options, size_t index, const char *text)
{
    const struct option *row = &table[index];
    const char *value = strchr(text, '=');

    REQUIRE(options_is_given(options, index));
    switch (row->type) {
    case OPTION_FLAG:
        REQUIRE(value != NULL || flag_of(options, row));
        REQUIRE(value == NULL || value[1] != '\0');
        return;
    case OPTION_NUMBER:
        REQUIRE(value != NULL);
        REQUIRE(strspn(value + 1, "0123456789") == strlen(value + 1));
        REQUIRE(number_of(options, row) >= row->minimum);
        REQUIRE(number_of(options, row) <= row->maximum);
        return;
    case OPTION_TEXT:
        REQUIRE(value != NULL && value[1] != '\0');
        REQUIRE(strcmp(text_of(options, row), value + 1) == 0);
        return;
    }
}

static void
set(struct options *options, enum option_source source, const char *text)
{
    struct options before = copy_of(options);
    size_t row = row_of(text);
    bool known = row < count &&
                 (source == OPTION_FROM_ARGUMENT || table[row].in_krb5_conf);
    int status = options_set(options, source, text);

    REQUIRE(known == (status != -ENOENT));
    REQUIRE(status == 0 || status == -ENOENT || status == -EINVAL ||
            status == -ERANGE);
    for (size_t i = 0; i < count; i++) {
        REQUIRE((status == 0 && i == row) || same_row(options, &before, i));
    }
    if (status == 0) {
        require_taken(options, row, text);
    }
    options_free(&before);
}

/* OPTIONS, packed and read, are the same, and pack to the same bytes. */
static void
require_way_through_a_message(const struct options *options)
{
    struct bytes there = BYTES_EMPTY;
    struct bytes again = BYTES_EMPTY;
    struct options other;
    struct reader reader;

    REQUIRE(options_init(&other) == 0);
    options_put(&there, options);
    REQUIRE(there.error == 0);
    reader = reader_from(bytes_span(&there));
    REQUIRE(options_read(&other, &reader) == 0);
    REQUIRE(reader_end(&reader) == 0);
    for (size_t i = 0; i < count; i++) {
        REQUIRE(same_row(options, &other, i));
    }
    options_put(&again, &other);
    REQUIRE(span_equal(bytes_span(&there), bytes_span(&again)));
    bytes_free(&there);
    bytes_free(&again);
    options_free(&other);
}

/* Row INDEX of AFTER is what OURS has, or where it may be what HELPERS has. */
static void
require_completed(const struct options *after, const struct options *ours,
                  const struct options *helpers, size_t index)
{
    const struct option *row = &table[index];
    const struct options *wanted = ours;

    if (row->offset == offsetof(struct options, timeout)) {
        if (options_is_given(helpers, index) &&
            helpers->timeout < ours->timeout) {
            wanted = helpers;
        }
    } else if (row->in_krb5_conf && options_is_given(helpers, index) &&
               !options_is_given(ours, index)) {
        wanted = helpers;
    }
    REQUIRE(same_value(after, wanted, row));
    REQUIRE(options_is_given(after, index) ==
            (options_is_given(ours, index) || wanted == helpers));
}

static void
complete(const struct options *ours, const struct options *helpers)
{
    struct options after = copy_of(ours);

    REQUIRE(options_complete(&after, helpers) == 0);
    for (size_t i = 0; i < count; i++) {
        require_completed(&after, ours, helpers, i);
    }
    require_way_through_a_message(&after);
    options_free(&after);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {.data = data, .length = size};
    struct options ours;
    struct options helpers;
    char *line = NULL;

    table = options_table(&count);
    REQUIRE(options_init(&ours) == 0);
    REQUIRE(options_init(&helpers) == 0);
    while ((line = fuzz_line(&rest)) != NULL) {
        if (strncmp(line, "a ", 2) == 0) {
            set(&ours, OPTION_FROM_ARGUMENT, line + 2);
        } else if (strncmp(line, "k ", 2) == 0) {
            set(&ours, OPTION_FROM_KRB5_CONF, line + 2);
        } else if (strncmp(line, "h ", 2) == 0) {
            set(&helpers, OPTION_FROM_ARGUMENT, line + 2);
        }
        free(line);
    }
    require_way_through_a_message(&ours);
    require_way_through_a_message(&helpers);
    complete(&ours, &helpers);
    options_free(&ours);
    options_free(&helpers);
    return 0;
}

const struct fuzz_target fuzz_target = {.name = "options"};
