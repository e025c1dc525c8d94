// Builds strings by appending and by formatting.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *bytes;
    size_t length;
    size_t capacity;
} Text;

static void append(Text *text, const char *bytes, size_t length) {
    if (text->length + length + 1 > text->capacity) {
        text->capacity = (text->length + length + 1) * 2;
        text->bytes = realloc(text->bytes, text->capacity);
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = 0;
}

static int checksum(Text text) {
    unsigned sum = 0u;
    unsigned n = (unsigned)text.length;
    for (unsigned i = 0u; i < n; i++) sum = sum * 31u + (unsigned char)text.bytes[i];
    return (int)(sum % 1000000007u);
}

static Text letters(int count) {
    Text text = {0};
    for (int i = 0; i < count; i++) {
        append(&text, "lorem ipsum ", 12);
        if (i % 3 == 0) append(&text, "dolor", 5);
    }
    return text;
}

static Text numbers(int count) {
    Text text = {0};
    for (int i = 0; i < count; i++) {
        char buffer[32];
        int length = snprintf(buffer, sizeof buffer, "%d: %d;", i, i * 7 % 1000);
        append(&text, buffer, (size_t)length);
    }
    return text;
}

int main(void) {
    int sum = 0;
    int length = 0;
    for (int round = 0; round < 100; round++) {
        Text text = letters(20000);
        length += (int)text.length;
        sum = (sum + checksum(text)) % 1000003;
        free(text.bytes);
    }
    for (int round = 0; round < 20; round++) {
        Text text = numbers(50000);
        length += (int)text.length;
        sum = (sum + checksum(text)) % 1000003;
        free(text.bytes);
    }
    printf("%d %d\n", length, sum);
    return 0;
}
