//> 101
//> 102
//> none
//> after
//- a
#include <stdio.h>
__attribute__((constructor)) static void last(void) { puts("none"); }
__attribute__((destructor)) static void after(void) { puts("after"); }
int main(void) { return 0; }
//- b
#include <stdio.h>
__attribute__((constructor(102))) static void second(void) { puts("102"); }
__attribute__((constructor(101))) static void first(void) { puts("101"); }
