/* fake_s3.h: tests/stack/fake_s3.py as a child of a unit test, and orders to it. */
#ifndef SURFBOARD_TESTS_UNIT_FAKE_S3_H
#define SURFBOARD_TESTS_UNIT_FAKE_S3_H

#include <stdbool.h>
#include <stddef.h>

/* Starts it and points s3:// at it, with short deadlines: a stall of a second, waits of 10 ms. */
void fake_s3_start(void);
void fake_s3_stop(void);
/* "http://127.0.0.1:port" */
const char *fake_s3_url(void);
/* Points s3:// at it with other keys, or in another region; NULL: the right ones. */
void fake_s3_use(const char *access_key, const char *secret, const char *region);
/* Forgets objects, faults and the log. */
void fake_s3_reset(void);
/* A line as fake_s3.py explains: "PUT x 1 lost". */
void fake_s3_fault(const char *line);
/* Open uploads were begun two days ago. */
void fake_s3_age(void);
/* How many requests of the log hold this text: "PUT /lake/x". */
size_t fake_s3_count(const char *text);

#endif
