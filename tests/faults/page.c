/* The test's side of the page. */
#include "faults/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
fail(const char *what)
{
    fprintf(stderr, "faults: %s: %s\n", what, strerror(errno));
    exit(99);
}

struct faults_page *
faults_create(void)
{
    int fd = open(FAULTS_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    void *page = NULL;

    if (fd < 0 || ftruncate(fd, sizeof(struct faults_page)) < 0) {
        fail(FAULTS_FILE);
    }
    page = mmap(NULL, sizeof(struct faults_page), PROT_READ | PROT_WRITE,
                MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        fail("mmap");
    }
    (void)close(fd);
    return page;
}

void
faults_arm(struct faults_page *page, const struct faults_plan *plan)
{
    page->armed = false;
    page->plan = *plan;
    page->counted = 0;
    page->hits = 0;
    page->timers = 0;
    page->call[0] = '\0';
    page->crashes = 0;
    page->signal = 0;
    page->hit_calls[0] = '\0';
    page->crash_calls[0] = '\0';
    page->hit_site = 0;
    page->crash_site = 0;
    page->leaked = 0;
    page->armed = true;
}

void
faults_disarm(struct faults_page *page)
{
    page->armed = false;
}
