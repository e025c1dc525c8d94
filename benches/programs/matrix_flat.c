// Multiplies square matrices that are stored row after row in one array each.
#include <stdio.h>
#include <stdlib.h>

static double *filled(int n, int seed) {
    double *m = malloc(sizeof(double) * n * n);
    int x = seed;
    for (int i = 0; i < n * n; i++) {
        x = (x * 75 + 74) % 65537;
        m[i] = (double)(x % 100) / 10.0;
    }
    return m;
}

static void multiply(double *a, double *b, double *c, int n) {
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++) {
            double factor = a[i * n + k];
            for (int j = 0; j < n; j++) {
                c[i * n + j] += factor * b[k * n + j];
            }
        }
    }
}

int main(void) {
    int n = 640;
    double *a = filled(n, 1);
    double *b = filled(n, 2);
    double *c = malloc(sizeof(double) * n * n);
    for (int i = 0; i < n * n; i++) c[i] = 0.0;
    for (int round = 0; round < 3; round++) multiply(a, b, c, n);
    double trace = 0.0;
    for (int i = 0; i < n; i++) trace += c[i * n + i];
    printf("%.3f\n", trace);
    return 0;
}
