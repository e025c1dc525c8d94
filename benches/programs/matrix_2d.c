// Multiplies square matrices that are two-dimensional arrays.
#include <stdio.h>

#define N 512
static double a[N][N];
static double b[N][N];
static double c[N][N];

static void fill(void) {
    int x = 1;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            x = (x * 75 + 74) % 65537;
            a[i][j] = (double)(x % 100) / 10.0;
            b[i][j] = (double)(x % 7);
        }
    }
}

static void multiply(void) {
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            double sum = 0.0;
            for (int k = 0; k < N; k++) {
                sum += a[i][k] * b[k][j];
            }
            c[i][j] = sum;
        }
    }
}

int main(void) {
    fill();
    for (int round = 0; round < 2; round++) multiply();
    double trace = 0.0;
    for (int i = 0; i < N; i++) trace += c[i][i];
    printf("%.3f\n", trace);
    return 0;
}
