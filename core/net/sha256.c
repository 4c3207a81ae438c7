#include "core/net/sha256.h"

enum { BLOCK = 64 };

struct sha256_state {
    uint32_t hash[8];
    uint64_t length; /* bytes taken in whole blocks and in `rest` */
    uint8_t rest[BLOCK];
    size_t rest_length;
};

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate_right(uint32_t value, int bits)
{
    return value >> bits | value << (32 - bits);
}

static void sha256_block(uint32_t hash[8], const uint8_t *block)
{
    uint32_t w[64], s[8];
    for (size_t i = 0; i < 16; i++, block += 4)
        w[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 |
               block[3];
    for (size_t i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3) + w[i - 7] +
               (rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10);
    }
    memcpy(s, hash, sizeof s);
    for (size_t i = 0; i < 64; i++) {
        uint32_t e = s[4], a = s[0];
        uint32_t first = s[7] + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +
                         ((e & s[5]) ^ (~e & s[6])) + constants[i] + w[i];
        uint32_t second = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +
                          ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += first;
        s[0] = first + second;
    }
    for (size_t i = 0; i < 8; i++)
        hash[i] += s[i];
}

static void sha256_start(struct sha256_state *state)
{
    *state = (struct sha256_state){.hash = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

static void sha256_take(struct sha256_state *state, struct slice bytes)
{
    const uint8_t *data = (const uint8_t *)bytes.data;
    size_t length = bytes.length;
    state->length += length;
    while (length) {
        if (state->rest_length == 0 && length >= BLOCK) {
            sha256_block(state->hash, data);
            data += BLOCK;
            length -= BLOCK;
            continue;
        }
        size_t room = BLOCK - state->rest_length, part = length < room ? length : room;
        memcpy(state->rest + state->rest_length, data, part);
        state->rest_length += part;
        data += part;
        length -= part;
        if (state->rest_length == BLOCK) {
            sha256_block(state->hash, state->rest);
            state->rest_length = 0;
        }
    }
}

static void sha256_end(struct sha256_state *state, uint8_t out[SHA256_SIZE])
{
    uint64_t bits = state->length * 8;
    static const uint8_t padding[BLOCK] = {0x80};
    size_t have = state->rest_length;
    sha256_take(state, slice_make(padding, (have < 56 ? 56 : 120) - have));
    uint8_t count[8];
    for (size_t i = 0; i < 8; i++)
        count[i] = (uint8_t)(bits >> (56 - 8 * i));
    sha256_take(state, slice_make(count, sizeof count));
    for (size_t i = 0; i < SHA256_SIZE; i++)
        out[i] = (uint8_t)(state->hash[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256(struct slice bytes, uint8_t out[SHA256_SIZE])
{
    struct sha256_state state;
    sha256_start(&state);
    sha256_take(&state, bytes);
    sha256_end(&state, out);
}

void sha256_hmac(struct slice key, struct slice text, uint8_t out[SHA256_SIZE])
{
    uint8_t block[BLOCK] = {0}, inner[SHA256_SIZE];
    struct sha256_state state;
    if (key.length > BLOCK)
        sha256(key, block);
    else if (key.length)
        memcpy(block, key.data, key.length);
    for (size_t i = 0; i < BLOCK; i++)
        block[i] ^= 0x36;
    sha256_start(&state);
    sha256_take(&state, slice_make(block, BLOCK));
    sha256_take(&state, text);
    sha256_end(&state, inner);
    for (size_t i = 0; i < BLOCK; i++)
        block[i] ^= 0x36 ^ 0x5c;
    sha256_start(&state);
    sha256_take(&state, slice_make(block, BLOCK));
    sha256_take(&state, slice_make(inner, sizeof inner));
    sha256_end(&state, out);
    explicit_bzero(block, sizeof block);
    explicit_bzero(&state, sizeof state);
}

void sha256_hex(const uint8_t hash[SHA256_SIZE], char out[SHA256_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[2 * SHA256_SIZE] = '\0';
}
