// libcurl, loaded when the first request is made. It brings some thirty other libraries along, which a
// program that archives one WAL file on disk must not pay for.
#pragma once

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

namespace barman::store {

struct CurlLibrary {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_setopt) setopt;
  decltype(&::curl_easy_getinfo) getinfo;
  decltype(&::curl_easy_perform) perform;
  decltype(&::curl_easy_reset) reset;
  decltype(&::curl_easy_cleanup) cleanup;
  decltype(&::curl_easy_strerror) strerror;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
};

// Loads and initialises it once; from several threads too. Throws kFailed if it is not installed.
const CurlLibrary& curl_library();

}  // namespace barman::store
