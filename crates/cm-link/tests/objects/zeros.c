//> 7
//- a
#include <stdio.h>
int zeros[1000];
int main(void) { zeros[999] = 7; printf("%d\n", zeros[0] + zeros[999]); return 0; }
