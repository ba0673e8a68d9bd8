// A git that misbehaves by rule, and is otherwise the real one: see Behaviour::wrap.
#include "behaviour.h"

int main(int argc, char** argv) { return oj::fakes::RunFake({"git"}, {argv + 1, argv + argc}); }
