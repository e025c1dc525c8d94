//= cannot link 'a': it has thread-local variables
//- a
__thread int v = 1;
int main(void) { return v; }
