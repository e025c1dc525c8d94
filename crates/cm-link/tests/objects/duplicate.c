//= Symbol 'f' is defined twice, by a and b
//= Symbol 'v' is defined twice, by a and b
//- a
int v = 1;
int f(void) { return v; }
int main(void) { return f(); }
//- b
int v = 1;
int f(void) { return v; }
