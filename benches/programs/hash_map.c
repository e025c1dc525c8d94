// A hash map with open addressing that grows.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int64_t key;
    int value;
    bool used;
} Entry;

typedef struct {
    Entry *entries;
    unsigned capacity;
    int count;
} Map;

static Entry *empty(int capacity) {
    Entry *entries = malloc(sizeof(Entry) * capacity);
    for (int i = 0; i < capacity; i++) entries[i] = (Entry){0};
    return entries;
}

static uint32_t hash(int64_t key) {
    uint64_t h = (uint64_t)key * 11400714819323198485ull;
    return (uint32_t)(h >> 32);
}

static int slot(Map *self, int64_t key) {
    uint32_t mask = self->capacity - 1u;
    uint32_t i = hash(key) & mask;
    while (self->entries[i].used && self->entries[i].key != key) i = (i + 1u) & mask;
    return (int)i;
}

static void grow(Map *self) {
    Entry *old = self->entries;
    int capacity = (int)self->capacity;
    self->entries = empty(capacity * 2);
    self->capacity = capacity * 2;
    for (int i = 0; i < capacity; i++) {
        if (old[i].used) self->entries[slot(self, old[i].key)] = old[i];
    }
    free(old);
}

static void add(Map *self, int64_t key, int value) {
    int i = slot(self, key);
    if (self->entries[i].used) {
        self->entries[i].value += value;
        return;
    }
    self->entries[i] = (Entry){.key = key, .value = value, .used = true};
    self->count++;
    if (self->count * 2 > (int)self->capacity) grow(self);
}

static int get(Map *self, int64_t key) {
    int i = slot(self, key);
    return self->entries[i].used ? self->entries[i].value : 0;
}

int main(void) {
    Map map = {.entries = empty(16), .capacity = 16};
    uint64_t x = 88172645463325252ull;
    for (int i = 0; i < 4000000; i++) {
        x = x ^ (x << 13);
        x = x ^ (x >> 7);
        x = x ^ (x << 17);
        add(&map, (int64_t)(x % 500000ull), i % 10);
    }
    int64_t sum = 0;
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < 1000000; i++) sum += get(&map, i);
    }
    printf("%d %ld\n", map.count, sum);
    return 0;
}
