#include "aws/profile_file.hpp"

#include <array>
#include <doctest/doctest.h>
#include <string>

#include "dynabackup/error.hpp"
#include "fakes/test_data.hpp"
#include "unit/aws/profile_vectors.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;
using fakes::sections;
using fakes::sections_of;
namespace dom = simdjson::dom;

namespace {

std::string text_of(const dom::element& input, const char* name) {
  std::string_view text;
  return input[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string{};
}

const fakes::wordings wordings{
    {"Profile definition must end with ']'", "does not end with ']'"},
    {"Expected a profile definition", "expected a profile definition"},
    {"Expected a property definition", "as a continuation, but no property comes before it"},
    {"Expected an '=' sign defining a property", "lacks the '=' sign that defines a property"},
    {"Property did not have a name", "has no property name before its '='"},
    {"Expected an '=' sign defining a sub-property", "lacks the '=' sign that defines a property (in a block"},
    {"Sub-property did not have a name", "has no property name before its '=' (in a block"},
};

std::string error_of(const std::string& config, const std::string& credentials) {
  try {
    parse_profiles(config, credentials);
  } catch (const format_error& e) {
    return e.what();
  }
  return "(no error)";
}

}  // namespace

TEST_CASE("shared files are read as the public parser vectors say") {
  const auto path = fakes::public_data("profile/profile-parser-tests.json");
  if (!path) return;
  dom::parser parser;
  const dom::element suite = parser.load(path->string());
  int cases = 0;
  const dom::array tests = suite["tests"].get_array().value();
  for (const dom::element test : tests) {
    const std::string name{test["name"].get_string().value()};
    CAPTURE(name);
    ++cases;
    const std::string config = text_of(test["input"], "configFile");
    const std::string credentials = text_of(test["input"], "credentialsFile");
    std::string_view expected_error;
    if (test["output"]["errorContaining"].get(expected_error) == simdjson::SUCCESS) {
      CHECK(error_of(config, credentials).find(fakes::our_words(wordings, expected_error)) != std::string::npos);
      continue;
    }
    const profile_set set = parse_profiles(config, credentials);
    CHECK(set.profiles == sections_of(test["output"]["config"], "profiles"));
    CHECK(set.sso_sessions == sections_of(test["output"]["config"], "sso_sessions"));
  }
  CHECK(cases >= 50);
}

TEST_CASE("an error names the file kind and the line, never what stands there") {
  const std::string config_error = error_of("[default]\nregion = eu-west-1\nAKIDSECRET\n", "");
  CHECK(config_error == "AWS config file: line 3 lacks the '=' sign that defines a property");
  const std::string credentials_error = error_of("", "\n\n[default]\r\naws_secret_access_key wJalrXUtnFEMI\r\n");
  CHECK(credentials_error == "AWS credentials file: line 4 lacks the '=' sign that defines a property");
}

TEST_CASE("dropped sections and properties leave a warning that holds no value") {
  const auto set =
      parse_profiles("[foo]\nx = 1\n[profile bad name]\n[profile a]\nse cret!AKID = v\n continued\ny = 2\n", "");
  REQUIRE(set.warnings.size() == 3);
  CHECK(set.warnings[0] == "AWS config file, line 1: the section [foo] is not one this file can have and is ignored");
  CHECK(set.warnings[1].find("line 3: the section [profile bad name]") != std::string::npos);
  CHECK(set.warnings[2] == "AWS config file, line 5: a property whose name has unusable characters is ignored");
  CHECK(set.profiles == sections{{"a", {{"y", "2"}}}});
}

TEST_CASE("a section title fit for no terminal is not repeated in its warning") {
  const auto set = parse_profiles("[\x1b[2J]\n", "[" + std::string(200, 'a') + " b]\n");
  REQUIRE(set.warnings.size() == 2);
  for (const auto& warning : set.warnings) CHECK(warning.find("unusable name") != std::string::npos);
}

TEST_CASE("warnings are bounded however broken a file is") {
  std::string config;
  for (int i = 0; i < 1000; ++i) config += "[x]\n";
  CHECK(parse_profiles(config, "").warnings.size() == 100);
}

TEST_CASE("services sections keep their nested blocks") {
  const auto set = parse_profiles(
      "[profile dev]\nservices = local\n"
      "[services local]\ndynamodb =\n  endpoint_url = http://localhost:8000  # DynamoDB Local\n"
      "  # a remark\n  Other=a;b\ns3 =\n  endpoint_url = http://localhost:9000\n",
      "");
  REQUIRE(set.services.contains("local"));
  const auto& local = set.services.at("local");
  CHECK(sub_properties(local.at("dynamodb")) ==
        properties{{"endpoint_url", "http://localhost:8000"}, {"other", "a;b"}});
  CHECK(sub_properties(local.at("s3")) == properties{{"endpoint_url", "http://localhost:9000"}});
}

TEST_CASE("only a block has sub-properties") {
  CHECK(sub_properties("").empty());
  CHECK(sub_properties("a = b").empty());
  CHECK(sub_properties("x\na = b").empty());
  CHECK(sub_properties("\na = b\n\nnonsense\n= c") == properties{{"a", "b"}});
}

TEST_CASE("grammar beyond the vectors") {
  struct row {
    const char* what;
    std::string config, credentials;
    sections expected;
  };
  const row rows[] = {
      {"a byte order mark", "\xEF\xBB\xBF[default]\na = 1", "", {{"default", {{"a", "1"}}}}},
      {"an indented comment before any property", "[default]\n  # remark\na = 1", "", {{"default", {{"a", "1"}}}}},
      {"an indented comment before any section", "  ; remark\n[default]\na = 1", "", {{"default", {{"a", "1"}}}}},
      {"a default in both files",
       "[default]\na = 1\nb = 1",
       "[default]\nb = 2",
       {{"default", {{"a", "1"}, {"b", "2"}}}}},
      {"the same property in other case in both files",
       "[default]\nKEY = 1",
       "[default]\nkey = 2",
       {{"default", {{"key", "2"}}}}},
      {"a repeated property forgets its continuation", "[default]\na = 1\n 2\na = 3", "", {{"default", {{"a", "3"}}}}},
      {"a value that is a comment", "[default]\na = # nothing", "", {{"default", {{"a", ""}}}}},
      {"no line end at the end, CRLF before",
       "[default]\r\na = 1\r\n b\r\n\r\nc=2",
       "",
       {{"default", {{"a", "1\nb"}, {"c", "2"}}}}},
      {"an empty section title", "[]\na = 1", "[ ]\na = 1", {}},
      {"[profile] without a name", "[profile]\na = 1\n[profile ]\na = 1", "", {}},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    CHECK(parse_profiles(r.config, r.credentials).profiles == r.expected);
  }
}

TEST_CASE("an empty value counts as none") {
  CHECK(value_of({{"a", "1"}}, "a") == "1");
  CHECK(value_of({{"a", ""}}, "a") == std::nullopt);
  CHECK(value_of({}, "a") == std::nullopt);
}
