/* Names made from templates. */
#include "base/expand.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char random_mark[] = "XXXXXX";

/* A name being made; ERROR is the first failure. */
struct draft {
    char text[EXPAND_MAX + 1];
    size_t length;
    int error;
};

static void
append(struct draft *draft, const char *text, size_t length)
{
    if (draft->error != 0) {
        return;
    }
    if (length > EXPAND_MAX - draft->length) {
        draft->error = -ENAMETOOLONG;
        return;
    }
    memcpy(draft->text + draft->length, text, length);
    draft->length += length;
    draft->text[draft->length] = '\0';
}

static void
append_number(struct draft *draft, uint64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, number);

    append(draft, digits, (size_t)length);
}

/*
 * A value from outside must stay one component of one name: no slash, no
 * colon (which ends the kind of a cache), no way up.
 */
static void
append_value(struct draft *draft, const char *value)
{
    if (value == NULL || *value == '\0' || strcmp(value, ".") == 0 ||
        strcmp(value, "..") == 0) {
        draft->error = draft->error != 0 ? draft->error : -EINVAL;
        return;
    }
    for (const char *at = value; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;

        if (byte == '/' || byte == ':' || byte < 0x20 || byte == 0x7f) {
            draft->error = draft->error != 0 ? draft->error : -EINVAL;
            return;
        }
    }
    append(draft, value, strlen(value));
}

/* Appends what the token at TOKEN stands for; returns where it ends. */
static const char *
append_token(struct draft *draft, const char *token,
             const struct expand_values *values)
{
    static const char uid[] = "%{uid}";
    static const char username[] = "%{username}";
    static const char service[] = "%{service}";

    if (strncmp(token, uid, sizeof(uid) - 1) == 0) {
        append_number(draft, values->uid);
        return token + sizeof(uid) - 1;
    }
    if (strncmp(token, username, sizeof(username) - 1) == 0) {
        append_value(draft, values->user);
        return token + sizeof(username) - 1;
    }
    if (strncmp(token, service, sizeof(service) - 1) == 0) {
        append_value(draft, values->service);
        return token + sizeof(service) - 1;
    }
    if (token[1] == 'u') {
        append_number(draft, values->uid);
        return token + 2;
    }
    if (token[1] == 'p') {
        append_number(draft, values->pid);
        return token + 2;
    }
    draft->error = draft->error != 0 ? draft->error : -EINVAL;
    return token + 1;
}

/* Fills TEXT with LENGTH letters and digits, each as likely. */
static int
draw(char *text, size_t length)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const unsigned int count = sizeof(letters) - 1;
    size_t filled = 0;

    while (filled < length) {
        unsigned char byte = 0;
        ssize_t got = getrandom(&byte, 1, 0);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got != 1) {
            return got < 0 ? -errno : -EIO;
        }
        /* The bytes above the last multiple would favour some letters. */
        if (byte < 256 / count * count) {
            text[filled++] = letters[byte % count];
        }
    }
    return 0;
}

bool
expand_is_unique(const char *template)
{
    size_t length = strlen(template);

    return length >= EXPAND_RANDOM_LENGTH &&
           strcmp(template + length - EXPAND_RANDOM_LENGTH, random_mark) == 0;
}

/* Draws the random part at the end of DRAFT. */
static void
draw_end(struct draft *draft)
{
    size_t length = EXPAND_RANDOM_LENGTH;

    if (draft->length > length &&
        draft->text[draft->length - length - 1] == '.') {
        /* NAME.XXXXXX is what libkrb5 calls a temporary file beside NAME. */
        append(draft, random_mark, 1);
        length++;
    }
    if (draft->error == 0) {
        draft->error = draw(draft->text + draft->length - length, length);
    }
}

/* Draws where TEMPLATE wants it and copies DRAFT to *NAME_OUT. */
static int
finish(struct draft *draft, const char *template, char **name_out)
{
    if (draft->error == 0 && expand_is_unique(template)) {
        draw_end(draft);
    }
    *name_out = draft->error == 0 ? strdup(draft->text) : NULL;
    return draft->error == 0 && *name_out == NULL ? -ENOMEM : draft->error;
}

int
expand_pattern(const char *pattern, char **name_out)
{
    struct draft draft = {.text = "", .length = 0, .error = 0};

    if (!expand_is_unique(pattern)) {
        draft.error = -EINVAL;
    }
    append(&draft, pattern, strlen(pattern));
    return finish(&draft, pattern, name_out);
}

int
expand_template(const char *template, const struct expand_values *values,
                char **name_out)
{
    struct draft draft = {.text = "", .length = 0, .error = 0};
    const char *at = template;

    while (*at != '\0') {
        if (*at == '%') {
            at = append_token(&draft, at, values);
        } else {
            append(&draft, at, 1);
            at++;
        }
    }
    return finish(&draft, template, name_out);
}
