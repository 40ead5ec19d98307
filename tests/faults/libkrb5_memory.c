/*
 * The faulty helper's own allocator: libc's, but an allocation that libkrb5
 * or one of its own libraries asks for can fail.  What libc allocates for
 * them behind another call is not seen, but for the copying of texts and the
 * printing into new ones, which are here too.
 *
 * Not in a sanitized build, whose allocator is the sanitizer's.
 */
#include "faults/wrap.h"

#include <errno.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#define SHOWN __attribute__((visibility("default")))
#define RANGES_MAX 8

/* libc's, under the names that it has for this purpose. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);

/* Where the code of libkrb5 and of its own libraries is. */
static struct {
    uintptr_t begin;
    uintptr_t end;
} ranges[RANGES_MAX];
static size_t range_count;

static bool
is_of_libkrb5(const char *path)
{
    static const char *const names[] = {"/libkrb5.so", "/libk5crypto.so",
                                        "/libkrb5support.so", "/libcom_err.so"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strstr(path, names[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* dl_iterate_phdr's callback. */
static int
take_ranges(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    (void)data;
    if (!is_of_libkrb5(info->dlpi_name)) {
        return 0;
    }
    for (size_t i = 0; i < info->dlpi_phnum && range_count < RANGES_MAX; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            ranges[range_count].begin = info->dlpi_addr + part->p_vaddr;
            ranges[range_count].end =
                info->dlpi_addr + part->p_vaddr + part->p_memsz;
            range_count++;
        }
    }
    return 0;
}

static void __attribute__((constructor)) find_ranges(void)
{
    (void)dl_iterate_phdr(take_ranges, NULL);
}

/* Whether the allocation that CALLER asks for is to fail. */
static bool
fails(const void *caller, const char *name)
{
    uintptr_t at = (uintptr_t)caller;

    for (size_t i = 0; i < range_count; i++) {
        if (at >= ranges[i].begin && at < ranges[i].end) {
            if (!wrap_strikes(FAULTS_LIBKRB5, name)) {
                return false;
            }
            wrap_note_hit();
            errno = ENOMEM;
            return true;
        }
    }
    return false;
}

#define FAILS(name) fails(__builtin_return_address(0), name)

SHOWN void *
malloc(size_t size)
{
    return FAILS("malloc") ? NULL : __libc_malloc(size);
}

SHOWN void *
calloc(size_t count, size_t size)
{
    return FAILS("calloc") ? NULL : __libc_calloc(count, size);
}

SHOWN void *
realloc(void *pointer, size_t size)
{
    return FAILS("realloc") ? NULL : __libc_realloc(pointer, size);
}

static char *
copy(const char *text, size_t length)
{
    char *made = __libc_malloc(length + 1);

    if (made != NULL) {
        memcpy(made, text, length);
        made[length] = '\0';
    }
    return made;
}

SHOWN char *
strdup(const char *text)
{
    return FAILS("strdup") ? NULL : copy(text, strlen(text));
}

SHOWN char *
strndup(const char *text, size_t size)
{
    return FAILS("strndup") ? NULL : copy(text, strnlen(text, size));
}

static int __attribute__((format(printf, 2, 0)))
print(char **text_out, const char *format, va_list arguments)
{
    va_list again;
    int length = -1;
    char *text = NULL;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    text = length < 0 ? NULL : __libc_malloc((size_t)length + 1);
    if (text == NULL) {
        return -1;
    }
    (void)vsnprintf(text, (size_t)length + 1, format, arguments);
    *text_out = text;
    return length;
}

int __vasprintf_chk(char **text_out, int flag, const char *format,
                    va_list arguments) __attribute__((format(printf, 3, 0)));
int __asprintf_chk(char **text_out, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

SHOWN int
__vasprintf_chk(char **text_out, int flag, const char *format,
                va_list arguments)
{
    (void)flag;
    return FAILS("vasprintf") ? -1 : print(text_out, format, arguments);
}

SHOWN int
__asprintf_chk(char **text_out, int flag, const char *format, ...)
{
    va_list arguments;
    int length = -1;

    (void)flag;
    if (FAILS("asprintf")) {
        return -1;
    }
    va_start(arguments, format);
    length = print(text_out, format, arguments);
    va_end(arguments);
    return length;
}

#endif
