#include "core/store/s3_xml.h"

#include <stdlib.h>

struct walk {
    const char *at, *end;
    struct buffer text;
    char path[S3_XML_PATH_SIZE]; /* with the root's name in front */
    size_t marks[S3_XML_DEPTH];  /* length of path before each open element */
    size_t depth;
    const char *root;
    bool begun;
    struct error *error;
};

static bool walk_bad(struct walk *walk, const char *why)
{
    return error_set(walk->error, ERROR_INPUT, NULL, "XML: %s", why);
}

/* Skips past `mark`. */
static bool walk_past(struct walk *walk, const char *mark)
{
    const char *found = memmem(walk->at, (size_t)(walk->end - walk->at), mark, strlen(mark));
    if (found == NULL)
        return walk_bad(walk, "it ends early");
    walk->at = found + strlen(mark);
    return true;
}

static bool append_character(struct buffer *out, unsigned long code, struct error *error)
{
    unsigned char bytes[4];
    size_t length = 0;
    if (code < 0x80) {
        bytes[length++] = (unsigned char)code;
    } else if (code < 0x800) {
        bytes[length++] = (unsigned char)(0xc0 | code >> 6);
        bytes[length++] = (unsigned char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        bytes[length++] = (unsigned char)(0xe0 | code >> 12);
        bytes[length++] = (unsigned char)(0x80 | (code >> 6 & 63));
        bytes[length++] = (unsigned char)(0x80 | (code & 63));
    } else {
        bytes[length++] = (unsigned char)(0xf0 | code >> 18);
        bytes[length++] = (unsigned char)(0x80 | (code >> 12 & 63));
        bytes[length++] = (unsigned char)(0x80 | (code >> 6 & 63));
        bytes[length++] = (unsigned char)(0x80 | (code & 63));
    }
    return buffer_append(out, bytes, length, error);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* "#x1F600" or "#10"; NUL is no character. */
static bool walk_number(struct walk *walk, struct slice name)
{
    int base = name.length > 1 && name.data[1] == 'x' ? 16 : 10;
    size_t from = base == 16 ? 2 : 1;
    unsigned long code = 0;
    for (size_t i = from; i < name.length; i++) {
        int digit = digit_of(name.data[i]);
        if (digit >= base || code > 0x10ffff)
            return walk_bad(walk, "a character reference that is none");
        code = code * (unsigned long)base + (unsigned long)digit;
    }
    if (name.length == from || code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return walk_bad(walk, "a character reference that is none");
    return append_character(&walk->text, code, walk->error);
}

static bool walk_entity(struct walk *walk)
{
    static const struct {
        const char *name, *text;
    } entities[] = {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}};
    const char *from = ++walk->at;
    size_t left = (size_t)(walk->end - from);
    const char *end = memchr(from, ';', left < 12 ? left : 12);
    if (end == NULL)
        return walk_bad(walk, "an entity without an end");
    struct slice name = slice_make(from, (size_t)(end - from));
    walk->at = end + 1;
    if (name.length && name.data[0] == '#')
        return walk_number(walk, name);
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (slice_is(name, entities[i].name))
            return buffer_append_text(&walk->text, entities[i].text, walk->error);
    return walk_bad(walk, "an entity that is not known");
}

/* Without its namespace's prefix. */
static struct slice walk_name(struct walk *walk)
{
    const char *from = walk->at;
    while (walk->at < walk->end && !strchr(" \t\r\n/>=<", *walk->at)) {
        if (*walk->at == ':')
            from = walk->at + 1;
        walk->at++;
    }
    return slice_make(from, (size_t)(walk->at - from));
}

static bool walk_push(struct walk *walk, struct slice name)
{
    size_t length = strlen(walk->path);
    if (name.length == 0 || memchr(name.data, '\0', name.length))
        return walk_bad(walk, "an element without a name");
    if (walk->depth == S3_XML_DEPTH || length + name.length + 2 > sizeof walk->path)
        return walk_bad(walk, "it is nested too deeply");
    walk->marks[walk->depth++] = length;
    if (length)
        walk->path[length++] = '/';
    memcpy(walk->path + length, name.data, name.length);
    walk->path[length + name.length] = '\0';
    if (walk->depth == 1 && (walk->begun || (walk->root && strcmp(walk->path, walk->root) != 0)))
        return walk_bad(walk, "another document than was asked for");
    walk->begun = true;
    return true;
}

/* Below the root's name. */
static bool walk_pop(struct walk *walk, s3_xml_element *element, void *context)
{
    const char *slash = strchr(walk->path, '/');
    TRY(element(context, slash ? slash + 1 : "", buffer_slice(&walk->text), walk->error));
    walk->path[walk->marks[--walk->depth]] = '\0';
    buffer_clear(&walk->text);
    return true;
}

/* Reads over attributes; *empty for "<a/>". */
static bool walk_attributes(struct walk *walk, bool *empty)
{
    *empty = false;
    while (walk->at < walk->end) {
        char c = *walk->at++;
        if (c == '>')
            return true;
        if (c == '<')
            return walk_bad(walk, "a tag inside a tag");
        *empty = c == '/';
        if (c == '"' || c == '\'') {
            const char quote[] = {c, '\0'};
            TRY(walk_past(walk, quote));
        }
    }
    return walk_bad(walk, "it ends early");
}

static bool walk_starts(const struct walk *walk, const char *text)
{
    return slice_starts_with(slice_make(walk->at, (size_t)(walk->end - walk->at)), slice_of(text));
}

static bool walk_tag(struct walk *walk, s3_xml_element *element, void *context)
{
    if (walk_starts(walk, "<?"))
        return walk_past(walk, "?>");
    if (walk_starts(walk, "<!--"))
        return walk_past(walk, "-->");
    if (walk_starts(walk, "<![CDATA[")) {
        const char *from = walk->at + strlen("<![CDATA[");
        TRY(walk_past(walk, "]]>"));
        return buffer_append(&walk->text, from, (size_t)(walk->at - 3 - from), walk->error);
    }
    if (walk_starts(walk, "<!"))
        return walk_bad(walk, "a document type, which S3 never sends");
    bool closes = walk_starts(walk, "</"), empty = false;
    walk->at += closes ? 2 : 1;
    struct slice name = walk_name(walk);
    if (!closes) {
        buffer_clear(&walk->text);
        TRY(walk_push(walk, name));
        TRY(walk_attributes(walk, &empty));
        return !empty || walk_pop(walk, element, context);
    }
    TRY(walk_attributes(walk, &empty));
    const char *slash = strrchr(walk->path, '/');
    if (walk->depth == 0 || !slice_is(name, slash ? slash + 1 : walk->path))
        return walk_bad(walk, "an end without a beginning");
    return walk_pop(walk, element, context);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool s3_xml_walk(struct slice document, const char *root, s3_xml_element *element, void *context,
                 struct error *error)
{
    struct walk walk = {.root = root, .error = error};
    bool ok = true;
    if (slice_starts_with(document, SLICE_LITERAL("\xEF\xBB\xBF")))
        document = slice_make(document.data + 3, document.length - 3);
    walk.at = document.data;
    walk.end = document.data + document.length;
    while (ok && walk.at < walk.end) {
        if (*walk.at == '<')
            ok = walk_tag(&walk, element, context);
        else if (*walk.at == '&' && walk.depth)
            ok = walk_entity(&walk);
        else if (walk.depth == 0 && !is_space(*walk.at))
            ok = walk_bad(&walk, "text outside of elements");
        else
            ok = buffer_append_byte(&walk.text, (uint8_t)*walk.at++, error);
    }
    if (ok && (walk.depth || !walk.begun))
        ok = walk_bad(&walk, "it ends early");
    buffer_destroy(&walk.text);
    return ok;
}

bool s3_xml_append_text(struct buffer *out, const char *text, struct error *error)
{
    for (; *text; text++) {
        const char *escaped = *text == '&'    ? "&amp;"
                              : *text == '<'  ? "&lt;"
                              : *text == '>'  ? "&gt;"
                              : *text == '"'  ? "&quot;"
                              : *text == '\'' ? "&apos;"
                                              : NULL;
        unsigned char c = (unsigned char)*text;
        if (escaped)
            TRY(buffer_append_text(out, escaped, error));
        else if (c < 0x20)
            TRY(buffer_append_format(out, error, "&#%u;", c));
        else
            TRY(buffer_append_byte(out, c, error));
    }
    return true;
}
