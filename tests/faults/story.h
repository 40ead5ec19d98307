/* What the stories have of the stage, and the stage of them. */
#ifndef FAULTS_STORY_H
#define FAULTS_STORY_H

#include "faults/scene.h"

/* Ends the child: something is not as it must be, namely so. */
void complain(struct scene *scene, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* In a child, where Check's assertions would write to its parent's file. */
#define MUST(condition, ...)                                                   \
    do {                                                                       \
        if (!(condition)) {                                                    \
            complain(scene, __VA_ARGS__);                                      \
        }                                                                      \
    } while (0)

#endif
