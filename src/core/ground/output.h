/* output.h - a file that is written beside the one that it replaces at the end. sys.c has the code.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_OUTPUT_H
#define AVP_OUTPUT_H

#include <stdio.h>

#define AVP_OUTPUT_PATH_MAX 4096
struct avp_output {
  long pid;                       /* of the process that opened it: its child must not remove it */
  FILE *file;                     /* what to write to; NULL once it has ended */
  char path[AVP_OUTPUT_PATH_MAX]; /* of the file to replace: links are followed */
  char temp[AVP_OUTPUT_PATH_MAX]; /* of the one beside it; empty: written in place */
};

/* Opens a file to write. If `path` is a regular file or none yet, the new one lies beside it and
 * has its mode; anything else (a pipe, a terminal, /dev/stdout) is written in place. Returns 0 or
 * errno. */
int avp_output_open(struct avp_output *out, const char *path);

/* Writes what is buffered, puts the file on the disk and in the other's place. If that fails,
 * discards it. Returns 0 or errno. */
int avp_output_commit(struct avp_output *out);

/* Closes the file and, if it lies beside another, removes it. May be called twice. */
void avp_output_discard(struct avp_output *out);

#endif
