//= cannot link 'a': it has tentative definitions of C
//- a -fcommon
int v;
int main(void) { return v; }
