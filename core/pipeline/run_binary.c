/* Which build a program file is: by the linker's build id (ELF note NT_GNU_BUILD_ID). */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/pipeline/run_child.h"

enum { BINARY_HEADERS = 64, BINARY_NOTES = 4096, BUILD_ID_MOST = 32 };

static size_t binary_align(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* Walks one note segment. */
static bool binary_note(const uint8_t *notes, size_t length, struct run_binary *out)
{
    for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= length;) {
        Elf64_Nhdr note;
        memcpy(&note, notes + at, sizeof note);
        size_t name = at + sizeof note;
        size_t body = name + binary_align(note.n_namesz);
        size_t end = body + binary_align(note.n_descsz);
        if (body < name || end < body || end > length)
            return false;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(notes + name, "GNU", 4) == 0 && note.n_descsz <= BUILD_ID_MOST) {
            for (size_t i = 0; i < note.n_descsz; i++)
                snprintf(out->build + 2 * i, 3, "%02x", notes[body + i]);
            return note.n_descsz > 0;
        }
        at = end;
    }
    return false;
}

static bool binary_build_id(int fd, struct run_binary *out)
{
    Elf64_Ehdr head;
    if (pread(fd, &head, sizeof head, 0) != sizeof head || memcmp(head.e_ident, ELFMAG, 4) != 0 ||
        head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_phentsize != sizeof(Elf64_Phdr))
        return false;
    for (int i = 0; i < head.e_phnum && i < BINARY_HEADERS; i++) {
        Elf64_Phdr part;
        uint8_t notes[BINARY_NOTES];
        off_t at = (off_t)head.e_phoff + i * (off_t)sizeof part;
        if (pread(fd, &part, sizeof part, at) != sizeof part)
            return false;
        if (part.p_type != PT_NOTE || part.p_filesz > sizeof notes ||
            pread(fd, notes, part.p_filesz, (off_t)part.p_offset) != (ssize_t)part.p_filesz)
            continue;
        if (binary_note(notes, part.p_filesz, out))
            return true;
    }
    return false;
}

static bool binary_read(const char *path, struct run_binary *out, struct error *error)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_system(error, errno, "%s", path);
    bool ok = fstat(fd, &status) == 0 || error_set_system(error, errno, "%s", path);
    if (ok && !binary_build_id(fd, out))
        snprintf(out->build, sizeof out->build, "%lld.%lld.%09ld", (long long)status.st_size,
                 (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    close(fd);
    return ok;
}

bool run_binary_of(const char *path, struct run_binary *out, struct error *error)
{
    *out = (struct run_binary){0};
    if ((size_t)snprintf(out->path, sizeof out->path, "%s", path) >= sizeof out->path)
        return error_set_system(error, ENAMETOOLONG, "%s", path);
    return binary_read(path, out, error);
}

bool run_binary_fix(struct run_binary *out, struct error *error)
{
    *out = (struct run_binary){0};
    ssize_t length = readlink("/proc/self/exe", out->path, sizeof out->path - 1);
    if (length <= 0)
        return error_set_system(error, errno, "/proc/self/exe");
    out->path[length] = '\0';
    /* By the link, which leads to the very program that runs, even when its path is another file
     * already. */
    return binary_read("/proc/self/exe", out, error);
}

bool run_binary_changed(const struct run_binary *binary, struct error *error)
{
    struct run_binary now;
    if (run_binary_of(binary->path, &now, NULL) && strcmp(now.build, binary->build) == 0)
        return false;
    error_set(error, ERROR_CONFLICT,
              "restart surfboard: runs that are under way go on, and the new one shows them",
              "%s is not the program any more that was started here: it was upgraded or moved",
              binary->path);
    return true;
}
