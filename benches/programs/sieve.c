// The sieve of Eratosthenes, several times.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int sieve(bool *composite, int n) {
    for (int i = 0; i <= n; i++) composite[i] = false;
    int count = 0;
    for (int i = 2; i <= n; i++) {
        if (!composite[i]) {
            count++;
            for (int j = i + i; j <= n; j += i) composite[j] = true;
        }
    }
    return count;
}

int main(void) {
    int n = 5000000;
    bool *composite = malloc(n + 1);
    for (int i = 0; i <= n; i++) composite[i] = false;
    int total = 0;
    for (int round = 0; round < 8; round++) total += sieve(composite, n - round);
    printf("%d\n", total);
    return 0;
}
