/* The host's side of IPC-04: victim TEXT keeps the text in memory and prints its pid and address.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	/* As open to the same user's debuggers as Yama allows. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	setpgid(0, 0);
	setlinebuf(stdout);
	printf("%d %lu\n", getpid(), (unsigned long)argv[1]);
	for (;;)
		pause();
}
