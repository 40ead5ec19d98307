/*
 * base/expand: the input is lines: template, user, service, uid, pid; those
 * that are missing are no value, or 0.  What is made is what the template says
 * token by token, and a value that stands in it is one piece of one component:
 * no slash or colon comes from it, no control character and no way up.  The
 * first line is also taken for a pattern, in which there are no tokens.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/expand.h"

static bool
is_control(char byte)
{
    return (byte >= 0x01 && byte < 0x20) || byte == 0x7f;
}

/* How many bytes of TEXT are BYTE. */
static size_t
count_of(const char *text, char byte)
{
    size_t found = 0;

    for (; *text != '\0'; text++) {
        found += *text == byte;
    }
    return found;
}

static size_t
controls_in(const char *text)
{
    size_t found = 0;

    for (; *text != '\0'; text++) {
        found += is_control(*text);
    }
    return found;
}

/* How many components of PATH are "..". */
static size_t
ways_up(const char *path)
{
    size_t found = 0;

    for (;;) {
        size_t length = strcspn(path, "/:");

        found += length == 2 && memcmp(path, "..", 2) == 0;
        if (path[length] == '\0') {
            return found;
        }
        path += length + 1;
    }
}

/* The end of NAME where it begins with VALUE. */
static const char *
behind_value(const char *name, const char *value)
{
    REQUIRE(value != NULL && *value != '\0');
    REQUIRE(strncmp(name, value, strlen(value)) == 0);
    return name + strlen(value);
}

static const char *
behind_number(const char *name, uint64_t number)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%ju", (uintmax_t)number);
    return behind_value(name, digits);
}

/* Follows a token of *TEMPLATE in NAME; moves *TEMPLATE behind it. */
static const char *
behind_token(const char *name, const char **template,
             const struct expand_values *values)
{
    const char *token = *template;

    if (strncmp(token, "%{uid}", 6) == 0) {
        *template += 6;
        return behind_number(name, values->uid);
    }
    if (strncmp(token, "%{username}", 11) == 0) {
        *template += 11;
        return behind_value(name, values->user);
    }
    if (strncmp(token, "%{service}", 10) == 0) {
        *template += 10;
        return behind_value(name, values->service);
    }
    REQUIRE(token[1] == 'u' || token[1] == 'p');
    *template += 2;
    return behind_number(name, token[1] == 'u' ? values->uid : values->pid);
}

/*
 * The end of WHOLE at NAME is what is drawn for a mark, where there is one:
 * RANDOM.  Behind a dot it is one more.
 */
static void
require_drawn(const char *whole, const char *name, const char *random)
{
    size_t wanted = strlen(random);

    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    wanted += wanted > 0 && name > whole && name[-1] == '.';
    REQUIRE(strlen(name) == wanted);
    REQUIRE(strspn(name, letters) == strlen(name));
}

/* Where TEMPLATE ends but for the mark of a random part. */
static const char *
fixed_end(const char *template)
{
    const char *end = template + strlen(template);

    return expand_is_unique(template) ? end - EXPAND_RANDOM_LENGTH : end;
}

/* NAME is what TEMPLATE says. */
static void
require_expanded(const char *name, const char *template,
                 const struct expand_values *values)
{
    const char *end = fixed_end(template);
    const char *whole = name;

    while (template <end) {
        if (*template == '%') {
            name = behind_token(name, &template, values);
        } else {
            REQUIRE(*name == *template);
            name++;
            template ++;
        }
    }
    require_drawn(whole, name, end);
}

/* What is neither letter nor digit in NAME was in TEMPLATE. */
static void
require_one_component(const char *name, const char *template)
{
    REQUIRE(count_of(name, '/') == count_of(template, '/'));
    REQUIRE(count_of(name, ':') == count_of(template, ':'));
    REQUIRE(controls_in(name) == controls_in(template));
    REQUIRE(ways_up(name) == ways_up(template));
}

static void
expand(const char *template, const struct expand_values *values)
{
    char soil = 0;
    char *name = &soil;
    int status = expand_template(template, values, &name);

    if (status < 0) {
        REQUIRE(name == NULL);
        REQUIRE(status == -EINVAL || status == -ENAMETOOLONG);
        /* Without a token there is nothing but its length to refuse. */
        REQUIRE(strchr(template, '%') != NULL ||
                (status == -ENAMETOOLONG && strlen(template) + 1 > EXPAND_MAX));
        return;
    }
    REQUIRE(strlen(name) <= EXPAND_MAX);
    require_expanded(name, template, values);
    require_one_component(name, template);
    free(name);
}

static void
draw(const char *pattern)
{
    char soil = 0;
    char *name = &soil;
    int status = expand_pattern(pattern, &name);
    size_t fixed = (size_t)(fixed_end(pattern) - pattern);

    if (status < 0) {
        REQUIRE(name == NULL);
        REQUIRE(status ==
                (expand_is_unique(pattern) ? -ENAMETOOLONG : -EINVAL));
        REQUIRE(status == -EINVAL || strlen(pattern) + 1 > EXPAND_MAX);
        return;
    }
    REQUIRE(strlen(name) <= EXPAND_MAX);
    REQUIRE(expand_is_unique(pattern));
    REQUIRE(strncmp(name, pattern, fixed) == 0);
    require_drawn(name, name + fixed, pattern + fixed);
    free(name);
}

static uint64_t
number_of(const char *line)
{
    return line == NULL ? 0 : strtoull(line, NULL, 10);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {.data = data, .length = size};
    char *template = fuzz_line(&rest);
    char *user = fuzz_line(&rest);
    char *service = fuzz_line(&rest);
    char *uid = fuzz_line(&rest);
    char *pid = fuzz_line(&rest);
    const struct expand_values values = {.uid = number_of(uid),
                                         .pid = number_of(pid),
                                         .user = user,
                                         .service = service};

    if (template != NULL) {
        expand(template, &values);
        draw(template);
    }
    free(template);
    free(user);
    free(service);
    free(uid);
    free(pid);
    return 0;
}

const struct fuzz_target fuzz_target = {.name = "expand"};
