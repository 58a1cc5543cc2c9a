/*
 * The program that may (TEXT "public") or may not (TEXT "denied-tool-ran") be executed. Built
 * dynamic, for the loader, and without any library: then it makes no governed call after its exec,
 * and runs as another program's interpreter as well.
 */
#ifdef BARE
#include <sys/syscall.h>

static long call(long number, long a, long b, long c)
{
#ifdef __x86_64__
	__asm__ volatile("syscall"
			 : "+a"(number)
			 : "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return number;
#else
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b,
			 x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
#endif
}

void _start(void);

__attribute__((force_align_arg_pointer)) void _start(void)
{
	call(SYS_write, 1, (long)TEXT "\n", sizeof(TEXT));
	call(SYS_exit_group, 0, 0, 0);
	__builtin_unreachable();
}
#else
#include <unistd.h>

int main(void)
{
	return write(STDOUT_FILENO, TEXT "\n", sizeof(TEXT)) == sizeof(TEXT) ? 0 : 1;
}
#endif
