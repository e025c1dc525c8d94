// Quicksort of structs.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int key;
    int number;
    double weight;
} Record;

static bool before(Record a, Record b) {
    return a.key < b.key || (a.key == b.key && a.number < b.number);
}

static void quicksort(Record *records, int low, int high) {
    while (low < high) {
        Record pivot = records[(low + high) / 2];
        int i = low;
        int j = high;
        while (i <= j) {
            while (before(records[i], pivot)) i++;
            while (before(pivot, records[j])) j--;
            if (i <= j) {
                Record other = records[i];
                records[i] = records[j];
                records[j] = other;
                i++;
                j--;
            }
        }
        quicksort(records, low, j);
        low = i;
    }
}

int main(void) {
    int n = 1000000;
    Record *records = malloc(sizeof(Record) * n);
    unsigned x = 12345u;
    for (int i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        records[i] = (Record){.key = (int)(x >> 12) % 100000, .number = i, .weight = (double)i / 3.0};
    }
    for (int round = 0; round < 3; round++) {
        quicksort(records, 0, n - 1);
        for (int i = 0; i < n; i++) {
            x = x * 1664525u + 1013904223u;
            records[i].key = (int)(x >> 12) % 100000;
        }
    }
    quicksort(records, 0, n - 1);
    double sum = 0.0;
    for (int i = 0; i < n; i += 1000) {
        sum += records[i].weight * (double)(records[i].key % 10);
    }
    printf("%.3f\n", sum);
    return 0;
}
