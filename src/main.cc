#include "cli/run.h"

int main(int argc, char** argv) { return barman::cli::run(argc, argv); }
