//= Undefined symbol 'main'
//- a
int other(void) { return 0; }
