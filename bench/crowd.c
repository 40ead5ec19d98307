/*
 * crowd DIRECTORY UID COUNT: makes DIRECTORY a state directory in which COUNT
 * sessions of UID live, each with a cache of its own, says "ready", and is
 * their host until its standard input ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/presence.h"
#include "registry/registry.h"

static int
add(const struct registry *registry, long uid, long number)
{
    char cache[64];
    struct registry_key key;
    int state_error = 0;
    struct record record = {
        .cache = cache,
        .ownership = RECORD_OWN,
        .is_made = true,
        .is_bound = true,
        .uid = uid,
        .gid = uid,
        .time = 1700000000,
        .audit = RECORD_UNKNOWN,
    };
    int error = presence_of_caller(&record);

    (void)snprintf(cache, sizeof(cache), "FILE:/tmp/krb5cc_%ld_%06ld", uid,
                   number);
    record.user = strdup("alice");
    if (error == 0) {
        error = registry_join(registry, &record, &key, &state_error);
    }
    record.cache = NULL;
    record_free(&record);
    return error == 0 ? state_error : error;
}

int
main(int argc, char **argv)
{
    struct registry registry = {.runtime_dir = "/missing/runtime"};
    char rest[16];

    if (argc != 4) {
        return 2;
    }
    registry.state_dir = argv[1];
    for (long i = 0; i < strtol(argv[3], NULL, 10); i++) {
        int error = add(&registry, strtol(argv[2], NULL, 10), i);

        if (error < 0) {
            (void)fprintf(stderr, "crowd: %s\n", strerror(-error));
            return 1;
        }
    }
    (void)printf("ready\n");
    (void)fflush(stdout);
    while (read(0, rest, sizeof(rest)) > 0) {
    }
    return 0;
}
