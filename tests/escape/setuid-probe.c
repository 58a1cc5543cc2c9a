/* The test's own set-user-ID program of EX-09: prints a file with whatever rights it was given. */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char bytes[4096];
	ssize_t n;
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;

	if (fd < 0)
		return 1;
	n = read(fd, bytes, sizeof(bytes));
	return n < 0 || write(STDOUT_FILENO, bytes, (size_t)n) != n;
}
