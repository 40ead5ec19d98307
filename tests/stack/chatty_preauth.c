/*
 * A preauthentication plugin of libkrb5 that talks to the user, as those for
 * tokens and cards do, and worse.  It proves nothing.  The KDC's word that it
 * knows FAST is what it takes for its own; what it says is told by the option
 * chatty (preauth_opt=chatty=WHAT).
 */
#include <stdbool.h>
#include <string.h>

#include <krb5/clpreauth_plugin.h>

#define PA_FX_FAST 136
#define PROMPTS_MAX 9

static krb5_preauthtype types[] = {PA_FX_FAST, 0};
static char what[32];

static krb5_error_code
take_option(krb5_context context, krb5_clpreauth_moddata moddata,
            krb5_get_init_creds_opt *options, const char *name,
            const char *value)
{
    (void)context;
    (void)moddata;
    (void)options;
    if (strcmp(name, "chatty") == 0) {
        (void)strncpy(what, value, sizeof(what) - 1);
    }
    return 0;
}

static int
flags(krb5_context context, krb5_preauthtype type)
{
    (void)context;
    (void)type;
    return PA_INFO;
}

/* Asks COUNT questions, every other one with echo. */
static krb5_error_code
ask(krb5_context context, krb5_prompter_fct prompter, void *data, int count)
{
    static char replies[PROMPTS_MAX][64];
    static char question[] = "Question";
    krb5_data answers[PROMPTS_MAX];
    krb5_prompt prompts[PROMPTS_MAX];

    for (int i = 0; i < count; i++) {
        answers[i] =
            (krb5_data){.length = sizeof(replies[i]), .data = replies[i]};
        prompts[i] = (krb5_prompt){
            .prompt = question, .hidden = i % 2 == 0, .reply = &answers[i]};
    }
    return prompter(context, data, "The name", "The banner\033[2J", count,
                    prompts);
}

static krb5_error_code
process(krb5_context context, krb5_clpreauth_moddata moddata,
        krb5_clpreauth_modreq modreq, krb5_get_init_creds_opt *options,
        krb5_clpreauth_callbacks callbacks, krb5_clpreauth_rock rock,
        krb5_kdc_req *request, krb5_data *body, krb5_data *previous,
        krb5_pa_data *padata, krb5_prompter_fct prompter, void *data,
        krb5_pa_data ***padata_out)
{
    krb5_error_code code = 0;

    (void)moddata;
    (void)modreq;
    (void)options;
    (void)callbacks;
    (void)rock;
    (void)request;
    (void)body;
    (void)previous;
    (void)padata;
    *padata_out = NULL;
    if (prompter == NULL) {
        return 0;
    }
    if (strcmp(what, "words") == 0) {
        code = ask(context, prompter, data, 0);
    } else if (strcmp(what, "questions") == 0) {
        code = ask(context, prompter, data, 2);
    } else if (strcmp(what, "many") == 0) {
        code = ask(context, prompter, data, PROMPTS_MAX);
    }
    while (code == 0 && strcmp(what, "endless") == 0) {
        code = ask(context, prompter, data, 1);
    }
    return code;
}

krb5_error_code clpreauth_chatty_initvt(krb5_context context, int major,
                                        int minor, krb5_plugin_vtable vtable)
    __attribute__((visibility("default")));

krb5_error_code
clpreauth_chatty_initvt(krb5_context context, int major, int minor,
                        krb5_plugin_vtable vtable)
{
    krb5_clpreauth_vtable table = (krb5_clpreauth_vtable)vtable;

    (void)context;
    (void)minor;
    if (major != 1) {
        return KRB5_PLUGIN_VER_NOTSUPP;
    }
    table->name = "chatty";
    table->pa_type_list = types;
    table->flags = flags;
    table->process = process;
    table->gic_opts = take_option;
    return 0;
}
