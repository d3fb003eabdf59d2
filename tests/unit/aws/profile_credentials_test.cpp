#include "aws/profile_credentials.hpp"

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
#include "text/timestamps.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;
using namespace std::chrono_literals;

namespace {

/// A home of this test alone, and a network that stands for STS and the container agent.
struct setup {
  setup() {
    std::string pattern = (std::filesystem::temp_directory_path() / "unit-aws-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    std::filesystem::create_directory(path + "/.aws");
    environment = {{"HOME", path}};
  }
  setup(const setup&) = delete;
  setup& operator=(const setup&) = delete;
  ~setup() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }

  void write(const std::string& name, const std::string& text) const { std::ofstream(path + name) << text; }

  std::unique_ptr<credential_provider> chain(std::optional<std::string> profile = std::nullopt) {
    credential_settings settings;
    settings.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      if (found == environment.end()) return std::nullopt;
      return found->second;
    };
    settings.profile = std::move(profile);
    return credential_chain(settings, {.network = network, .clock = clock, .seed = 7, .region = "eu-west-1"});
  }
  std::string refusal(const std::string& profile) {
    try {
      const auto provider = chain(profile);
      fakes::run_task(provider->current());
    } catch (const error& e) {
      return e.what();
    }
    return "(no error)";
  }

  /// STS, asked with the key `with` (none: unsigned), hands out the key `key` for `life`.
  void expect_sts(const std::string& with, const std::vector<std::string>& parts, const std::string& key,
                  std::chrono::seconds life = 1h) {
    const std::string operation = with.empty() ? "AssumeRoleWithWebIdentity" : "AssumeRole";
    const auto expires = clock.now() + life;
    network.expect(
        [=](const request& r) {
          CHECK(r.to.host == "sts.eu-west-1.amazonaws.com");
          for (const auto& part : parts) CHECK_MESSAGE(r.body.find(part) != std::string::npos, r.body, " holds ", part);
          std::string signature;
          for (const header& h : r.headers)
            if (h.name == "Authorization") signature = h.value;
          if (with.empty()) CHECK(signature.empty());
          if (!with.empty()) CHECK(signature.find("Credential=" + with + "/") != std::string::npos);
        },
        200,
        "<" + operation + "Response><" + operation + "Result><Credentials><AccessKeyId>" + key +
            "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>" +
            text::rfc3339(expires) + "</Expiration></Credentials></" + operation + "Result></" + operation +
            "Response>");
  }

  std::string path;
  std::map<std::string, std::string> environment;
  fakes::scripted_transport network;
  fakes::fake_clock clock;
};

void check_contains(const std::string& text, std::string_view part) {
  CHECK_MESSAGE(text.find(part) != std::string::npos, text, " should hold: ", part);
}

constexpr const char* base_keys = "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = basesecret\n";

}  // namespace

TEST_CASE("a chain of roles is assumed from its base outwards") {
  setup s;
  s.write("/.aws/credentials", base_keys);
  s.write(
      "/.aws/config",
      "[profile outer]\nrole_arn = arn:outer\nsource_profile = inner\nrole_session_name = me\nduration_seconds = 1800\n"
      "[profile inner]\nrole_arn = arn:inner\nsource_profile = base\nexternal_id = e/1\n");
  s.expect_sts("AKIDBASE", {"RoleArn=arn%3Ainner", "RoleSessionName=dynabackup-1795347903000", "ExternalId=e%2F1"},
               "ASIAINNER");
  s.expect_sts("ASIAINNER", {"RoleArn=arn%3Aouter", "RoleSessionName=me", "DurationSeconds=1800"}, "ASIAOUTER");
  const auto provider = s.chain("outer");
  const auto found = fakes::run_task(provider->current());
  CHECK(found.access_key_id == "ASIAOUTER");
  CHECK(found.source == "profile outer, role arn:outer");
  CHECK(fakes::run_task(provider->current()).access_key_id == "ASIAOUTER");
}

TEST_CASE("a role may take its keys from the environment or from the container") {
  setup s;
  s.write("/.aws/config",
          "[profile env]\nrole_arn = arn:r\ncredential_source = Environment\n"
          "[profile box]\nrole_arn = arn:r\ncredential_source = EcsContainer\n"
          "[profile odd]\nrole_arn = arn:r\ncredential_source = Cloud\n");
  check_contains(s.refusal("env"), "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set in the environment");
  check_contains(s.refusal("box"), "profile 'box' takes its keys from the container");
  check_contains(s.refusal("odd"), "profile 'odd' has a credential_source that is none");
  s.environment["AWS_ACCESS_KEY_ID"] = "AKIDENV";
  s.environment["AWS_SECRET_ACCESS_KEY"] = "envsecret";
  s.environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/c";
  s.expect_sts("AKIDENV", {}, "ASIA1");
  CHECK(fakes::run_task(s.chain("env")->current()).access_key_id == "ASIA1");
  s.network.expect([](const request& r) { CHECK(r.to.host == "169.254.170.2"); }, 200,
                   R"({"AccessKeyId":"ASIABOX","SecretAccessKey":"s","Token":"t"})");
  s.expect_sts("ASIABOX", {}, "ASIA2");
  CHECK(fakes::run_task(s.chain("box")->current()).access_key_id == "ASIA2");
}

