#ifndef RES_FILE_DIRECTORY_H
#define RES_FILE_DIRECTORY_H

#include "res/file/file_impl.h"

/*
 * What a worker knows of directories: which suffixes of codings occur among their names. Where no name ends in ".br", no
 * file there has such a sibling, and none need be looked for: three look-ups fewer of each file that is looked at.
 *
 * Known     when a helper has read all names, after some files of the directory were looked at. True as long as the
 *           stamp of the directory is that of then; the stamp is compared again after recheck_ms, or when a change was
 *           counted. A directory that changed just before it was read may change without a trace: see tag.h
 * Cost      names are read again only after an eighth as many files were looked at, so that a directory that changes
 *           all the time costs each of them little
 * Memory    FILE_DIRECTORIES slots; a directory takes the place of the one whose slot it shares
 * Threads   the worker's
 */

/*
 * CODING_BIT()s of the coded siblings that there may be beside the file at `path`, which is looked at in `settings` at
 * `now_ms`; all where that is not known.
 *
 * since_ms   the worker's clock when that was found to be so, or now_ms: what is found with it is as old as that
 */
unsigned file_directory_codings(struct file_worker *fw, const struct file_settings *settings, struct span path,
                                uint64_t now_ms, uint64_t *since_ms);

/* Nothing is known any more. */
void file_directory_forget(struct file_worker *fw);

#endif
