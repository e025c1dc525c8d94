//= Undefined symbol 'also_missing', used by a
//= Undefined symbol 'missing', used by a
//- a
int missing(void);
int also(void) __asm__("also_missing");
int main(void) { return missing() + also(); }
//- b
int missing(void);
int other(void) { return missing(); }
