/* The promises of core/codec: what goes in comes out, and damage never passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/base/random.h"
#include "core/codec/codec.h"
#include "core/codec/inflate.h"
#include "core/codec/md5.h"

static const enum codec written[] = {CODEC_NONE, CODEC_SNAPPY, CODEC_GZIP, CODEC_ZSTD,
                                     CODEC_DEFLATE};
enum { WRITTEN = sizeof written / sizeof *written };

/* Text that compresses, with some noise in it. */
static void fill(struct buffer *buffer, size_t length, uint64_t seed)
{
    struct random random;
    random_seed(&random, seed);
    buffer_clear(buffer);
    while (buffer->length < length) {
        uint64_t word = random_next(&random);
        if (word & 1)
            assert_true(buffer_append_text(buffer, "{\"offset\":", NULL));
        else
            assert_true(buffer_append(buffer, &word, 1 + word % 8, NULL));
    }
    buffer->length = length;
}

static void blocks_come_back_whole(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 2, 100, 4096, 70001, 1 << 20};
    struct codec_context *context = codec_context_create(NULL);
    struct buffer text = {0}, packed = {0}, back = {0};
    for (size_t c = 0; c < WRITTEN; c++) {
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            struct error error = {0};
            fill(&text, lengths[i], i);
            buffer_clear(&packed);
            /* Something in front: compression appends. */
            assert_true(buffer_append_text(&packed, "abc", &error));
            struct codec_context *use = i % 2 ? context : NULL;
            assert_true(codec_compress(use, written[c], 0, buffer_slice(&text), &packed, &error));
            assert_memory_equal(packed.data, "abc", 3);
            struct slice in = {packed.data + 3, packed.length - 3};
            assert_true(codec_least_size(written[c], lengths[i]) <= in.length);
            char *out = malloc(lengths[i] + 1);
            assert_true(codec_decompress(use, written[c], in, out, lengths[i], &error));
            assert_memory_equal(out, text.data ? text.data : "", lengths[i]);
            /* One byte more or less than there is must not pass. */
            assert_false(codec_decompress(use, written[c], in, out, lengths[i] + 1, &error));
            assert_int_equal(error.kind, ERROR_INPUT);
            if (lengths[i])
                assert_false(codec_decompress(use, written[c], in, out, lengths[i] - 1, &error));
            buffer_clear(&back);
            assert_true(codec_decompress_append(use, written[c], in, lengths[i], &back, &error));
            assert_true(slice_equal(buffer_slice(&back), buffer_slice(&text)));
            if (lengths[i])
                assert_false(
                    codec_decompress_append(use, written[c], in, lengths[i] - 1, &back, &error));
            free(out);
        }
    }
    buffer_destroy(&text);
    buffer_destroy(&packed);
    buffer_destroy(&back);
    codec_context_destroy(context);
}

static void damaged_blocks_are_refused_or_right(void **state)
{
    (void)state;
    struct codec_context *context = codec_context_create(NULL);
    struct buffer text = {0}, packed = {0};
    fill(&text, 3000, 7);
    char out[3000];
    for (size_t c = 1; c < WRITTEN; c++) {
        buffer_clear(&packed);
        assert_true(codec_compress(context, written[c], 0, buffer_slice(&text), &packed, NULL));
        for (size_t cut = 0; cut < packed.length; cut++) {
            struct error error = {0};
            char *exact = malloc(cut ? cut : 1); /* so that ASan sees one byte too far */
            memcpy(exact, packed.data, cut);
            assert_false(codec_decompress(context, written[c], slice_make(exact, cut), out,
                                          sizeof out, &error));
            assert_int_equal(error.kind, ERROR_INPUT);
            free(exact);
        }
        for (size_t i = 0; i < packed.length; i++) {
            packed.data[i] = (char)(packed.data[i] ^ (1 << i % 8));
            (void)codec_decompress(context, written[c], buffer_slice(&packed), out, sizeof out,
                                   NULL);
            packed.data[i] = (char)(packed.data[i] ^ (1 << i % 8));
        }
    }
    buffer_destroy(&text);
    buffer_destroy(&packed);
    codec_context_destroy(context);
}

