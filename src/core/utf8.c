/* Text that comes from outside, before it goes where only UTF-8 may go. */
#include "core/utf8.h"

/* The length of a sequence by its first byte; 0 for one that begins none. */
static size_t
sequence(unsigned char first)
{
	if (first < 0x80)
		return first != 0;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

long
utf8_length(const char *text, size_t n)
{
	const unsigned char	*s = (const unsigned char *)text;
	long			 count = 0;

	for (size_t i = 0; i < n; count++) {
		size_t	 len = sequence(s[i]);

		if (len == 0 || len > n - i)
			return -1;
		for (size_t k = 1; k < len; k++)
			if ((s[i + k] & 0xc0) != 0x80)
				return -1;
		/* Longer than need be, a surrogate, beyond U+10FFFF. */
		if ((s[i] == 0xe0 && s[i + 1] < 0xa0) ||
		    (s[i] == 0xed && s[i + 1] > 0x9f) ||
		    (s[i] == 0xf0 && s[i + 1] < 0x90) ||
		    (s[i] == 0xf4 && s[i + 1] > 0x8f))
			return -1;
		i += len;
	}
	return count;
}

bool
utf8_has_control(const char *text, size_t n)
{
	const unsigned char	*s = (const unsigned char *)text;

	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] == 0x7f || (s[i] == 0xc2 &&
		    i + 1 < n && s[i + 1] < 0xa0))
			return true;
	return false;
}

static unsigned long
unit16(const char *s, bool high_first)
{
	const unsigned char	*u = (const unsigned char *)s;

	return high_first ? u[0] * 256ul + u[1] : u[1] * 256ul + u[0];
}

static size_t
encode(unsigned long c, char *out)
{
	size_t	 len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = len; --i > 0; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(len == 1 ? c : (0xf00u >> len & 0xff) | c);
	return len;
}

long
utf8_from_16(const char *s, size_t n, bool high_first, char *out)
{
	size_t	 len = 0;

	if (n % 2 != 0)
		return -1;
	for (size_t i = 0; i < n; i += 2) {
		unsigned long	 c = unit16(s + i, high_first), low;

		if (c >= 0xdc00 && c <= 0xdfff)
			return -1;
		if (c >= 0xd800 && c <= 0xdbff) {
			i += 2;
			low = i < n ? unit16(s + i, high_first) : 0;
			if (low < 0xdc00 || low > 0xdfff)
				return -1;
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		}
		len += encode(c, out + len);
	}
	return (long)len;
}
