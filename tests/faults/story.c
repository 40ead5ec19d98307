/*
 * The stories.  Each knows what its call must have left behind, by what the
 * call has said: a success has done what was asked; a failure has left the old
 * tickets whole, or the new ones, and the next good call makes all well.
 */
#include "faults/story.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define USER "alice"
#define HOST_SERVICE "host/testhost.pam.test"

/* What pam/cred.c takes for cleaning up: a machine may be busier than that. */
#define CLEANUP_MS 500

/* How old a stray is made, so that it is swept. */
#define OLD_S 3600

static struct stack *
own(struct scene *scene)
{
    return &scene->own[scene->turn];
}

static struct whole
look(const char *name)
{
    uid_t uid = common_uid(USER);

    return whole_look(name, uid, uid);
}

/* The call that makes a cache of this kind. */
static int
make(struct scene *scene)
{
    pam_handle_t *handle = own(scene)->handle;

    return scene->kind->in_session ? pam_open_session(handle, 0)
                                   : pam_setcred(handle, PAM_ESTABLISH_CRED);
}

/* How many caches USER has besides the holder's. */
static size_t
others(struct scene *scene)
{
    size_t count = kinds_caches(scene->kind, USER);

    MUST(!scene->has_holder || count > 0, "the holder's cache is gone");
    return scene->has_holder ? count - 1 : count;
}

/* Whether WHOLE has, besides its TGT, what the scene's cache has. */
static void
check_beside(struct scene *scene, const struct whole *whole)
{
    const struct whole *wanted = &scene->now;

    MUST(whole->readable, "unreadable");
    MUST(strcmp(whole->principal, wanted->principal) == 0, "of %s",
         whole->principal);
    MUST(whole->tgts == 1, "%d TGTs", whole->tgts);
    MUST(whole->services == wanted->services &&
             whole->service_tickets == wanted->service_tickets,
         "service tickets are lost");
    MUST(whole->configs == wanted->configs &&
             whole->config_entries == wanted->config_entries,
         "configuration entries are lost");
}

/* Strays. */

/* Makes every file in the cache's directory but the cache itself old. */
static void
age_strays(const char *name)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {.tv_sec = time(NULL) - OLD_S}};
    char folder[512];
    char *slash = NULL;
    DIR *directory = NULL;
    const struct dirent *entry = NULL;

    (void)snprintf(folder, sizeof(folder), "%s", strchr(name, '/'));
    slash = strrchr(folder, '/');
    *slash = '\0';
    directory = opendir(folder);
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (entry->d_type == DT_REG && strcmp(entry->d_name, slash + 1) != 0) {
            (void)utimensat(dirfd(directory), entry->d_name, times,
                            AT_SYMLINK_NOFOLLOW);
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
}

static void
age(struct scene *scene)
{
    if (scene->kind->family == KIND_FILE || scene->kind->family == KIND_DIR) {
        age_strays(scene->cache);
    }
}

/* Authenticate. */

static int
authenticate(struct scene *scene)
{
    return pam_authenticate(scene->fresh.handle, 0);
}

static void
after_authenticate(struct scene *scene, int code)
{
    MUST(!stack_logged("not verified"), "a fault stands in for a keytab");
    MUST(others(scene) == 0, "authentication has made a cache");
    if (code != PAM_SUCCESS) {
        int account = pam_acct_mgmt(scene->fresh.handle, 0);

        MUST(account != PAM_SUCCESS, "refused, and welcome all the same");
        (void)pam_setcred(scene->fresh.handle, PAM_ESTABLISH_CRED);
        MUST(others(scene) == 0 && common_cache(&scene->fresh) == NULL,
             "a cache for who was refused");
    }
}

/* The same where several principals are tried. */

/* Gives the scene's fresh handle ARGUMENTS and ANSWERS. */
static void
begin_anew(struct scene *scene, const char *arguments,
           const char *const *answers)
{
    stack_end(&scene->fresh, PAM_SUCCESS);
    common_start(&scene->fresh, USER, arguments, answers);
}

static void
before_search(struct scene *scene)
{
    /* A host that was killed has left it. */
    (void)unlink("/tmp/home/" USER "/.k5login");
    common_k5login(USER, "stranger@PAM.TEST\nalice@PAM.TEST\n");
    begin_anew(scene, "alt_auth_map=%s/none search_k5login timeout=5",
               alice_answers);
}

static void
after_search(struct scene *scene, int code)
{
    after_authenticate(scene, code);
    (void)unlink("/tmp/home/" USER "/.k5login");
}

