//> initializer
//> start 14
//> data 3 4 7 zeros 0 far 3
//> weak 5 missing 0
//> one two
//> sqrt 1.5
//> finish
//! 0
//- main
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

extern int add(int a, int b);
extern int variable, zeros[1000];
extern const char *const texts[2];
extern int weak(void);
extern int missing(void) __attribute__((weak));
extern int (*const pointers[])(const char *);

static int table[3] = {3, 4, 7};
int variable = 3;
int *far = &variable;

__attribute__((noinline)) static int local(int x) { return add(x, 2) * 2; }
static void finish(void) { puts("finish"); }

__attribute__((constructor)) static void initialize(void) { puts("initializer"); }

int main(int argc, char **argv) {
    if (argc != 1 || argv[1] != NULL || getenv("PATH") == NULL) return 1;
    printf("start %d\n", local(5));
    printf("data %d %d %d zeros %d far %d\n", table[0], table[1], table[2], zeros[999], *far);
    printf("weak %d missing %d\n", weak(), missing != NULL);
    printf("%s %s\n", texts[0], texts[1]);
    printf("sqrt %.1f\n", sqrt(argc + 1.25));
    fflush(stdout);
    finish();
    return pointers[0] == puts ? 0 : 2;
}
//- other
#include <stdio.h>
int zeros[1000];
const char *const texts[2] = {"one", "two"};
int (*const pointers[])(const char *) = {puts, NULL};
static int local(int x) { return x; }
int add(int a, int b) { return local(a) + b; }
__attribute__((weak)) int weak(void) { return 4; }
//- third
int weak(void) { return 5; }
