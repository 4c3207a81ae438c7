/* s3_xml.h: the XML that S3 answers with: elements and text. No document types, so no entities but
 * the five of XML and characters by number; attributes are read over; names lose their prefix. */
#ifndef SURFBOARD_STORE_S3_XML_H
#define SURFBOARD_STORE_S3_XML_H

#include "core/base/buffer.h"

enum { S3_XML_DEPTH = 16, S3_XML_PATH_SIZE = 256 };

/* Called at the end of each element: `path` is "Contents/Key" below the root element, whose own
 * path is ""; `text` is what stood right before the end, decoded. */
typedef bool s3_xml_element(void *context, const char *path, struct slice text,
                            struct error *error);

/* Walks the whole document, whose root must be `root` (NULL: any). ERROR_INPUT when it is no XML of
 * this form, or ends early. */
bool s3_xml_walk(struct slice document, const char *root, s3_xml_element *element, void *context,
                 struct error *error);
/* Appends text with the five characters of XML escaped. */
bool s3_xml_append_text(struct buffer *out, const char *text, struct error *error);

#endif
