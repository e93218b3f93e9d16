#include "res/file/file_impl.h"

#define BIT(m) (UINT64_C(1) << (m))

const struct resource_ops file_resource = {
    .name = "file",
    .methods = BIT(M_GET) | BIT(M_HEAD) | BIT(M_OPTIONS) | BIT(M_PUT) | BIT(M_DELETE),
    .state_bytes = sizeof(struct file_state),
    .open = file_open,
    .select = file_select,
    .encode = file_encode,
    .produce = file_produce,
    .part = file_part,
    .list = file_list,
    .compare = file_compare,
    .accept = file_accept,
    .remove = file_remove,
    .choices = file_choices,
    .describe = file_describe,
    .close = file_close,
};
