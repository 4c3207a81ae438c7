#include "core/pipeline/lake_store.h"

#include <stdlib.h>

#include "core/config/credential.h"
#include "core/store/s3.h"

void lake_store_use(const struct profile *profile)
{
    const char *name = profile->lake.s3.credential;
    struct credential credential = {0};
    struct error error = {0};
    if (profile->lake.s3.endpoint == NULL && profile->lake.s3.region == NULL && name == NULL) {
        s3_use(NULL, NULL);
        return;
    }
    struct s3_settings settings = {
        .endpoint = profile->lake.s3.endpoint,
        .region = profile->lake.s3.region ? profile->lake.s3.region : getenv("AWS_REGION"),
        .path_style = profile->lake.s3.endpoint != NULL && profile->lake.s3.path_style,
        .access_key = getenv("AWS_ACCESS_KEY_ID"),
        .secret = getenv("AWS_SECRET_ACCESS_KEY"),
        .session_token = getenv("AWS_SESSION_TOKEN"),
        .authorities = getenv("AWS_CA_BUNDLE"),
    };
    bool ok = name == NULL || credential_load(profile, name, &credential, &error);
    if (name) {
        settings.access_key = credential.user;
        settings.secret = credential.password;
        settings.session_token = credential.token;
    }
    if (!ok || !s3_use(&settings, &error))
        s3_use_error(&error);
    credential_destroy(&credential);
}
