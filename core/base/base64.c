#include "core/base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct slice text, struct buffer *out, struct error *error)
{
    size_t length = text.length;
    while (length && text.length - length < 2 && text.data[length - 1] == '=')
        length--;
    if (length % 4 == 1)
        return error_set(error, ERROR_INPUT, NULL, "not base64: %zu characters", text.length);
    TRY(buffer_reserve(out, length / 4 * 3 + 3, error));
    uint32_t bits = 0;
    int held = 0;
    size_t start = out->length;
    for (size_t i = 0; i < length; i++) {
        int value = base64_value(text.data[i]);
        if (value < 0) {
            out->length = start;
            return error_set(error, ERROR_INPUT, NULL, "not base64: byte 0x%02x at %zu",
                             (unsigned char)text.data[i], i);
        }
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out->data[out->length++] = (char)(bits >> held & 0xFF);
        }
    }
    return true;
}

bool base64_encode(struct slice bytes, struct buffer *out, struct error *error)
{
    TRY(buffer_reserve(out, (bytes.length + 2) / 3 * 4, error));
    const uint8_t *data = (const uint8_t *)bytes.data;
    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t left = bytes.length - i;
        uint32_t bits = (uint32_t)data[i] << 16;
        if (left > 1)
            bits |= (uint32_t)data[i + 1] << 8;
        if (left > 2)
            bits |= data[i + 2];
        char *at = out->data + out->length;
        at[0] = alphabet[bits >> 18];
        at[1] = alphabet[bits >> 12 & 63];
        at[2] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        at[3] = left > 2 ? alphabet[bits & 63] : '=';
        out->length += 4;
    }
    return true;
}
