#include "http/websocket.h"

#define KEY_BYTES   24u
#define KEY_LETTERS 22u

static bool is_base64(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' || c == '/';
}

bool websocket_key_valid(struct span key)
{
    if (key.n != KEY_BYTES || !span_ends(key, SPAN("==")))
        return false;
    for (size_t i = 0; i < KEY_LETTERS; i++)
        if (!is_base64(key.p[i]))
            return false;
    return true;
}
