#include "store/http/curl_library.h"

#include <dlfcn.h>

#include <string>

#include "base/error.h"

namespace barman::store {
namespace {

template <class Function>
void find(void* library, const char* name, Function& into) {
  into = reinterpret_cast<Function>(::dlsym(library, name));
  if (into == nullptr) {
    throw Error(ErrorKind::kFailed,
                std::string("libcurl.so.4 has no ") + name + "; install libcurl4 7.85 or newer");
  }
}

CurlLibrary load() {
  void* library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);  // stays to the end
  if (library == nullptr) {
    throw Error(ErrorKind::kFailed,
                "object storage needs libcurl.so.4, which cannot be loaded; install the package libcurl4");
  }
  CurlLibrary curl{};
  find(library, "curl_global_init", curl.global_init);
  find(library, "curl_easy_init", curl.easy_init);
  find(library, "curl_easy_setopt", curl.setopt);
  find(library, "curl_easy_getinfo", curl.getinfo);
  find(library, "curl_easy_perform", curl.perform);
  find(library, "curl_easy_reset", curl.reset);
  find(library, "curl_easy_cleanup", curl.cleanup);
  find(library, "curl_easy_strerror", curl.strerror);
  find(library, "curl_slist_append", curl.slist_append);
  find(library, "curl_slist_free_all", curl.slist_free_all);
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    throw Error(ErrorKind::kFailed, "libcurl cannot be initialised");
  }
  return curl;
}

}  // namespace

const CurlLibrary& curl_library() {
  static const CurlLibrary kLibrary = load();
  return kLibrary;
}

}  // namespace barman::store
