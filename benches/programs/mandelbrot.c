// Counts the points of a grid that stay in the Mandelbrot set.
#include <stdio.h>

static int iterations(double cx, double cy, int limit) {
    double x = 0.0;
    double y = 0.0;
    int n = 0;
    while (n < limit && x * x + y * y <= 4.0) {
        double t = x * x - y * y + cx;
        y = 2.0 * x * y + cy;
        x = t;
        n++;
    }
    return n;
}

int main(void) {
    int size = 800;
    int inside = 0;
    long total = 0;
    for (int row = 0; row < size; row++) {
        for (int column = 0; column < size; column++) {
            double cx = (double)column * 3.0 / (double)size - 2.0;
            double cy = (double)row * 2.0 / (double)size - 1.0;
            int n = iterations(cx, cy, 500);
            total += n;
            if (n == 500) inside++;
        }
    }
    printf("%d %ld\n", inside, total);
    return 0;
}
