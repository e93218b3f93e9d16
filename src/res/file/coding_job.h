#ifndef RES_FILE_CODING_JOB_H
#define RES_FILE_CODING_JOB_H

#include "res/file/file_impl.h"

/* Code the plain content of the chosen variant with a helper; then it is in variant->made, and in variant->useless when
 * nothing is gained. FLOW_STOP: helper_queue_full or worker_memory_exhausted. */
enum flow file_coding_start(struct exchange *x, enum coding coding);

/* After the wake-up. FLOW_STOP: file_system_error or worker_memory_exhausted. */
enum flow file_coding_use(struct exchange *x);

#endif
