/* What reap would take. */
#include "support/records.h"

#include <check.h>

#include "registry/registry.h"

static const struct registry registry = {.state_dir = PATH_STATE,
                                         .runtime_dir = PATH_RUNTIME};

struct walk {
    const struct presence_census *census;
    pid_t host; /* 0 = any */
    bool are_gone;
    size_t count;
};

static bool
take(void *data, const struct registry_entry *entry)
{
    struct walk *walk = data;
    const struct record *record = entry->record;

    ck_assert_msg(record != NULL, "%s is no record: %d", entry->key.id,
                  entry->fault);
    if (walk->host != 0 && record->pid != walk->host) {
        return true;
    }
    ck_assert_msg((record->is_ended || presence_judge(record, walk->census) ==
                                           PRESENCE_GONE) == walk->are_gone,
                  "the session with %s %s: pid %lld, start %lld, pid "
                  "namespace %lld",
                  record->cache, walk->are_gone ? "lives" : "is gone",
                  (long long)record->pid, (long long)record->start,
                  (long long)record->pid_namespace);
    ck_assert_int_eq(registry_leave(&registry, &entry->key), 0);
    walk->count++;
    return true;
}

static size_t
count_and_remove(pid_t host, bool are_gone)
{
    struct presence_census *census = presence_census_take();
    struct walk walk = {.census = census, .host = host, .are_gone = are_gone};

    ck_assert_ptr_nonnull(census);
    ck_assert_int_eq(registry_visit(&registry, REGISTRY_EVERYBODY, take, &walk),
                     0);
    presence_census_free(census);
    return walk.count;
}

size_t
records_of_the_gone(void)
{
    return count_and_remove(0, true);
}

size_t
records_of_dead_host(pid_t host)
{
    return count_and_remove(host, true);
}

size_t
records_of_the_living(void)
{
    return count_and_remove(0, false);
}
