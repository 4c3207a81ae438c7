/* What libcurl's results mean: a kind, and what to do. */
#include <string.h>

#include "core/net/http_private.h"

struct code_rule {
    CURLcode code;
    enum error_kind kind;
    bool passing; /* trying again may help */
    const char *remedy;
};

static const char up[] = "is the service running, and are host and port right?";
static const char tls[] =
    "is it https that answers there? A server without TLS wants http:// in the URL";
static const char trust[] =
    "the server's certificate is not trusted: name the authority that signed it in the environment "
    "(AWS_CA_BUNDLE, a PEM file), or use the host name that the certificate has";

static const struct code_rule rules[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERROR_UNREACHABLE, true,
     "check the host's name; a bucket in front of the host wants path_style: true"},
    {CURLE_COULDNT_RESOLVE_PROXY, ERROR_CONFIG, false, "check http_proxy and https_proxy"},
    {CURLE_COULDNT_CONNECT, ERROR_UNREACHABLE, true, up},
    {CURLE_OPERATION_TIMEDOUT, ERROR_UNREACHABLE, true,
     "the service does not answer in time: look at it, then try again"},
    {CURLE_GOT_NOTHING, ERROR_UNREACHABLE, true, up},
    {CURLE_SEND_ERROR, ERROR_UNREACHABLE, true, up},
    {CURLE_RECV_ERROR, ERROR_UNREACHABLE, true, up},
    {CURLE_PARTIAL_FILE, ERROR_UNREACHABLE, true,
     "the connection broke inside an answer: look at the service, then try again"},
    {CURLE_SSL_CONNECT_ERROR, ERROR_UNREACHABLE, false, tls},
    {CURLE_PEER_FAILED_VERIFICATION, ERROR_CONFIG, false, trust},
    {CURLE_SSL_CACERT_BADFILE, ERROR_CONFIG, false, "the file of authorities can't be read"},
    {CURLE_URL_MALFORMAT, ERROR_CONFIG, false, "give http://host:port or https://host"},
    {CURLE_UNSUPPORTED_PROTOCOL, ERROR_CONFIG, false, "give http://host:port or https://host"},
    {CURLE_WEIRD_SERVER_REPLY, ERROR_UNREACHABLE, false,
     "what answers there is no HTTP server: check the port"},
    {CURLE_HTTP2, ERROR_UNREACHABLE, true, up},
    {CURLE_OUT_OF_MEMORY, ERROR_MEMORY, false, NULL},
};

static const struct code_rule *find_rule(CURLcode code)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].code == code)
            return &rules[i];
    return NULL;
}

bool http_code_is_passing(CURLcode code)
{
    const struct code_rule *rule = find_rule(code);
    return rule && rule->passing;
}

bool http_set_error(const struct http_request *request, CURLcode code, const char *detail,
                    struct error *error)
{
    const struct code_rule *rule = find_rule(code);
    size_t length = strcspn(request->url, "?");
    return error_set(error, rule ? rule->kind : ERROR_UNREACHABLE, rule ? rule->remedy : up,
                     "%s %.*s: %s", request->method, (int)length, request->url,
                     *detail ? detail : curl_easy_strerror(code));
}
