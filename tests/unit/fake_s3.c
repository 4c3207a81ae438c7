#include "tests/unit/fake_s3.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/store/s3.h"

static struct {
    pid_t pid;
    int in;
    char url[64];
    struct http_client *client;
} fake;

/* Without its server a test has nothing to say. */
static void must(bool good)
{
    if (good)
        return;
    fprintf(stderr, "fake_s3: tests/stack/fake_s3.py does not start, or does not answer\n");
    abort();
}

void fake_s3_start(void)
{
    int in[2], out[2];
    must(pipe(in) == 0);
    must(pipe(out) == 0);
    fake.pid = fork();
    must(fake.pid >= 0);
    if (fake.pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        execlp("python3", "python3", "tests/stack/fake_s3.py", (char *)NULL);
        _exit(99);
    }
    close(in[0]);
    close(out[1]);
    fake.in = in[1];
    FILE *lines = fdopen(out[0], "r");
    int port = 0;
    must(lines != NULL);
    must(fscanf(lines, "listening %d", &port) == 1);
    fclose(lines);
    snprintf(fake.url, sizeof fake.url, "http://127.0.0.1:%d", port);
    fake.client = http_client_create(NULL, NULL);
    must(fake.client != NULL);
    fake_s3_use(NULL, NULL, NULL);
}

void fake_s3_stop(void)
{
    http_client_destroy(fake.client);
    close(fake.in); /* it ends with its input */
    waitpid(fake.pid, NULL, 0);
    s3_use(NULL, NULL);
}

const char *fake_s3_url(void)
{
    return fake.url;
}

void fake_s3_use(const char *access_key, const char *secret, const char *region)
{
    const struct s3_settings settings = {
        .endpoint = fake.url,
        .region = region ? region : "us-east-1",
        .path_style = true,
        .access_key = access_key ? access_key : "fakekey",
        .secret = secret ? secret : "fakesecret",
        .http = {.connect_ms = 2000, .stall_ms = 1000, .tries = 4, .wait_ms = 10},
    };
    must(s3_use(&settings, NULL));
}

static void order(const char *method, const char *what, const char *body,
                  struct http_answer *answer)
{
    char url[128];
    snprintf(url, sizeof url, "%s/-/%s", fake.url, what);
    const struct http_request request = {.method = method, .url = url, .body = slice_of(body)};
    must(http_send(fake.client, &request, answer, NULL));
    must(answer->status == 200);
}

static void post(const char *what, const char *body)
{
    struct http_answer answer = {0};
    order("POST", what, body, &answer);
    http_answer_destroy(&answer);
}

void fake_s3_reset(void)
{
    post("reset", "");
}

void fake_s3_fault(const char *line)
{
    post("fault", line);
}

void fake_s3_age(void)
{
    post("age", "");
}

size_t fake_s3_count(const char *text)
{
    struct http_answer answer = {0};
    size_t count = 0;
    order("GET", "log", "", &answer);
    for (const char *at = answer.body.data; (at = strstr(at, text)) != NULL; at++)
        count++;
    http_answer_destroy(&answer);
    return count;
}
