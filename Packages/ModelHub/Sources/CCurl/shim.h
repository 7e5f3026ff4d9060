// The part of libcurl's interface that requests need, for a library that is loaded when the first of them is sent. The
// numbers are those of curl/curl.h, which keeps them for ever; Swift cannot call functions of variable arguments.
#ifndef BB_CURL_SHIM_H
#define BB_CURL_SHIM_H

#include <stddef.h>
#include <stdint.h>

enum {
  BB_CURLOPT_WRITEDATA = 10001,
  BB_CURLOPT_URL = 10002,
  BB_CURLOPT_ERRORBUFFER = 10010,
  BB_CURLOPT_WRITEFUNCTION = 20011,
  BB_CURLOPT_HTTPHEADER = 10023,
  BB_CURLOPT_HEADERDATA = 10029,
  BB_CURLOPT_NOPROGRESS = 43,
  BB_CURLOPT_POSTFIELDSIZE = 60,
  BB_CURLOPT_XFERINFODATA = 10057,
  BB_CURLOPT_COPYPOSTFIELDS = 10165,
  BB_CURLOPT_HEADERFUNCTION = 20079,
  BB_CURLOPT_HTTP_VERSION = 84,
  BB_CURLOPT_BUFFERSIZE = 98,
  BB_CURLOPT_NOSIGNAL = 99,
  BB_CURLOPT_PROTOCOLS = 181,
  BB_CURLOPT_XFERINFOFUNCTION = 20219,
  BB_CURLOPT_SUPPRESS_CONNECT_HEADERS = 265,

  BB_CURL_HTTP_VERSION_1_1 = 2,
  BB_CURLPROTO_HTTP = 1,
  BB_CURLPROTO_HTTPS = 2,
  BB_CURL_GLOBAL_ALL = 3,
  BB_CURL_ERROR_SIZE = 256,
};

typedef size_t (*bb_curl_receive)(char *bytes, size_t size, size_t count, void *context);
typedef int (*bb_curl_progress)(void *context, int64_t total, int64_t now, int64_t total_sent, int64_t sent);

// `setopt` is the library's curl_easy_setopt.
static inline int bb_curl_set_number(void *setopt, void *handle, int option, long value) {
  return ((int (*)(void *, int, ...))setopt)(handle, option, value);
}

static inline int bb_curl_set_pointer(void *setopt, void *handle, int option, const void *value) {
  return ((int (*)(void *, int, ...))setopt)(handle, option, value);
}

static inline int bb_curl_set_receive(void *setopt, void *handle, int option, bb_curl_receive function) {
  return ((int (*)(void *, int, ...))setopt)(handle, option, function);
}

static inline int bb_curl_set_progress(void *setopt, void *handle, bb_curl_progress function) {
  return ((int (*)(void *, int, ...))setopt)(handle, BB_CURLOPT_XFERINFOFUNCTION, function);
}

#endif
