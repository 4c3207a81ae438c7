/* lake_store.h: the S3 of a profile: from here on s3:// is where its lake.s3 says. */
#ifndef SURFBOARD_PIPELINE_LAKE_STORE_H
#define SURFBOARD_PIPELINE_LAKE_STORE_H

#include "core/config/profile.h"

/* A profile that says nothing of S3 leaves s3:// to the environment (core/store/s3.h), and one
 * without lake.s3.credential takes the keys from there. A credential that can't be loaded is the
 * error of whoever opens something on s3:// later. */
void lake_store_use(const struct profile *profile);

#endif