TEST_CASE("a web identity of a profile, of the environment, and under another role") {
  setup s;
  s.write("/token", "first.token\n");
  s.write("/.aws/config",
          "[profile web]\nrole_arn = arn:web\nweb_identity_token_file = ~/token\nrole_session_name = me@web\n"
          "[profile above]\nrole_arn = arn:above\nsource_profile = web\n");
  s.expect_sts("", {"RoleArn=arn%3Aweb", "RoleSessionName=me%40web", "WebIdentityToken=first.token"}, "ASIAWEB");
  s.expect_sts("ASIAWEB", {"RoleArn=arn%3Aabove"}, "ASIAABOVE");
  CHECK(fakes::run_task(s.chain("above")->current()).access_key_id == "ASIAABOVE");

  s.environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = s.path + "/token";
  s.environment["AWS_ROLE_ARN"] = "arn:env";
  s.environment["AWS_ROLE_SESSION_NAME"] = "pod";
  const auto provider = s.chain();
  s.expect_sts("", {"RoleArn=arn%3Aenv", "RoleSessionName=pod", "WebIdentityToken=first.token"}, "ASIA1");
  const auto found = fakes::run_task(provider->current());
  CHECK(found.source == "web identity, role arn:env");
  s.write("/token", "second.token");
  s.clock.wall += 59min;
  s.expect_sts("", {"WebIdentityToken=second.token"}, "ASIA2");
  CHECK_MESSAGE(fakes::run_task(provider->current()).access_key_id == "ASIA2", "the token is read at each refresh");
}

TEST_CASE("keys that a tool rewrites in the shared file are read again when they are refused") {
  setup s;
  s.write("/.aws/credentials",
          "[default]\naws_access_key_id = OLD\naws_secret_access_key = s\naws_session_token = a\n");
  const auto provider = s.chain();
  const auto old = fakes::run_task(provider->current());
  CHECK(old.access_key_id == "OLD");
  CHECK_FALSE(fakes::run_task(provider->refresh(old)));
  s.clock.wall += 1min;
  s.write("/.aws/credentials",
          "[default]\naws_access_key_id = NEW\naws_secret_access_key = s\naws_session_token = b\n");
  CHECK(fakes::run_task(provider->current()).access_key_id == "OLD");
  CHECK(fakes::run_task(provider->refresh(old)));
  CHECK(fakes::run_task(provider->current()).access_key_id == "NEW");
}

TEST_CASE("keys in the environment cannot change") {
  setup s;
  s.environment["AWS_ACCESS_KEY_ID"] = "AKIDENV";
  s.environment["AWS_SECRET_ACCESS_KEY"] = "envsecret";
  const auto provider = s.chain();
  CHECK_FALSE(fakes::run_task(provider->refresh(fakes::run_task(provider->current()))));
}

TEST_CASE("where STS is") {
  setup s;
  s.write("/.aws/config",
          "[default]\nregion = us-west-2\nservices = local\n[services local]\nsts =\n  endpoint_url = "
          "http://127.0.0.1:1/sts\n[profile plain]\nregion = us-west-2\n[profile bare]\nx = y\n");
  credential_settings settings;
  settings.environment = [&s](const std::string& name) -> std::optional<std::string> {
    const auto found = s.environment.find(name);
    return found == s.environment.end() ? std::nullopt : std::optional(found->second);
  };
  const chain_surroundings around{.network = s.network, .clock = s.clock, .seed = 0, .region = "eu-west-1"};
  const auto host = [&] { return sts_place(settings, around).base.where.host; };
  CHECK(host() == "127.0.0.1");
  CHECK(sts_place(settings, around).base.path == "/sts");
  CHECK(sts_place(settings, around).signing_region == "us-west-2");
  s.environment["AWS_ENDPOINT_URL"] = "http://all.test";
  CHECK(host() == "all.test");
  s.environment["AWS_ENDPOINT_URL_STS"] = "http://sts.test";
  CHECK(host() == "sts.test");
  s.environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "True";
  CHECK(host() == "sts.us-west-2.amazonaws.com");
  s.environment["AWS_REGION"] = "eu-central-1";
  CHECK(host() == "sts.eu-central-1.amazonaws.com");
  s.environment.erase("AWS_REGION");
  settings.profile = "bare";
  CHECK(host() == "sts.eu-west-1.amazonaws.com");
  chain_surroundings nowhere = around;
  nowhere.region.clear();
  CHECK_THROWS_WITH_AS(sts_place(settings, nowhere), doctest::Contains("no region is set"), usage_error);
}

TEST_CASE("settings that no role can have are refused before anything is sent") {
  setup s;
  s.write("/.aws/credentials", base_keys);
  s.write("/.aws/config",
          "[profile long]\nrole_arn = arn:r\nsource_profile = base\nduration_seconds = 43201\n"
          "[profile word]\nrole_arn = arn:r\nsource_profile = base\nduration_seconds = 1h\n"
          "[profile name]\nrole_arn = arn:r\nsource_profile = base\nrole_session_name = my name\n");
  for (const char* profile : {"long", "word"})
    CHECK(s.refusal(profile) ==
          "duration_seconds of profile '" + std::string(profile) + "' is no number from 900 to 43200");
  check_contains(s.refusal("name"), "the role session name has 2 to 64 of the characters");
  CHECK(s.network.requests == 0);
}
