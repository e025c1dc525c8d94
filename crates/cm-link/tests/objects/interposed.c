// The C library calls the program's function instead of its own.
//> allocated
//- main
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static char memory[1 << 16];
static int used, calls;
void *malloc(unsigned long size) { calls++; used += 64; return memory + used; }
void free(void *old) {}
int main(void) {
    char *copy = strdup("text");
    if (calls == 0 || copy < memory || copy >= memory + sizeof memory) return 1;
    write(1, "allocated\n", 10);
    _exit(0);
}
