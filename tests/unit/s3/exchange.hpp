// What the tests of the S3 client share: a client on a scripted network, and requests checked to the byte.
#pragma once
#include <doctest/doctest.h>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "dynabackup/error.hpp"
#include "fakes/run_task.hpp"
#include "fakes/scripted_transport.hpp"
#include "s3/client.hpp"

namespace dynabackup::s3 {

inline client_settings local_settings() {
  client_settings settings;
  settings.region = "eu-central-1";
  settings.endpoint = "http://127.0.0.1:7480";
  return settings;
}

struct fixture {
  fakes::scripted_transport network;
  client objects{network, local_settings()};
};

/// The whole request, headers in their order.
inline auto is_request(std::string method, std::string target, std::vector<std::pair<std::string, std::string>> headers,
                       std::string body = {}) {
  return [=](const request& r) {
    CHECK(r.method == method);
    CHECK(r.to == origin{false, "127.0.0.1", 7480});
    CHECK(r.target == target);
    CHECK(r.body == body);
    std::vector<std::pair<std::string, std::string>> sent;
    for (const header& h : r.headers) sent.emplace_back(h.name, h.value);
    CHECK(sent == headers);
  };
}

inline std::string error_body(std::string_view code) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>" + std::string(code) +
         "</Code><Message></Message><RequestId>R1</RequestId></Error>";
}

template <class Call>
service_failure failure_of(Call call) {
  try {
    call();
  } catch (const service_error& e) {
    return e.failure;
  }
  FAIL("no service_error was thrown");
  return {};
}

}  // namespace dynabackup::s3