/* Decodes `packed` in pieces of `in_piece` and `out_piece` bytes. */
static bool decode_pieces(struct codec_stream *stream, struct slice packed, size_t in_piece,
                          size_t out_piece, struct buffer *back, struct error *error)
{
    char *out = malloc(out_piece);
    size_t at = 0;
    bool ok = true;
    size_t produced = 0;
    while (ok && (at < packed.length || produced)) {
        size_t take = packed.length - at < in_piece ? packed.length - at : in_piece;
        struct slice in = {packed.data + at, take};
        do {
            ok = codec_stream_decode(stream, &in, out, out_piece, &produced, error) &&
                 buffer_append(back, out, produced, error);
        } while (ok && produced);
        ok = ok && in.length == 0;
        at += take;
    }
    free(out);
    return ok;
}

static void files_of_many_members_are_one_text(void **state)
{
    (void)state;
    static const enum codec codecs[] = {CODEC_NONE, CODEC_GZIP, CODEC_ZSTD};
    static const size_t pieces[][2] = {{1, 1}, {1, 4096}, {7, 13}, {4096, 100}, {1 << 20, 1 << 20}};
    struct buffer text = {0}, part = {0}, packed = {0}, back = {0};
    for (size_t c = 0; c < 3; c++) {
        struct error error = {0};
        buffer_clear(&text);
        buffer_clear(&packed);
        for (uint64_t member = 0; member < 5; member++) {
            fill(&part, member == 2 ? 0 : 5000, member);
            assert_true(buffer_append_slice(&text, buffer_slice(&part), &error));
            assert_true(codec_compress(NULL, codecs[c], 0, buffer_slice(&part), &packed, &error));
        }
        struct codec_stream *stream = codec_stream_open(codecs[c], &error);
        assert_non_null(stream);
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
            buffer_clear(&back);
            assert_true(codec_stream_reset(stream, &error));
            assert_true(decode_pieces(stream, buffer_slice(&packed), pieces[i][0], pieces[i][1],
                                      &back, &error));
            assert_true(codec_stream_ended(stream));
            assert_true(slice_equal(buffer_slice(&back), buffer_slice(&text)));
        }
        /* Torn anywhere inside a member: what was whole comes out, and the end is not an end. */
        for (size_t cut = 1; codecs[c] != CODEC_NONE && cut < 60; cut++) {
            buffer_clear(&back);
            assert_true(codec_stream_reset(stream, &error));
            struct slice torn = {packed.data, packed.length - cut};
            if (decode_pieces(stream, torn, 512, 512, &back, &error))
                assert_false(codec_stream_ended(stream));
            assert_true(slice_starts_with(buffer_slice(&text), buffer_slice(&back)));
        }
        codec_stream_close(stream);
    }
    buffer_destroy(&text);
    buffer_destroy(&part);
    buffer_destroy(&packed);
    buffer_destroy(&back);
}

static void both_inflaters_agree(void **state)
{
    (void)state;
    struct buffer text = {0}, packed = {0};
    fill(&text, 100000, 3);
    assert_true(codec_compress(NULL, CODEC_GZIP, 6, buffer_slice(&text), &packed, NULL));
    char *out = malloc(text.length);
    for (int backend = INFLATE_FASTEST; backend <= INFLATE_ZLIB; backend++) {
        struct inflater *inflater = inflater_create((enum inflate_backend)backend, NULL);
        for (size_t length = packed.length; length + 9 > packed.length; length--) {
            struct slice in = {packed.data, length};
            size_t produced = 0;
            bool ended = false;
            assert_true(inflater_reset(inflater, INFLATE_GZIP, NULL));
            assert_true(inflater_run(inflater, &in, out, text.length, &produced, &ended, NULL));
            assert_int_equal(ended, length == packed.length);
        }
        packed.data[packed.length - 5] ^= 1; /* the checksum */
        struct slice in = buffer_slice(&packed);
        struct error error = {0};
        size_t produced = 0;
        bool ended = false;
        assert_true(inflater_reset(inflater, INFLATE_GZIP, NULL));
        assert_false(inflater_run(inflater, &in, out, text.length, &produced, &ended, &error));
        assert_int_equal(error.kind, ERROR_INPUT);
        packed.data[packed.length - 5] ^= 1;
        inflater_destroy(inflater);
    }
    free(out);
    buffer_destroy(&text);
    buffer_destroy(&packed);
}

