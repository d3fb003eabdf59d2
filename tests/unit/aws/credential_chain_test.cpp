#include "aws/credential_chain.hpp"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <simdjson.h>
#include <string>
#include <unistd.h>

#include "aws/shared_files.hpp"
#include "dynabackup/error.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/run_task.hpp"
#include "fakes/scripted_transport.hpp"
#include "fakes/test_data.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;

namespace {

using variables = std::map<std::string, std::string>;

credential_settings settings_of(variables environment, std::optional<std::string> profile = std::nullopt) {
  credential_settings out;
  out.environment = [environment = std::move(environment)](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  };
  out.profile = std::move(profile);
  return out;
}

// A home folder of this test alone, with the two files in it.
class home {
 public:
  explicit home(const std::string& credentials_text = "", const std::string& config_text = "") {
    std::string pattern = (std::filesystem::temp_directory_path() / "unit-aws-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    std::filesystem::create_directory(path + "/.aws");
    if (!credentials_text.empty()) write("/.aws/credentials", credentials_text);
    if (!config_text.empty()) write("/.aws/config", config_text);
  }
  home(const home&) = delete;
  home& operator=(const home&) = delete;
  ~home() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path + name) << text; }
  [[nodiscard]] variables with(variables more) const {
    more.emplace("HOME", path);
    return more;
  }
  std::string path;
};

/// A network that nobody is to ask, unless a test stages answers.
struct surroundings {
  fakes::scripted_transport network;
  fakes::fake_clock clock;
  [[nodiscard]] chain_surroundings all() {
    return {.network = network, .clock = clock, .seed = 7, .region = "eu-west-1"};
  }
};

credentials resolve(const credential_settings& settings) {
  surroundings around;
  const auto provider = credential_chain(settings, around.all());
  return fakes::run_task(provider->current());
}

std::string refusal(const credential_settings& settings) {
  try {
    resolve(settings);
  } catch (const usage_error& e) {
    return e.what();
  }
  return "(no error)";
}

void check_contains(const std::string& text, std::string_view part) {
  CHECK_MESSAGE(text.find(part) != std::string::npos, text, " should hold: ", part);
}

constexpr const char* keys = "aws_access_key_id = AKIDFILE\naws_secret_access_key = filesecret\n";
const variables env_keys{{"AWS_ACCESS_KEY_ID", "AKIDENV"}, {"AWS_SECRET_ACCESS_KEY", "envsecret"}};

}  // namespace

TEST_CASE("the shared files are found as the public location vectors say") {
  const auto path = fakes::public_data("profile/file-location-tests.json");
  if (!path) return;
  simdjson::dom::parser parser;
  const simdjson::dom::element suite = parser.load(path->string());
  int cases = 0;
  const simdjson::dom::array tests = suite["tests"].get_array().value();
  for (const simdjson::dom::element test : tests) {
    if (test["platform"].get_string().value() == "windows") continue;
    CAPTURE(std::string(test["name"].get_string().value()));
    ++cases;
    variables environment;
    const simdjson::dom::object set = test["environment"].get_object().value();
    for (const auto variable : set) {
      environment[std::string(variable.key)] = std::string(variable.value.get_string().value());
    }
    const auto where = locate_shared_files(settings_of(environment));
    CHECK(where.config == test["configLocation"].get_string().value());
    CHECK(where.credentials == test["credentialsLocation"].get_string().value());
    std::string_view profile = "default";
    if (test["profile"].get(profile) == simdjson::SUCCESS) CHECK(where.profile == profile);
  }
  CHECK(cases >= 4);
}

TEST_CASE("a path under an unknown home is no path") {
  CHECK(locate_shared_files(settings_of({})).config.empty());
  CHECK(locate_shared_files(settings_of({{"AWS_CONFIG_FILE", "~/c"}})).config.empty());
  CHECK(locate_shared_files(settings_of({{"HOME", "/h"}, {"AWS_CONFIG_FILE", "~/c"}})).config == "/h/c");
  CHECK(locate_shared_files(settings_of({{"HOME", "/h"}, {"AWS_CONFIG_FILE", "~other/c"}})).config == "~other/c");
  CHECK(locate_shared_files(settings_of({{"HOME", "/h"}, {"AWS_CONFIG_FILE", ""}})).config == "/h/.aws/config");
  CHECK(locate_shared_files({}).profile == "default");
}

