// What is compiled for executables alone may expect a copy of the library's variable.
//= cannot link 'a': it uses the address of a shared library's symbol directly
//- a -fPIE -mcmodel=small
#include <stdio.h>
int main(void) { return stdout == 0; }