/* Chauthtok, to what it is already. */

static void
before_change(struct scene *scene)
{
    static const char *const answers[] = {"alice-password", "alice-password",
                                          "alice-password", NULL};

    begin_anew(scene, "timeout=5", answers);
}

static int
change(struct scene *scene)
{
    return pam_chauthtok(scene->fresh.handle, 0);
}

static void
after_change(struct scene *scene, int code)
{
    static const char *const prompts[] = {
        "Current Kerberos password: ", "Enter new Kerberos password: ",
        "Retype new Kerberos password: "};

    MUST(others(scene) == 0, "a change has made a cache");
    MUST(!stack_logged("alice-password"), "a password is in the log");
    MUST(code != PAM_SUCCESS || stack_logged("password changed"),
         "a success that has changed nothing");
    for (size_t i = 0; i < stack_prompts(&scene->fresh) && i < 3; i++) {
        MUST(strcmp(stack_text(&scene->fresh, i), prompts[i]) == 0,
             "prompt %zu is %s", i, stack_text(&scene->fresh, i));
    }
}

/* Establish. */

/* As before the first login. */
static void
clear(struct scene *scene)
{
    if (scene->kind->in_session) {
        kinds_clear(scene->kind, USER);
    } else {
        kinds_begin(scene->kind, USER);
    }
}

static void
check_made(struct scene *scene)
{
    const char *name = common_cache(own(scene));
    struct whole whole;

    MUST(name != NULL, "no KRB5CCNAME");
    whole = look(name);
    MUST(whole.readable, "%s is unreadable", name);
    MUST(whole.tgts == 1 && whole.tgt == scene->tgt[scene->turn],
         "%s has other tickets", name);
    MUST(whole.configs == scene->now.configs &&
             whole.config_entries == scene->now.config_entries,
         "%s lacks configuration entries", name);
}

static void
check_none(struct scene *scene)
{
    MUST(common_cache(own(scene)) == NULL, "KRB5CCNAME");
    MUST(others(scene) == 0, "a cache is left");
}

/*
 * Nothing is left of what came to nothing, if there was the time for it.  Who
 * dies in naming the primary leaves a file that is only taken once it is old.
 */
static void
check_cleaned_up(struct scene *scene)
{
    size_t strays = kinds_primary_strays(scene->kind, USER);

    if (scene->verdict->lasted_ms >= CLEANUP_MS && others(scene) > strays) {
        clear(scene);
        strays = 0;
    }
    MUST(common_cache(own(scene)) == NULL, "KRB5CCNAME");
    MUST(others(scene) == strays, "a cache is left");
}

static void
after_establish(struct scene *scene, int code)
{
    if (code != PAM_SUCCESS) {
        check_cleaned_up(scene);
        MUST(make(scene) == PAM_SUCCESS, "no second try");
    }
    check_made(scene);
    /* Strays are swept at the latest when the cache is taken away. */
    age(scene);
    MUST(pam_close_session(own(scene)->handle, 0) == PAM_SUCCESS, "no end");
    check_none(scene);
}

/* Delete, close, end. */

static void
before_end(struct scene *scene)
{
    MUST(make(scene) == PAM_SUCCESS, "no cache to be ended");
    (void)snprintf(scene->verdict->made, sizeof(scene->verdict->made), "%s",
                   common_cache(own(scene)));
}

static int delete (struct scene *scene)
{
    return pam_setcred(own(scene)->handle, PAM_DELETE_CRED);
}

static int
close_session(struct scene *scene)
{
    return pam_close_session(own(scene)->handle, 0);
}

/*
 * Whole as it was, or gone; who was killed in taking it away may have left a
 * part of it that is good for nothing.  So may a helper whose module fails: the
 * module ends it wherever it is.
 */
static void
check_whole_or_gone(struct scene *scene)
{
    bool may_be_part = scene->page->plan.deed == FAULTS_KILL ||
                       scene->page->plan.side == FAULTS_MODULE;
    struct whole whole;

    if (others(scene) == 0) {
        return;
    }
    MUST(others(scene) == 1, "%zu caches", others(scene));
    whole = look(scene->verdict->made);
    MUST((whole.readable && whole.tgt == scene->tgt[scene->turn]) ||
             (may_be_part && whole.tgts == 0),
         "neither whole nor gone");
}

static void
after_end(struct scene *scene, int code)
{
    if (code != PAM_SUCCESS) {
        check_whole_or_gone(scene);
        MUST(close_session(scene) == PAM_SUCCESS, "no second try");
    }
    check_none(scene);
}