TEST_CASE("environment keys") {
  auto environment = env_keys;
  environment["AWS_SESSION_TOKEN"] = "token/+=";
  environment["AWS_CREDENTIAL_EXPIRATION"] = "2026-11-22T12:00:00Z";
  const auto found = resolve(settings_of(environment));
  CHECK(found.access_key_id == "AKIDENV");
  CHECK(found.secret_access_key == "envsecret");
  CHECK(found.session_token == "token/+=");
  CHECK(found.source == "environment");
  REQUIRE(found.expires);
  CHECK(found.expires->time_since_epoch() == std::chrono::seconds{1'795'348'800});
}

TEST_CASE("each source comes in its turn") {
  struct row {
    const char* what;
    variables environment;
    std::optional<std::string> profile;
    const char* expected;
  };
  const home h("[default]\n" + std::string(keys) +
                   "[other]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = s\naws_session_token = t\n",
               "[default]\nregion = eu-west-1\n");
  const row rows[] = {
      {"the environment beats the files", env_keys, std::nullopt, "AKIDENV"},
      {"an explicit profile beats the environment", env_keys, "other", "AKIDOTHER"},
      {"AWS_PROFILE does not",
       {{"AWS_ACCESS_KEY_ID", "AKIDENV"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_PROFILE", "other"}},
       std::nullopt,
       "AKIDENV"},
      {"the default profile", {}, std::nullopt, "AKIDFILE"},
      {"AWS_PROFILE", {{"AWS_PROFILE", "other"}}, std::nullopt, "AKIDOTHER"},
      {"AWS_DEFAULT_PROFILE", {{"AWS_DEFAULT_PROFILE", "other"}}, std::nullopt, "AKIDOTHER"},
      {"AWS_PROFILE beats AWS_DEFAULT_PROFILE",
       {{"AWS_PROFILE", "other"}, {"AWS_DEFAULT_PROFILE", "nope"}},
       std::nullopt,
       "AKIDOTHER"},
      {"empty variables are unset",
       {{"AWS_ACCESS_KEY_ID", ""}, {"AWS_SECRET_ACCESS_KEY", ""}, {"AWS_PROFILE", ""}},
       std::nullopt,
       "AKIDFILE"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    CHECK(resolve(settings_of(h.with(r.environment), r.profile)).access_key_id == r.expected);
  }
}

TEST_CASE("credentials say where they come from") {
  const home h("[a]\n" + std::string(keys), "[profile b]\n" + std::string(keys));
  CHECK(resolve(settings_of(h.with({}), "a")).source == "profile a (" + h.path + "/.aws/credentials)");
  CHECK(resolve(settings_of(h.with({}), "b")).source == "profile b (" + h.path + "/.aws/config)");
}

TEST_CASE("credentials are looked up when first asked, and once") {
  int asked = 0;
  credential_settings settings;
  settings.environment = [&asked](const std::string& name) -> std::optional<std::string> {
    ++asked;
    if (name == "AWS_ACCESS_KEY_ID" || name == "AWS_SECRET_ACCESS_KEY") return "x";
    return std::nullopt;
  };
  surroundings around;
  const auto provider = credential_chain(settings, around.all());
  CHECK(asked == 0);
  fakes::run_task(provider->current());
  const int after_first = asked;
  CHECK(after_first > 0);
  CHECK(fakes::run_task(provider->current()).access_key_id == "x");
  CHECK(asked == after_first);
}

TEST_CASE("half a pair of keys in the environment is an error that says so") {
  const home h("[default]\n" + std::string(keys));
  CHECK(refusal(settings_of(h.with({{"AWS_ACCESS_KEY_ID", "AKIDENV"}}))) ==
        "AWS_ACCESS_KEY_ID is set in the environment but AWS_SECRET_ACCESS_KEY is not: set both or neither");
  CHECK(refusal(settings_of(h.with({{"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_ACCESS_KEY_ID", ""}}))) ==
        "AWS_SECRET_ACCESS_KEY is set in the environment but AWS_ACCESS_KEY_ID is not: set both or neither");
}

TEST_CASE("nothing found: every source is named with its reason") {
  const home h;
  const auto message = refusal(settings_of(h.with({{"AWS_ROLE_ARN", "arn:x"}})));
  check_contains(message, "no AWS credentials found. Tried: ");
  check_contains(message, "environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set)");
  check_contains(message, "no profiles are defined in " + h.path + "/.aws/credentials, " + h.path + "/.aws/config");
  check_contains(message, "web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set)");
  check_contains(message,
                 "container (neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is");
  check_contains(message, "EC2 instance metadata (this version does not ask it yet)");
  check_contains(refusal(settings_of({})), "(HOME is not set)");
}

TEST_CASE("a source that is configured and fails ends the search") {
  const home h;
  CHECK(refusal(settings_of(h.with({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}}))) ==
        "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not: a web identity needs both");
  const auto container = h.with({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/"}});
  auto both = container;
  both["AWS_WEB_IDENTITY_TOKEN_FILE"] = h.path + "/none";
  both["AWS_ROLE_ARN"] = "arn:x";
  check_contains(refusal(settings_of(both)), "the token file " + h.path + "/none (AWS_WEB_IDENTITY_TOKEN_FILE) is not");
  check_contains(refusal(settings_of(container)), "names the host example.com over plain http");
  auto gone = container;
  gone["AWS_PROFILE"] = "gone";
  check_contains(refusal(settings_of(gone)), "(chosen by AWS_PROFILE)");
  const home broken("", "[default]\nrole_arn = arn:x\n");
  auto halved = broken.with({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/"}});
  check_contains(refusal(settings_of(halved)), "has a role_arn but neither source_profile nor credential_source");
}

TEST_CASE("a profile that needs what this version cannot do is refused by name") {
  const home h("[keys]\n" + std::string(keys),
               "[profile mfa]\nrole_arn = arn:x\nsource_profile = keys\nmfa_serial = arn:mfa\n"
               "[profile above]\nrole_arn = arn:x\nsource_profile = mfa\n"
               "[profile process]\ncredential_process = /bin/secret-tool --password hunter2\n"
               "[profile login]\nlogin_session = arn:x\n"
               "[profile ec2]\nrole_arn = arn:x\ncredential_source = Ec2InstanceMetadata\n"
               "[profile sso]\nsso_session = s\n[sso-session s]\nsso_region = r\nsso_start_url = u\n");
  struct row {
    const char* profile;
    const char* expected;
  };
  const row rows[] = {
      {"mfa",
       "profile 'mfa' needs a code of an MFA device, which this version does not do yet; put keys into the environment "
       "with `aws configure export-credentials --profile mfa --format env`"},
      {"above", "profile 'mfa' needs a code of an MFA device"},
      {"process", "profile 'process' needs a credential_process"},
      {"login", "profile 'login' needs an `aws login` session"},
      {"ec2", "profile 'ec2' needs the credential_source Ec2InstanceMetadata"},
      {"sso", "profile 'sso' needs IAM Identity Center (SSO)"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.profile);
    check_contains(refusal(settings_of(h.with({}), r.profile)), r.expected);
    check_contains(refusal(settings_of(h.with({{"AWS_PROFILE", r.profile}}))), r.expected);
    check_contains(refusal(settings_of(h.with({}), r.profile)),
                   "export-credentials --profile " + std::string(r.profile));
    CHECK(refusal(settings_of(h.with({}), r.profile)).find("hunter2") == std::string::npos);
  }
}

TEST_CASE("an explicit profile without credentials ends the search") {
  const home h("", "[profile bare]\nregion = eu-west-1\n");
  auto environment = h.with(env_keys);
  check_contains(refusal(settings_of(environment, "bare")),
                 "no credentials: profile 'bare' holds no credentials (chosen by the profile setting) in ");
  check_contains(refusal(settings_of(environment, "gone")),
                 "there is no profile 'gone' (chosen by the profile setting) in ");
  CHECK(resolve(settings_of(environment)).access_key_id == "AKIDENV");
}

TEST_CASE("broken files are told with their path, and only when they are needed") {
  const home h("[default]\naws_secret_access_key wJalrXUtnFEMI\n");
  const auto message = refusal(settings_of(h.with({})));
  check_contains(message, "AWS credentials file: line 2 lacks the '=' sign");
  check_contains(message, h.path + "/.aws/credentials");
  CHECK(message.find("wJalr") == std::string::npos);
  CHECK(resolve(settings_of(h.with(env_keys))).access_key_id == "AKIDENV");
}

TEST_CASE("files that are no files are refused") {
  const home h;
  h.write("/large", std::string((1 << 20) + 1, '#'));
  h.write("/full", "[default]\n" + std::string(keys) + "#" + std::string((1 << 20) - 200, '#'));
  check_contains(refusal(settings_of(h.with({{"AWS_CONFIG_FILE", h.path}}))), h.path + " is a folder, not a file");
  check_contains(refusal(settings_of(h.with({{"AWS_CONFIG_FILE", "~/large"}}))), "larger than 1 MiB");
  check_contains(refusal(settings_of(h.with({{"AWS_CONFIG_FILE", "/dev/zero"}}))), "larger than 1 MiB");
  CHECK(resolve(settings_of(h.with({{"AWS_CONFIG_FILE", "~/full"}}))).access_key_id == "AKIDFILE");
  check_contains(refusal(settings_of(h.with({{"AWS_CONFIG_FILE", "/dev/null"}}))), "no profiles are defined");
}

TEST_CASE("a file that cannot be read is an error, not a missing file") {
  const home h("", "[default]\n" + std::string(keys));
  const std::string path = h.path + "/.aws/credentials";
  std::filesystem::create_symlink(path, path);
  check_contains(refusal(settings_of(h.with({}))), "cannot read " + path + ": Too many levels of symbolic links");
  std::filesystem::remove(path);
  std::filesystem::create_symlink(h.path + "/nowhere", path);
  CHECK(resolve(settings_of(h.with({}))).access_key_id == "AKIDFILE");
}

TEST_CASE("keys that could not travel in a header are refused without being shown") {
  struct row {
    variables environment;
    const char* expected;
  };
  const row rows[] = {
      {{{"AWS_ACCESS_KEY_ID", "AK\nID"}, {"AWS_SECRET_ACCESS_KEY", "s3cret"}}, "AWS_ACCESS_KEY_ID holds a space"},
      {{{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "s3cret\n"}}, "AWS_SECRET_ACCESS_KEY holds a space"},
      {{{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "s3cret"}, {"AWS_SESSION_TOKEN", "a\r\nX: y"}},
       "AWS_SESSION_TOKEN holds a space"},
  };
  for (const auto& r : rows) {
    const auto message = refusal(settings_of(r.environment));
    check_contains(message, r.expected);
    CHECK(message.find("s3cret") == std::string::npos);
  }
  const home h("[default]\naws_access_key_id = AKID\n continued\naws_secret_access_key = s3cret\n");
  check_contains(refusal(settings_of(h.with({}))), "aws_access_key_id of profile 'default' holds a space");
}

TEST_CASE("an expiration that is no time is refused") {
  auto environment = env_keys;
  environment["AWS_CREDENTIAL_EXPIRATION"] = "tomorrow";
  check_contains(refusal(settings_of(environment)), "AWS_CREDENTIAL_EXPIRATION is not a time");
}

TEST_CASE("settings of the selected profile") {
  const home h("",
               "[default]\nregion = eu-west-1\nempty =\n[profile other]\nregion = us-east-2\nservices = local\n"
               "[services local]\ndynamodb =\n  endpoint_url = http://localhost:8000\n"
               "[profile lost]\nservices = nowhere\n");
  CHECK(profile_value(settings_of(h.with({})), "region") == "eu-west-1");
  CHECK(profile_value(settings_of(h.with({})), "empty") == std::nullopt);
  CHECK(profile_value(settings_of(h.with({})), "ca_bundle") == std::nullopt);
  CHECK(profile_value(settings_of(h.with({{"AWS_PROFILE", "other"}})), "region") == "us-east-2");
  CHECK(profile_value(settings_of(h.with({}), "other"), "region") == "us-east-2");
  CHECK(profile_value(settings_of(h.with({}), "gone"), "region") == std::nullopt);
  CHECK(profile_value(settings_of({}), "region") == std::nullopt);
  CHECK(service_value(settings_of(h.with({}), "other"), "dynamodb", "endpoint_url") == "http://localhost:8000");
  CHECK(service_value(settings_of(h.with({}), "other"), "s3", "endpoint_url") == std::nullopt);
  CHECK(service_value(settings_of(h.with({}), "other"), "dynamodb", "region") == std::nullopt);
  CHECK(service_value(settings_of(h.with({})), "dynamodb", "endpoint_url") == std::nullopt);
  CHECK_THROWS_WITH_AS(service_value(settings_of(h.with({}), "lost"), "s3", "endpoint_url"),
                       doctest::Contains("names the services section 'nowhere'"), usage_error);
}
