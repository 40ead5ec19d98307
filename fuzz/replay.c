/*
 * The main of a target without libFuzzer.  Knows files and TAP, not what the
 * target does with them.
 *
 *   replay_TARGET                   each seed of the tree is one test, and
 *                                   each sample (fuzz.h): it is in the tree
 *   replay_TARGET FILE...           the same with these files, no samples
 *   replay_TARGET --samples         writes the samples into the tree
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static int tests;
static int failures;

static void
report(bool passed, const char *what, const char *path)
{
    tests++;
    failures += !passed;
    (void)printf("%sok %d - %s %s\n", passed ? "" : "not ", tests, what, path);
}

/* The file at PATH in memory that ends where it ends, the caller's to free. */
static uint8_t *
read_file(const char *path, size_t *size_out)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = -1;

    if (file == NULL || fseek(file, 0, SEEK_END) < 0 ||
        (size = ftell(file)) < 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    rewind(file);
    data = malloc(size > 0 ? (size_t)size : 1);
    REQUIRE(data != NULL);
    REQUIRE(fread(data, 1, (size_t)size, file) == (size_t)size);
    (void)fclose(file);
    *size_out = (size_t)size;
    return data;
}

static char *
join(const char *directory, const char *name)
{
    char *path = NULL;

    REQUIRE(asprintf(&path, "%s/%s", directory, name) > 0);
    return path;
}

/* One test: a process of its own, since a target says no with abort(3). */
static void
replay(const char *path)
{
    int status = 0;
    pid_t child = -1;

    (void)fflush(stdout);
    child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        size_t size = 0;
        uint8_t *data = read_file(path, &size);

        (void)LLVMFuzzerTestOneInput(data, size);
        free(data);
        _exit(EXIT_SUCCESS);
    }
    REQUIRE(waitpid(child, &status, 0) == child);
    report(status == 0, "seed", path);
}

/* One test: the tree has this sample as the code makes it today. */
static void
compare_sample(const char *directory, const char *name,
               const struct bytes *sample)
{
    char *path = join(directory, name);
    bool same = false;

    if (access(path, R_OK) == 0) {
        size_t size = 0;
        uint8_t *data = read_file(path, &size);

        same = span_equal((struct span){data, size}, bytes_span(sample));
        free(data);
    }
    report(same, "sample is up to date (make fuzz-seeds):", path);
    free(path);
}

static void
write_sample(const char *directory, const char *name,
             const struct bytes *sample)
{
    char *path = join(directory, name);
    FILE *file = fopen(path, "wb");

    if (file == NULL ||
        fwrite(sample->data, 1, sample->length, file) != sample->length ||
        fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    free(path);
}

/* Does ACT with DIRECTORY and each sample. */
static void
walk_samples(void (*act)(const char *directory, const char *name,
                         const struct bytes *sample),
             const char *directory)
{
    const char *name = NULL;
    size_t index = 0;

    do {
        struct bytes sample = BYTES_EMPTY;

        name = fuzz_target.sample == NULL
                   ? NULL
                   : fuzz_target.sample(index++, &sample);
        REQUIRE(sample.error == 0);
        if (name != NULL) {
            act(directory, name, &sample);
        }
        bytes_free(&sample);
    } while (name != NULL);
}

static int
is_seed(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Every seed in DIRECTORY; that there are any is a test too. */
static void
replay_all(const char *directory)
{
    struct dirent **seeds = NULL;
    int count = scandir(directory, &seeds, is_seed, alphasort);

    report(count > 0, "there are seeds in", directory);
    for (int i = 0; i < count; i++) {
        char *path = join(directory, seeds[i]->d_name);

        replay(path);
        free(path);
        free(seeds[i]);
    }
    free((void *)seeds);
}

int
main(int argc, char **argv)
{
    char *tree = join(FUZZ_SEEDS, fuzz_target.name);

    if (argc == 2 && strcmp(argv[1], "--samples") == 0) {
        walk_samples(write_sample, tree);
        free(tree);
        return EXIT_SUCCESS;
    }
    if (argc == 1) {
        replay_all(tree);
        walk_samples(compare_sample, tree);
    }
    for (int i = 1; i < argc; i++) {
        replay(argv[i]);
    }
    (void)printf("1..%d\n", tests);
    free(tree);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
