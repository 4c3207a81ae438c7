/* The promises of core/net/sigv4 and sha256: the published vectors, to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/net/sha256.h"
#include "core/net/sigv4.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void assert_hash(struct slice text, const char *expected)
{
    uint8_t hash[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE];
    sha256(text, hash);
    sha256_hex(hash, hex);
    assert_string_equal(hex, expected);
}

static void sha256_gives_the_vectors_of_its_standard(void **state)
{
    (void)state;
    assert_hash((struct slice){0}, EMPTY);
    assert_hash(SLICE_LITERAL("abc"),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_hash(SLICE_LITERAL("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    static char million[1000000];
    memset(million, 'a', sizeof million);
    assert_hash(slice_make(million, sizeof million),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void assert_hmac(struct slice key, struct slice text, const char *expected)
{
    uint8_t hash[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE];
    sha256_hmac(key, text, hash);
    sha256_hex(hash, hex);
    assert_string_equal(hex, expected);
}

static void hmac_gives_the_vectors_of_rfc_4231(void **state)
{
    (void)state;
    assert_hmac(SLICE_LITERAL("Jefe"), SLICE_LITERAL("what do ya want for nothing?"),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    char key[131];
    memset(key, 0xaa, sizeof key);
    assert_hmac(slice_make(key, sizeof key),
                SLICE_LITERAL("Test Using Larger Than Block-Size Key - Hash Key First"),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void assert_signature(const struct sigv4_request *request, const struct sigv4_key *key,
                             const char *time, const char *expected)
{
    struct buffer out = {0};
    assert_true(sigv4_sign(request, key, time, &out, NULL));
    assert_non_null(buffer_text(&out, NULL));
    const char *signature = strstr(out.data, "Signature=");
    assert_non_null(signature);
    assert_string_equal(signature + strlen("Signature="), expected);
    assert_null(strstr(out.data, key->secret));
    buffer_destroy(&out);
}

static const struct sigv4_key suite_key = {
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service"};

#define HOST                                                                                       \
    {                                                                                              \
        "Host", "example.amazonaws.com"                                                            \
    }
#define DATE                                                                                       \
    {                                                                                              \
        "X-Amz-Date", "20150830T123600Z"                                                           \
    }

static void the_signature_suite_of_aws_is_met(void **state)
{
    (void)state;
    static const struct {
        const char *name, *method, *path, *query;
        struct sigv4_pair headers[4];
        const char *hash, *expected;
    } cases[] = {
        {"get-vanilla",
         "GET",
         "/",
         "",
         {HOST, DATE},
         EMPTY,
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"post-vanilla",
         "POST",
         "/",
         "",
         {HOST, DATE},
         EMPTY,
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        {"get-vanilla-query-order-key-case",
         "GET",
         "/",
         "Param1=value1&Param2=value2",
         {HOST, DATE},
         EMPTY,
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"get-vanilla-utf8-query",
         "GET",
         "/",
         "%E1%88%B4=bar",
         {HOST, DATE},
         EMPTY,
         "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
        {"get-utf8",
         "GET",
         "/%E1%88%B4",
         "",
         {HOST, DATE},
         EMPTY,
         "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        {"get-unreserved",
         "GET",
         "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
         "",
         {HOST, DATE},
         EMPTY,
         "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
        {"get-header-key-duplicate",
         "GET",
         "/",
         "",
         {HOST, {"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
         EMPTY,
         "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
        {"get-header-value-trim",
         "GET",
         "/",
         "",
         {HOST, {"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}, DATE},
         EMPTY,
         "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
        {"post-x-www-form-urlencoded",
         "POST",
         "/",
         "",
         {{"Content-Type", "application/x-www-form-urlencoded"}, HOST, DATE},
         "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
         "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sigv4_pair headers[5];
        size_t count = 0;
        bool dated = false;
        for (size_t k = 0; k < 4 && cases[i].headers[k].name; k++) {
            headers[count++] = cases[i].headers[k];
            dated = dated || strcmp(cases[i].headers[k].name, "X-Amz-Date") == 0;
        }
        if (!dated)
            headers[count++] = (struct sigv4_pair)DATE;
        print_message("%s\n", cases[i].name);
        const struct sigv4_request request = {cases[i].method, cases[i].path, cases[i].query,
                                              headers,         count,         cases[i].hash};
        assert_signature(&request, &suite_key, "20150830T123600Z", cases[i].expected);
    }
}

static const struct sigv4_key s3_key = {
    "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3"};

static void the_examples_of_the_s3_manual_are_met(void **state)
{
    (void)state;
    static const char time[] = "20130524T000000Z";
    static const struct sigv4_pair get[] = {{"Host", "examplebucket.s3.amazonaws.com"},
                                            {"Range", "bytes=0-9"},
                                            {"x-amz-content-sha256", EMPTY},
                                            {"x-amz-date", time}};
    struct sigv4_request request = {"GET", "/test.txt", "", get, 4, EMPTY};
    assert_signature(&request, &s3_key, time,
                     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    static const char body[] = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    static const struct sigv4_pair put[] = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                            {"Host", "examplebucket.s3.amazonaws.com"},
                                            {"x-amz-date", time},
                                            {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                            {"x-amz-content-sha256", body}};
    assert_hash(SLICE_LITERAL("Welcome to Amazon S3."), body);
    request = (struct sigv4_request){"PUT", "/test%24file.text", "", put, 5, body};
    assert_signature(&request, &s3_key, time,
                     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    static const struct sigv4_pair list[] = {{"Host", "examplebucket.s3.amazonaws.com"},
                                             {"x-amz-content-sha256", EMPTY},
                                             {"x-amz-date", time}};
    request = (struct sigv4_request){"GET", "/", "lifecycle=", list, 3, EMPTY};
    assert_signature(&request, &s3_key, time,
                     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    request = (struct sigv4_request){"GET", "/", "max-keys=2&prefix=J", list, 3, EMPTY};
    assert_signature(&request, &s3_key, time,
                     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void assert_text(const struct buffer *out, const char *expected)
{
    assert_true(slice_is(buffer_slice(out), expected));
}

static void uris_are_encoded_as_signing_wants_them(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_true(uri_append_path(&out, SLICE_LITERAL("a b/c+d=e&f/\xC3\xA9*'()!~%2F"), NULL));
    assert_text(&out, "a%20b/c%2Bd%3De%26f/%C3%A9%2A%27%28%29%21~%252F");
    buffer_clear(&out);
    const struct sigv4_pair query[] = {{"prefix", "fx/ +"}, {"list-type", "2"}, {"uploads", NULL}};
    assert_true(uri_append_query(&out, query, 3, NULL));
    assert_text(&out, "list-type=2&prefix=fx%2F%20%2B&uploads=");
    buffer_clear(&out);
    assert_true(uri_append_encoded(&out, slice_make("\0\xff", 2), NULL));
    assert_text(&out, "%00%FF");
    buffer_destroy(&out);
    char time[SIGV4_TIME_SIZE];
    sigv4_time(INT64_C(1440938160000000), time);
    assert_string_equal(time, "20150830T123600Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_vectors_of_its_standard),
        cmocka_unit_test(hmac_gives_the_vectors_of_rfc_4231),
        cmocka_unit_test(the_signature_suite_of_aws_is_met),
        cmocka_unit_test(the_examples_of_the_s3_manual_are_met),
        cmocka_unit_test(uris_are_encoded_as_signing_wants_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