/* Who is dead ends nothing. */
static void
after_death_in_end(struct scene *scene)
{
    check_whole_or_gone(scene);
    clear(scene);
}

/* A dead host's cache is nobody's: it may be there, and is in nobody's way. */
static void
after_death_in_establish(struct scene *scene)
{
    clear(scene);
    MUST(make(scene) == PAM_SUCCESS, "no cache after it");
    check_made(scene);
    clear(scene);
}

/* pam_end has no code, and nobody comes after it. */
static int
end_handle(struct scene *scene)
{
    int code = pam_end(own(scene)->handle, PAM_SUCCESS);

    own(scene)->handle = NULL;
    return code;
}

static void
after_end_handle(struct scene *scene, int code)
{
    uid_t uid = common_uid(USER);

    (void)code;
    check_whole_or_gone(scene);
    if (others(scene) > 0) {
        MUST(stack_logged("left behind") || scene->page->hits > 0,
             "left without a word");
        MUST(whole_destroy(scene->verdict->made, uid, uid),
             "cannot be destroyed");
    }
}

/* Reinitialize, and refresh with tickets of one's own. */

static void
before_replace(struct scene *scene)
{
    common_set_cache(own(scene), scene->cache);
}

static int
reinitialize(struct scene *scene)
{
    return pam_setcred(own(scene)->handle, PAM_REINITIALIZE_CRED);
}

static int
refresh(struct scene *scene)
{
    return pam_setcred(own(scene)->handle, PAM_REFRESH_CRED);
}

/* What is in the cache: with the old TGT, or with this turn's own. */
static struct whole
check_old_or_own(struct scene *scene)
{
    struct whole whole = look(scene->cache);

    check_beside(scene, &whole);
    MUST(whole.tgt == scene->now.tgt || whole.tgt == scene->tgt[scene->turn] ||
             scene->tgt[scene->turn] == 0,
         "neither the old ticket nor the new one");
    return whole;
}

static void
after_replace(struct scene *scene, int code)
{
    struct whole whole = check_old_or_own(scene);

    if (code != PAM_SUCCESS) {
        age(scene);
        MUST(reinitialize(scene) == PAM_SUCCESS, "no second try");
        whole = check_old_or_own(scene);
    }
    MUST(scene->tgt[scene->turn] == 0 || whole.tgt == scene->tgt[scene->turn],
         "a success that has replaced nothing");
    MUST(others(scene) == 0, "a stray is left");
    scene->now = whole;
}

/* Establish, where another session has the cache that both share. */

/*
 * A cache that cannot be read is passed over, and where memory fails libkrb5 it
 * does not list all of a collection, or cannot read one of it, and does not say
 * why: then there is a second cache, as whole as the first.
 */
static bool
may_have_second_cache(const struct faults_page *page)
{
    return strcmp(page->call, "lstat") == 0 ||
           page->plan.family == FAULTS_LIBKRB5;
}

static bool
has_second_cache(struct scene *scene, const char *name)
{
    uid_t uid = common_uid(USER);

    if (strcmp(name, scene->cache) == 0 ||
        !may_have_second_cache(scene->page)) {
        return false;
    }
    MUST(others(scene) == 1 && look(name).tgt == scene->tgt[scene->turn],
         "%s is not a second cache", name);
    MUST(whole_destroy(name, uid, uid), "%s stays", name);
    return true;
}

static void
after_join(struct scene *scene, int code)
{
    const char *name = common_cache(own(scene));
    struct whole whole = check_old_or_own(scene);

    if (code != PAM_SUCCESS) {
        MUST(name == NULL, "KRB5CCNAME of a failure");
        age(scene);
        MUST(make(scene) == PAM_SUCCESS, "no second try");
        name = common_cache(own(scene));
        whole = check_old_or_own(scene);
    }
    MUST(name != NULL, "no KRB5CCNAME");
    if (!has_second_cache(scene, name)) {
        MUST(strcmp(name, scene->cache) == 0, "another cache: %s", name);
        MUST(whole.tgt == scene->tgt[scene->turn],
             "a success that has replaced nothing");
    }
    MUST(others(scene) == 0, "%zu caches more", others(scene));
    scene->now = whole;
}

/* Refresh by renewal. */

static void
before_renew(struct scene *scene)
{
    common_set_cache(&scene->other, scene->cache);
}

static int
renew(struct scene *scene)
{
    return pam_setcred(scene->other.handle, PAM_REFRESH_CRED);
}

