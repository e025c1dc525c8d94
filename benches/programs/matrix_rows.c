// Multiplies square matrices that are arrays of pointers to rows.
#include <stdio.h>
#include <stdlib.h>

// Appends to a row that grows as slices do.
static double *push(double *row, int length, double value) {
    if (length >= 4 && (length & (length - 1)) == 0) row = realloc(row, sizeof(double) * length * 2);
    row[length] = value;
    return row;
}

static double **filled(int n, int seed) {
    double **m = malloc(sizeof(double *) * n);
    int x = seed;
    for (int i = 0; i < n; i++) {
        double *row = malloc(sizeof(double) * 4);
        for (int j = 0; j < n; j++) {
            x = (x * 75 + 74) % 65537;
            row = push(row, j, (double)(x % 100) / 10.0);
        }
        m[i] = row;
    }
    return m;
}

static void multiply(double **a, double **b, double **c, int n) {
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < n; k++) {
            double factor = a[i][k];
            for (int j = 0; j < n; j++) {
                c[i][j] += factor * b[k][j];
            }
        }
    }
}

int main(void) {
    int n = 640;
    double **a = filled(n, 1);
    double **b = filled(n, 2);
    double **c = filled(n, 3);
    for (int round = 0; round < 3; round++) multiply(a, b, c, n);
    double trace = 0.0;
    for (int i = 0; i < n; i++) trace += c[i][i];
    printf("%.3f\n", trace);
    return 0;
}
