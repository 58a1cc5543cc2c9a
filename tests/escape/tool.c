/*
 * The program that may (TEXT "public") or may not (TEXT "denied-tool-ran") be executed. Built both
 * static, so that it makes no governed call after its exec, and dynamic, for the loader.
 */
#include <unistd.h>

int main(void)
{
	return write(STDOUT_FILENO, TEXT "\n", sizeof(TEXT)) == sizeof(TEXT) ? 0 : 1;
}
