// The peer of `vector.cm`.
#include <cstdio>
#include <vector>

int main() {
    long sum = 0;
    for (int round = 0; round < 50; round++) {
        std::vector<int> v;
        for (int i = 0; i < 1000000; i++) v.push_back(i ^ round);
        int n = (int)v.size();
        for (int i = 0; i < n; i++) sum += v[i];
    }
    std::printf("%ld\n", sum);
}