static void lz4_blocks_of_the_format_description_decode(void **state)
{
    (void)state;
    /* 5 literals "abcde", a match of 12 at distance 5, the last 5 literals. */
    static const char block[] = "\x58"
                                "abcde\x05\x00\x50"
                                "vwxyz";
    char out[22];
    struct slice in = {block, sizeof block - 1};
    assert_true(codec_decompress(NULL, CODEC_LZ4_RAW, in, out, sizeof out, NULL));
    assert_memory_equal(out, "abcdeabcdeabcdeabvwxyz", sizeof out);
    assert_false(codec_decompress(NULL, CODEC_LZ4_RAW, in, out, sizeof out - 1, NULL));
    in.length--;
    assert_false(codec_decompress(NULL, CODEC_LZ4_RAW, in, out, sizeof out, NULL));
}

static void checksums_match_their_vectors(void **state)
{
    (void)state;
    assert_int_equal(codec_crc32(0, slice_of("123456789")), 0xcbf43926);
    assert_int_equal(codec_crc32(codec_crc32(0, slice_of("1234")), slice_of("56789")), 0xcbf43926);
    /* Iceberg spec, appendix B. */
    static const char number[8] = {34};
    assert_int_equal((int32_t)codec_murmur3(slice_make(number, 8)), 2017239379);
    assert_int_equal((int32_t)codec_murmur3(slice_of("iceberg")), 1210000089);
    assert_int_equal((int32_t)codec_murmur3(slice_make("\x00\x01\x02\x03", 4)), -188683207);
    assert_int_equal((int32_t)codec_murmur3(slice_make("\x05\x8c", 2)), -500754589);
    static const char uuid[] = "\xf7\x9c\x3e\x09\x67\x7c\x4b\xbd\xa4\x79\x3f\x34\x9c\xb7\x85\xe7";
    assert_int_equal((int32_t)codec_murmur3(slice_make(uuid, 16)), 1488055340);
}

/* RFC 1321, A.5, and the lengths around a block's end. */
static void md5_matches_its_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hash;
    } cases[] = {
        {"", "\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04\xe9\x80\x09\x98\xec\xf8\x42\x7e"},
        {"abc", "\x90\x01\x50\x98\x3c\xd2\x4f\xb0\xd6\x96\x3f\x7d\x28\xe1\x7f\x72"},
        {"1234567890123456789012345678901234567890123456789012345",
         "\xc9\xcc\xf1\x68\x91\x4a\x1b\xcf\xc3\x22\x9f\x19\x48\xe6\x7d\xa0"},
        {"12345678901234567890123456789012345678901234567890123456",
         "\x49\xf1\x93\xad\xce\x17\x84\x90\xe3\x4d\x1b\x3a\x4e\xc0\x06\x4c"},
        {"1234567890123456789012345678901234567890123456789012345678901234",
         "\xeb\x6c\x41\x79\xc0\xa7\xc8\x2c\xc2\x82\x8c\x1e\x63\x38\xe1\x65"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "\x57\xed\xf4\xa2\x2b\xe3\xc9\x55\xac\x49\xda\x2e\x21\x07\xb6\x7a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t hash[16];
        md5(slice_of(cases[i].text), hash);
        assert_memory_equal(hash, cases[i].hash, 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_back_whole),
        cmocka_unit_test(damaged_blocks_are_refused_or_right),
        cmocka_unit_test(files_of_many_members_are_one_text),
        cmocka_unit_test(both_inflaters_agree),
        cmocka_unit_test(lz4_blocks_of_the_format_description_decode),
        cmocka_unit_test(checksums_match_their_vectors),
        cmocka_unit_test(md5_matches_its_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