static struct whole
check_old_or_renewed(struct scene *scene)
{
    struct whole whole = look(scene->cache);
    uid_t uid = common_uid(USER);

    check_beside(scene, &whole);
    MUST(whole.tgt == scene->now.tgt ||
             (whole.endtime >= scene->now.endtime &&
              whole_works(scene->cache, HOST_SERVICE, uid, uid)),
         "a renewed ticket that does not work");
    return whole;
}

static void
after_renew(struct scene *scene, int code)
{
    struct whole whole = check_old_or_renewed(scene);
    /* Who cannot be found in NSS is not ours to renew for. */
    bool is_stranger = strcmp(scene->page->call, "pam_modutil_getpwnam") == 0;

    MUST(code != PAM_SUCCESS || is_stranger || whole.tgt != scene->now.tgt,
         "a success that has renewed nothing");
    if (code != PAM_SUCCESS) {
        age(scene);
        MUST(renew(scene) == PAM_SUCCESS, "no second try");
        whole = check_old_or_renewed(scene);
    }
    MUST(others(scene) == 0, "a stray is left");
    scene->now = whole;
}

const struct story stories[] = {
    {.name = "authenticate",
     .needs_cache = true,
     .has_exchange = true,
     .codes = {PAM_AUTHINFO_UNAVAIL, PAM_BUF_ERR, PAM_AUTH_ERR},
     .call = authenticate,
     .after = after_authenticate},
    {.name = "search",
     .needs_cache = true,
     .has_exchange = true,
     .codes = {PAM_AUTHINFO_UNAVAIL, PAM_BUF_ERR, PAM_AUTH_ERR,
               PAM_USER_UNKNOWN},
     .before = before_search,
     .call = authenticate,
     .after = after_search},
    {.name = "change",
     .needs_cache = true,
     .has_exchange = true,
     .codes = {PAM_AUTHTOK_ERR, PAM_BUF_ERR, PAM_AUTHTOK_RECOVERY_ERR,
               PAM_IGNORE},
     .before = before_change,
     .call = change,
     .after = after_change},
    {.name = "reinitialize",
     .needs_cache = true,
     .is_of_all_kinds = true,
     .codes = {PAM_CRED_ERR, PAM_BUF_ERR, PAM_USER_UNKNOWN},
     .before = before_replace,
     .call = reinitialize,
     .after = after_replace},
    {.name = "refresh",
     .needs_cache = true,
     .is_of_all_kinds = true,
     .codes = {PAM_CRED_ERR, PAM_BUF_ERR, PAM_USER_UNKNOWN},
     .before = before_replace,
     .call = refresh,
     .after = after_replace},
    {.name = "renew",
     .needs_cache = true,
     .has_exchange = true,
     .is_of_all_kinds = true,
     .codes = {PAM_CRED_ERR, PAM_BUF_ERR, PAM_CRED_UNAVAIL},
     .before = before_renew,
     .call = renew,
     .after = after_renew},
    {.name = "join",
     .needs_cache = true,
     .is_of_all_kinds = true,
     .is_of_shared = true,
     .codes = {PAM_CRED_ERR, PAM_BUF_ERR, PAM_USER_UNKNOWN, PAM_SESSION_ERR},
     .call = make,
     .after = after_join},
    {.name = "establish",
     .is_of_all_kinds = true,
     .codes = {PAM_CRED_ERR, PAM_BUF_ERR, PAM_USER_UNKNOWN, PAM_SESSION_ERR},
     .call = make,
     .after = after_establish,
     .after_death = after_death_in_establish},
    {.name = "delete",
     .is_of_all_kinds = true,
     .codes = {PAM_CRED_ERR, PAM_BUF_ERR},
     .before = before_end,
     .call = delete,
     .after = after_end,
     .after_death = after_death_in_end},
    {.name = "close",
     .is_of_all_kinds = true,
     .codes = {PAM_SESSION_ERR},
     .before = before_end,
     .call = close_session,
     .after = after_end,
     .after_death = after_death_in_end},
    {.name = "end",
     .is_of_all_kinds = true,
     .before = before_end,
     .call = end_handle,
     .after = after_end_handle,
     .after_death = after_death_in_end},
};

const size_t stories_count = sizeof(stories) / sizeof(stories[0]);

const struct story *
story_named(const char *name)
{
    for (size_t i = 0; i < stories_count; i++) {
        if (strcmp(stories[i].name, name) == 0) {
            return &stories[i];
        }
    }
    ck_abort_msg("no story %s", name);
}
