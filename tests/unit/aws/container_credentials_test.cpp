#include "aws/container_credentials.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <unistd.h>

#include "dynabackup/error.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/run_task.hpp"
#include "fakes/scripted_transport.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;
using namespace std::chrono_literals;

namespace {

struct setup {
  std::map<std::string, std::string> environment{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1?a=b"}};
  fakes::scripted_transport network;
  fakes::fake_clock clock;

  credentials fetch() {
    credential_settings settings;
    settings.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      if (found == environment.end()) return std::nullopt;
      return found->second;
    };
    container_credentials source(settings, network, clock);
    return fakes::run_task(source.fetch());
  }
  std::string refusal() {
    try {
      fetch();
    } catch (const error& e) {
      return e.what();
    }
    return "(no error)";
  }
};

constexpr const char* keys =
    R"({"AccessKeyId":"ASIA1","SecretAccessKey":"s3cret","Token":"t","Expiration":"2026-11-22T12:45:03Z"})";

std::string authorization(const request& r) {
  std::string found;
  for (const header& h : r.headers)
    if (h.name == "Authorization") found = h.value;
  return found;
}

std::string place_refusal(const std::string& full) {
  try {
    container_place_of(std::nullopt, full);
  } catch (const usage_error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the relative URI is asked of the task's agent, and beats the full one") {
  setup s;
  s.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "https://elsewhere.test/x";
  s.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Bearer abc";
  s.network.expect(
      [](const request& r) {
        CHECK(r.method == "GET");
        CHECK(r.to == origin{false, "169.254.170.2", 80});
        CHECK(r.target == "/v2/credentials/1?a=b");
        CHECK(authorization(r) == "Bearer abc");
        CHECK(r.attempt_timeout == 2s);
      },
      200, keys);
  const auto found = s.fetch();
  CHECK(found.access_key_id == "ASIA1");
  CHECK(found.session_token == "t");
  CHECK(found.source == "container credentials (http://169.254.170.2:80)");
}

TEST_CASE("where the full URI may lead") {
  struct row {
    const char* uri;
    origin where;
    const char* target;
  };
  const row allowed[] = {
      {"http://169.254.170.23/v1/credentials", {false, "169.254.170.23", 80}, "/v1/credentials"},
      {"http://[fd00:ec2::23]/v1", {false, "fd00:ec2::23", 80}, "/v1"},
      {"http://[::1]:81/", {false, "::1", 81}, "/"},
      {"http://127.0.0.1:8080", {false, "127.0.0.1", 8080}, "/"},
      {"http://127.1.2.3:1/a/b/?c=d", {false, "127.1.2.3", 1}, "/a/b/?c=d"},
      {"http://localhost:1234/2016-11-01/credentialprovider/",
       {false, "localhost", 1234},
       "/2016-11-01/credentialprovider/"},
      {"https://agent.example?x=y", {true, "agent.example", 443}, "/?x=y"},
  };
  for (const auto& r : allowed) {
    CAPTURE(r.uri);
    const auto place = container_place_of(std::nullopt, r.uri);
    CHECK(place.where == r.where);
    CHECK(place.target == r.target);
  }
  for (const char* uri :
       {"http://example.com/x", "http://169.254.169.254/latest", "http://10.0.0.1/", "http://127.1/",
        "http://127.0.0.1.example.com/", "http://0177.0.0.1/", "http://127.0.0.256/", "http://127.0.0.01/",
        "http://[::ffff:127.0.0.1]/", "http://localhost.example.com/", "http://127.0.0.1x/", "http://128.0.0.1/"}) {
    CAPTURE(uri);
    const std::string message = place_refusal(uri);
    CHECK_MESSAGE(!message.empty(), "must be refused");
    CHECK(message.find("AWS_CONTAINER_CREDENTIALS_FULL_URI names the host") == 0);
  }
  for (const char* uri : {"", "agent", "ftp://127.0.0.1/", "http://", "http://u:p@127.0.0.1/", "http://127.0.0.1/a b",
                          "http://127.0.0.1/a\r\nX: y", "http://127.0.0.1/#f"}) {
    CAPTURE(uri);
    CHECK(!place_refusal(uri).empty());
  }
  CHECK_THROWS_AS(container_place_of("v2/no-slash", std::nullopt), usage_error);
  CHECK_THROWS_AS(container_place_of("/a b", std::nullopt), usage_error);
}

TEST_CASE("the token file is read each time, and beats the token") {
  std::string path = (std::filesystem::temp_directory_path() / "unit-aws-XXXXXX").string();
  REQUIRE(mkstemp(path.data()) >= 0);
  setup s;
  s.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = path;
  s.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "not this";
  for (const char* token : {"first", "second\n"}) {
    std::ofstream(path) << token;
    s.network.expect(
        [&](const request& r) { CHECK(authorization(r) == std::string(token).substr(0, 6 - (token[0] == 'f'))); }, 200,
        keys);
    s.fetch();
  }
  std::ofstream(path) << "s3cret\r\nX-Evil: 1";
  CHECK(s.refusal() == "the token file " + path +
                           " (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE) holds a line break, a control character or a "
                           "non-ASCII one");
  std::ofstream(path) << "";
  CHECK(s.refusal().find("is empty") != std::string::npos);
  std::ofstream(path) << std::string(70'000, 'x');
  CHECK(s.refusal().find("is larger than 64 KiB") != std::string::npos);
  std::filesystem::remove(path);
  CHECK(s.refusal().find("is not there") != std::string::npos);
  s.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/dev/zero";
  CHECK(s.refusal().find("is no file") != std::string::npos);
  s.environment.erase("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  s.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "s3cret\r\nX-Evil: 1";
  CHECK(s.refusal().find("s3cret") == std::string::npos);
  CHECK(s.network.requests == 2);
}

TEST_CASE("an agent in trouble is asked three times, a second apart; a refusal is final") {
  setup s;
  s.network.expect(nullptr, 500, "");
  s.network.expect_failure(nullptr, std::make_exception_ptr(transport_error(
                                        "http://169.254.170.2:80", transport_error::stage::before_send, "timed out")));
  s.network.expect(nullptr, 200, keys);
  CHECK(s.fetch().access_key_id == "ASIA1");
  CHECK(s.clock.sleeps == std::vector<std::chrono::milliseconds>{1s, 1s});
  for (int i = 0; i < 3; ++i) s.network.expect(nullptr, 503, "s3cret");
  CHECK(s.refusal() == "the container credentials endpoint gave no keys: http://169.254.170.2:80: HTTP 503");
  s.network.expect(nullptr, 404, "s3cret");
  CHECK(s.refusal() == "the container credentials endpoint gave no keys: http://169.254.170.2:80: HTTP 404");
  s.network.expect(nullptr, 200, R"({"code":"x","message":"s3cret"})");
  CHECK(s.refusal() == "the answer of the container credentials endpoint has no AccessKeyId");
}
