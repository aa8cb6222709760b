// Of the address sanitizer, for tests:
// - The leak check of clang 14 now and then looks for the thread-local storage of a library that was loaded
// while the
//   program ran where there is none any more, and crashes (mended in LLVM 17: D147459).
// - The more freed memory is kept back from use, the more pages have to be made.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "intercept_tls_get_addr=0:quarantine_size_mb=16"; }
