/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fates-table - prints the tables of lib/fate as the parts of fates(7):
 * "fates-table words", "icmp4", "icmp6" or "calls". tests/rules/fates compares
 * them with the page, and puts them there with --write.
 */
#include <err.h>
#include <errno.h>
#include <sockeye/fate.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 76 };

/* A paragraph with a capital, a full stop, and lines that mdoc likes. */
static void
print_text(const char *before, const char *text)
{
	int column = printf("%s", before);
	bool first = true;

	while (*text) {
		int word = (int)strcspn(text, " ");

		if (column + 1 + word > COLUMNS) {
			putchar('\n');
			column = 0;
		} else if (!first) {
			column += printf(" ");
		}
		if (first && !*before && *text >= 'a' && *text <= 'z')
			column += printf("%c%.*s", *text - 'a' + 'A', word - 1, text + 1);
		else
			column += printf("%.*s", word, text);
		first = false;
		text += word;
		text += strspn(text, " ");
	}
	puts(".");
}

static const char *
class_of(enum sky_what what)
{
	static const char *const names[] = { "final", "note", "final, local" };

	return names[sky_fate_class(what)];
}

static void
print_words(void)
{
	puts(".Bl -tag -width Ds");
	for (unsigned i = SKY_NOTHING + 1; i < SKY_WHATS; i++) {
		printf(".It Li %s Pq %s%s\n", sky_fate_word(i), class_of(i),
		    sky_fate_is_bad(i) ? ", bad" : "");
		print_text("", sky_fate_sentence(i));
		puts(".br");
		print_text("To do: ", sky_fate_advice(i));
	}
	puts(".El");
}

static const char *
name_of(int err)
{
	const char *name = err ? strerrorname_np(err) : "-";

	return name ? name : "?";
}

static void
print_span(unsigned first, unsigned last)
{
	printf("%u", first);
	if (last != first)
		printf("-%u", last);
}

/* Six columns, so that mdoc puts one space between them. */
static void
print_icmp(int family)
{
	const struct sky_icmp_row *row;

	puts(".Bl -column \"5-127\" \"16-255\" \"reassembly-timeout\" \"EHOSTUNREACH\" "
	    "\"plain\" \"name\"\n"
	    ".It Em type Ta Em code Ta Em word Ta Em queue Ta Em plain Ta Em name");
	for (size_t i = 0; (row = sky_icmp_row(family, i)); i++) {
		bool same = row->err_connected && row->err_connected == row->err_queue;

		printf(".It ");
		print_span(row->type, row->type_last);
		printf(" Ta ");
		print_span(row->code, row->code_last);
		printf(" Ta Li %s Ta %s Ta %s Ta %s\n", sky_fate_word(row->what),
		    name_of(row->err_queue), same ? "same" : name_of(row->err_connected),
		    row->name);
	}
	puts(".El");
}

static void
print_calls(void)
{
	static const int errs[] = {
		ENETUNREACH, EHOSTUNREACH, EINVAL, ENETDOWN, ENODEV, ENXIO, EADDRNOTAVAIL,
		EAFNOSUPPORT, EACCES, EPERM, ENOBUFS, EAGAIN, ENOMEM, EMSGSIZE, ECONNREFUSED,
		EHOSTDOWN, ENONET, ENOPROTOOPT, EPROTO, ETIMEDOUT, EIO,
	};

	puts(".Bl -column \"EADDRNOTAVAIL\"\n.It Em errno Ta Em word");
	for (size_t i = 0; i < sizeof errs / sizeof *errs; i++)
		printf(".It %s Ta Li %s\n", errs[i] == EIO ? "any other" : name_of(errs[i]),
		    sky_fate_word(sky_fate_from_errno(errs[i])));
	puts(".El");
}

int
main(int argc, char **argv)
{
	const char *part = argc == 2 ? argv[1] : "";

	if (strcmp(part, "words") == 0)
		print_words();
	else if (strcmp(part, "icmp4") == 0)
		print_icmp(AF_INET);
	else if (strcmp(part, "icmp6") == 0)
		print_icmp(AF_INET6);
	else if (strcmp(part, "calls") == 0)
		print_calls();
	else
		errx(2, "part \"%s\": expected words, icmp4, icmp6 or calls", part);
	return 0;
}
