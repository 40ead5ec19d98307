/*
 * Values as JSON (RFC 8259): texts of whatever bytes become valid UTF-8 that a
 * terminal may see.
 */
#ifndef ADMIN_JSON_H
#define ADMIN_JSON_H

#include <stdint.h>
#include <stdio.h>

/*
 * TEXT as a JSON string: quotes, backslashes and control characters (C1 and
 * DEL too) escaped, a byte that is not UTF-8 as U+FFFD.
 */
void json_text(FILE *file, const char *text);

/* VALUE; null where it is not above 0. */
void json_positive(FILE *file, int64_t value);

#endif
