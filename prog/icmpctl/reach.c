/* SPDX-License-Identifier: BSD-2-Clause */
/* reach.c - see reach.h. */
#include "reach.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* As <link.h> names them; but there is another link.h here. */
#if __SIZEOF_POINTER__ == 8
#define ELF(type) Elf64_##type
#else
#define ELF(type) Elf32_##type
#endif

enum { SCRIPTS = 4, LINE = 256, PARTS = 512 };

/* A file in memory. */
struct file {
	const uint8_t *at;
	size_t len;
	struct stat st;
};

/* What of an executable matters here. */
struct elf {
	ELF(Ehdr) head;
	char loader[PATH_MAX];		/* empty: static */
	size_t strings, strings_len;	/* names of symbols and libraries */
	bool go;
};

static bool
map(struct file *f, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	void *at = MAP_FAILED;

	if (fd < 0)
		return false;
	if (fstat(fd, &f->st) == 0 && S_ISREG(f->st.st_mode) && f->st.st_size > 0)
		at = mmap(NULL, (size_t)f->st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	f->at = at;
	f->len = (size_t)f->st.st_size;
	return at != MAP_FAILED;
}

static void
unmap(struct file *f)
{
	void *at;

	memcpy(&at, &f->at, sizeof(at));
	munmap(at, f->len);
}

static bool
get(const struct file *f, uint64_t at, void *out, size_t len)
{
	if (at > f->len || len > f->len - at)
		return false;
	memcpy(out, f->at + at, len);
	return true;
}

/* As execvp: the first along PATH that may be executed. */
static bool
look_up(const char *command, char *path, size_t size)
{
	const char *dirs = getenv("PATH");
	size_t len;

	if (strchr(command, '/')) {
		snprintf(path, size, "%s", command);
		return true;
	}
	for (const char *at = dirs ? dirs : "/bin:/usr/bin"; at; at = at[len] ? at + len + 1 : NULL) {
		len = strcspn(at, ":");
		/* an empty part is the current folder */
		snprintf(path, size, "%.*s/%s", len ? (int)len : 1, len ? at : ".", command);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* The file offset of an address that the loader will know. */
static uint64_t
offset_of(const struct file *f, const struct elf *e, uint64_t address)
{
	for (int i = 0; i < e->head.e_phnum && i < PARTS; i++) {
		ELF(Phdr) p;

		if (get(f, e->head.e_phoff + (uint64_t)i * sizeof(p), &p, sizeof(p)) &&
		    p.p_type == PT_LOAD && address >= p.p_vaddr && address - p.p_vaddr < p.p_filesz)
			return p.p_offset + (address - p.p_vaddr);
	}
	return f->len;
}

static void
read_dynamic(struct elf *e, const struct file *f, const ELF(Phdr) *p)
{
	uint64_t strings = 0, len = 0;

	for (uint64_t at = 0; at + sizeof(ELF(Dyn)) <= p->p_filesz; at += sizeof(ELF(Dyn))) {
		ELF(Dyn) d;

		if (!get(f, p->p_offset + at, &d, sizeof(d)) || d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_STRTAB)
			strings = offset_of(f, e, d.d_un.d_ptr);
		if (d.d_tag == DT_STRSZ)
			len = d.d_un.d_val;
	}
	if (strings < f->len && len <= f->len - strings) {
		e->strings = strings;
		e->strings_len = len;
	}
}

static void
read_parts(struct elf *e, const struct file *f)
{
	for (int i = 0; i < e->head.e_phnum && i < PARTS; i++) {
		ELF(Phdr) p;

		if (!get(f, e->head.e_phoff + (uint64_t)i * sizeof(p), &p, sizeof(p)))
			break;
		if (p.p_type == PT_INTERP && p.p_filesz < sizeof(e->loader))
			get(f, p.p_offset, e->loader, p.p_filesz);
		if (p.p_type == PT_DYNAMIC)
			read_dynamic(e, f, &p);
	}
}

/* Go marks what it builds by the name of a section. */
static bool
is_go(const struct elf *e, const struct file *f)
{
	static const char mark[] = ".go.buildinfo";
	ELF(Shdr) names;

	if (!get(f, e->head.e_shoff + (uint64_t)e->head.e_shstrndx * sizeof(names), &names,
	    sizeof(names)))
		return false;
	if (names.sh_offset > f->len || names.sh_size > f->len - names.sh_offset)
		return false;
	return memmem(f->at + names.sh_offset, names.sh_size, mark, sizeof(mark)) != NULL;
}

/* False if it is no executable at all. */
static bool
read_elf(struct elf *e, const struct file *f)
{
	memset(e, 0, sizeof(*e));
	if (!get(f, 0, &e->head, sizeof(e->head)) ||
	    memcmp(e->head.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	/* the parts of another class have another layout */
	if (e->head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
		return true;
	read_parts(e, f);
	e->go = is_go(e, f);
	return true;
}

static bool
names(const struct elf *e, const struct file *f, const char *symbol)
{
	return e->strings_len &&
	    memmem(f->at + e->strings, e->strings_len, symbol, strlen(symbol) + 1) != NULL;
}

/* Then the loader trusts the environment no more. Root changes nobody. */
static bool
changes_user(const struct file *f, const char *path)
{
	char caps[64];

	if ((f->st.st_mode & S_ISUID) && f->st.st_uid != getuid())
		return true;
	if ((f->st.st_mode & S_ISGID) && f->st.st_gid != getgid())
		return true;
	return getuid() != 0 && getxattr(path, "security.capability", caps, sizeof(caps)) > 0;
}

static bool
is_foreign(const struct elf *e, const struct elf *own)
{
	return own->head.e_machine != e->head.e_machine ||
	    own->head.e_ident[EI_CLASS] != e->head.e_ident[EI_CLASS];
}

/* own: this program, made for the C library that ours was made for. */
static enum reach
obstacle(const struct elf *e, const struct elf *own, const struct file *f, const char *path,
    const char **what)
{
	if (is_foreign(e, own))
		*what = "is a program for another kind of machine";
	else if (e->go)
		*what = "is a Go program, which makes its system calls itself";
	else if (!e->loader[0])
		*what = "is a static program, into which no library comes";
	else if (changes_user(f, path))
		*what = "runs with another user's rights, so that no library comes into it";
	if (*what)
		return REACH_NOT;
	if (strcmp(own->loader, e->loader) != 0)
		*what = "is made for another C library";
	else if (names(e, f, "__asan_init"))
		*what = "has the address sanitizer in it, which must be first";
	return *what ? REACH_HARMS : REACH;
}

static enum reach
ask_file(const struct file *f, const char *path, const char **what)
{
	struct elf e, own;
	struct file self;
	bool known;

	if (!read_elf(&e, f) || !map(&self, "/proc/self/exe"))
		return REACH;
	known = read_elf(&own, &self);
	unmap(&self);
	return known ? obstacle(&e, &own, f, path, what) : REACH;
}

/* "#!/usr/bin/env name": the name is looked up, too. */
static bool
script_program(const struct file *f, char *path, size_t size)
{
	char line[LINE], *program, *arg, *rest;
	size_t n = f->len < sizeof(line) - 1 ? f->len : sizeof(line) - 1;

	if (n < 3 || memcmp(f->at, "#!", 2) != 0)
		return false;
	memcpy(line, f->at, n);
	line[n] = 0;
	line[strcspn(line, "\n")] = 0;
	program = strtok_r(line + 2, " \t", &rest);
	arg = program ? strtok_r(NULL, " \t", &rest) : NULL;
	if (!program)
		return false;
	if (arg && strlen(program) > 4 && !strcmp(program + strlen(program) - 4, "/env"))
		return look_up(arg, path, size);
	snprintf(path, size, "%s", program);
	return true;
}

enum reach
reach_ask(const char *command, char *why, size_t size)
{
	char path[PATH_MAX], script[PATH_MAX];
	bool again = look_up(command, path, sizeof(path));
	enum reach reach = REACH;
	const char *what = NULL;

	for (int i = 0; again && i < SCRIPTS; i++) {
		struct file f;

		if (!map(&f, path))
			break;
		again = script_program(&f, script, sizeof(script));
		if (!again)
			reach = ask_file(&f, path, &what);
		snprintf(path, sizeof(path), "%s", script);
		unmap(&f);
	}
	snprintf(why, size, "%s", what ? what : "");
	return reach;
}
