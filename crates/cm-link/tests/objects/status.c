//! 42
//- main
int main(void) { return 42; }
