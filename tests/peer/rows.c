/* The parts of the list, in the order in which they are tried. */
#include "peer/row.h"

const struct rows *
rows_all(size_t *count_out)
{
    static struct rows all[5];

    all[0] = rows_login;
    all[1] = rows_session;
    all[2] = rows_password;
    all[3] = rows_expired;
    all[4] = rows_names;
    *count_out = sizeof(all) / sizeof(all[0]);
    return all;
}
