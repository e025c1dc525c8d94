#include <stdio.h>
#include <string.h>

/* One struct of every way of passing. */
typedef struct { int a, b; } Two;
typedef struct { long a, b; } Words;
typedef struct { double x, y; } Point;
typedef struct { float x, y, z; } Vector;
typedef struct { double x; int n; } Mixed;
typedef struct { long a, b, c; } Big;
typedef struct { char text[5]; } Text;
typedef struct { float f; } One;

Two two(Two v) { return (Two){v.b, v.a}; }
Words words(Words v) { return (Words){v.b, v.a}; }
Point point(Point v) { return (Point){v.y, v.x}; }
Vector vector(Vector v) { return (Vector){v.z, v.y, v.x}; }
Mixed mixed(Mixed v) { return (Mixed){v.x * 2, v.n * 2}; }
Big big(Big v) { return (Big){v.c, v.b, v.a}; }
Text text(Text v) { v.text[0]++; return v; }
One one(One v) { v.f *= 2; return v; }

/* The last struct finds one register left and goes to the stack as a whole. */
long many(long a, long b, long c, long d, long e, Words v, long f, Point p, Mixed m) {
    return a + b + c + d + e + v.a * 10 + v.b * 100 + f + (long)(p.x + p.y) + m.n;
}

const char *greeting(const char *name) {
    static char buffer[64];
    snprintf(buffer, sizeof buffer, "hello, %s", name);
    return buffer;
}

/* Defined by the program. */
Two defined_two(Two);
Big defined_big(Big, int);
Mixed defined_mixed(Mixed);
size_t defined_length(const char *);
const char *defined_name(int);
static int order(int (*compare)(const void *, const void *)) {
    int a = 1, b = 2;
    return compare(&a, &b);
}

int call_back(int (*compare)(const void *, const void *)) {
    Two t = defined_two((Two){1, 2});
    Big b = defined_big((Big){1, 2, 3}, 4);
    Mixed m = defined_mixed((Mixed){1.5, 7});
    printf("back %d %d, %ld %ld %ld, %g %d\n", t.a, t.b, b.a, b.b, b.c, m.x, m.n);
    printf("texts %zu [%s] [%s]\n", defined_length("four"), defined_name(0), defined_name(1));
    return order(compare);
}
