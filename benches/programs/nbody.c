// The motion of the sun and the large planets.
#include <math.h>
#include <stdio.h>

typedef struct {
    double x, y, z;
    double vx, vy, vz;
    double mass;
} Body;

#define SOLAR_MASS 39.47841760435743
#define YEAR 365.24

static void advance(Body (*system)[5], double dt) {
    for (int i = 0; i < 5; i++) {
        Body *a = &(*system)[i];
        for (int j = i + 1; j < 5; j++) {
            Body *b = &(*system)[j];
            double dx = a->x - b->x;
            double dy = a->y - b->y;
            double dz = a->z - b->z;
            double square = dx * dx + dy * dy + dz * dz;
            double force = dt / (square * sqrt(square));
            a->vx -= dx * b->mass * force;
            a->vy -= dy * b->mass * force;
            a->vz -= dz * b->mass * force;
            b->vx += dx * a->mass * force;
            b->vy += dy * a->mass * force;
            b->vz += dz * a->mass * force;
        }
    }
    for (int i = 0; i < 5; i++) {
        Body *a = &(*system)[i];
        a->x += dt * a->vx;
        a->y += dt * a->vy;
        a->z += dt * a->vz;
    }
}

static double energy(Body (*system)[5]) {
    double sum = 0.0;
    for (int i = 0; i < 5; i++) {
        Body *a = &(*system)[i];
        sum += 0.5 * a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz);
        for (int j = i + 1; j < 5; j++) {
            Body *b = &(*system)[j];
            double dx = a->x - b->x;
            double dy = a->y - b->y;
            double dz = a->z - b->z;
            sum -= a->mass * b->mass / sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return sum;
}

static Body planet(double x, double y, double z, double vx, double vy, double vz, double mass) {
    return (Body){
        .x = x, .y = y, .z = z, .vx = vx * YEAR, .vy = vy * YEAR, .vz = vz * YEAR, .mass = mass * SOLAR_MASS
    };
}

int main(void) {
    Body system[5] = {
        planet(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        planet(4.84143144246472090, -1.16032004402742839, -0.103622044471123109,
               0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023,
               0.000954791938424326609),
        planet(8.34336671824457987, 4.12479856412430479, -0.403523417114321381,
               -0.00276742510726411, 0.00499852801234917238, 0.0000230417297573763929,
               0.000285885980666130812),
        planet(12.8943695621391310, -15.1111514016986312, -0.223307578892655734,
               0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556,
               0.0000436624404335156298),
        planet(15.3796971148509165, -25.9193146099879641, 0.179258772950371181,
               0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870,
               0.0000515138902046611451)
    };
    double px = 0.0;
    double py = 0.0;
    double pz = 0.0;
    for (int i = 0; i < 5; i++) {
        px += system[i].vx * system[i].mass;
        py += system[i].vy * system[i].mass;
        pz += system[i].vz * system[i].mass;
    }
    system[0].vx = -px / SOLAR_MASS;
    system[0].vy = -py / SOLAR_MASS;
    system[0].vz = -pz / SOLAR_MASS;
    printf("%.9f\n", energy(&system));
    for (int step = 0; step < 4000000; step++) advance(&system, 0.01);
    printf("%.9f\n", energy(&system));
    return 0;
}
