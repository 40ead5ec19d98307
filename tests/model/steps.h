/*
 * The steps of the model test: each does one thing to what is real, tells the
 * model the same, and checks the codes and the PAM environment on the way.
 */
#ifndef MODEL_STEPS_H
#define MODEL_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faults/faults.h"
#include "model/model.h"

/* All that a step works with. */
struct scene_of_model {
    struct model model;
    struct faults_page *page;
    unsigned int number; /* of the step */
    uint64_t dice;
    unsigned int touched; /* users, a bit each, whose caches are to be seen */
};

struct step {
    const char *name;
    unsigned int weight;
    /* False: there is nothing to do it to; then nothing was done. */
    bool (*take)(struct scene_of_model *scene);
};

extern const struct step steps[];
extern const size_t steps_count;

/* What the last step is followed by: all sessions end, and nothing is left. */
void steps_finish(struct scene_of_model *scene);

#endif
